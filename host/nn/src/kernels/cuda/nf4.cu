// Reads n numbers of an NF4 weight from number `start` on. Two codes a byte, the earlier one in the high half; a number is
// codebook[code]·absmax of its block of 64, rounded to what the weight was before (0: f32, 1: bf16, 2: f16).
// absmax is given in f32, or as map[code]·nested[block / 256] + offset.
#include "common.cuh"
#include <cuda_fp16.h>

struct Absmax {
  const float *plain; // or null
  const unsigned char *codes;
  const float *map, *nested;
  float offset;
  // Two roundings, as on the CPU: a fused multiply-add would change the last bit.
  __device__ float get(size_t block) const {
    return plain ? plain[block] : __fadd_rn(__fmul_rn(map[codes[block]], nested[block / 256]), offset);
  }
};

__device__ inline float rounded(float value, unsigned to) {
  if (to == 1) return __bfloat162float(__float2bfloat16_rn(value));
  if (to == 2) return __half2float(__float2half_rn(value));
  return value;
}

template <typename T>
__device__ void dequantize(const unsigned char *packed, Absmax absmax, const float *codebook, T *out, size_t start,
                           size_t n, unsigned rounding) {
  size_t i = element(), at = start + i;
  if (i >= n) return;
  unsigned code = packed[at / 2] >> (4 * (1 - at % 2)) & 15;
  store(out + i, rounded(codebook[code] * absmax.get(at / 64), rounding));
}

#define KERNELS(T, type)                                                                                               \
  extern "C" __global__ void nf4_##type(const unsigned char *packed, const float *plain, const unsigned char *codes,   \
                                        const float *map, const float *nested, float offset, const float *codebook,    \
                                        T *out, size_t start, size_t n, unsigned rounding) {                           \
    dequantize(packed, Absmax{plain, codes, map, nested, offset}, codebook, out, start, n, rounding);                  \
  }
KERNELS(float, f32)
KERNELS(__nv_bfloat16, bf16)
