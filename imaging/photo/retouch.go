package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
)

// errOtherPlanes says that a photo's planes cannot go into the new file as they are.
var errOtherPlanes = errors.New("other planes")

// Retouch is [Rewrite] for what is drawn at few places: draw is called for parts that hold all that is
// touched, not for the rest, and what it draws beside it is lost. Parts come
// from top to bottom, from one goroutine, and are not to be kept; they show the photo where they are touched, and
// elsewhere mean nothing. Where it can be, of JPEGs whose planes are
// as those of the new file and in sRGB, or in colours that nobody knows how to convert, everything that is
// not drawn on goes from the decoder to the encoder without becoming RGB in between, which would
// lose a little.
func Retouch(w io.Writer, data []byte, quality int, lim Limits, touched []image.Rectangle, draw func(part *image.RGBA) error) error {
	lim = lim.orDefault()
	h, _, err := inspect(bytes.NewReader(data), int64(len(data)), lim)
	if err == nil {
		err = h.decodable(data)
	}
	if err != nil {
		return fmt.Errorf("decode photo: %w", err)
	}
	err = errOtherPlanes
	if h.kind == JPEG && h.components == 3 && h.colour.convert == nil {
		err = retouchPlanes(w, data, h, min(max(quality, 1), 100), lim, touched, draw)
	}
	if errors.Is(err, errOtherPlanes) {
		return Rewrite(w, data, quality, lim, draw)
	}
	return err
}

// touchGrid says which units of 16×16 pixels are touched.
type touchGrid struct {
	cols, rows int
	touched    []bool
}

func newTouchGrid(w, h int, touched []image.Rectangle) *touchGrid {
	g := &touchGrid{cols: ceilDiv(w, planeUnit), rows: ceilDiv(h, planeUnit)}
	g.touched = make([]bool, g.cols*g.rows)
	for _, r := range touched {
		if r = r.Intersect(image.Rect(0, 0, w, h)); r.Empty() {
			continue
		}
		for y := r.Min.Y / planeUnit; y < ceilDiv(r.Max.Y, planeUnit); y++ {
			for x := r.Min.X / planeUnit; x < ceilDiv(r.Max.X, planeUnit); x++ {
				g.touched[y*g.cols+x] = true
			}
		}
	}
	return g
}

const (
	planeUnit  = 16
	planeUnits = 8 // of rows that are in work at once
)

// in is the smallest rectangle, in units, around what is touched of r.
func (g *touchGrid) in(r image.Rectangle) image.Rectangle {
	var found image.Rectangle
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x, touched := range g.touched[y*g.cols+r.Min.X : y*g.cols+r.Max.X] {
			if touched {
				found = found.Union(image.Rect(r.Min.X+x, y, r.Min.X+x+1, y+1))
			}
		}
	}
	return found
}
