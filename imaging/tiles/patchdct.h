// The transforms of patchdct.go: the same sums in the same order, and so the same numbers.
#ifndef FLAWMARK_PATCHDCT_H
#define FLAWMARK_PATCHDCT_H

#include <stddef.h>

void patch_inverse(const float *up, const int *coefficients, unsigned char *out, size_t stride);
void patch_forward(const float *down, const unsigned char *in, size_t stride, int *coefficients);

#endif
