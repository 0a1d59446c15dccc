#ifndef FLORANA_CKERNELS_H
#define FLORANA_CKERNELS_H

// Kernels of the transformer. All matrices are row-major, and but for those of fk_frozen_product contiguous; all
// sizes are in elements. Each function is compiled for several CPUs and chosen at start (see clones.h); of
// fk_frozen_product the caller says which.

#include <stddef.h>
#include <stdint.h>

// A product with a frozen matrix W, which is read where it lies:
// y = x op(W) + bias, or y += x op(W) where it accumulates. x is rows x inputs, y rows x outputs; strides are
// in elements.
typedef enum { FK_FLOAT32, FK_BFLOAT16 } fk_number;

typedef struct {
  size_t rows, inputs, outputs;
  const float *x;
  size_t xStride;
  const void *weight;  // numbers of kind `storage`
  size_t weightStride;
  fk_number storage;
  int transposed;  // W is stored outputs x inputs, else inputs x outputs
  // FK_BFLOAT16: x and W are rounded to bfloat16, products and sums are Float32's.
  fk_number precision;
  const float *bias;  // outputs, or NULL; unused where it accumulates
  int accumulates;
  float *y;
  size_t yStride;
} fk_frozen_product_call;

// What a CPU can do, each including those before it.
typedef enum { FK_PORTABLE, FK_AVX2, FK_AVX512, FK_AVX512_BF16 } fk_product_level;

fk_product_level fk_best_product_level(void);
// Bytes of scratch that a product needs, which depend on its shape and not on the weight's numbers.
size_t fk_frozen_product_scratch(const fk_frozen_product_call *call, fk_product_level level);
void fk_frozen_product(const fk_frozen_product_call *call, fk_product_level level, void *scratch);

// y[r][c] += bias[c]
void fk_add_bias(float *restrict y, const float *restrict bias, size_t rows, size_t columns);
// y[i] += x[i]
void fk_add(float *restrict y, const float *restrict x, size_t count);

// z = x + residual (residual may be NULL); normalised = (z - mean z) / sqrt(var z + epsilon);
// y = normalised * gain + bias. Kept for the backward pass: normalised, inverseDeviation[r].
void fk_layer_norm_forward(const float *restrict x, const float *restrict residual,
                           const float *restrict gain, const float *restrict bias,
                           float *restrict normalised, float *restrict y,
                           float *restrict inverseDeviation, size_t rows, size_t columns, float epsilon);
// The gradient of z; gain and bias are frozen and get none.
void fk_layer_norm_backward(const float *restrict dy, const float *restrict normalised,
                            const float *restrict gain, const float *restrict inverseDeviation,
                            float *restrict dz, size_t rows, size_t columns);

// y = z / sqrt(mean z^2 + epsilon) * gain for z = x + residual, which is written to sum; without a residual (NULL)
// z is x and sum is not touched. Kept for the backward pass: z, inverseRoot[r].
void fk_rms_norm_forward(const float *restrict x, const float *restrict residual, const float *restrict gain,
                         float *restrict sum, float *restrict y, float *restrict inverseRoot, size_t rows,
                         size_t columns, float epsilon);
// The gradient of z, to which what z has by another path (skip, may be NULL) is added; the gain is frozen.
void fk_rms_norm_backward(const float *restrict dy, const float *restrict sum, const float *restrict gain,
                          const float *restrict inverseRoot, const float *restrict skip, float *restrict dz,
                          size_t rows, size_t columns);

// In place: turns the pairs (i, i + size / 2) of every head by the angles of the row's position, whose cosines
// and sines have size / 2 numbers a position; direction -1 turns back. Rows have heads * size numbers.
void fk_rotate(float *restrict x, size_t stride, const int32_t *restrict positions,
               const float *restrict cosines, const float *restrict sines, size_t rows, size_t heads, size_t size,
               float direction);

// y = silu(gate) * up.
void fk_swiglu_forward(const float *restrict gate, const float *restrict up, float *restrict y, size_t rows,
                       size_t columns);
// The gradient of y becomes that of gate; dUp is that of up.
void fk_swiglu_backward(const float *restrict gate, const float *restrict up, float *restrict gradient,
                        float *restrict dUp, size_t rows, size_t columns);

// losses[r] = normalisers[r] - logits[r][targets[r]], normalisers[r] = log sum_c exp(logits[r][c]).
void fk_cross_entropy_forward(const float *restrict logits, const int32_t *restrict targets,
                              double *restrict losses, double *restrict normalisers, size_t rows, size_t columns);
// In place: logits become share * (softmax - onehot(target)).
void fk_cross_entropy_backward(float *restrict logits, const int32_t *restrict targets,
                               const double *restrict normalisers, size_t rows, size_t columns, float share);
// The column of each row's largest number, the lowest of equals.
void fk_argmax(const float *restrict x, int32_t *restrict best, size_t rows, size_t columns);

// In place: each row of x becomes softmax(scale * row), or of scale * row[c] + bias[c - positions[r]] where there is
// a bias, which points at the term of distance 0; where it is causal, over the columns up to positions[r], 0 behind
// them. Neither bias nor positions (may be NULL) is read where nothing needs it.
void fk_softmax_forward(float *restrict x, size_t rows, size_t columns, const int32_t *restrict positions,
                        int isCausal, const float *restrict bias, float scale);
// In place: the gradient of the probabilities becomes that of the scores before scaling.
void fk_softmax_backward(const float *restrict probabilities, float *restrict gradient, size_t rows,
                         size_t columns, float scale);

// y = f(x); backward in place: gradient *= f'(x).
void fk_gelu_forward(const float *restrict x, float *restrict y, size_t count);
void fk_gelu_backward(const float *restrict x, float *restrict gradient, size_t count);
void fk_gelu_tanh_forward(const float *restrict x, float *restrict y, size_t count);
void fk_gelu_tanh_backward(const float *restrict x, float *restrict gradient, size_t count);
void fk_relu_forward(const float *restrict x, float *restrict y, size_t count);
void fk_relu_backward(const float *restrict x, float *restrict gradient, size_t count);

// The stream of random words that decides what is dropped: Philox4x32-10 of module Randomness.
typedef struct {
  uint32_t key[2];
  uint32_t counter[4];
} fk_random_key;

// y[i] = x[i] / (1 - p) where the i-th word is at least p * 2^32, else 0. Element i takes word
// (i % 64) / 16 of block (i / 64) * 16 + i % 16, counted from the key's counter.
void fk_dropout_forward(const float *restrict x, float *restrict y, size_t count, float p,
                        const fk_random_key *key);
// gradient[i] += dy[i] / (1 - p) for what fk_dropout_forward kept with the same key.
void fk_dropout_backward_add(const float *restrict dy, float *restrict gradient, size_t count, float p,
                             const fk_random_key *key);

typedef struct {
  float learningRate, beta1, beta2, epsilon, weightDecay;
  float correction1, correction2;  // 1 - beta^step
} fk_adamw;

void fk_adamw_step(float *restrict parameters, const float *restrict gradient, float *restrict mean,
                   float *restrict square, size_t count, const fk_adamw *options);
// velocity = momentum * velocity + gradient + weightDecay * parameters; parameters -= learningRate * velocity
void fk_sgd_step(float *restrict parameters, const float *restrict gradient, float *restrict velocity,
                 size_t count, float learningRate, float momentum, float weightDecay);

// The sum of squares, accumulated in double precision in the order of the elements by 16 lanes.
double fk_sum_of_squares(const float *restrict x, size_t count);

#endif
