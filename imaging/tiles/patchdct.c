//go:build cgo && !noturbo

#include "patchdct.h"

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

typedef float eight __attribute__((vector_size(32)));
typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

static inline __attribute__((always_inline)) void load(eight *v, const float *p) {
  const four a = *(const four *)p, b = *(const four *)(p + 4);
  *v = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
}

static inline __attribute__((always_inline)) void turn(eight v[8]) {
  eight a[8], b[8];
  for (int i = 0; i < 4; i++) {
    a[2 * i] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    a[2 * i + 1] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++) {
      b[4 * i + j] = __builtin_shufflevector(a[4 * i + j], a[4 * i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      b[4 * i + j + 2] = __builtin_shufflevector(a[4 * i + j], a[4 * i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int i = 0; i < 4; i++) {
    v[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    v[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

static inline __attribute__((always_inline)) void inverse8(eight v[8]) {
  eight a = v[0] + v[4], b = v[0] - v[4];
  eight c = v[2] + v[6];
  eight d = (v[2] - v[6]) * 1.414213562f - c;
  eight e0 = a + c, e3 = a - c, e1 = b + d, e2 = b - d;
  eight z13 = v[5] + v[3], z10 = v[5] - v[3];
  eight z11 = v[1] + v[7], z12 = v[1] - v[7];
  eight o7 = z11 + z13;
  eight f = (z11 - z13) * 1.414213562f;
  eight z5 = (z10 + z12) * 1.847759065f;
  eight g = z5 - z12 * 1.082392200f;
  eight h = z5 - z10 * 2.613125930f;
  eight o6 = h - o7;
  eight o5 = f - o6;
  eight o4 = g - o5;
  v[0] = e0 + o7, v[7] = e0 - o7;
  v[1] = e1 + o6, v[6] = e1 - o6;
  v[2] = e2 + o5, v[5] = e2 - o5;
  v[3] = e3 + o4, v[4] = e3 - o4;
}

void patch_inverse(const float *up, const int *coefficients, unsigned char *out, size_t stride) {
  eight v[8];
  for (int y = 0; y < 8; y++) {
    float w[8];
    for (int x = 0; x < 8; x++)
      w[x] = (float)coefficients[8 * y + x] * up[8 * y + x];
    load(&v[y], w);
  }
  inverse8(v);
  turn(v);
  inverse8(v);
  turn(v);
  for (int y = 0; y < 8; y++)
    for (int x = 0; x < 8; x++) {
      float s = v[y][x] + 128.5f;
      out[y * stride + x] = (unsigned char)(s < 0 ? 0 : s > 255 ? 255 : s);
    }
}

static inline __attribute__((always_inline)) void forward8(eight v[8]) {
  eight t0 = v[0] + v[7], t7 = v[0] - v[7];
  eight t1 = v[1] + v[6], t6 = v[1] - v[6];
  eight t2 = v[2] + v[5], t5 = v[2] - v[5];
  eight t3 = v[3] + v[4], t4 = v[3] - v[4];
  eight a = t0 + t3, d = t0 - t3;
  eight b = t1 + t2, c = t1 - t2;
  eight z1 = (c + d) * 0.707106781f;
  v[0] = a + b, v[4] = a - b;
  v[2] = d + z1, v[6] = d - z1;
  eight p = t4 + t5, q = t5 + t6, r = t6 + t7;
  eight z5 = (p - r) * 0.382683433f;
  eight z2 = 0.541196100f * p + z5;
  eight z4 = 1.306562965f * r + z5;
  eight z3 = q * 0.707106781f;
  eight z11 = t7 + z3, z13 = t7 - z3;
  v[5] = z13 + z2, v[3] = z13 - z2;
  v[1] = z11 + z4, v[7] = z11 - z4;
}

void patch_forward(const float *down, const unsigned char *in, size_t stride, int *coefficients) {
  eight v[8];
  for (int y = 0; y < 8; y++) {
    float w[8];
    for (int x = 0; x < 8; x++)
      w[x] = (float)((int)in[y * stride + x] - 128);
    load(&v[y], w);
  }
  turn(v);
  forward8(v);
  turn(v);
  forward8(v);
  for (int y = 0; y < 8; y++)
    for (int x = 0; x < 8; x++) {
      double s = (double)(v[y][x] * down[8 * y + x]) + 0.5;
      int n = (int)s;
      n -= n > s;
      coefficients[8 * y + x] = n < -1023 ? -1023 : n > 1023 ? 1023 : n;
    }
}
