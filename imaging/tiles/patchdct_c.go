//go:build cgo && !noturbo

package tiles

/*
#cgo CFLAGS: -O3 -Wall
#cgo noescape patch_inverse
#cgo nocallback patch_inverse
#cgo noescape patch_forward
#cgo nocallback patch_forward
#include "patchdct.h"
*/
import "C"

import "unsafe"

// inverse is inverseGo, eight numbers at a time.
func (s *scales) inverse(c *[64]int32, out []uint8, stride int) {
	_ = out[7*stride+7]
	C.patch_inverse((*C.float)(&s.up[0]), (*C.int)(&c[0]), (*C.uchar)(unsafe.SliceData(out)), C.size_t(stride))
}

// forward is forwardGo, eight numbers at a time.
func (s *scales) forward(in []uint8, stride int, out *[64]int32) {
	_ = in[7*stride+7]
	C.patch_forward((*C.float)(&s.down[0]), (*C.uchar)(unsafe.SliceData(in)), C.size_t(stride), (*C.int)(&out[0]))
}
