#include "CKernels.h"
#include "clones.h"

#include <math.h>

FK_CLONES void fk_rms_norm_forward(const float *restrict x, const float *restrict residual,
                                   const float *restrict gain, float *restrict sum, float *restrict y,
                                   float *restrict inverseRoot, size_t rows, size_t columns, float epsilon) {
  FK_FAST_MATH
  for (size_t row = 0; row < rows; row++) {
    const float *z = x + row * columns;
    if (residual) {
      float *restrict total = sum + row * columns;
      for (size_t i = 0; i < columns; i++) total[i] = z[i] + residual[row * columns + i];
      z = total;
    }
    float squares = 0;
    for (size_t i = 0; i < columns; i++) squares += z[i] * z[i];
    const float inverse = 1.0f / sqrtf(squares / (float)columns + epsilon);
    inverseRoot[row] = inverse;
    for (size_t i = 0; i < columns; i++) y[row * columns + i] = z[i] * inverse * gain[i];
  }
}

// With g = dy * gain: dz = skip + (g - z * inverse^2 * mean(g * z)) * inverse.
FK_CLONES void fk_rms_norm_backward(const float *restrict dy, const float *restrict sum,
                                    const float *restrict gain, const float *restrict inverseRoot,
                                    const float *restrict skip, float *restrict dz, size_t rows,
                                    size_t columns) {
  FK_FAST_MATH
  for (size_t row = 0; row < rows; row++) {
    const float *restrict upstream = dy + row * columns;
    const float *restrict z = sum + row * columns;
    float *restrict out = dz + row * columns;
    float projection = 0;
    for (size_t i = 0; i < columns; i++) projection += upstream[i] * gain[i] * z[i];
    const float inverse = inverseRoot[row];
    const float factor = inverse * inverse * projection / (float)columns;
    for (size_t i = 0; i < columns; i++) out[i] = (upstream[i] * gain[i] - z[i] * factor) * inverse;
    if (skip)
      for (size_t i = 0; i < columns; i++) out[i] += skip[row * columns + i];
  }
}
