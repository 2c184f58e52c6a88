package evidence

import (
	"context"
	"encoding/binary"
	"image"
	"io"

	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"

	"flawmark/app/qc"
)

// sparing makes a lossless file.
type sparing struct {
	frame
	index    *tiles.Index
	original io.ReaderAt
	covers   []cover
	shapes   []annotate.Shape // with the covers instead of the redactions
}

func newSparing(x *tiles.Index, original io.ReaderAt, shapes []annotate.Shape) *sparing {
	s := &sparing{index: x, original: original}
	s.w, s.h = x.Size()
	s.orientation = x.Orientation()
	s.covers = covers(shapes, s.frame)
	s.shapes = withCovers(shapes, s.covers)
	return s
}

func (s *sparing) options() annotate.Options {
	size := s.seen()
	return annotate.Options{Unit: annotate.UnitOf(size), Width: size.Dx(), Height: size.Dy()}
}

// sheetSide is the side of the sheets on which marks are drawn to see where they
// are.
const sheetSide = 2048

// touched finds what the marks change: squares of the grid, joined to rows,
// as stored.
func (s *sparing) touched() []image.Rectangle {
	seen := s.seen()
	cols, rows := (seen.Max.X+grid-1)/grid, (seen.Max.Y+grid-1)/grid
	cells := make([]bool, cols*rows)
	var sheet *image.RGBA
	for y := 0; y < seen.Max.Y; y += sheetSide {
		for x := 0; x < seen.Max.X; x += sheetSide {
			place := image.Rect(x, y, x+sheetSide, y+sheetSide).Intersect(seen)
			if n := 4 * place.Dx() * place.Dy(); sheet == nil {
				sheet = image.NewRGBA(place)
			} else {
				*sheet = image.RGBA{Pix: sheet.Pix[:n], Stride: 4 * place.Dx(), Rect: place}
				clear(sheet.Pix)
			}
			annotate.Render(sheet, s.shapes, annotate.View{Scale: 1}, s.options())
			mark(cells, cols, sheet)
		}
	}
	// What is not seen on a sheet: the pixels of insets and the tints.
	for _, f := range annotate.Insets(s.shapes, seen.Dx(), seen.Dy()) {
		fillCells(cells, cols, f.To.Intersect(seen))
	}
	for _, c := range s.covers {
		fillCells(cells, cols, c.area)
	}
	for _, shape := range s.shapes {
		if m := shape.Mark; m.Tool == qc.Highlighter && len(m.Points) == 2 {
			a, b := m.Points[0], m.Points[1]
			fillCells(cells, cols, image.Rect(whole32(a.X), whole32(a.Y), whole32(b.X), whole32(b.Y)).Inset(-2).Intersect(seen))
		}
	}
	var list []image.Rectangle
	for y := range rows {
		for x := 0; x < cols; x++ {
			from := x
			for x < cols && cells[y*cols+x] {
				x++
			}
			if x > from {
				r := image.Rect(from*grid, y*grid, x*grid, (y+1)*grid).Intersect(seen)
				list = append(list, s.stored(r))
			}
		}
	}
	return list
}

func fillCells(cells []bool, cols int, r image.Rectangle) {
	if r.Empty() {
		return
	}
	r = onGrid(r)
	for y := r.Min.Y / grid; y < r.Max.Y/grid; y++ {
		for x := r.Min.X / grid; x < r.Max.X/grid; x++ {
			cells[y*cols+x] = true
		}
	}
}

// mark sets the cells in which something is drawn on a sheet, which begins on
// the grid.
func mark(cells []bool, cols int, sheet *image.RGBA) {
	w := sheet.Rect.Dx()
	for y := range sheet.Rect.Dy() {
		row := sheet.Pix[y*sheet.Stride:][:4*w]
		at := (sheet.Rect.Min.Y+y)/grid*cols + sheet.Rect.Min.X/grid
		for len(row) > 0 {
			n := min(len(row), 4*grid)
			if !cells[at] && !blank(row[:n]) {
				cells[at] = true
			}
			row = row[n:]
			at++
		}
	}
}

func blank(pix []byte) bool {
	var any uint64
	for len(pix) >= 8 {
		any |= binary.LittleEndian.Uint64(pix)
		pix = pix[8:]
	}
	for _, b := range pix {
		any |= uint64(b)
	}
	return any == 0
}

// write patches the original.
func (s *sparing) write(ctx context.Context, dst io.Writer, touched []image.Rectangle) (Report, error) {
	read := func(r image.Rectangle) (*image.RGBA, error) { return s.index.OrientedRegion(s.original, r) }
	if err := colour(s.covers, s.seen(), read); err != nil {
		return Report{}, err
	}
	opts := s.options()
	opts.Source = source(s.covers, s.seen(), read)
	what := tiles.Patch{Touched: touched, Profile: true}
	for _, c := range s.covers {
		what.Hidden = append(what.Hidden, s.stored(c.area))
	}
	what.Paint = func(part *image.RGBA) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		img := &image.RGBA{Pix: part.Pix, Stride: part.Stride, Rect: image.Rectangle{Max: part.Rect.Size()}}
		img = photo.Orient(img, s.orientation)
		img.Rect = s.oriented(part.Rect)
		annotate.Render(img, s.shapes, annotate.View{Scale: 1}, opts)
		img.Rect = image.Rectangle{Max: img.Rect.Size()}
		copy(part.Pix, photo.Orient(img, back(s.orientation)).Pix)
		return nil
	}
	n, err := s.index.Patch(dst, s.original, what)
	return Report{Lossless: true, BlocksKept: n.Kept, BlocksReplaced: n.Replaced}, err
}
