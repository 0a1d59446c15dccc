#include "CKernels.h"
#include "clones.h"
#include "exponential.h"

#include <math.h>

// Maxima are not regrouped by the compiler: sixteen lanes by hand.
static inline __attribute__((always_inline)) float largest(const float *restrict x, size_t count) {
  float lanes[16];
  for (size_t j = 0; j < 16; j++) lanes[j] = -INFINITY;
  size_t i = 0;
  for (; i + 16 <= count; i += 16)
    for (size_t j = 0; j < 16; j++) lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
  float result = lanes[0];
  for (size_t j = 1; j < 16; j++) result = lanes[j] > result ? lanes[j] : result;
  for (; i < count; i++) result = x[i] > result ? x[i] : result;
  return result;
}

FK_CLONES void fk_softmax_forward(float *restrict x, size_t rows, size_t columns, float scale) {
  FK_FAST_MATH
  for (size_t row = 0; row < rows; row++, x += columns) {
    const float maximum = largest(x, columns);
    float sum = 0;
    for (size_t i = 0; i < columns; i++) {
      const float e = fk_exp((x[i] - maximum) * scale);
      x[i] = e;
      sum += e;
    }
    const float inverse = 1.0f / sum;
    for (size_t i = 0; i < columns; i++) x[i] *= inverse;
  }
}

// d score = scale * p * (d p - <p, d p>)
FK_CLONES void fk_softmax_backward(const float *restrict probabilities, float *restrict gradient,
                                   size_t rows, size_t columns, float scale) {
  FK_FAST_MATH
  for (size_t row = 0; row < rows; row++, probabilities += columns, gradient += columns) {
    float inner = 0;
    for (size_t i = 0; i < columns; i++) inner += probabilities[i] * gradient[i];
    for (size_t i = 0; i < columns; i++)
      gradient[i] = probabilities[i] * (gradient[i] - inner) * scale;
  }
}
