// A Lanczos-3 shrink that takes rows as they come and keeps only those it still needs.
#ifndef FLAWMARK_LANCZOS_H
#define FLAWMARK_LANCZOS_H

typedef struct lanczos lanczos;

// lanczos_new prepares to shrink rows of width RGBA pixels, height of them, to out_w x out_h. Of the
// source, extent_w x extent_h (fractions of its last pixels are allowed) is the picture. NULL when
// there is no memory.
lanczos *lanczos_new(int width, int height, double extent_w, double extent_h, int out_w, int out_h);

// lanczos_row is where the next row is to be put, and lanczos_push takes it in; finished rows of the
// result go to out, RGBA rows of out_w*4 bytes, opaque. Height rows are to be pushed.
unsigned char *lanczos_row(lanczos *l);
void lanczos_push(lanczos *l, unsigned char *out);

void lanczos_free(lanczos *l);

#endif
