// The whole surface between Go and libjpeg-turbo: one picture in, one picture out, no state kept.
#ifndef FLAWMARK_TURBO_H
#define FLAWMARK_TURBO_H

#include <stddef.h>

enum { TURBO_OK = 0, TURBO_TRUNCATED = 1, TURBO_DAMAGED = 2, TURBO_UNSUPPORTED = 3, TURBO_MEMORY = 4 };

typedef struct {
  int code;          // one of the above
  char message[200]; // libjpeg's words, for the log
} turbo_status;

// turbo_decode writes the picture, scaled by eighths/8, as RGBA rows of width*4 bytes. width and
// height must be the scaled size; another one in the data is an error, so that out is never overrun.
// libjpeg may reserve memory bytes for itself.
void turbo_decode(const unsigned char *data, size_t size, int eighths, unsigned char *out, int width,
                  int height, long memory, turbo_status *st);

// turbo_encode makes a baseline 4:2:0 JPEG of RGBA rows, the alpha ignored. *out is to be freed with
// free(), also after an error.
void turbo_encode(const unsigned char *rgba, int width, int height, size_t stride, int quality,
                  unsigned char **out, unsigned long *out_size, turbo_status *st);

#endif
