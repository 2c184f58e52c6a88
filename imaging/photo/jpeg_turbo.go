//go:build cgo && !noturbo

package photo

/*
#cgo CFLAGS: -O3 -Wall
#cgo LDFLAGS: -ljpeg -lm
#include <stdlib.h>
#include "turbo.h"
*/
import "C"

import (
	"fmt"
	"image"
	"io"
	"math"
	"runtime"
	"unsafe"
)

// libjpeg-turbo decodes.
const (
	pureJPEG         = false
	coefficientBytes = 2 // each coefficient is a short
)

// decodeJPEG decodes at 1/denom (1, 2, 4, 8), not oriented. h is the header of data.
func decodeJPEG(data []byte, h header, denom int, lim Limits) (*image.RGBA, error) {
	w, ht := ceilDiv(h.width, denom), ceilDiv(h.height, denom)
	img := image.NewRGBA(image.Rect(0, 0, w, ht))
	var st C.turbo_status
	C.turbo_decode((*C.uchar)(unsafe.SliceData(data)), C.size_t(len(data)), C.int(8/denom),
		(*C.uchar)(unsafe.SliceData(img.Pix)), C.int(w), C.int(ht), memoryOf(lim), &st)
	runtime.KeepAlive(data)
	if err := turboError(&st); err != nil {
		return nil, err
	}
	return img, nil
}

// jpegEncoder makes a baseline 4:2:0 JPEG without metadata of rows as they come.
type jpegEncoder struct{ e *C.encoder }

func newJPEGEncoder(w, h, quality int) (jpegEncoder, error) {
	var st C.turbo_status
	e := C.encoder_open(C.int(w), C.int(h), C.int(quality), &st)
	return jpegEncoder{e}, turboError(&st)
}

// add takes in the next rows.
func (j jpegEncoder) add(rows *image.RGBA) error {
	var st C.turbo_status
	C.encoder_write(j.e, (*C.uchar)(unsafe.SliceData(rows.Pix)), C.size_t(rows.Stride), C.int(rows.Rect.Dy()), &st)
	runtime.KeepAlive(rows)
	return turboError(&st)
}

// finish writes the file once all rows are in.
func (j jpegEncoder) finish(w io.Writer) error {
	var st C.turbo_status
	var size C.size_t
	out := C.encoder_finish(j.e, &size, &st)
	if err := turboError(&st); err != nil {
		return err
	}
	_, err := w.Write(unsafe.Slice((*byte)(out), int(size)))
	return err
}

// close frees it, finished or not.
func (j jpegEncoder) close() { C.encoder_close(j.e) }

func turboError(st *C.turbo_status) error {
	var kind error
	switch st.code {
	case C.TURBO_OK:
		return nil
	case C.TURBO_TRUNCATED:
		kind = ErrTruncated
	case C.TURBO_UNSUPPORTED:
		kind = ErrUnsupported
	case C.TURBO_MEMORY:
		kind = ErrTooLarge
	default:
		kind = ErrUnreadable
	}
	return fmt.Errorf("%w: %s", kind, C.GoString(&st.message[0]))
}

// memoryOf is what libjpeg may reserve for itself: a second wall behind the check of the header.
func memoryOf(lim Limits) C.long { return C.long(min(lim.Memory, math.MaxInt32)) }
