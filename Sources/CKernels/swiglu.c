#include "CKernels.h"
#include "clones.h"
#include "exponential.h"

// Row by row, so that a row's numbers do not depend on how many there are.
// silu(v) = v s(v), s the logistic function. Source: Shazeer, "GLU variants improve transformer".
FK_CLONES void fk_swiglu_forward(const float *restrict gate, const float *restrict up, float *restrict y,
                                 size_t rows, size_t columns) {
  FK_FAST_MATH
  for (size_t row = 0; row < rows; row++, gate += columns, up += columns, y += columns)
    for (size_t i = 0; i < columns; i++) y[i] = gate[i] / (1.0f + fk_exp(-gate[i])) * up[i];
}

// silu'(v) = s (1 + v (1 - s))
FK_CLONES void fk_swiglu_backward(const float *restrict gate, const float *restrict up,
                                  float *restrict gradient, float *restrict dUp, size_t rows, size_t columns) {
  FK_FAST_MATH
  for (size_t row = 0; row < rows; row++, gate += columns, up += columns, gradient += columns, dUp += columns)
    for (size_t i = 0; i < columns; i++) {
      const float v = gate[i], dy = gradient[i];
      const float s = 1.0f / (1.0f + fk_exp(-v));
      dUp[i] = dy * v * s;
      gradient[i] = dy * up[i] * s * (1.0f + v * (1.0f - s));
    }
}
