#include "CKernels.h"
#include "clones.h"

#define LANES 16
#define CHUNK (4 * LANES)

// Sixteen blocks of Philox4x32-10 side by side: word w of block j is words[w * LANES + j].
// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC'11).
static inline __attribute__((always_inline)) void random_words(uint32_t *restrict words,
                                                               const fk_random_key *key,
                                                               uint32_t first_block) {
  uint32_t *restrict c0 = words, *restrict c1 = words + LANES;
  uint32_t *restrict c2 = words + 2 * LANES, *restrict c3 = words + 3 * LANES;
  for (uint32_t j = 0; j < LANES; j++) {
    c0[j] = key->counter[0] + first_block + j;
    c1[j] = key->counter[1];
    c2[j] = key->counter[2];
    c3[j] = key->counter[3];
  }
  uint32_t k0 = key->key[0], k1 = key->key[1];
  for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
    for (uint32_t j = 0; j < LANES; j++) {
      const uint64_t a = (uint64_t)c0[j] * 0xD2511F53u, b = (uint64_t)c2[j] * 0xCD9E8D57u;
      c0[j] = (uint32_t)(b >> 32) ^ c1[j] ^ k0;
      c1[j] = (uint32_t)b;
      c2[j] = (uint32_t)(a >> 32) ^ c3[j] ^ k1;
      c3[j] = (uint32_t)a;
    }
}

static uint32_t threshold_of(float p) { return (uint32_t)((double)p * 4294967296.0); }

FK_CLONES void fk_dropout_forward(const float *restrict x, float *restrict y, size_t count, float p,
                                  const fk_random_key *key) {
  const uint32_t threshold = threshold_of(p);
  const float scale = 1.0f / (1.0f - p);
  uint32_t words[CHUNK];
  for (size_t start = 0; start < count; start += CHUNK) {
    random_words(words, key, (uint32_t)(start / CHUNK * LANES));
    const size_t end = count - start < CHUNK ? count - start : CHUNK;
    for (size_t i = 0; i < end; i++) y[start + i] = words[i] >= threshold ? x[start + i] * scale : 0;
  }
}

FK_CLONES void fk_dropout_backward_add(const float *restrict dy, float *restrict gradient, size_t count,
                                       float p, const fk_random_key *key) {
  const uint32_t threshold = threshold_of(p);
  const float scale = 1.0f / (1.0f - p);
  uint32_t words[CHUNK];
  for (size_t start = 0; start < count; start += CHUNK) {
    random_words(words, key, (uint32_t)(start / CHUNK * LANES));
    const size_t end = count - start < CHUNK ? count - start : CHUNK;
    for (size_t i = 0; i < end; i++)
      gradient[start + i] += words[i] >= threshold ? dy[start + i] * scale : 0;
  }
}
