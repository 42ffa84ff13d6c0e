// Cross-entropy of a chunk of logits [rows, vocab] in f32. For row i with target t:
// loss_i = logsumexp(logits_i) − logits_i[t], gradient_i = (softmax(logits_i) − onehot(t)) / divisor.
// In f32 the gradient may take the logits' place. Beside it, the rows of x [.., d] that have a target are gathered, and
// their gradients scattered.
#include "common.cuh"

// One block a row.
template <typename T>
__device__ void row(const float *logits, T *gradient, const unsigned *targets, float *losses, size_t vocab,
                    float divisor) {
  logits += blockIdx.x * vocab;
  gradient += blockIdx.x * vocab;
  unsigned target = targets[blockIdx.x];
  float chosen = logits[target], max = -INFINITY, sum = 0;
  for (size_t i = threadIdx.x; i < vocab; i += blockDim.x) {
    float value = logits[i];
    if (value > max) {
      sum *= expf(max - value); // 0 the first time
      max = value;
    }
    sum += expf(value - max);
  }
  float top = reduce(max, Max());
  float total = reduce(sum == 0 ? 0.0f : sum * expf(max - top), Sum());
  float scale = 1 / (total * divisor);
  for (size_t i = threadIdx.x; i < vocab; i += blockDim.x)
    store(gradient + i, expf(logits[i] - top) * scale - (i == target ? 1 / divisor : 0));
  if (threadIdx.x == 0) losses[blockIdx.x] = top + logf(total) - chosen;
}

// to [n / d, d] = the rows of from that are named
template <typename T> __device__ void gather(const T *from, const unsigned *rows, T *to, size_t n, size_t d) {
  size_t i = element();
  if (i < n) to[i] = from[rows[i / d] * d + i % d];
}

template <typename T> __device__ void scatter(const T *from, const unsigned *rows, T *to, size_t n, size_t d) {
  size_t i = element();
  if (i < n) to[rows[i / d] * d + i % d] = from[i];
}

#define KERNELS(T, type)                                                                                               \
  extern "C" __global__ void cross_entropy_##type(const float *logits, T *gradient, const unsigned *targets,           \
                                                  float *losses, size_t vocab, float divisor) {                        \
    row(logits, gradient, targets, losses, vocab, divisor);                                                            \
  }                                                                                                                    \
  extern "C" __global__ void gather_##type(const T *from, const unsigned *rows, T *to, size_t n, size_t d) {           \
    gather(from, rows, to, n, d);                                                                                      \
  }                                                                                                                    \
  extern "C" __global__ void scatter_##type(const T *from, const unsigned *rows, T *to, size_t n, size_t d) {          \
    scatter(from, rows, to, n, d);                                                                                     \
  }
KERNELS(float, f32)
KERNELS(__nv_bfloat16, bf16)
