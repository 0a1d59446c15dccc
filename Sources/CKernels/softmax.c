#include "CKernels.h"
#include "clones.h"
#include "exponential.h"
#include "maximum.h"

#include <string.h>

FK_CLONES void fk_softmax_forward(float *restrict x, size_t rows, size_t columns, const int32_t *restrict positions,
                                  int isCausal, const float *restrict bias, float scale) {
  FK_FAST_MATH
  const float factor = bias ? 1 : scale;
  for (size_t row = 0; row < rows; row++, x += columns) {
    const size_t count = isCausal ? (size_t)positions[row] + 1 : columns;
    if (bias) {
      const float *const terms = bias - positions[row];
      for (size_t i = 0; i < count; i++) x[i] = x[i] * scale + terms[i];
    }
    const float maximum = fk_largest(x, count);
    float sum = 0;
    for (size_t i = 0; i < count; i++) {
      const float e = fk_exp((x[i] - maximum) * factor);
      x[i] = e;
      sum += e;
    }
    const float inverse = 1.0f / sum;
    for (size_t i = 0; i < count; i++) x[i] *= inverse;
    memset(x + count, 0, (columns - count) * sizeof *x);
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
