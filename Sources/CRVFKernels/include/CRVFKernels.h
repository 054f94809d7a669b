#ifndef CRVF_KERNELS_H
#define CRVF_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Loops that need instructions which a compiler does not choose by itself. Which ones the processor has is asked at
   run time. */

/* Folds the beginning of a message into 16 bytes that have the same CRC-32 (IEEE) remainder.

   state is the register before the message, without the final inversion. Returns how many bytes were folded: a
   multiple of 16, or 0 where the message is short or the processor has no carry-less multiplication; the remainder is
   written only if it is not 0. The register behind these bytes is that of the remainder's 16 bytes, begun with 0. */
size_t rvf_crc32_fold(uint32_t state, const uint8_t *bytes, size_t count, uint8_t remainder[16]);

#endif
