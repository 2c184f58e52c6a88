//go:build cgo && !noturbo

package photo

/*
#include "stripes.h"
*/
import "C"

import (
	"image"
	"runtime"
	"unsafe"
)

// stripesJPEG yields the rows of a JPEG at 1/denom, not oriented, as they are decoded. yield may leave
// other pixels in the picture that it is given, for as many rows; the next ones are put there.
func stripesJPEG(data []byte, h header, denom, rows int, lim Limits, yield func(int, *image.RGBA) error) error {
	w, ht := ceilDiv(h.width, denom), ceilDiv(h.height, denom)
	var pinned runtime.Pinner // libjpeg keeps its place in data between the calls
	defer pinned.Unpin()
	pinned.Pin(unsafe.SliceData(data))
	var st C.turbo_status
	s := C.stripes_open((*C.uchar)(unsafe.SliceData(data)), C.size_t(len(data)), C.int(8/denom), C.int(w), C.int(ht), memoryOf(lim), &st)
	defer func() { C.stripes_close(s) }()
	if err := turboError(&st); err != nil {
		return err
	}
	img := image.NewRGBA(image.Rect(0, 0, w, min(rows, ht)))
	for y := 0; y < ht; y += rows {
		n := min(rows, ht-y)
		img.Rect.Max.Y, img.Pix = n, img.Pix[:n*img.Stride:cap(img.Pix)]
		C.stripes_read(s, (*C.uchar)(unsafe.SliceData(img.Pix)), C.int(n), &st)
		if err := turboError(&st); err != nil {
			return err
		}
		if err := yield(y, img); err != nil {
			return err
		}
	}
	return nil
}
