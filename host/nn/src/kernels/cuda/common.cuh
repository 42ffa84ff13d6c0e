// What the kernels share: numbers stored in f32 or bf16 with all arithmetic in f32, and reductions over a block whose
// order depends on nothing but the number of threads, so that a run gives the same bits again.
#pragma once
#include <cuda_bf16.h>

#define WARP 32

__device__ inline float load(float value) { return value; }
__device__ inline float load(__nv_bfloat16 value) { return __bfloat162float(value); }
__device__ inline void store(float *to, float value) { *to = value; }
__device__ inline void store(__nv_bfloat16 *to, float value) { *to = __float2bfloat16_rn(value); }

// The element of a one-dimensional grid that this thread handles.
__device__ inline size_t element() { return (size_t)blockIdx.x * blockDim.x + threadIdx.x; }

struct Sum {
  template <typename T> __device__ T operator()(T a, T b) const { return a + b; }
};
struct Max {
  __device__ float operator()(float a, float b) const { return b > a ? b : a; }
};

// Joins every thread's value; all threads get the result. The whole block must call it, and be whole warps.
template <typename T, typename Join> __device__ T reduce(T value, Join join) {
  __shared__ T parts[WARP];
  for (int step = WARP / 2; step > 0; step /= 2) value = join(value, __shfl_xor_sync(0xffffffffu, value, step));
  __syncthreads(); // what an earlier call left in `parts` has been read
  if (threadIdx.x % WARP == 0) parts[threadIdx.x / WARP] = value;
  __syncthreads();
  T total = parts[0];
  for (unsigned warp = 1; warp < blockDim.x / WARP; warp++) total = join(total, parts[warp]);
  return total;
}
