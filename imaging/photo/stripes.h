// A decoder that keeps its state between calls, so that a picture never exists as a whole.
#ifndef FLAWMARK_STRIPES_H
#define FLAWMARK_STRIPES_H

#include "lanczos.h"
#include "planes.h"
#include "turbo.h"

typedef struct stripes stripes;

// stripes_open begins to decode at eighths/8. width and height must be the scaled size; another one
// in the data is an error. data must stay where it is until stripes_close. libjpeg may reserve memory
// bytes for itself. It gives NULL after an error.
stripes *stripes_open(const unsigned char *data, size_t size, int eighths, int width, int height, long memory,
                      turbo_status *st);

// stripes_read writes the next count RGBA rows of width*4 bytes; there must be as many left.
void stripes_read(stripes *s, unsigned char *out, int count, turbo_status *st);

// stripes_put puts the next count rows where a shrink takes them from.
void stripes_put(stripes *s, lanczos *to, int count, turbo_status *st);

// stripes_open_planes begins to decode to planes, at full size. Where the file's are not those of
// planes420, the status is TURBO_OTHER.
stripes *stripes_open_planes(const unsigned char *data, size_t size, int width, int height, long memory,
                             turbo_status *st);

// stripes_planes writes the next units of 16 rows; there must be as many left, the last maybe not whole.
void stripes_planes(stripes *s, const planes420 *to, int units, turbo_status *st);

// stripes_close takes NULL, too.
void stripes_close(stripes *s);

#endif
