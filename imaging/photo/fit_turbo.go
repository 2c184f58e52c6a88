//go:build cgo && !noturbo

package photo

/*
#include "stripes.h"
*/
import "C"

import (
	"fmt"
	"image"
	"runtime"
	"unsafe"
)

// fitRows is how many rows are handed from the decoder to the shrinking at once: few enough to be in a
// core's cache still. fitAhead is how many it may be ahead: some are shrunk, some wait, some are made.
const (
	fitRows  = 8
	fitAhead = 3 * fitRows
)

// decodeJPEGFit decodes, shrunk to outW×outH, not oriented. While one core decodes, the other shrinks
// what was decoded: the large picture never exists.
func decodeJPEGFit(data []byte, h header, outW, outH int, lim Limits) (*image.RGBA, error) {
	if h.width == outW && h.height == outH {
		return decodeJPEG(data, h, 1, lim)
	}
	denom := fitDenom(h.width, h.height, outW, outH)
	w, ht := ceilDiv(h.width, denom), ceilDiv(h.height, denom)
	var pinned runtime.Pinner // libjpeg keeps its place in data between the calls
	defer pinned.Unpin()
	pinned.Pin(unsafe.SliceData(data))
	// The scaled size is rounded up; the part of its last pixels beyond the picture must not shift it.
	l := C.lanczos_new(C.int(w), C.int(ht), C.double(float64(h.width)/float64(denom)), C.double(float64(h.height)/float64(denom)),
		C.int(outW), C.int(outH), C.int(denom), fitAhead)
	if l == nil {
		return nil, fmt.Errorf("%w: no memory to shrink it", ErrTooLarge)
	}
	defer C.lanczos_free(l)
	var st C.turbo_status
	s := C.stripes_open((*C.uchar)(unsafe.SliceData(data)), C.size_t(len(data)), C.int(8/denom), C.int(w), C.int(ht), memoryOf(lim), &st)
	if err := turboError(&st); err != nil {
		return nil, err
	}
	defer C.stripes_close(s)
	free, ready := make(chan struct{}, fitAhead/fitRows), make(chan int, fitAhead/fitRows)
	for range fitAhead / fitRows {
		free <- struct{}{}
	}
	var failed error // once ready is closed
	go func() {
		defer close(ready)
		for y := 0; y < ht; y += fitRows {
			<-free
			n := min(fitRows, ht-y)
			C.stripes_put(s, l, C.int(n), &st)
			if failed = turboError(&st); failed != nil {
				return
			}
			ready <- n
		}
	}()
	img := image.NewRGBA(image.Rect(0, 0, outW, outH))
	for n := range ready {
		C.lanczos_push(l, C.int(n), (*C.uchar)(unsafe.SliceData(img.Pix)))
		free <- struct{}{}
	}
	if failed != nil {
		return nil, failed
	}
	return img, nil
}
