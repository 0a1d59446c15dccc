#include "CKernels.h"
#include "clones.h"

FK_CLONES void fk_add_bias(float *restrict y, const float *restrict bias, size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; row++, y += columns)
    for (size_t i = 0; i < columns; i++) y[i] += bias[i];
}

FK_CLONES void fk_add(float *restrict y, const float *restrict x, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += x[i];
}

FK_CLONES double fk_sum_of_squares(const float *restrict x, size_t count) {
  double lanes[16] = {0};
  size_t i = 0;
  for (; i + 16 <= count; i += 16)
    for (size_t j = 0; j < 16; j++) lanes[j] += (double)x[i + j] * x[i + j];
  for (size_t j = 0; i + j < count; j++) lanes[j] += (double)x[i + j] * x[i + j];
  double sum = 0;
  for (size_t j = 0; j < 16; j++) sum += lanes[j];
  return sum;
}
