// RMSNorm of the rows x [rows, d] under a weight w [d] in f32: y = x·r·w with r = 1 / √(mean(x²) + eps).
// Backward, g = dL/dy: dx = r·(g∘w) − x·r³·Σ(g∘w∘x) / d, dw = Σ_rows g∘x·r.
#include "common.cuh"

template <typename T> __device__ float reciprocal(const T *x, size_t d, float eps) {
  float sum = 0;
  for (size_t i = threadIdx.x; i < d; i += blockDim.x) sum += load(x[i]) * load(x[i]);
  return 1 / sqrtf(reduce(sum, Sum()) / d + eps);
}

// One block a row.
template <typename T> __device__ void forward(const T *x, const float *w, T *y, size_t d, float eps) {
  x += blockIdx.x * d;
  y += blockIdx.x * d;
  float r = reciprocal(x, d, eps);
  for (size_t i = threadIdx.x; i < d; i += blockDim.x) store(y + i, load(x[i]) * r * w[i]);
}

// Each block takes every gridDim.x-th row, and sums these rows' share of dw in its row of parts [gridDim.x, d]; parts is
// null where dw is not wanted.
template <typename T>
__device__ void backward(const T *x, const float *w, const T *g, T *dx, float *parts, size_t rows, size_t d, float eps) {
  if (parts) {
    parts += blockIdx.x * d;
    for (size_t i = threadIdx.x; i < d; i += blockDim.x) parts[i] = 0;
  }
  for (size_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const T *xs = x + row * d, *gs = g + row * d;
    float r = reciprocal(xs, d, eps), dot = 0;
    for (size_t i = threadIdx.x; i < d; i += blockDim.x) dot += load(gs[i]) * w[i] * load(xs[i]);
    float pull = r * r * r * reduce(dot, Sum()) / d;
    for (size_t i = threadIdx.x; i < d; i += blockDim.x) {
      float xi = load(xs[i]), gi = load(gs[i]);
      store(dx + row * d + i, r * gi * w[i] - xi * pull);
      if (parts) parts[i] += gi * xi * r; // every column has one thread
    }
  }
}

// Sums the columns of parts [n, d] to dw [d], in order.
extern "C" __global__ void rms_norm_columns_f32(const float *parts, float *dw, size_t n, size_t d) {
  size_t column = element();
  if (column >= d) return;
  float sum = 0;
  for (size_t i = 0; i < n; i++) sum += parts[i * d + column];
  dw[column] = sum;
}

#define KERNELS(T, type)                                                                                               \
  extern "C" __global__ void rms_norm_forward_##type(const T *x, const float *w, T *y, size_t d, float eps) {          \
    forward(x, w, y, d, eps);                                                                                          \
  }                                                                                                                    \
  extern "C" __global__ void rms_norm_backward_##type(const T *x, const float *w, const T *g, T *dx, float *parts,     \
                                                      size_t rows, size_t d, float eps) {                              \
    backward(x, w, g, dx, parts, rows, d, eps);                                                                        \
  }
KERNELS(float, f32)
KERNELS(__nv_bfloat16, bf16)
