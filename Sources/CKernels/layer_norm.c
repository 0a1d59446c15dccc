#include "CKernels.h"
#include "clones.h"

#include <math.h>

// z = x + residual; returns the sum of z.
static inline __attribute__((always_inline)) float add_and_sum(const float *restrict x,
                                                               const float *restrict residual,
                                                               float *restrict z, size_t columns) {
  FK_FAST_MATH
  float sum = 0;
  for (size_t i = 0; i < columns; i++) {
    z[i] = residual ? x[i] + residual[i] : x[i];
    sum += z[i];
  }
  return sum;
}

FK_CLONES void fk_layer_norm_forward(const float *restrict x, const float *restrict residual,
                                     const float *restrict gain, const float *restrict bias,
                                     float *restrict normalised, float *restrict y,
                                     float *restrict inverseDeviation, size_t rows, size_t columns,
                                     float epsilon) {
  FK_FAST_MATH
  for (size_t row = 0; row < rows; row++) {
    const float *restrict in = x + row * columns;
    float *restrict z = normalised + row * columns;
    float *restrict out = y + row * columns;
    const float *restrict skip = residual ? residual + row * columns : NULL;
    const float mean = add_and_sum(in, skip, z, columns) / (float)columns;
    float squares = 0;
    for (size_t i = 0; i < columns; i++) {
      const float deviation = z[i] - mean;
      squares += deviation * deviation;
    }
    const float inverse = 1.0f / sqrtf(squares / (float)columns + epsilon);
    inverseDeviation[row] = inverse;
    for (size_t i = 0; i < columns; i++) {
      const float value = (z[i] - mean) * inverse;
      z[i] = value;
      out[i] = value * gain[i] + bias[i];
    }
  }
}

// With g = dy * gain: dz = (g - mean(g) - normalised * mean(g * normalised)) * inverseDeviation.
FK_CLONES void fk_layer_norm_backward(const float *restrict dy, const float *restrict normalised,
                                      const float *restrict gain, const float *restrict inverseDeviation,
                                      float *restrict dz, size_t rows, size_t columns) {
  FK_FAST_MATH
  for (size_t row = 0; row < rows; row++) {
    const float *restrict upstream = dy + row * columns;
    const float *restrict hat = normalised + row * columns;
    float *restrict out = dz + row * columns;
    float sum = 0, projection = 0;
    for (size_t i = 0; i < columns; i++) {
      const float g = upstream[i] * gain[i];
      sum += g;
      projection += g * hat[i];
    }
    const float mean = sum / (float)columns, meanProjection = projection / (float)columns;
    const float inverse = inverseDeviation[row];
    for (size_t i = 0; i < columns; i++)
      out[i] = (upstream[i] * gain[i] - mean - hat[i] * meanProjection) * inverse;
  }
}
