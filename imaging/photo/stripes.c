//go:build cgo && !noturbo

#include "stripes.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "planerows.h"

// The rules for errors are those of turbo.c: warnings about data are errors, and no jump leaves this
// file.
struct stripes {
  struct jpeg_decompress_struct d;
  struct jpeg_error_mgr errors;
  jmp_buf back;
  turbo_status *st;
  int width;
};

static void fail(j_common_ptr info, int code) {
  stripes *s = info->client_data;
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  s->st->code = code;
  snprintf(s->st->message, sizeof s->st->message, "%s", text);
  longjmp(s->back, 1);
}

static void on_error(j_common_ptr info) {
  switch (info->err->msg_code) {
  case JERR_OUT_OF_MEMORY:
  case JERR_NO_BACKING_STORE:
    fail(info, TURBO_MEMORY);
    return;
  case JERR_INPUT_EOF:
    fail(info, TURBO_TRUNCATED);
    return;
  case JERR_ARITH_NOTIMPL:
  case JERR_BAD_PRECISION:
  case JERR_CONVERSION_NOTIMPL:
  case JERR_CCIR601_NOTIMPL:
  case JERR_FRACT_SAMPLE_NOTIMPL:
  case JERR_NOT_COMPILED:
  case JERR_SOF_UNSUPPORTED:
    fail(info, TURBO_UNSUPPORTED);
    return;
  }
  fail(info, TURBO_DAMAGED);
}

static void on_message(j_common_ptr info, int level) {
  if (level >= 0)
    return;
  switch (info->err->msg_code) {
  case JWRN_JPEG_EOF:
  case JWRN_HIT_MARKER:
    fail(info, TURBO_TRUNCATED);
    return;
  case JWRN_HUFF_BAD_CODE:
  case JWRN_MUST_RESYNC:
  case JWRN_ARITH_BAD_CODE:
    fail(info, TURBO_DAMAGED);
    return;
  }
  info->err->num_warnings++;
}

static void on_output(j_common_ptr info) { (void)info; }

// halved tells whether the colours have half the samples of the picture each way, and are JPEG's own.
static int halved(const struct jpeg_decompress_struct *d) {
  const jpeg_component_info *c = d->comp_info;
  return d->num_components == 3 && d->jpeg_color_space == JCS_YCbCr && c[0].h_samp_factor == 2 &&
         c[0].v_samp_factor == 2 && c[1].h_samp_factor == 1 && c[1].v_samp_factor == 1 && c[2].h_samp_factor == 1 &&
         c[2].v_samp_factor == 1;
}

static stripes *open_as(const unsigned char *data, size_t size, int eighths, int width, int height, long memory,
                        int planes, turbo_status *st) {
  memset(st, 0, sizeof *st);
  stripes *s = calloc(1, sizeof *s);
  if (!s) {
    st->code = TURBO_MEMORY;
    return NULL;
  }
  struct jpeg_decompress_struct *d = &s->d;
  s->st = st;
  s->width = width;
  d->err = jpeg_std_error(&s->errors);
  s->errors.error_exit = on_error;
  s->errors.emit_message = on_message;
  s->errors.output_message = on_output;
  d->client_data = s;
  if (setjmp(s->back)) {
    stripes_close(s);
    return NULL;
  }
  jpeg_create_decompress(d);
  d->mem->max_memory_to_use = memory;
  jpeg_mem_src(d, data, size);
  jpeg_read_header(d, TRUE);
  if (planes && !halved(d)) {
    stripes_close(s);
    st->code = TURBO_OTHER;
    return NULL;
  }
  d->scale_num = eighths;
  d->scale_denom = 8;
  d->dct_method = JDCT_ISLOW;
  d->raw_data_out = planes;
  d->out_color_space = planes ? JCS_YCbCr : d->num_components == 4 ? JCS_CMYK : JCS_EXT_RGBA;
  jpeg_start_decompress(d);
  if (d->output_width != (JDIMENSION)width || d->output_height != (JDIMENSION)height ||
      d->output_components != (planes ? 3 : 4))
    ERREXIT(d, JERR_BAD_STATE);
  return s;
}

stripes *stripes_open(const unsigned char *data, size_t size, int eighths, int width, int height, long memory,
                      turbo_status *st) {
  return open_as(data, size, eighths, width, height, memory, 0, st);
}

stripes *stripes_open_planes(const unsigned char *data, size_t size, int width, int height, long memory,
                             turbo_status *st) {
  return open_as(data, size, 8, width, height, memory, 1, st);
}

void stripes_planes(stripes *s, const planes420 *to, int units, turbo_status *st) {
  struct jpeg_decompress_struct *d = &s->d;
  memset(st, 0, sizeof *st);
  s->st = st;
  if (setjmp(s->back))
    return;
  for (int u = 0; u < units; u++) {
    plane_rows rows;
    planes_point(&rows, to, u);
    if (d->output_scanline >= d->output_height)
      ERREXIT(d, JERR_BAD_STATE);
    jpeg_read_raw_data(d, rows.planes, 16);
  }
  if (d->output_scanline >= d->output_height)
    jpeg_finish_decompress(d);
}

// from_cmyk turns a row of Adobe's inverted CMYK (255 is no ink) into RGBA in place.
static void from_cmyk(unsigned char *row, int width) {
  for (int x = 0; x < width; x++, row += 4) {
    unsigned k = row[3];
    row[0] = (row[0] * k + 127) / 255;
    row[1] = (row[1] * k + 127) / 255;
    row[2] = (row[2] * k + 127) / 255;
    row[3] = 255;
  }
}

// take reads the next count rows to out, or where to wants them.
static void take(stripes *s, unsigned char *out, lanczos *to, int count, turbo_status *st) {
  struct jpeg_decompress_struct *d = &s->d;
  memset(st, 0, sizeof *st);
  s->st = st;
  if (setjmp(s->back))
    return;
  JDIMENSION end = d->output_scanline + count;
  if (end > d->output_height)
    ERREXIT(d, JERR_BAD_STATE);
  while (d->output_scanline < end) {
    JSAMPROW rows[8];
    unsigned n = end - d->output_scanline, first = end - count;
    if (n > 8)
      n = 8;
    for (unsigned i = 0; i < n; i++)
      rows[i] = to ? lanczos_row(to, d->output_scanline + i) : out + (size_t)(d->output_scanline - first + i) * s->width * 4;
    unsigned got = jpeg_read_scanlines(d, rows, n);
    if (d->out_color_space == JCS_CMYK)
      for (unsigned i = 0; i < got; i++)
        from_cmyk(rows[i], s->width);
  }
  if (end == d->output_height)
    jpeg_finish_decompress(d);
}

void stripes_read(stripes *s, unsigned char *out, int count, turbo_status *st) { take(s, out, NULL, count, st); }

void stripes_put(stripes *s, lanczos *to, int count, turbo_status *st) { take(s, NULL, to, count, st); }

void stripes_close(stripes *s) {
  if (!s)
    return;
  if (s->d.mem)
    jpeg_destroy_decompress(&s->d);
  free(s);
}
