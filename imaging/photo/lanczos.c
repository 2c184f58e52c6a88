//go:build cgo && !noturbo

#include "lanczos.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ALWAYS static inline __attribute__((always_inline))

typedef float pixel __attribute__((vector_size(16), aligned(4), may_alias));
typedef int pixel_int __attribute__((vector_size(16)));

// The weights of one axis: output i is the sum of count[i] inputs from first[i] on.
typedef struct {
  int *first, *count;
  float *weight; // taps for each output
  int taps;
} axis;

struct lanczos {
  int width, height, out_w, out_h;
  size_t stride; // bytes of a ring row, a multiple of 32
  axis x, y;
  unsigned char *ring; // the last ring_rows source rows
  int ring_rows, pushed, done;
  float *column; // one row, summed over the y axis
  int wide;      // the processor has AVX2 and FMA
};

static double sinc(double v) { return v == 0 ? 1 : sin(M_PI * v) / (M_PI * v); }

static int axis_make(axis *a, int in, double extent, int out) {
  double step = extent / out, scale = step < 1 ? 1 : step, radius = 3 * scale;
  a->taps = (int)ceil(2 * radius) + 2;
  if (a->taps > in)
    a->taps = in;
  a->first = calloc(out, sizeof *a->first);
  a->count = calloc(out, sizeof *a->count);
  a->weight = calloc((size_t)out * a->taps, sizeof *a->weight);
  if (!a->first || !a->count || !a->weight)
    return 0;
  for (int i = 0; i < out; i++) {
    double centre = (i + 0.5) * step - 0.5, sum = 0;
    int from = (int)ceil(centre - radius), to = (int)floor(centre + radius);
    if (from < 0)
      from = 0;
    if (to > in - 1)
      to = in - 1;
    if (from > to)
      from = to;
    if (to - from + 1 > a->taps)
      to = from + a->taps - 1;
    float *w = a->weight + (size_t)i * a->taps;
    for (int k = from; k <= to; k++) {
      double v = (k - centre) / scale;
      w[k - from] = fabs(v) < 3 ? sinc(v) * sinc(v / 3) : 0;
      sum += w[k - from];
    }
    if (sum == 0)
      w[0] = sum = 1;
    for (int k = from; k <= to; k++)
      w[k - from] /= sum;
    a->first[i] = from;
    a->count[i] = to - from + 1;
  }
  return 1;
}

lanczos *lanczos_new(int width, int height, double extent_w, double extent_h, int out_w, int out_h) {
  lanczos *l = calloc(1, sizeof *l);
  if (!l)
    return NULL;
  l->width = width, l->height = height, l->out_w = out_w, l->out_h = out_h;
  l->stride = ((size_t)width * 4 + 31) / 32 * 32;
  if (axis_make(&l->x, width, extent_w, out_w) && axis_make(&l->y, height, extent_h, out_h)) {
    l->ring_rows = l->y.taps + 1;
    l->ring = calloc(l->ring_rows, l->stride);
    l->column = calloc(l->stride, sizeof *l->column);
  }
  if (!l->ring || !l->column) {
    lanczos_free(l);
    return NULL;
  }
#if defined(__x86_64__)
  l->wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return l;
}

void lanczos_free(lanczos *l) {
  if (!l)
    return;
  axis *both[] = {&l->x, &l->y};
  for (int i = 0; i < 2; i++) {
    free(both[i]->first);
    free(both[i]->count);
    free(both[i]->weight);
  }
  free(l->ring);
  free(l->column);
  free(l);
}

unsigned char *lanczos_row(lanczos *l) { return l->ring + (size_t)(l->pushed % l->ring_rows) * l->stride; }

// sum_rows sums the rows of output row y. Pieces of the row stay in the first cache, and in
// registers while the compiler unrolls over 32 values.
ALWAYS void sum_rows(lanczos *l, int y) {
  int first = l->y.first[y], count = l->y.count[y];
  const float *weight = l->y.weight + (size_t)y * l->y.taps;
  for (size_t x = 0; x < l->stride; x += 32) {
    float sum[32] = {0};
    for (int k = 0; k < count; k++) {
      const unsigned char *row = l->ring + (size_t)((first + k) % l->ring_rows) * l->stride + x;
      float w = weight[k];
      for (int i = 0; i < 32; i++)
        sum[i] += w * row[i];
    }
    memcpy(l->column + x, sum, sizeof sum);
  }
}

// sum_columns makes one output row from the summed one.
ALWAYS void sum_columns(lanczos *l, unsigned char *out) {
  for (int x = 0; x < l->out_w; x++, out += 4) {
    const float *w = l->x.weight + (size_t)x * l->x.taps;
    const pixel *in = (const pixel *)(l->column + (size_t)l->x.first[x] * 4);
    int count = l->x.count[x], k = 0;
    pixel a = {0.5f, 0.5f, 0.5f, 0.5f}, b = {0};
    for (; k + 1 < count; k += 2) {
      a += w[k] * in[k];
      b += w[k + 1] * in[k + 1];
    }
    if (k < count)
      a += w[k] * in[k];
    pixel_int v = __builtin_convertvector(a + b, pixel_int);
    for (int i = 0; i < 3; i++)
      out[i] = v[i] < 0 ? 0 : v[i] > 255 ? 255 : v[i];
    out[3] = 255;
  }
}

static void emit(lanczos *l, int y, unsigned char *out) {
  sum_rows(l, y);
  sum_columns(l, out);
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void emit_wide(lanczos *l, int y, unsigned char *out) {
  sum_rows(l, y);
  sum_columns(l, out);
}
#else
#define emit_wide emit
#endif

void lanczos_push(lanczos *l, unsigned char *out) {
  l->pushed++;
  while (l->done < l->out_h && l->y.first[l->done] + l->y.count[l->done] <= l->pushed) {
    unsigned char *row = out + (size_t)l->done * l->out_w * 4;
    if (l->wide)
      emit_wide(l, l->done, row);
    else
      emit(l, l->done, row);
    l->done++;
  }
}
