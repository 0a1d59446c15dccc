// The product for one kind of CPU; frozen_product.c includes it once for each, with LEVEL its name, LANES the
// floats of a vector, TILE_VECTORS the vectors of a tile's row, TARGET the instructions it may use, and PAIRS
// whether a step of the sum takes two inputs as bfloat16.

#define PASTE(a, b) a##_##b
#define EXPAND(a, b) PASTE(a, b)
#define NAME(name) EXPAND(name, LEVEL)
#define TILE_COLUMNS (LANES * TILE_VECTORS)

typedef float NAME(floats) __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint32_t NAME(bits) __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint16_t NAME(halves) __attribute__((vector_size(2 * LANES), aligned(2)));
typedef uint64_t NAME(couples) __attribute__((vector_size(4 * LANES), aligned(4)));
#define FLOATS NAME(floats)
#define COUPLES NAME(couples)
// Words that may lie at any bfloat16.
typedef uint32_t NAME(loose_bits) __attribute__((vector_size(4 * LANES), aligned(2)));
#define LOOSE_BITS NAME(loose_bits)
#define BITS NAME(bits)
#define HALVES NAME(halves)

// The bfloat16 nearest to each number, in the low half of its lane.
INLINE TARGET BITS NAME(rounded)(BITS x) {
  const BITS nearest = (x + 0x7fffu + ((x >> 16) & 1u)) >> 16;
  const BITS isNaN = (BITS)((x & 0x7fffffffu) > 0x7f800000u);
  return (isNaN & ((x >> 16) | 0x40u)) | (~isNaN & nearest);
}

// LANES stored numbers from `index` on, as the bits of floats.
INLINE TARGET BITS NAME(stored)(const fk_frozen_product_call *call, size_t index) {
  if (call->storage == FK_FLOAT32) return *(const BITS *)((const uint32_t *)call->weight + index);
  return __builtin_convertvector(*(const HALVES *)((const uint16_t *)call->weight + index), BITS) << 16;
}

// Stored numbers in the product's precision.
INLINE TARGET BITS NAME(number)(const fk_frozen_product_call *call, size_t index) {
  const BITS x = NAME(stored)(call, index);
  return call->precision == FK_BFLOAT16 && call->storage == FK_FLOAT32 ? NAME(rounded)(x) << 16 : x;
}

// The input that the sum takes at step `word`, and the other way round. A CPU's sum of pairs adds the product of
// the second before that of the first; sums of single numbers in bfloat16 follow it, so that the bits agree.
INLINE size_t NAME(turned)(const fk_frozen_product_call *call, size_t word) {
  const int second_first = !PAIRS && call->precision == FK_BFLOAT16 && (word | 1) < call->inputs;
  return second_first ? word ^ 1 : word;
}

// One word: inputs of one output as the sum takes them in one step. For edges: 0 outside the matrix.
INLINE TARGET uint32_t NAME(word)(const fk_frozen_product_call *call, size_t word, size_t output) {
#if PAIRS
  return bfloat16_bits(weight_at(call, 2 * word, output)) |
         bfloat16_bits(weight_at(call, 2 * word + 1, output)) << 16;
#else
  const float weight = weight_at(call, word, output);
  const float value = call->precision == FK_BFLOAT16 ? widened(bfloat16_bits(weight)) : weight;
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
#endif
}

// The same word of LANES outputs, from a weight stored inputs x outputs.
INLINE TARGET BITS NAME(across)(const fk_frozen_product_call *call, size_t word, size_t output) {
#if PAIRS
  const size_t index = 2 * word * call->weightStride + output;
  return (NAME(number)(call, index) >> 16) | NAME(number)(call, index + call->weightStride);
#else
  return NAME(number)(call, word * call->weightStride + output);
#endif
}

// LANES words of one output, from a weight stored outputs x inputs.
INLINE TARGET BITS NAME(along)(const fk_frozen_product_call *call, size_t word, size_t output) {
#if PAIRS
  const size_t index = output * call->weightStride + 2 * word;
  if (call->storage == FK_BFLOAT16) return *(const LOOSE_BITS *)((const uint16_t *)call->weight + index);
  const float *x = (const float *)call->weight + index;
  return (BITS)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + LANES), _mm512_loadu_ps(x));
#else
  return NAME(number)(call, output * call->weightStride + word);
#endif
}

// The words at 2 i and 2 i + 1 change places.
INLINE TARGET BITS NAME(neighbours_exchanged)(BITS words) {
  const COUPLES couples = (COUPLES)words;
  return (BITS)(couples << 32 | couples >> 32);
}

// Asks for LANES words of one output before they are needed: the CPU does not foresee a jump from row to row. Into
// the second-level cache: the first has too few places for lines that are under way.
INLINE TARGET void NAME(expect)(const fk_frozen_product_call *call, size_t word, size_t output) {
  const size_t index = output * call->weightStride + word * (PAIRS ? 2 : 1);
  const char *start = (const char *)call->weight + index * number_size(call->storage);
  __builtin_prefetch(start, 0, 2);
  if (PAIRS && call->storage == FK_FLOAT32) __builtin_prefetch(start + 64, 0, 2);
}

#if LANES == 4
#define LOW 0, 4, 1, 5
#define HIGH 2, 6, 3, 7
#define ROUNDS 2
#elif LANES == 8
#define LOW 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define ROUNDS 3
#else
#define LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define ROUNDS 4
#endif

// Rows become columns: to interleave the two halves of LANES x LANES numbers turns the digits of their index
// by one place, and log2(LANES) turns exchange row and column.
INLINE TARGET void NAME(transpose)(BITS block[LANES]) {
#pragma clang loop unroll(full)
  for (int round = 0; round < ROUNDS; round++) {
    BITS next[LANES];
#pragma clang loop unroll(full)
    for (int i = 0; i < LANES / 2; i++) {
      next[2 * i] = __builtin_shufflevector(block[i], block[i + LANES / 2], LOW);
      next[2 * i + 1] = __builtin_shufflevector(block[i], block[i + LANES / 2], HIGH);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < LANES; i++) block[i] = next[i];
  }
}

// LANES outputs of a panel, all words; `panel` is where the first of these outputs stands.
INLINE TARGET void NAME(pack_lanes)(const fk_frozen_product_call *call, size_t output, uint32_t *panel) {
  const size_t count = words(call, PAIRS);
  const int fills = call->transposed || output + LANES <= call->outputs;
  const size_t whole = fills ? call->inputs / (PAIRS ? 2 : 1) : 0;
  size_t word = 0;
  if (!call->transposed)
    for (; word < whole; word++)
      *(BITS *)(panel + NAME(turned)(call, word) * TILE_COLUMNS) = NAME(across)(call, word, output);
  for (; word + LANES <= whole; word += LANES) {
    BITS block[LANES];
#pragma clang loop unroll(full)
    for (int i = 0; i < LANES; i++) {
      block[i] = output + i < call->outputs ? NAME(along)(call, word, output + i) : (BITS){0};
      NAME(expect)(call, word, output + LANES + i);
    }
    NAME(transpose)(block);
#pragma clang loop unroll(full)
    for (int i = 0; i < LANES; i++)
      *(BITS *)(panel + NAME(turned)(call, word + i) * TILE_COLUMNS) = block[i];
  }
  for (; word < count; word++)
    for (size_t i = 0; i < LANES; i++)
      panel[NAME(turned)(call, word) * TILE_COLUMNS + i] = NAME(word)(call, word, output + i);
}

// TILE_COLUMNS outputs from `output` on: words x TILE_COLUMNS.
static TARGET void NAME(pack)(const fk_frozen_product_call *call, size_t output, uint32_t *panel) {
  for (size_t lane = 0; lane < TILE_COLUMNS; lane += LANES) NAME(pack_lanes)(call, output + lane, panel + lane);
}

INLINE TARGET FLOATS NAME(step)(FLOATS sum, uint32_t x, BITS weight) {
#if PAIRS
  return (FLOATS)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int)x), (__m512bh)weight);
#else
#pragma clang fp contract(fast)
  const BITS everywhere = (BITS){0} + x;
  return sum + (FLOATS)everywhere * (FLOATS)weight;
#endif
}

// A tile: `rows` rows of x, which has `stride` words a row, against a panel. The sums begin with what stands at
// `start`, `startStride` floats from row to row: y itself, or the same bias for every row.
INLINE TARGET void NAME(tile)(int rows, size_t count, const uint32_t *x, size_t stride, const uint32_t *panel,
                              const float *start, size_t startStride, float *y, size_t yStride) {
  FLOATS sum[TILE_ROWS][TILE_VECTORS];
  for (int row = 0; row < rows; row++)
    for (int v = 0; v < TILE_VECTORS; v++)
      sum[row][v] = *(const FLOATS *)(start + row * startStride + LANES * v);
  for (size_t word = 0; word < count; word++, panel += TILE_COLUMNS) {
    BITS weight[TILE_VECTORS];
    for (int v = 0; v < TILE_VECTORS; v++) weight[v] = *(const BITS *)(panel + LANES * v);
    for (int row = 0; row < rows; row++)
      for (int v = 0; v < TILE_VECTORS; v++)
        sum[row][v] = NAME(step)(sum[row][v], x[row * stride + word], weight[v]);
  }
  for (int row = 0; row < rows; row++)
    for (int v = 0; v < TILE_VECTORS; v++) *(FLOATS *)(y + row * yStride + LANES * v) = sum[row][v];
}

// A tile of up to TILE_ROWS rows; each count is compiled for itself, so that its sums stay in registers.
static TARGET void NAME(some_rows)(size_t rows, size_t count, const uint32_t *x, size_t stride,
                                   const uint32_t *panel, const float *start, size_t startStride, float *y,
                                   size_t yStride) {
  switch (rows) {
    case 1: return NAME(tile)(1, count, x, stride, panel, start, startStride, y, yStride);
    case 2: return NAME(tile)(2, count, x, stride, panel, start, startStride, y, yStride);
    case 3: return NAME(tile)(3, count, x, stride, panel, start, startStride, y, yStride);
    case 4: return NAME(tile)(4, count, x, stride, panel, start, startStride, y, yStride);
    case 5: return NAME(tile)(5, count, x, stride, panel, start, startStride, y, yStride);
    default: return NAME(tile)(TILE_ROWS, count, x, stride, panel, start, startStride, y, yStride);
  }
}

static void NAME(copy)(size_t rows, size_t columns, const float *from, size_t fromStride, float *to,
                       size_t toStride) {
  for (size_t row = 0; row < rows; row++) memcpy(to + row * toStride, from + row * fromStride, columns * sizeof *to);
}

// Some rows of y for one panel. The last panel may be wider than y: then the tile is summed beside it.
static TARGET void NAME(block)(const fk_frozen_product_call *call, size_t rows, const uint32_t *x, size_t stride,
                               const uint32_t *panel, float *y, size_t output) {
  static const float zeros[TILE_COLUMNS];
  const size_t count = words(call, PAIRS), outputs = least(TILE_COLUMNS, call->outputs - output);
  const float *start = call->accumulates ? y : call->bias ? call->bias + output : zeros;
  const size_t startStride = call->accumulates ? call->yStride : 0;
  if (outputs == TILE_COLUMNS)
    return NAME(some_rows)(rows, count, x, stride, panel, start, startStride, y, call->yStride);
  float beside[TILE_ROWS * TILE_COLUMNS] = {0};
  NAME(copy)(rows, outputs, start, startStride, beside, TILE_COLUMNS);
  NAME(some_rows)(rows, count, x, stride, panel, beside, TILE_COLUMNS, beside, TILE_COLUMNS);
  NAME(copy)(rows, outputs, beside, TILE_COLUMNS, y, call->yStride);
}

// The rows of x in bfloat16: as pairs, or widened again where the sum takes floats.
static TARGET void NAME(round_inputs)(const fk_frozen_product_call *call, uint32_t *target) {
  const size_t count = words(call, PAIRS), inputs = call->inputs;
  for (size_t row = 0; row < call->rows; row++, target += count) {
    const float *x = call->x + row * call->xStride;
#if PAIRS
    for (size_t i = 0; i < inputs / 2; i++)
      target[i] = bfloat16_bits(x[2 * i]) | bfloat16_bits(x[2 * i + 1]) << 16;
    if (inputs % 2) target[inputs / 2] = bfloat16_bits(x[inputs - 1]);
#else
    for (size_t i = 0; i < inputs; i++) target[NAME(turned)(call, i)] = bfloat16_bits(x[i]) << 16;
#endif
  }
}

static size_t NAME(panels_of_a_turn)(const fk_frozen_product_call *call) {
  const size_t all = (call->outputs + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const size_t fitting = PANEL_BYTES / (4 * TILE_COLUMNS * (words(call, PAIRS) + 1));
  return least(all, fitting ? fitting : 1);
}

// Rounded rows of x come before what else is in the scratch.
static size_t NAME(rounded_words)(const fk_frozen_product_call *call) {
  return call->precision == FK_BFLOAT16 ? call->rows * words(call, PAIRS) : 0;
}

static TARGET void NAME(run_panels)(const fk_frozen_product_call *call, const uint32_t *x, size_t stride,
                                    uint32_t *panels) {
  const size_t count = words(call, PAIRS), panelWords = TILE_COLUMNS * count;
  const size_t turn = NAME(panels_of_a_turn)(call) * TILE_COLUMNS;
  for (size_t first = 0; first < call->outputs; first += turn) {
    const size_t end = least(first + turn, call->outputs);
    for (size_t output = first; output < end; output += TILE_COLUMNS)
      NAME(pack)(call, output, panels + (output - first) / TILE_COLUMNS * panelWords);
    for (size_t row = 0; row < call->rows; row += TILE_ROWS)
      for (size_t output = first; output < end; output += TILE_COLUMNS)
        NAME(block)(call, least(TILE_ROWS, call->rows - row), x + row * stride, stride,
                    panels + (output - first) / TILE_COLUMNS * panelWords,
                    call->y + row * call->yStride + output, output);
  }
}

#include "frozen_product_few_rows.h"

static size_t NAME(scratch)(const fk_frozen_product_call *call) {
  const size_t panels = NAME(panels_of_a_turn)(call) * TILE_COLUMNS * words(call, PAIRS);
  const size_t rest = NAME(has_few_rows)(call) ? NAME(few_rows_words)(call) : panels;
  return sizeof(uint32_t) * (NAME(rounded_words)(call) + rest);
}

static TARGET void NAME(run)(const fk_frozen_product_call *call, void *scratch) {
  const int rounds = call->precision == FK_BFLOAT16;
  if (rounds) NAME(round_inputs)(call, scratch);
  const uint32_t *x = rounds ? scratch : (const void *)call->x;
  const size_t stride = rounds ? words(call, PAIRS) : call->xStride;
  uint32_t *rest = (uint32_t *)scratch + NAME(rounded_words)(call);
  if (NAME(has_few_rows)(call)) NAME(run_few_rows)(call, x, stride, rest);
  else NAME(run_panels)(call, x, stride, rest);
}

#undef PASTE
#undef EXPAND
#undef NAME
#undef TILE_COLUMNS
#undef FLOATS
#undef BITS
#undef HALVES
#undef COUPLES
#undef LOOSE_BITS
#undef LOW
#undef HIGH
#undef ROUNDS
#undef LEVEL
#undef LANES
#undef TILE_VECTORS
#undef PAIRS
#undef TARGET
