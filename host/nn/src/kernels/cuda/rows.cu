// What surrounds matrix products: a bias, the dropout mask of an adapter's input, products of rows with rows.
#include "common.cuh"

// y [rows, out] += bias [out]
template <typename T> __device__ void bias(T *y, const float *bias, size_t n, size_t out) {
  size_t i = element();
  if (i < n) store(y + i, load(y[i]) + bias[i % out]);
}

// "lowbias32" (Wellons 2018), as in dropout.rs.
__device__ inline unsigned mix(unsigned x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

// y = m ∘ x, the mask m computed from the element's index: scale where the hash is at least the threshold, 0 elsewhere.
template <typename T>
__device__ void dropout(const T *x, T *y, size_t n, unsigned key, unsigned threshold, float scale) {
  size_t i = element();
  if (i >= n) return;
  unsigned hash = mix((unsigned)i ^ key) + (unsigned)(i >> 32);
  store(y + i, load(x[i]) * (hash >= threshold ? scale : 0));
}

// dot [rows] of the rows of a and b [rows, d], one block each.
template <typename T> __device__ void dots(const T *a, const T *b, float *dot, size_t d) {
  float sum = 0;
  for (size_t i = threadIdx.x; i < d; i += blockDim.x) sum += load(a[blockIdx.x * d + i]) * load(b[blockIdx.x * d + i]);
  sum = reduce(sum, Sum());
  if (threadIdx.x == 0) dot[blockIdx.x] = sum;
}

#define KERNELS(T, type)                                                                                               \
  extern "C" __global__ void add_bias_##type(T *y, const float *b, size_t n, size_t out) { bias(y, b, n, out); }       \
  extern "C" __global__ void dropout_##type(const T *x, T *y, size_t n, unsigned key, unsigned threshold,              \
                                            float scale) {                                                             \
    dropout(x, y, n, key, threshold, scale);                                                                           \
  }                                                                                                                    \
  extern "C" __global__ void row_dots_##type(const T *a, const T *b, float *dot, size_t d) { dots(a, b, dot, d); }
KERNELS(float, f32)
KERNELS(__nv_bfloat16, bf16)
