// Where libjpeg finds the rows of planes; to be included after jpeglib.h.
#ifndef FLAWMARK_PLANEROWS_H
#define FLAWMARK_PLANEROWS_H

#include "planes.h"

typedef struct {
  JSAMPROW y[16], cb[8], cr[8];
  JSAMPARRAY planes[3];
} plane_rows;

// planes_point points at the rows of a unit of 16.
static inline void planes_point(plane_rows *r, const planes420 *p, int unit) {
  for (int i = 0; i < 16; i++)
    r->y[i] = p->y + (size_t)(unit * 16 + i) * p->stride;
  for (int i = 0; i < 8; i++) {
    r->cb[i] = p->cb + (size_t)(unit * 8 + i) * (p->stride / 2);
    r->cr[i] = p->cr + (size_t)(unit * 8 + i) * (p->stride / 2);
  }
  r->planes[0] = r->y, r->planes[1] = r->cb, r->planes[2] = r->cr;
}

#endif
