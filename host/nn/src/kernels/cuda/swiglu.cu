// SwiGLU of gate z and up u, n numbers each: y = z·σ(z)·u. Backward, g = dL/dy: du = g·z·σ, dz = g·u·σ·(1 + z·(1 − σ)).
#include "common.cuh"

__device__ inline float sigmoid(float z) { return 1 / (1 + expf(-z)); }

template <typename T> __device__ void forward(const T *z, const T *u, T *y, size_t n) {
  size_t i = element();
  if (i < n) store(y + i, load(z[i]) * sigmoid(load(z[i])) * load(u[i]));
}

template <typename T> __device__ void backward(const T *zs, const T *us, const T *gs, T *dz, T *du, size_t n) {
  size_t i = element();
  if (i >= n) return;
  float z = load(zs[i]), u = load(us[i]), g = load(gs[i]), s = sigmoid(z);
  store(du + i, g * z * s);
  store(dz + i, g * u * s * (1 + z * (1 - s)));
}

#define KERNELS(T, type)                                                                                               \
  extern "C" __global__ void swiglu_forward_##type(const T *z, const T *u, T *y, size_t n) { forward(z, u, y, n); }    \
  extern "C" __global__ void swiglu_backward_##type(const T *z, const T *u, const T *g, T *dz, T *du, size_t n) {      \
    backward(z, u, g, dz, du, n);                                                                                      \
  }
KERNELS(float, f32)
KERNELS(__nv_bfloat16, bf16)
