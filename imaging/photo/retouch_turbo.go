//go:build cgo && !noturbo

package photo

/*
#include "stripes.h"
*/
import "C"

import (
	"fmt"
	"image"
	"io"
	"runtime"
	"unsafe"
)

// planes are a strip of some units of rows.
type planes struct {
	y, units int // its place, in units
	stride   int
	pix      []byte // luma, then the colours
	from     []int  // where each begins
	now, was []byte // of a part
}

func newPlanes(w int) *planes {
	stride := ceilDiv(w, planeUnit) * planeUnit
	n := stride * planeUnit * planeUnits
	return &planes{stride: stride, pix: make([]byte, n+n/2), from: []int{0, n, n + n/4}}
}

// with calls do with C's view of the planes.
func (p *planes) with(do func(*C.planes420)) {
	var pinned runtime.Pinner
	defer pinned.Unpin()
	pinned.Pin(unsafe.SliceData(p.pix))
	at := func(i int) *C.uchar { return (*C.uchar)(&p.pix[p.from[i]]) }
	do(&C.planes420{y: at(0), cb: at(1), cr: at(2), stride: C.size_t(p.stride)})
}

// retouchPlanes decodes, draws and encodes, each on a goroutine of its own.
func retouchPlanes(w io.Writer, data []byte, h header, quality int, lim Limits, touched []image.Rectangle, draw func(*image.RGBA) error) error {
	if err := h.affordable(h.width, min(h.height, planeUnit*planeUnits), false, lim); err != nil {
		return fmt.Errorf("decode photo: %w", err)
	}
	var pinned runtime.Pinner // libjpeg keeps its place in data between the calls
	defer pinned.Unpin()
	pinned.Pin(unsafe.SliceData(data))
	var st C.turbo_status
	s := C.stripes_open_planes((*C.uchar)(unsafe.SliceData(data)), C.size_t(len(data)), C.int(h.width), C.int(h.height), memoryOf(lim), &st)
	if st.code == C.TURBO_OTHER {
		return errOtherPlanes
	}
	if err := turboError(&st); err != nil {
		return fmt.Errorf("decode photo: %w", err)
	}
	defer C.stripes_close(s)
	var coding C.turbo_status
	j := jpegEncoder{C.encoder_open_planes(C.int(h.width), C.int(h.height), C.int(quality), &coding)}
	defer j.close()
	if err := turboError(&coding); err != nil {
		return fmt.Errorf("encode JPEG: %w", err)
	}
	const inWork = 4
	free, decoded, drawn := make(chan *planes, inWork), make(chan *planes, inWork), make(chan *planes, inWork)
	for range inWork {
		free <- newPlanes(h.width)
	}
	stop := make(chan struct{})
	rows := ceilDiv(h.height, planeUnit)
	var decoding, drawing error // once decoded and drawn are closed
	go func() {
		defer close(decoded)
		for y := 0; y < rows; y += planeUnits {
			select {
			case <-stop:
				return
			case p := <-free:
				p.y, p.units = y, min(planeUnits, rows-y)
				p.with(func(c *C.planes420) { C.stripes_planes(s, c, C.int(p.units), &st) })
				if decoding = turboError(&st); decoding != nil {
					return
				}
				decoded <- p
			}
		}
	}()
	go func() {
		defer close(drawn)
		grid := newTouchGrid(h.width, h.height, touched)
		var e easel
		for p := range decoded { // to the end, so that nothing runs on
			if drawing == nil {
				if drawing = e.draw(p, grid, image.Rect(0, 0, h.width, h.height), draw); drawing != nil {
					close(stop)
				}
			}
			if drawing == nil {
				drawn <- p
			}
		}
	}()
	var failed error
	for p := range drawn {
		if failed == nil {
			p.with(func(c *C.planes420) { C.encoder_planes(j.e, c, C.int(p.units), &coding) })
			failed = turboError(&coding)
		}
		free <- p
	}
	switch {
	case drawing != nil:
		return drawing
	case decoding != nil:
		return fmt.Errorf("decode photo: %w", decoding)
	case failed == nil:
		failed = j.finish(w)
	}
	if failed != nil {
		return fmt.Errorf("encode JPEG: %w", failed)
	}
	return nil
}

// easel is where a strip is drawn on.
type easel struct{ now, was []byte }

// draw has what is touched of the strip drawn on.
func (e *easel) draw(p *planes, grid *touchGrid, picture image.Rectangle, draw func(*image.RGBA) error) error {
	r := grid.in(image.Rect(0, p.y, grid.cols, p.y+p.units))
	if r.Empty() {
		return nil
	}
	r = image.Rectangle{Min: r.Min.Mul(planeUnit), Max: r.Max.Mul(planeUnit)}.Intersect(picture)
	w, h := r.Dx(), r.Dy()
	n := 4 * w * h
	if cap(e.now) < n {
		most := 4 * p.stride * planeUnit * planeUnits
		e.now, e.was = make([]byte, most), make([]byte, most)
	}
	e.now, e.was = e.now[:n], e.was[:n]
	p.eachTouched(grid, r, func(c *C.planes420, x, y, w, h C.int, at int) {
		C.planes_show(c, x, y, w, h, (*C.uchar)(&e.now[at]), C.size_t(4*r.Dx()))
		for row := range int(h) {
			copy(e.was[at+row*4*r.Dx():][:4*int(w)], e.now[at+row*4*r.Dx():])
		}
	})
	if err := draw(&image.RGBA{Pix: e.now, Stride: 4 * w, Rect: r}); err != nil {
		return err
	}
	p.eachTouched(grid, r, func(c *C.planes420, x, y, w, h C.int, at int) {
		C.planes_take(c, x, y, w, h, (*C.uchar)(&e.now[at]), (*C.uchar)(&e.was[at]), C.size_t(4*r.Dx()),
			truth(int(x+w) == picture.Max.X), truth(int(y+h)+p.y*planeUnit == picture.Max.Y))
	})
	return nil
}

// eachTouched calls do for each row of touched units of a part: with its place in the planes, and where
// it begins in the part's pixels.
func (p *planes) eachTouched(grid *touchGrid, part image.Rectangle, do func(c *C.planes420, x, y, w, h C.int, at int)) {
	p.with(func(c *C.planes420) {
		for uy := part.Min.Y / planeUnit; uy*planeUnit < part.Max.Y; uy++ {
			last := ceilDiv(part.Max.X, planeUnit)
			for ux := part.Min.X / planeUnit; ux < last; ux++ {
				from := ux
				for ux < last && grid.touched[uy*grid.cols+ux] {
					ux++
				}
				if ux == from {
					continue
				}
				x, y := from*planeUnit, uy*planeUnit
				w, h := min(ux*planeUnit, part.Max.X)-x, min(planeUnit, part.Max.Y-y)
				do(c, C.int(x), C.int(y-p.y*planeUnit), C.int(w), C.int(h), (y-part.Min.Y)*4*part.Dx()+4*(x-part.Min.X))
			}
		}
	})
}

func truth(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
