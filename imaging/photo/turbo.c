//go:build cgo && !noturbo

#include "turbo.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "planerows.h"

// The error manager: libjpeg's own would print and exit. All jumps stay inside this file.
typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf back;
  turbo_status *st;
} errors;

static void give_up(j_common_ptr info, int code) {
  errors *e = (errors *)info->err;
  e->st->code = code;
  char text[JMSG_LENGTH_MAX];
  e->base.format_message(info, text);
  snprintf(e->st->message, sizeof e->st->message, "%s", text);
  longjmp(e->back, 1);
}

static void on_error(j_common_ptr info) {
  switch (info->err->msg_code) {
  case JERR_OUT_OF_MEMORY:
  case JERR_NO_BACKING_STORE:
    give_up(info, TURBO_MEMORY);
    return;
  case JERR_INPUT_EOF:
    give_up(info, TURBO_TRUNCATED);
    return;
  case JERR_ARITH_NOTIMPL:
  case JERR_BAD_PRECISION:
  case JERR_CONVERSION_NOTIMPL:
  case JERR_CCIR601_NOTIMPL:
  case JERR_FRACT_SAMPLE_NOTIMPL:
  case JERR_NOT_COMPILED:
  case JERR_SOF_UNSUPPORTED:
    give_up(info, TURBO_UNSUPPORTED);
    return;
  }
  give_up(info, TURBO_DAMAGED);
}

// libjpeg fills missing data with grey and only warns. A grey patch on a photo that proves
// something is worse than no photo, so the warnings about data are errors here.
static void on_message(j_common_ptr info, int level) {
  if (level >= 0)
    return;
  switch (info->err->msg_code) {
  case JWRN_JPEG_EOF:
  case JWRN_HIT_MARKER:
    give_up(info, TURBO_TRUNCATED);
    return;
  case JWRN_HUFF_BAD_CODE:
  case JWRN_MUST_RESYNC:
  case JWRN_ARITH_BAD_CODE:
    give_up(info, TURBO_DAMAGED);
    return;
  }
  info->err->num_warnings++; // stray bytes, odd version numbers: harmless
}

static void on_output(j_common_ptr info) { (void)info; }

static void arm(errors *e, turbo_status *st) {
  jpeg_std_error(&e->base);
  e->base.error_exit = on_error;
  e->base.emit_message = on_message;
  e->base.output_message = on_output;
  e->st = st;
  memset(st, 0, sizeof *st);
}

// start opens the picture and checks that it has the size the caller reserved.
static void start(struct jpeg_decompress_struct *d, const unsigned char *data, size_t size, int eighths,
                  int width, int height, long memory) {
  d->mem->max_memory_to_use = memory; // more would go to a file, and there is none: an error
  jpeg_mem_src(d, data, size);
  jpeg_read_header(d, TRUE);
  d->scale_num = eighths;
  d->scale_denom = 8;
  d->dct_method = JDCT_ISLOW;
  d->out_color_space = d->num_components == 4 ? JCS_CMYK : JCS_EXT_RGBA;
  jpeg_start_decompress(d);
  if (d->output_width != (JDIMENSION)width || d->output_height != (JDIMENSION)height || d->output_components != 4)
    ERREXIT(d, JERR_BAD_STATE);
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

void turbo_decode(const unsigned char *data, size_t size, int eighths, unsigned char *out, int width,
                  int height, long memory, turbo_status *st) {
  struct jpeg_decompress_struct d;
  errors e;
  arm(&e, st);
  d.err = &e.base;
  d.mem = NULL;
  if (setjmp(e.back)) {
    if (d.mem)
      jpeg_destroy_decompress(&d);
    return;
  }
  jpeg_create_decompress(&d);
  start(&d, data, size, eighths, width, height, memory);
  size_t stride = (size_t)width * 4;
  while (d.output_scanline < d.output_height) {
    JSAMPROW rows[8];
    unsigned n = d.output_height - d.output_scanline;
    if (n > 8)
      n = 8;
    for (unsigned i = 0; i < n; i++)
      rows[i] = out + (d.output_scanline + i) * stride;
    unsigned got = jpeg_read_scanlines(&d, rows, n);
    if (d.out_color_space == JCS_CMYK)
      for (unsigned i = 0; i < got; i++)
        from_cmyk(rows[i], width);
  }
  jpeg_finish_decompress(&d);
  jpeg_destroy_decompress(&d);
}

struct encoder {
  struct jpeg_compress_struct c;
  errors e;
  struct jpeg_destination_mgr to;
  unsigned char *out; // grows
  size_t size;
};

// grow makes room behind the first used bytes.
static void grow(j_compress_ptr c, size_t used) {
  encoder *e = c->client_data;
  size_t size = e->size ? 2 * e->size : 1 << 18;
  unsigned char *out = realloc(e->out, size);
  if (!out)
    ERREXIT1(c, JERR_OUT_OF_MEMORY, 0);
  e->out = out, e->size = size;
  e->to.next_output_byte = out + used;
  e->to.free_in_buffer = size - used;
}

static void on_begin(j_compress_ptr c) { grow(c, 0); }

static boolean on_full(j_compress_ptr c) {
  grow(c, ((encoder *)c->client_data)->size);
  return TRUE;
}

static void on_end(j_compress_ptr c) { (void)c; }

static encoder *open_as(int width, int height, int quality, int planes, turbo_status *st) {
  memset(st, 0, sizeof *st);
  encoder *e = calloc(1, sizeof *e);
  if (!e) {
    st->code = TURBO_MEMORY;
    return NULL;
  }
  struct jpeg_compress_struct *c = &e->c;
  arm(&e->e, st);
  c->err = &e->e.base;
  if (setjmp(e->e.back)) {
    encoder_close(e);
    return NULL;
  }
  jpeg_create_compress(c);
  c->client_data = e;
  e->to.init_destination = on_begin;
  e->to.empty_output_buffer = on_full;
  e->to.term_destination = on_end;
  c->dest = &e->to;
  c->image_width = width;
  c->image_height = height;
  c->input_components = planes ? 3 : 4;
  c->in_color_space = planes ? JCS_YCbCr : JCS_EXT_RGBX;
  jpeg_set_defaults(c);
  jpeg_set_quality(c, quality, TRUE);
  c->raw_data_in = planes;
  jpeg_start_compress(c, TRUE);
  return e;
}

encoder *encoder_open(int width, int height, int quality, turbo_status *st) {
  return open_as(width, height, quality, FALSE, st);
}

encoder *encoder_open_planes(int width, int height, int quality, turbo_status *st) {
  return open_as(width, height, quality, TRUE, st);
}

void encoder_planes(encoder *e, const planes420 *from, int units, turbo_status *st) {
  struct jpeg_compress_struct *c = &e->c;
  memset(st, 0, sizeof *st);
  e->e.st = st;
  if (setjmp(e->e.back))
    return;
  for (int u = 0; u < units; u++) {
    plane_rows rows;
    planes_point(&rows, from, u);
    if (c->next_scanline >= c->image_height)
      ERREXIT(c, JERR_BAD_STATE);
    jpeg_write_raw_data(c, rows.planes, 16);
  }
}

void encoder_write(encoder *e, const unsigned char *rgba, size_t stride, int count, turbo_status *st) {
  struct jpeg_compress_struct *c = &e->c;
  memset(st, 0, sizeof *st);
  e->e.st = st;
  if (setjmp(e->e.back))
    return;
  for (int y = 0; y < count;) {
    JSAMPROW rows[8];
    int n = count - y < 8 ? count - y : 8;
    for (int i = 0; i < n; i++)
      rows[i] = (JSAMPROW)(rgba + (size_t)(y + i) * stride);
    if (c->next_scanline >= c->image_height)
      ERREXIT(c, JERR_BAD_STATE);
    y += jpeg_write_scanlines(c, rows, n);
  }
}

const unsigned char *encoder_finish(encoder *e, size_t *size, turbo_status *st) {
  memset(st, 0, sizeof *st);
  e->e.st = st;
  if (setjmp(e->e.back))
    return NULL;
  jpeg_finish_compress(&e->c);
  *size = e->size - e->to.free_in_buffer;
  return e->out;
}

void encoder_close(encoder *e) {
  if (!e)
    return;
  if (e->c.mem)
    jpeg_destroy_compress(&e->c);
  free(e->out);
  free(e);
}
