// The surface between Go and libjpeg-turbo for whole pictures, and for encoding one row by row.
#ifndef FLAWMARK_TURBO_H
#define FLAWMARK_TURBO_H

#include <stddef.h>

#include "planes.h"

enum { TURBO_OK = 0, TURBO_TRUNCATED = 1, TURBO_DAMAGED = 2, TURBO_UNSUPPORTED = 3, TURBO_MEMORY = 4, TURBO_OTHER = 5 };

typedef struct {
  int code;          // one of the above
  char message[200]; // libjpeg's words, for the log
} turbo_status;

// turbo_decode writes the picture, scaled by eighths/8, as RGBA rows of width*4 bytes. width and
// height must be the scaled size; another one in the data is an error, so that out is never overrun.
// libjpeg may reserve memory bytes for itself.
void turbo_decode(const unsigned char *data, size_t size, int eighths, unsigned char *out, int width,
                  int height, long memory, turbo_status *st);

// An encoder makes a baseline 4:2:0 JPEG of RGBA rows as they come, the alpha ignored. After an error
// it can only be closed.
typedef struct encoder encoder;

// encoder_open gives NULL after an error.
encoder *encoder_open(int width, int height, int quality, turbo_status *st);

// encoder_write takes in the next count rows; there must be as many left.
void encoder_write(encoder *e, const unsigned char *rgba, size_t stride, int count, turbo_status *st);

// encoder_open_planes opens one that takes planes instead.
encoder *encoder_open_planes(int width, int height, int quality, turbo_status *st);

// encoder_planes takes in the next units of 16 rows; there must be as many left, the last maybe not whole.
void encoder_planes(encoder *e, const planes420 *from, int units, turbo_status *st);

// encoder_finish gives the file when all rows were written; it stays where it is until encoder_close.
const unsigned char *encoder_finish(encoder *e, size_t *size, turbo_status *st);

// encoder_close takes NULL, too.
void encoder_close(encoder *e);

#endif
