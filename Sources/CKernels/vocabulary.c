#include "CKernels.h"
#include "clones.h"
#include "exponential.h"
#include "maximum.h"

#include <math.h>

// A row is as long as the vocabulary: parts of it are summed in single precision, the parts in double.
#define PART ((size_t)256)

static inline __attribute__((always_inline)) double sum_of_exponentials(const float *restrict x, size_t count,
                                                                        float maximum) {
  FK_FAST_MATH
  double sum = 0;
  for (size_t start = 0; start < count; start += PART) {
    const size_t end = count - start < PART ? count : start + PART;
    float part = 0;
    for (size_t i = start; i < end; i++) part += fk_exp(x[i] - maximum);
    sum += part;
  }
  return sum;
}

FK_CLONES void fk_cross_entropy_forward(const float *restrict logits, const int32_t *restrict targets,
                                        double *restrict losses, double *restrict normalisers, size_t rows,
                                        size_t columns) {
  for (size_t row = 0; row < rows; row++, logits += columns) {
    const float maximum = fk_largest(logits, columns);
    normalisers[row] = maximum + log(sum_of_exponentials(logits, columns, maximum));
    losses[row] = normalisers[row] - logits[targets[row]];
  }
}

FK_CLONES void fk_cross_entropy_backward(float *restrict logits, const int32_t *restrict targets,
                                         const double *restrict normalisers, size_t rows, size_t columns,
                                         float share) {
  FK_FAST_MATH
  for (size_t row = 0; row < rows; row++, logits += columns) {
    const float normaliser = (float)normalisers[row];
    // What rounding the normaliser has cut off.
    const float scale = share * (float)exp(normaliser - normalisers[row]);
    for (size_t i = 0; i < columns; i++) logits[i] = fk_exp(logits[i] - normaliser) * scale;
    logits[targets[row]] -= share;
  }
}

FK_CLONES void fk_argmax(const float *restrict x, int32_t *restrict best, size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; row++, x += columns) {
    const float maximum = fk_largest(x, columns);
    size_t i = 0;
    while (i < columns && x[i] != maximum) i++;
    best[row] = i < columns ? (int32_t)i : 0;
  }
}
