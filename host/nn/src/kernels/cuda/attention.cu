// What lies between the matrix products of causal attention, for some queries of one row of the batch.
// Scores are [heads, queries, stride] in f32; query i sees its first n keys, with n = p + 1 for its position
// p = offset + first + i, and none where p is padding (p >= keys). lse and dot are [t, heads].
// Forward: p = softmax(scale·scores) over n keys and 0 up to the last of `columns`, lse = log Σ exp(scale·scores).
// Backward: p = exp(scale·scores − lse), ds = p ∘ (dp − dot)·scale with dot = Σ(g∘y).
#include "common.cuh"

struct Queries {
  size_t first, offset, keys;
  __device__ size_t visible(size_t i) const {
    size_t position = offset + first + i;
    return position < keys ? position + 1 : 0;
  }
};

// One block a query and head; in f32 the probabilities may take the scores' place.
template <typename T>
__device__ void softmax(const float *scores, T *p, float *lse, size_t columns, size_t stride, Queries queries,
                        float scale) {
  size_t query = blockIdx.x, head = blockIdx.y, row = (head * gridDim.x + query) * stride, n = queries.visible(query);
  scores += row;
  p += row;
  float max = -INFINITY, sum = 0;
  for (size_t i = threadIdx.x; i < n; i += blockDim.x) {
    float value = scores[i] * scale;
    if (value > max) {
      sum *= expf(max - value); // 0 the first time
      max = value;
    }
    sum += expf(value - max);
  }
  float top = reduce(max, Max());
  float total = reduce(sum == 0 ? 0.0f : sum * expf(max - top), Sum());
  for (size_t i = threadIdx.x; i < columns; i += blockDim.x)
    store(p + i, i < n ? expf(scores[i] * scale - top) / total : 0.0f);
  if (threadIdx.x == 0) lse[(queries.first + query) * gridDim.y + head] = n ? top + logf(total) : 0.0f;
}

// In f32, p may take the scores' place and ds that of dp.
template <typename T>
__device__ void backward(const float *scores, const float *dp, T *p, T *ds, const float *lse, const float *dot,
                         size_t columns, size_t stride, Queries queries, float scale) {
  size_t query = blockIdx.x, head = blockIdx.y, row = (head * gridDim.x + query) * stride, n = queries.visible(query);
  size_t index = (queries.first + query) * gridDim.y + head;
  for (size_t i = threadIdx.x; i < columns; i += blockDim.x) {
    float probability = i < n ? expf(scores[row + i] * scale - lse[index]) : 0.0f;
    float gradient = i < n ? probability * (dp[row + i] - dot[index]) * scale : 0.0f;
    store(p + row + i, probability);
    store(ds + row + i, gradient);
  }
}

#define KERNELS(T, type)                                                                                               \
  extern "C" __global__ void attention_softmax_##type(const float *scores, T *p, float *lse, size_t columns,           \
                                                      size_t stride, size_t first, size_t offset, size_t keys,         \
                                                      float scale) {                                                   \
    softmax(scores, p, lse, columns, stride, Queries{first, offset, keys}, scale);                                     \
  }                                                                                                                    \
  extern "C" __global__ void attention_backward_##type(const float *scores, const float *dp, T *p, T *ds,              \
                                                       const float *lse, const float *dot, size_t columns,             \
                                                       size_t stride, size_t first, size_t offset, size_t keys,        \
                                                       float scale) {                                                  \
    backward(scores, dp, p, ds, lse, dot, columns, stride, Queries{first, offset, keys}, scale);                       \
  }
KERNELS(float, f32)
KERNELS(__nv_bfloat16, bf16)
