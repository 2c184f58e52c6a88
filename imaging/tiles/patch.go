package tiles

import (
	"errors"
	"fmt"
	"image"
	"io"
)

// Patch says what [Index.Patch] changes in a picture. All rectangles are in pixels of the picture as
// stored, and are clipped to it.
type Patch struct {
	// Touched is where Paint may change pixels. What Paint draws elsewhere is lost; a rectangle that is
	// larger than needed costs a little time and nothing else, since what Paint leaves as it was stays.
	Touched []image.Rectangle
	// Hidden is what nobody may see. Each is grown to whole MCUs ([Index.Align]), because the rest of an
	// MCU carries traces of its neighbours, and is grey before Paint is called: nothing in the new file
	// depends on what was there. Paint may draw over it.
	Hidden []image.Rectangle
	// Paint draws on a part of the picture. Its bounds are the place in the picture, of at most
	// 256×128 pixels; parts do not overlap and come row by row. The picture is opaque, and the photo where it is
	// touched; elsewhere it means nothing. An error ends the
	// patch before anything is written. nil paints nothing.
	Paint func(part *image.RGBA) error
	// Profile keeps the colour profile. Without it, colours beyond sRGB look paler.
	Profile bool
}

// Patched counts the MCUs of a patched picture.
type Patched struct {
	Kept     int // every coefficient is the original's
	Replaced int // painted on or hidden
}

// patchRows is how many rows of MCUs a part given to Paint has at most; it is a chunk wide, since
// decoding begins at one.
const patchRows = 8

// Patch writes the photo to dst as a JPEG in which only what was painted is coded anew, with the
// original's own quantisers; all other blocks keep their coefficients exactly, and most of their bits
// are copied. Nothing is decoded but the parts to be painted on, so that it takes a fraction of the
// time of decoding and encoding.
//
// The file carries no metadata but the orientation, where that is not 1, and the colour profile if it
// is asked for. Its code tables are the original's; where they lack a code for a new block, or where
// something is hidden and they were made for this very picture, and so would tell a little of it, all
// bits are coded anew with other tables, which keeps the coefficients too.
//
// A grey photo stays grey: see [Index.Grey]. Memory grows with what is replaced, some 20 bytes for
// each block of 64 pixels and plane, not with the picture.
//
// src must be the file the index was made of. The errors are those of [Index.Tile] and those of Paint
// and of dst; only after an error of src or dst can a part have been written.
func (x *Index) Patch(dst io.Writer, src io.ReaderAt, what Patch) (Patched, error) {
	p := newPatcher(x, src, what)
	err := p.paint()
	if err == nil {
		err = p.write(dst)
	}
	if err != nil {
		return Patched{}, fmt.Errorf("patch photo %.12s: %w", x.digest, err)
	}
	return Patched{Kept: len(p.place) - p.replaced, Replaced: p.replaced}, nil
}

// Grey tells whether the photo has no colours: then nothing coloured can be painted on it.
func (x *Index) Grey() bool { return len(x.head.comps) == 1 }

// patcher holds what becomes of each MCU.
type patcher struct {
	cutter
	what     Patch
	syms     [3]*symTable // by component
	touched  []bool       // by MCU
	hidden   []bool
	any      bool     // something is hidden
	place    []uint32 // by MCU: where its new blocks are in store, and one more; 0: it is kept
	store    []uint32 // tokens, see readBlock
	replaced int
	used     [4][256]bool // AC symbols of new blocks by table slot
	tables   *recoding    // nil: the original's codes
	tokens   []uint32     // of a row that is coded anew
	scales   [3]*scales
}

func newPatcher(x *Index, src io.ReaderAt, what Patch) *patcher {
	n := x.head.cols * x.head.rows
	p := &patcher{
		cutter: cutter{Index: x, src: src}, what: what, syms: x.head.symTables(),
		touched: make([]bool, n), hidden: make([]bool, n), place: make([]uint32, n),
	}
	for _, r := range what.Touched {
		p.cover(p.touched, r)
	}
	for _, r := range what.Hidden {
		p.any = p.cover(p.touched, r) || p.any
		p.cover(p.hidden, r)
	}
	return p
}

// cover sets the MCUs of r.
func (p *patcher) cover(set []bool, r image.Rectangle) bool {
	r = p.Align(r)
	mw, mh, cols := p.head.mcuW, p.head.mcuH, p.head.cols
	for y := r.Min.Y / mh; y < ceilDiv(r.Max.Y, mh); y++ {
		for x := r.Min.X / mw; x < ceilDiv(r.Max.X, mw); x++ {
			set[y*cols+x] = true
		}
	}
	return !r.Empty()
}

// paint makes the new blocks, a part at a time. While one is painted on, the next is decoded.
func (p *patcher) paint() error {
	h := &p.head
	for i, c := range h.comps {
		p.scales[i] = newScales(&h.quants[c.quant])
	}
	type loaded struct {
		*piece
		err error
	}
	free, ready, stop := make(chan *piece, 2), make(chan loaded, 1), make(chan struct{})
	free <- &piece{patcher: p}
	free <- &piece{patcher: p}
	go func() {
		defer close(ready)
		for y := 0; y < h.rows; y += patchRows {
			for x := 0; x < h.cols; x += chunkMCUs {
				r := p.touchedIn(image.Rect(x, y, min(x+chunkMCUs, h.cols), min(y+patchRows, h.rows)))
				if r.Empty() {
					continue
				}
				select {
				case <-stop:
					return
				case q := <-free:
					err := q.load(r)
					ready <- loaded{q, err}
					if err != nil {
						return
					}
				}
			}
		}
	}()
	var failed error
	stopped := false
	for q := range ready { // to the end, so that nobody reads on after the return
		if failed == nil {
			failed = q.err
		}
		if failed == nil {
			failed = q.draw()
		}
		if failed == nil && uint64(len(p.store)) > 1<<31 {
			failed = errors.New("too much of the picture to be replaced")
		}
		if failed != nil && !stopped {
			close(stop)
			stopped = true
		}
		free <- q.piece
	}
	return failed
}

// touchedIn is the smallest rectangle around the touched MCUs in r, in MCUs.
func (p *patcher) touchedIn(r image.Rectangle) image.Rectangle {
	var found image.Rectangle
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := p.touched[y*p.head.cols:]
		for x := r.Min.X; x < r.Max.X; x++ {
			if row[x] {
				found = found.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return found
}
