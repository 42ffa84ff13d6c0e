// AdamW and the gradients' norm, each over all parameters in one launch. A table has a row for every parameter; the
// parameters are cut into chunks of `chunk` numbers, and each block takes the chunk that (tensor, number) names.
#include "common.cuh"

struct Parameter {
  void *weight;
  float *first, *second; // moving averages of the gradient and of its square
  const void *gradient;
  size_t n;
  float keep; // 1 − learning rate · weight decay
  float rate; // learning rate over the first average's bias correction
};

struct Chunk {
  unsigned tensor, number;
};

// g = scale·gradient; m = β1·m + (1 − β1)·g; v = β2·v + (1 − β2)·g²; w = keep·w − rate·m / (√v / correction + ε)
template <typename T>
__device__ void step(const Parameter *table, const Chunk *chunks, size_t chunk, float beta1, float beta2, float rest1,
                     float rest2, float epsilon, float scale, float correction) {
  Parameter parameter = table[chunks[blockIdx.x].tensor];
  size_t start = chunks[blockIdx.x].number * chunk, end = min(start + chunk, parameter.n);
  T *weight = (T *)parameter.weight;
  const T *gradient = (const T *)parameter.gradient;
  for (size_t i = start + threadIdx.x; i < end; i += blockDim.x) {
    float g = load(gradient[i]) * scale;
    float m = parameter.first[i] * beta1 + g * rest1, v = parameter.second[i] * beta2 + g * g * rest2;
    parameter.first[i] = m;
    parameter.second[i] = v;
    store(weight + i, load(weight[i]) * parameter.keep - parameter.rate * m / (sqrtf(v) / correction + epsilon));
  }
}

// Σ g² of one chunk in f64: squares [chunks]
template <typename T>
__device__ void squares(const Parameter *table, const Chunk *chunks, size_t chunk, double *squares) {
  Parameter parameter = table[chunks[blockIdx.x].tensor];
  size_t start = chunks[blockIdx.x].number * chunk, end = min(start + chunk, parameter.n);
  const T *gradient = (const T *)parameter.gradient;
  double sum = 0;
  for (size_t i = start + threadIdx.x; i < end; i += blockDim.x) sum += (double)load(gradient[i]) * load(gradient[i]);
  sum = reduce(sum, Sum());
  if (threadIdx.x == 0) squares[blockIdx.x] = sum;
}

// The sum of all chunks' squares, by one block.
extern "C" __global__ void sum_squares_f32(const double *squares, double *total, size_t n) {
  double sum = 0;
  for (size_t i = threadIdx.x; i < n; i += blockDim.x) sum += squares[i];
  sum = reduce(sum, Sum());
  if (threadIdx.x == 0) *total = sum;
}

#define KERNELS(T, type)                                                                                               \
  extern "C" __global__ void adamw_##type(const Parameter *table, const Chunk *chunks, size_t chunk, float beta1,      \
                                          float beta2, float rest1, float rest2, float epsilon, float scale,           \
                                          float correction) {                                                          \
    step<T>(table, chunks, chunk, beta1, beta2, rest1, rest2, epsilon, scale, correction);                             \
  }                                                                                                                    \
  extern "C" __global__ void squares_##type(const Parameter *table, const Chunk *chunks, size_t chunk, double *to) {   \
    squares<T>(table, chunks, chunk, to);                                                                              \
  }
KERNELS(float, f32)
KERNELS(__nv_bfloat16, bf16)
