//go:build cgo && !noturbo

#include "lanczos.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

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
  const unsigned char **rows; // those of the output row that is being made
  float *column; // one row, summed over the y axis
  int wide;      // the processor has AVX2 and FMA
};

// kernel is sinc(v) * sinc(v / 3), with one sine.
static double kernel(double v) {
  if (v == 0)
    return 1;
  if (fabs(v) >= 3)
    return 0;
  double s = sin(M_PI / 3 * v);
  return 3 * s * s * (3 - 4 * s * s) / (M_PI * M_PI * v * v);
}

// sharpen makes up for source pixels that are means of others: each is taken with amount of what it
// differs by from its neighbours, which undoes the mean to the second order. w holds the weights of the
// pixels from..to of in, those at its ends zero unless the picture ends there.
static void sharpen(float *w, int from, int to, int in, double amount) {
  float before = 0;
  for (int k = from; k <= to; k++, w++) {
    float here = *w, after = k < to ? w[1] : 0;
    *w = here + amount * ((k > 0 ? here : 0) - before + (k < in - 1 ? here : 0) - after);
    before = here;
  }
}

static int axis_make(axis *a, int in, double extent, int out, int box) {
  double step = extent / out, scale = step < 1 ? 1 : step, radius = 3 * scale;
  double amount = (1 - 1.0 / ((double)box * box)) / 12; // for the mean in the source and that of the weights
  a->taps = (int)ceil(2 * radius) + 4;
  if (a->taps > in)
    a->taps = in;
  a->first = calloc(out, sizeof *a->first);
  a->count = calloc(out, sizeof *a->count);
  a->weight = calloc((size_t)out * a->taps, sizeof *a->weight);
  if (!a->first || !a->count || !a->weight)
    return 0;
  for (int i = 0; i < out; i++) {
    double centre = (i + 0.5) * step - 0.5, sum = 0;
    int from = (int)ceil(centre - radius) - (box > 1), to = (int)floor(centre + radius) + (box > 1);
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
      double all = 0; // of the pixels that this one is the mean of
      for (int j = 0; j < box; j++)
        all += kernel((k + (j + 0.5) / box - 0.5 - centre) / scale);
      w[k - from] = all;
      sum += all;
    }
    if (sum == 0)
      w[0] = sum = 1;
    for (int k = from; k <= to; k++)
      w[k - from] /= sum;
    if (box > 1)
      sharpen(w, from, to, in, amount);
    a->first[i] = from;
    a->count[i] = to - from + 1;
  }
  return 1;
}

lanczos *lanczos_new(int width, int height, double extent_w, double extent_h, int out_w, int out_h, int box,
                     int ahead) {
  lanczos *l = calloc(1, sizeof *l);
  if (!l)
    return NULL;
  l->width = width, l->height = height, l->out_w = out_w, l->out_h = out_h;
  l->stride = ((size_t)width * 4 + 31) / 32 * 32;
  if (axis_make(&l->x, width, extent_w, out_w, box) && axis_make(&l->y, height, extent_h, out_h, box)) {
    l->ring_rows = l->y.taps + ahead;
    l->ring = calloc(l->ring_rows, l->stride);
    l->rows = calloc(l->y.taps, sizeof *l->rows);
    l->column = calloc(l->stride, sizeof *l->column);
  }
  if (!l->ring || !l->rows || !l->column) {
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
  free(l->rows);
  free(l->column);
  free(l);
}

unsigned char *lanczos_row(lanczos *l, int y) { return l->ring + (size_t)(y % l->ring_rows) * l->stride; }

// find_rows looks up the source rows of output row y.
ALWAYS void find_rows(lanczos *l, int y) {
  for (int k = 0; k < l->y.count[y]; k++)
    l->rows[k] = lanczos_row(l, l->y.first[y] + k);
}

// sum_rows sums the rows of output row y. Pieces of the row stay in the first cache.
ALWAYS void sum_rows(lanczos *l, int y) {
  int count = l->y.count[y];
  const float *weight = l->y.weight + (size_t)y * l->y.taps;
  for (size_t x = 0; x < l->stride; x += 32) {
    float sum[32] = {0};
    for (int k = 0; k < count; k++) {
      const unsigned char *row = l->rows[k] + x;
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
  find_rows(l, y);
  sum_rows(l, y);
  sum_columns(l, out);
}

#if defined(__x86_64__)
#define WIDE __attribute__((target("avx2,fma")))

// widened reads eight bytes as numbers.
WIDE ALWAYS __m256 widened(const unsigned char *p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}

// sum_rows_wide is sum_rows, but what it sums stays in registers.
WIDE ALWAYS void sum_rows_wide(lanczos *l, int y) {
  int count = l->y.count[y];
  const float *weight = l->y.weight + (size_t)y * l->y.taps;
  for (size_t x = 0; x < l->stride; x += 32) {
    __m256 a = _mm256_setzero_ps(), b = a, c = a, d = a;
    for (int k = 0; k < count; k++) {
      const unsigned char *row = l->rows[k] + x;
      __m256 w = _mm256_set1_ps(weight[k]);
      a = _mm256_fmadd_ps(w, widened(row), a);
      b = _mm256_fmadd_ps(w, widened(row + 8), b);
      c = _mm256_fmadd_ps(w, widened(row + 16), c);
      d = _mm256_fmadd_ps(w, widened(row + 24), d);
    }
    float *to = l->column + x;
    _mm256_storeu_ps(to, a);
    _mm256_storeu_ps(to + 8, b);
    _mm256_storeu_ps(to + 16, c);
    _mm256_storeu_ps(to + 24, d);
  }
}

WIDE static void emit_wide(lanczos *l, int y, unsigned char *out) {
  find_rows(l, y);
  sum_rows_wide(l, y);
  sum_columns(l, out);
}
#else
#define emit_wide emit
#endif

void lanczos_push(lanczos *l, int count, unsigned char *out) {
  l->pushed += count;
  while (l->done < l->out_h && l->y.first[l->done] + l->y.count[l->done] <= l->pushed) {
    unsigned char *row = out + (size_t)l->done * l->out_w * 4;
    if (l->wide)
      emit_wide(l, l->done, row);
    else
      emit(l, l->done, row);
    l->done++;
  }
}
