#include "CKernels.h"
#include "clones.h"
#include "exponential.h"

#define INLINE static inline __attribute__((always_inline))

// The normal distribution's density times sqrt(2 pi), and its distribution function:
// Phi(x) = 1 - density * (polynomial in t) / 2 for x >= 0, t = 1 / (1 + p x / sqrt 2).
// Source: Abramowitz and Stegun 7.1.26, absolute error of erf below 1.5e-7.
INLINE float normal_distribution(float x, float *density) {
  const float magnitude = x < 0 ? -x : x;
  const float e = fk_exp(-0.5f * x * x);
  const float t = 1.0f / (1.0f + 0.3275911f * 0.70710678f * magnitude);
  float sum = 1.061405429f;
  sum = sum * t - 1.453152027f;
  sum = sum * t + 1.421413741f;
  sum = sum * t - 0.284496736f;
  sum = sum * t + 0.254829592f;
  const float tail = 0.5f * sum * t * e;
  *density = e;
  return x < 0 ? tail : 1.0f - tail;
}

// GELU(x) = x Phi(x), exactly as "gelu" of Hugging Face configurations.
FK_CLONES void fk_gelu_forward(const float *restrict x, float *restrict y, size_t count) {
  FK_FAST_MATH
  for (size_t i = 0; i < count; i++) {
    float density;
    y[i] = x[i] * normal_distribution(x[i], &density);
  }
}

// GELU'(x) = Phi(x) + x density(x) / sqrt(2 pi)
FK_CLONES void fk_gelu_backward(const float *restrict x, float *restrict gradient, size_t count) {
  FK_FAST_MATH
  for (size_t i = 0; i < count; i++) {
    float density;
    const float distribution = normal_distribution(x[i], &density);
    gradient[i] *= distribution + x[i] * density * 0.39894228f;
  }
}

// The form with tanh: x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3); "gelu_new" of Hugging Face.
#define LINEAR 1.59576912f       /* 2 sqrt(2 / pi) */
#define CUBIC 0.0713548162f      /* 2 sqrt(2 / pi) 0.044715 */

FK_CLONES void fk_gelu_tanh_forward(const float *restrict x, float *restrict y, size_t count) {
  FK_FAST_MATH
  for (size_t i = 0; i < count; i++) {
    const float v = x[i];
    y[i] = v / (1.0f + fk_exp(-(LINEAR + CUBIC * v * v) * v));
  }
}

FK_CLONES void fk_gelu_tanh_backward(const float *restrict x, float *restrict gradient, size_t count) {
  FK_FAST_MATH
  for (size_t i = 0; i < count; i++) {
    const float v = x[i];
    const float s = 1.0f / (1.0f + fk_exp(-(LINEAR + CUBIC * v * v) * v));
    gradient[i] *= s + v * s * (1.0f - s) * (LINEAR + 3.0f * CUBIC * v * v);
  }
}

FK_CLONES void fk_relu_forward(const float *restrict x, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[i] > 0 ? x[i] : 0;
}

FK_CLONES void fk_relu_backward(const float *restrict x, float *restrict gradient, size_t count) {
  for (size_t i = 0; i < count; i++) gradient[i] = x[i] > 0 ? gradient[i] : 0;
}
