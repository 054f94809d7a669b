#include "CRVFKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* The method of V. Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction",
   Intel, 2009: 128 bits that stand n bits before others may be replaced by a product of n bits' remainder, added to
   those. The remainders of x^n modulo the polynomial, with bits reversed as the CRC reads them: */

/* For 512 bits: x^(512+32) and x^(512-32). */
#define FOLD_512 _mm_set_epi64x(0x00000001C6E41596, 0x0000000154442BD4)
/* For 128 bits: x^(128+32) and x^(128-32). */
#define FOLD_128 _mm_set_epi64x(0x00000000CCAA009E, 0x00000001751997D0)

#define CARRYLESS __attribute__((target("pclmul,sse2")))

CARRYLESS static inline __m128i load(const uint8_t *bytes) { return _mm_loadu_si128((const __m128i *)bytes); }

CARRYLESS static inline __m128i fold(__m128i value, __m128i factors, __m128i next) {
    __m128i low = _mm_clmulepi64_si128(value, factors, 0x00);
    __m128i high = _mm_clmulepi64_si128(value, factors, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/* Four lanes, so that the multiplications of one need not wait for those of another. */
CARRYLESS static size_t fold_all(uint32_t state, const uint8_t *bytes, size_t count, uint8_t remainder[16]) {
    __m128i lanes[4];
    for (int lane = 0; lane < 4; lane++) lanes[lane] = load(bytes + 16 * lane);
    lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi32_si128((int)state));
    size_t position = 64;
    for (; count - position >= 64; position += 64)
        for (int lane = 0; lane < 4; lane++)
            lanes[lane] = fold(lanes[lane], FOLD_512, load(bytes + position + 16 * lane));
    __m128i value = lanes[0];
    for (int lane = 1; lane < 4; lane++) value = fold(value, FOLD_128, lanes[lane]);
    for (; count - position >= 16; position += 16) value = fold(value, FOLD_128, load(bytes + position));
    _mm_storeu_si128((__m128i *)remainder, value);
    return position;
}

size_t rvf_crc32_fold(uint32_t state, const uint8_t *bytes, size_t count, uint8_t remainder[16]) {
    /* Below this the call costs more than it saves. */
    if (count < 128 || !__builtin_cpu_supports("pclmul")) return 0;
    return fold_all(state, bytes, count, remainder);
}

#else

size_t rvf_crc32_fold(uint32_t state, const uint8_t *bytes, size_t count, uint8_t remainder[16]) {
    (void)state, (void)bytes, (void)count, (void)remainder;
    return 0;
}

#endif
