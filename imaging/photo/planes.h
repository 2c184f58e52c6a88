// A strip of a picture as luma and, at half the size each way, two colours: as most JPEGs are coded.
#ifndef FLAWMARK_PLANES_H
#define FLAWMARK_PLANES_H

#include <stddef.h>

// The planes begin at the first pixel of the strip. stride is that of the luma, a multiple of 16 that
// is no less than the width; that of the colours is half of it.
typedef struct {
  unsigned char *y, *cb, *cr;
  size_t stride;
} planes420;

// planes_show makes RGBA, in rows of so many bytes, of a part of w x h pixels of planes that begins at a
// unit of 16 x 16. Each colour sample stands for its four pixels as it is.
void planes_show(const planes420 *from, int x, int y, int w, int h, unsigned char *rgba, size_t row);

// planes_take brings what has changed of a part into the planes: the pixels of now that differ from
// was, both in rows of so many bytes. A colour sample becomes the mean of its pixels, of which those that are as before
// count with the sample's old value. What lies beyond the part in its last unit of 16 x 16 repeats the
// last pixels, where edge_x or edge_y says that the picture ends there.
void planes_take(const planes420 *to, int x, int y, int w, int h, const unsigned char *now, const unsigned char *was,
                 size_t row, int edge_x, int edge_y);

#endif
