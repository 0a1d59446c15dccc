#include "CKernels.h"
#include "clones.h"

// Source: Su et al., "RoFormer: enhanced transformer with rotary position embedding", in the order of Hugging
// Face: the pairs are (i, i + size / 2).
FK_CLONES void fk_rotate(float *restrict x, size_t stride, const int32_t *restrict positions,
                         const float *restrict cosines, const float *restrict sines, size_t rows, size_t heads,
                         size_t size, float direction) {
  FK_FAST_MATH
  const size_t half = size / 2;
  for (size_t row = 0; row < rows; row++) {
    const float *restrict c = cosines + (size_t)positions[row] * half;
    const float *restrict s = sines + (size_t)positions[row] * half;
    for (size_t head = 0; head < heads; head++) {
      float *restrict first = x + row * stride + head * size;
      for (size_t i = 0; i < half; i++) {
        const float a = first[i], b = first[i + half], sine = direction * s[i];
        first[i] = a * c[i] - b * sine;
        first[i + half] = b * c[i] + a * sine;
      }
    }
  }
}
