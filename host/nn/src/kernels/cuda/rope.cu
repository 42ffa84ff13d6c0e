// Rotary position embedding of x [tokens, heads, 2·half] by angles [.., half] in f32 that start over when they end:
// a pair (a, b) of the two halves becomes (a·cos − b·sin, b·cos + a·sin). direction is 1, or −1 for the gradient.
#include "common.cuh"

// One thread a pair.
template <typename T>
__device__ void rotate(const T *x, T *y, const float *cos, const float *sin, size_t pairs, size_t heads, size_t half,
                       size_t angles, float direction) {
  size_t pair = element();
  if (pair >= pairs) return;
  size_t i = pair % half, vector = pair / half;
  size_t angle = vector / heads * half % angles + i, first = vector * 2 * half + i;
  float a = load(x[first]), b = load(x[first + half]), c = cos[angle], s = sin[angle] * direction;
  store(y + first, a * c - b * s);
  store(y + first + half, b * c + a * s);
}

#define KERNELS(T, type)                                                                                               \
  extern "C" __global__ void rope_##type(const T *x, T *y, const float *cos, const float *sin, size_t pairs,           \
                                         size_t heads, size_t half, size_t angles, float direction) {                  \
    rotate(x, y, cos, sin, pairs, heads, half, angles, direction);                                                     \
  }
KERNELS(float, f32)
KERNELS(__nv_bfloat16, bf16)
