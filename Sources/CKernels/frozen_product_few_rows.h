// The product for few rows of x, such as the last tokens of sequences that are continued, for one kind of CPU.
// Nothing is packed: the rows of x stand in the lanes of a vector, which meets one weight after another where they
// lie. So W is read once, as fast as memory gives it; were it in the cache, panels would be no slower.

#define ROW_LANES LANES
#include "frozen_product_row_lanes.h"
// Some CPUs compute two narrow vectors in the time of a wide one.
#define HAS_NARROW (LANES == 16)
#if HAS_NARROW
#define ROW_LANES 8
#include "frozen_product_row_lanes.h"
#endif

static int NAME(has_few_rows)(const fk_frozen_product_call *call) { return call->transposed && call->rows <= LANES; }

static size_t NAME(row_lanes)(const fk_frozen_product_call *call) { return HAS_NARROW && call->rows <= 8 ? 8 : LANES; }

// Whether the sum takes the stored numbers as they are.
static int NAME(takes_stored)(const fk_frozen_product_call *call) {
  if (PAIRS) return call->storage == FK_BFLOAT16 && call->inputs % 2 == 0;
  return call->storage == FK_FLOAT32 && call->precision == FK_FLOAT32;
}

// The words of some outputs, for a sum that does not take them as they are stored.
static TARGET void NAME(words_of)(const fk_frozen_product_call *call, size_t output, size_t outputs,
                                  uint32_t *target) {
  const size_t count = words(call, PAIRS), whole = call->inputs / (PAIRS ? 2 : 1) / LANES * LANES;
  const int turns = NAME(turned)(call, 0) != 0;
  for (size_t end = output + outputs; output < end; output++, target += count) {
    for (size_t word = 0; word < whole; word += LANES) {
      const BITS block = NAME(along)(call, word, output);
      *(BITS *)(target + word) = turns ? NAME(neighbours_exchanged)(block) : block;
    }
    for (size_t word = whole; word < count; word++)
      target[NAME(turned)(call, word)] = NAME(word)(call, word, output);
  }
}

// The rows of x as columns, `lanes` wide; what is missing is 0.
static void NAME(stand)(size_t rows, size_t count, const uint32_t *x, size_t stride, size_t lanes,
                        uint32_t *target) {
  memset(target, 0, sizeof *target * lanes * count);
  for (size_t row = 0; row < rows; row++)
    for (size_t word = 0; word < count; word++) target[word * lanes + row] = x[row * stride + word];
}

// What the sums begin with, outputs x lanes.
static void NAME(begin)(const fk_frozen_product_call *call, size_t output, size_t outputs, size_t lanes, float *sums) {
  for (size_t i = 0; i < outputs; i++)
    for (size_t row = 0; row < lanes; row++)
      sums[i * lanes + row] = call->accumulates ? row < call->rows ? call->y[row * call->yStride + output + i] : 0
                              : call->bias      ? call->bias[output + i]
                                                : 0;
}

// Scratch: the columns of x, and the words of FEW_OUTPUTS outputs.
static size_t NAME(few_rows_words)(const fk_frozen_product_call *call) {
  return words(call, PAIRS) * (NAME(row_lanes)(call) + FEW_OUTPUTS);
}

static TARGET void NAME(run_few_rows)(const fk_frozen_product_call *call, const uint32_t *x, size_t stride,
                                      uint32_t *scratch) {
  const size_t count = words(call, PAIRS), lanes = NAME(row_lanes)(call);
  const size_t storedStride = call->weightStride * number_size(call->storage);
  const int stored = NAME(takes_stored)(call);
  uint32_t *copied = scratch + lanes * count;
  NAME(stand)(call->rows, count, x, stride, lanes, scratch);
  for (size_t output = 0; output < call->outputs; output += FEW_OUTPUTS) {
    const size_t outputs = least(FEW_OUTPUTS, call->outputs - output);
    const char *weight = (const char *)call->weight + output * storedStride;
    float sums[FEW_OUTPUTS * LANES];
    NAME(begin)(call, output, outputs, lanes, sums);
    if (!stored) NAME(words_of)(call, output, outputs, copied);
    const few_rows_sums part = {count, scratch, stored ? weight : (const char *)copied,
                                stored ? storedStride : sizeof *copied * count,
                                weight + FEW_OUTPUTS * storedStride, storedStride, sums};
#if HAS_NARROW
    if (lanes == 8) EXPAND(NAME(some_outputs), 8)(outputs, call->storage, part);
    else
#endif
      EXPAND(NAME(some_outputs), LANES)(outputs, call->storage, part);
    for (size_t row = 0; row < call->rows; row++)
      for (size_t i = 0; i < outputs; i++) call->y[row * call->yStride + output + i] = sums[i * lanes + row];
  }
}

#undef HAS_NARROW
