#ifndef FLORANA_EXPONENTIAL_H
#define FLORANA_EXPONENTIAL_H

#include <stdint.h>
#include <string.h>

// e^x without a branch, so that loops vectorise; relative error below 2e-7 on [-87, 88], clamped outside.
// x = n ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor series to r^7 (remainder 5e-9); 2^n by its bits.
static inline __attribute__((always_inline)) float fk_exp(float x) {
  x = x > 88.0f ? 88.0f : x;
  x = x < -87.0f ? -87.0f : x;
  // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
  const float shifted = x * 1.44269504f + 12582912.0f;
  int32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  const float n = shifted - 12582912.0f;
  // ln 2 in two parts: the first has few bits, so that n times it is exact.
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float sum = 1.0f / 5040;
  sum = sum * r + 1.0f / 720;
  sum = sum * r + 1.0f / 120;
  sum = sum * r + 1.0f / 24;
  sum = sum * r + 1.0f / 6;
  sum = sum * r + 0.5f;
  sum = sum * r + 1.0f;
  sum = sum * r + 1.0f;
  const int32_t power = (int32_t)((uint32_t)(bits - 0x4B400000 + 127) << 23);
  float scale;
  memcpy(&scale, &power, sizeof scale);
  return sum * scale;
}

#endif
