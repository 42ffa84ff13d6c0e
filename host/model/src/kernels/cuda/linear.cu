// What surrounds the matrix products of a linear layer: its bias, and the dropout mask of an adapter's input.
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

#define KERNELS(T, type)                                                                                               \
  extern "C" __global__ void add_bias_##type(T *y, const float *b, size_t n, size_t out) { bias(y, b, n, out); }       \
  extern "C" __global__ void dropout_##type(const T *x, T *y, size_t n, unsigned key, unsigned threshold,              \
                                            float scale) {                                                             \
    dropout(x, y, n, key, threshold, scale);                                                                           \
  }
KERNELS(float, f32)
KERNELS(__nv_bfloat16, bf16)
