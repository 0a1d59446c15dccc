// Sums for few rows of x, for one width of a vector; frozen_product_few_rows.h includes it once for each, with
// ROW_LANES the floats of a vector.

#define ROWS(name) EXPAND(NAME(name), ROW_LANES)
#define ROW_FLOATS ROWS(row_floats)
#define ROW_BITS ROWS(row_bits)
typedef float ROW_FLOATS __attribute__((vector_size(4 * ROW_LANES), aligned(4)));
typedef uint32_t ROW_BITS __attribute__((vector_size(4 * ROW_LANES), aligned(4)));

INLINE TARGET ROW_FLOATS ROWS(row_step)(ROW_FLOATS sum, ROW_BITS x, uint32_t weight) {
#if PAIRS && ROW_LANES == 8
  return (ROW_FLOATS)_mm256_dpbf16_ps((__m256)sum, (__m256bh)x, (__m256bh)_mm256_set1_epi32((int)weight));
#elif PAIRS
  return (ROW_FLOATS)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)_mm512_set1_epi32((int)weight));
#else
#pragma clang fp contract(fast)
  const ROW_BITS everywhere = (ROW_BITS){0} + weight;
  return sum + (ROW_FLOATS)x * (ROW_FLOATS)everywhere;
#endif
}

// `outputs` outputs; the numbers of both are known where this is compiled, so that the sums stay in registers. With
// every word, `stepAhead` bytes of the weights that come next are asked for (see `expect`): the words are shared among
// as many outputs, since a row of W may be longer than what is read of it.
INLINE TARGET void ROWS(row_sums)(size_t outputs, size_t stepAhead, const few_rows_sums *part) {
  ROW_FLOATS sum[FEW_OUTPUTS];
  const loose_word *weight[FEW_OUTPUTS];
  for (size_t i = 0; i < outputs; i++) {
    sum[i] = *(const ROW_FLOATS *)(part->sums + i * ROW_LANES);
    weight[i] = (const loose_word *)(part->weight + i * part->weightStride);
    // A pointer for each: left alone, the compiler adds the stride up from one to the next at every word.
    __asm__("" : "+r"(weight[i]));
  }
  const size_t share = stepAhead ? (part->count + FEW_OUTPUTS - 1) / FEW_OUTPUTS : part->count;
  const char *ahead = part->ahead;
  for (size_t first = 0; first < part->count; first += share, ahead += part->aheadStride) {
    const size_t end = least(first + share, part->count);
    for (size_t word = first; word < end; word++) {
      const ROW_BITS x = *(const ROW_BITS *)(part->x + word * ROW_LANES);
      if (stepAhead) __builtin_prefetch(ahead + (word - first) * stepAhead, 0, 2);
      for (size_t i = 0; i < outputs; i++) sum[i] = ROWS(row_step)(sum[i], x, weight[i][word]);
    }
  }
  for (size_t i = 0; i < outputs; i++) *(ROW_FLOATS *)(part->sums + i * ROW_LANES) = sum[i];
}

// Not inlined: its loops want all registers.
static TARGET __attribute__((noinline)) void ROWS(some_outputs)(size_t outputs, fk_number storage, few_rows_sums part) {
  if (outputs == FEW_OUTPUTS && storage == FK_FLOAT32)
    return ROWS(row_sums)(FEW_OUTPUTS, FEW_OUTPUTS * sizeof(float) * (PAIRS + 1), &part);
  if (outputs == FEW_OUTPUTS) return ROWS(row_sums)(FEW_OUTPUTS, FEW_OUTPUTS * sizeof(uint16_t) * (PAIRS + 1), &part);
  for (; outputs > 0; outputs--, part.weight += part.weightStride, part.sums += ROW_LANES)
    ROWS(row_sums)(1, 0, &part);
}

#undef ROWS
#undef ROW_FLOATS
#undef ROW_BITS
#undef ROW_LANES
