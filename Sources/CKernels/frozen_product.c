#include "CKernels.h"

#include <string.h>

// A product with a frozen matrix goes panel by panel: some columns of op(W) are copied into the scratch so
// that one vector load meets one step of the sum, then tiles of y are summed in registers over all inputs.
// The rows of x are read where they lie. Few rows go another way (frozen_product_few_rows.h). Each number of y
// is one chain of fused multiplications and additions in the order of the inputs, begun with the bias or with
// what y holds: neither the tile nor the number of rows changes its bits. (Where the CPU cannot fuse, x86-64
// before 2013, every sum is rounded twice.)

#define INLINE static inline __attribute__((always_inline))
// A tile's rows. With its columns: as many sums as leave registers for one step of x and W.
#define TILE_ROWS 6
// What the packed panels of one turn may take: less than half of a common second-level cache.
#define PANEL_BYTES ((size_t)384 << 10)

// The inputs of one turn: a longer panel would leave the cache before it is read again. Even, for pairs. The
// sums go on in y, so that turns do not change their bits.
#define TURN_INPUTS ((size_t)1536)

// For few rows: the outputs that are summed together, whose weights are read side by side. As many sums as hide how
// long an addition takes.
#define FEW_OUTPUTS 8
// Words of 32 bits may lie at any bfloat16.
typedef uint32_t loose_word __attribute__((aligned(2)));

// What the sums of some outputs need: x as columns of `count` words; weights, weightStride bytes from output to
// output; where the weights of the outputs after these lie, aheadStride bytes from one to the next; the sums, which
// begin with what they hold.
typedef struct {
  size_t count;
  const uint32_t *x;
  const char *weight;
  size_t weightStride;
  const char *ahead;
  size_t aheadStride;
  float *sums;
} few_rows_sums;

INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }

INLINE size_t number_size(fk_number kind) { return kind == FK_FLOAT32 ? sizeof(float) : sizeof(uint16_t); }

// Round to nearest, ties to even, as the CPU's conversion does; NaN stays NaN.
INLINE uint32_t bfloat16_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return x != x ? (bits >> 16) | 0x40u : rounded;
}

INLINE float widened(uint32_t bfloat16) {
  const uint32_t bits = bfloat16 << 16;
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// The weight between an input and an output, before its precision is applied; 0 outside the matrix.
INLINE float weight_at(const fk_frozen_product_call *call, size_t input, size_t output) {
  if (input >= call->inputs || output >= call->outputs) return 0;
  const size_t index =
      call->transposed ? output * call->weightStride + input : input * call->weightStride + output;
  return call->storage == FK_FLOAT32 ? ((const float *)call->weight)[index]
                                     : widened(((const uint16_t *)call->weight)[index]);
}

// Words of 32 bits that one row of x has in a product of this kind: numbers, or pairs of bfloat16.
INLINE size_t words(const fk_frozen_product_call *call, int pairs) {
  return pairs ? (call->inputs + 1) / 2 : call->inputs;
}

#define LEVEL portable
#define LANES 4
#ifdef __aarch64__
#define TILE_VECTORS 4
#else
#define TILE_VECTORS 2
#endif
#define PAIRS 0
#define TARGET
#include "frozen_product_level.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LEVEL avx2
#define LANES 8
#define TILE_VECTORS 2
#define PAIRS 0
#define TARGET __attribute__((target("avx2,fma")))
#include "frozen_product_level.h"

#define AVX512 "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"

#define LEVEL avx512
#define LANES 16
#define TILE_VECTORS 4
#define PAIRS 0
#define TARGET __attribute__((target(AVX512), min_vector_width(512)))
#include "frozen_product_level.h"

#define LEVEL avx512_bf16
#define LANES 16
#define TILE_VECTORS 4
#define PAIRS 1
#define TARGET __attribute__((target(AVX512 ",avx512bf16"), min_vector_width(512)))
#include "frozen_product_level.h"
#endif

fk_product_level fk_best_product_level(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl")) return FK_AVX512_BF16;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return FK_AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return FK_AVX2;
#endif
  return FK_PORTABLE;
}

typedef struct {
  size_t (*scratch)(const fk_frozen_product_call *);
  void (*run)(const fk_frozen_product_call *, void *);
} implementation;

static implementation implementation_of(const fk_frozen_product_call *call, fk_product_level level) {
#if defined(__x86_64__)
  if (level == FK_AVX512_BF16 && call->precision == FK_BFLOAT16)
    return (implementation){scratch_avx512_bf16, run_avx512_bf16};
  if (level >= FK_AVX512) return (implementation){scratch_avx512, run_avx512};
  if (level == FK_AVX2) return (implementation){scratch_avx2, run_avx2};
#endif
  return (implementation){scratch_portable, run_portable};
}

// Some inputs of a product from `first` on: x and W begin there.
static fk_frozen_product_call part_of(const fk_frozen_product_call *call, size_t first) {
  fk_frozen_product_call part = *call;
  part.inputs = least(TURN_INPUTS, call->inputs - first);
  part.x += first;
  const size_t step = number_size(call->storage) * (call->transposed ? 1 : call->weightStride);
  part.weight = (const char *)call->weight + first * step;
  part.accumulates = call->accumulates || first > 0;
  return part;
}

size_t fk_frozen_product_scratch(const fk_frozen_product_call *call, fk_product_level level) {
  const implementation chosen = implementation_of(call, level);
  // The last turn has fewer inputs, so that more panels fit into it, which together may be larger.
  const fk_frozen_product_call first = part_of(call, 0);
  const fk_frozen_product_call last = part_of(call, call->inputs ? (call->inputs - 1) / TURN_INPUTS * TURN_INPUTS : 0);
  const size_t a = chosen.scratch(&first), b = chosen.scratch(&last);
  return a > b ? a : b;
}

void fk_frozen_product(const fk_frozen_product_call *call, fk_product_level level, void *scratch) {
  const implementation chosen = implementation_of(call, level);
  for (size_t first = 0; first == 0 || first < call->inputs; first += TURN_INPUTS) {
    const fk_frozen_product_call part = part_of(call, first);
    chosen.run(&part, scratch);
  }
}
