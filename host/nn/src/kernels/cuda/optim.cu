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

// The same with both averages in 8 bits: codes of values in a map, times the largest magnitude of their block.
struct Parameter8 {
  void *weight;
  unsigned char *first, *second;
  float *first_absmax, *second_absmax;
  const void *gradient;
  size_t n;
  float keep;
  float rate;
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

// The code of the value in the ascending map that is nearest to `scaled`, of the upper one where two are as near. A number
// above 0 never gets the 0 of a map that starts there.
__device__ inline unsigned char nearest(const float *map, float value, float reciprocal) {
  float scaled = fminf(fmaxf(value * reciprocal, -1.0f), 1.0f);
  unsigned above = 0, count = 256; // the first value that is not below `scaled`
  while (count > 0) {
    unsigned half = count / 2;
    if (map[above + half] < scaled) {
      above += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  if (above > 255) above = 255;
  unsigned below = above > 0 ? above - 1 : 0;
  unsigned code = scaled - map[below] < map[above] - scaled ? below : above;
  if (value > 0 && code == 0 && map[0] == 0) code = 1;
  return code;
}

// `step` with averages in 8 bits: each turn takes one block of blockDim.x numbers, which share a magnitude. `chunk` is a
// multiple of it.
template <typename T>
__device__ void step8(const Parameter8 *table, const Chunk *chunks, size_t chunk, const float *map1, const float *map2,
                      float beta1, float beta2, float rest1, float rest2, float epsilon, float scale,
                      float correction) {
  __shared__ float first_map[256], second_map[256];
  for (unsigned i = threadIdx.x; i < 256; i += blockDim.x) {
    first_map[i] = map1[i];
    second_map[i] = map2[i];
  }
  __syncthreads();
  Parameter8 parameter = table[chunks[blockIdx.x].tensor];
  size_t start = chunks[blockIdx.x].number * chunk, end = min(start + chunk, parameter.n);
  T *weight = (T *)parameter.weight;
  const T *gradient = (const T *)parameter.gradient;
  for (size_t at = start; at < end; at += blockDim.x) { // the same turns for all threads, which `reduce` needs
    size_t i = at + threadIdx.x, block = at / blockDim.x;
    float m = 0, v = 0;
    if (i < end) {
      float g = load(gradient[i]) * scale;
      m = first_map[parameter.first[i]] * parameter.first_absmax[block] * beta1 + g * rest1;
      v = second_map[parameter.second[i]] * parameter.second_absmax[block] * beta2 + g * g * rest2;
      store(weight + i, load(weight[i]) * parameter.keep - parameter.rate * m / (sqrtf(v) / correction + epsilon));
    }
    // All have read the old magnitudes once `reduce` has returned.
    float top1 = reduce(fabsf(m), Max()), top2 = reduce(fabsf(v), Max());
    if (i < end) {
      parameter.first[i] = nearest(first_map, m, top1 > 0 ? 1 / top1 : 0.0f);
      parameter.second[i] = nearest(second_map, v, top2 > 0 ? 1 / top2 : 0.0f);
    }
    if (threadIdx.x == 0) {
      parameter.first_absmax[block] = top1;
      parameter.second_absmax[block] = top2;
    }
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
  extern "C" __global__ void adamw8_##type(const Parameter8 *table, const Chunk *chunks, size_t chunk,                 \
                                           const float *map1, const float *map2, float beta1, float beta2,             \
                                           float rest1, float rest2, float epsilon, float scale, float correction) {   \
    step8<T>(table, chunks, chunk, map1, map2, beta1, beta2, rest1, rest2, epsilon, scale, correction);                \
  }                                                                                                                    \
  extern "C" __global__ void squares_##type(const Parameter *table, const Chunk *chunks, size_t chunk, double *to) {   \
    squares<T>(table, chunks, chunk, to);                                                                              \
  }
KERNELS(float, f32)
KERNELS(__nv_bfloat16, bf16)
