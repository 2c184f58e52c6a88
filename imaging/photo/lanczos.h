// A Lanczos-3 shrink that takes rows as they come and keeps only those it still needs.
#ifndef FLAWMARK_LANCZOS_H
#define FLAWMARK_LANCZOS_H

typedef struct lanczos lanczos;

// lanczos_new prepares to shrink rows of width RGBA pixels, height of them, to out_w x out_h. Of the
// source, extent_w x extent_h (fractions of its last pixels are allowed) is the picture. Its pixels are
// means of box x box others; what that took from fine detail is given back, so that the result is what
// the others would give. Up to ahead rows may be put beyond those that were pushed. NULL when there is
// no memory.
lanczos *lanczos_new(int width, int height, double extent_w, double extent_h, int out_w, int out_h, int box,
                     int ahead);

// lanczos_row is where source row y is to be put, width*4 bytes.
unsigned char *lanczos_row(lanczos *l, int y);

// lanczos_push takes the next count rows in; finished rows of the result go to out, RGBA rows of
// out_w*4 bytes, opaque. Height rows are to be pushed in all. Meanwhile others may put rows ahead.
void lanczos_push(lanczos *l, int count, unsigned char *out);

void lanczos_free(lanczos *l);

#endif
