#ifndef FLORANA_MAXIMUM_H
#define FLORANA_MAXIMUM_H

#include <math.h>
#include <stddef.h>

// Maxima are not regrouped by the compiler: sixteen lanes by hand.
static inline __attribute__((always_inline)) float fk_largest(const float *restrict x, size_t count) {
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

#endif
