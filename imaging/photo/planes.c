//go:build cgo && !noturbo

#include "planes.h"

#include <stdint.h>
#include <string.h>

static inline unsigned char byte_of(int v) { return v < 0 ? 0 : v > 255 ? 255 : v; }

enum { AT_ONCE = 16 };

// times is the product of v and f, whose unit is 1 << 14, in units of 1/32; v is in -128..127.
static inline int16_t times(int16_t v, int16_t f) { return (int16_t)(((int)(int16_t)(v * 128) * f) >> 16); }

static inline uint32_t clamped(int16_t v) { return (uint32_t)(v < 0 ? 0 : v > 255 ? 255 : v); }

// show_row makes AT_ONCE pixels. In 16 bits, because processors have twice as many of these at once; the
// sums are off by less than a tenth.
static inline void show_row(const unsigned char *luma, const unsigned char *cb, const unsigned char *cr, uint32_t *out) {
  int16_t red[AT_ONCE], green[AT_ONCE], blue[AT_ONCE];
  for (int i = 0; i < AT_ONCE / 2; i++) {
    int16_t u = cb[i] - 128, v = cr[i] - 128;
    red[2 * i] = red[2 * i + 1] = times(v, 22970) + 16;
    green[2 * i] = green[2 * i + 1] = 16 - times(u, 5638) - times(v, 11700);
    blue[2 * i] = blue[2 * i + 1] = times(u, 29032) + 16;
  }
  for (int i = 0; i < AT_ONCE; i++) {
    int16_t l = luma[i] * 32;
    red[i] = (int16_t)(l + red[i]) >> 5;
    green[i] = (int16_t)(l + green[i]) >> 5;
    blue[i] = (int16_t)(l + blue[i]) >> 5;
  }
  for (int i = 0; i < AT_ONCE; i++)
    out[i] = clamped(red[i]) | clamped(green[i]) << 8 | clamped(blue[i]) << 16 | 0xff000000;
}

void planes_show(const planes420 *from, int x, int y, int w, int h, unsigned char *rgba, size_t row) {
  for (int j = 0; j < h; j++, rgba += row) {
    const unsigned char *luma = from->y + (size_t)(y + j) * from->stride + x;
    size_t at = (size_t)((y + j) / 2) * (from->stride / 2) + x / 2;
    for (int i = 0; i < w; i += AT_ONCE) {
      uint32_t out[AT_ONCE]; // bytes in the order of memory: little-endian, as all that libjpeg-turbo is fast on
      show_row(luma + i, from->cb + at + i / 2, from->cr + at + i / 2, out);
      memcpy(rgba + 4 * i, out, 4 * (size_t)(w - i < AT_ONCE ? w - i : AT_ONCE));
    }
  }
}

static inline uint32_t pixel_at(const unsigned char *p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return v;
}

// put_cell brings up to 2 x 2 pixels in, cw x ch of which are in the picture.
static void put_cell(unsigned char *luma, size_t stride, unsigned char *cb, unsigned char *cr, const unsigned char *now,
                     const unsigned char *was, size_t row, int cw, int ch) {
  int u = 0, v = 0, n = cw * ch;
  for (int j = 0; j < ch; j++)
    for (int i = 0; i < cw; i++) {
      const unsigned char *p = now + j * row + 4 * i;
      if (pixel_at(p) == pixel_at(was + j * row + 4 * i)) {
        u += *cb, v += *cr;
        continue;
      }
      int r = p[0], g = p[1], b = p[2], half = 1 << 15;
      luma[j * stride + i] = byte_of((19595 * r + 38470 * g + 7471 * b + half) >> 16);
      u += byte_of((-11056 * r - 21712 * g + 32768 * b + (128 << 16) + half) >> 16);
      v += byte_of((32768 * r - 27440 * g - 5328 * b + (128 << 16) + half) >> 16);
    }
  *cb = (u + n / 2) / n;
  *cr = (v + n / 2) / n;
}

// repeat fills what is beyond w x h up to whole blocks of that side.
static void repeat(unsigned char *p, size_t stride, int w, int h, int side, int right, int below) {
  int to_w = (w + side - 1) / side * side, to_h = (h + side - 1) / side * side;
  if (right)
    for (int j = 0; j < h; j++)
      memset(p + j * stride + w, p[j * stride + w - 1], to_w - w);
  if (below)
    for (int j = h; j < to_h; j++)
      memcpy(p + j * stride, p + (h - 1) * stride, right ? to_w : w);
}

void planes_take(const planes420 *to, int x, int y, int w, int h, const unsigned char *now, const unsigned char *was,
                 size_t row, int edge_x, int edge_y) {
  size_t half = to->stride / 2, at = (size_t)(y / 2) * half + x / 2;
  unsigned char *luma = to->y + (size_t)y * to->stride + x, *cb = to->cb + at, *cr = to->cr + at;
  for (int j = 0; j < h; j += 2) {
    int ch = h - j < 2 ? 1 : 2;
    for (int i = 0; i < w; i += 2) {
      int cw = w - i < 2 ? 1 : 2;
      const unsigned char *a = now + j * row + 4 * i, *b = was + j * row + 4 * i;
      // Most is as it was.
      if (i % 16 == 0 && w - i >= 16 && !memcmp(a, b, 64) && (ch < 2 || !memcmp(a + row, b + row, 64))) {
        i += 14;
        continue;
      }
      if (!memcmp(a, b, 4 * cw) && (ch < 2 || !memcmp(a + row, b + row, 4 * cw)))
        continue;
      put_cell(luma + j * to->stride + i, to->stride, cb + j / 2 * half + i / 2, cr + j / 2 * half + i / 2, a, b, row, cw, ch);
    }
  }
  if (edge_x || edge_y) {
    repeat(luma, to->stride, w, h, 16, edge_x, edge_y);
    repeat(cb, half, (w + 1) / 2, (h + 1) / 2, 8, edge_x, edge_y);
    repeat(cr, half, (w + 1) / 2, (h + 1) / 2, 8, edge_x, edge_y);
  }
}
