package evidence

import (
	"context"
	"image"
	"io"

	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
)

// sparing makes a lossless file.
type sparing struct {
	frame
	index    *tiles.Index
	original io.ReaderAt
	covers   []cover
	shapes   []annotate.Shape // with the covers instead of the redactions
	opts     annotate.Options
	cells    []bool // squares of the grid of the oriented picture that marks touch
	cols     int
	layout   annotate.Layout
}

func newSparing(x *tiles.Index, original io.ReaderAt, shapes []annotate.Shape) (*sparing, error) {
	s := &sparing{index: x, original: original}
	s.w, s.h = x.Size()
	s.orientation = x.Orientation()
	s.covers = covers(shapes, s.frame)
	s.shapes = withCovers(shapes, s.covers)
	seen := s.seen()
	read := func(r image.Rectangle) (*image.RGBA, error) { return x.OrientedRegion(original, r) }
	if err := colour(s.covers, seen, read); err != nil {
		return nil, err
	}
	s.opts = annotate.Options{
		Unit: annotate.UnitOf(seen), Width: seen.Dx(), Height: seen.Dy(), Source: source(s.covers, seen, read),
	}
	s.layout = annotate.Lay(s.shapes, annotate.View{Scale: 1}, s.opts)
	s.cols = (seen.Max.X + grid - 1) / grid
	s.cells = make([]bool, s.cols*((seen.Max.Y+grid-1)/grid))
	s.cover()
	return s, nil
}

// cover finds which squares the marks can change.
func (s *sparing) cover() {
	for _, r := range s.layout.Covers() {
		fillCells(s.cells, s.cols, r.Intersect(s.seen()))
	}
	for _, c := range s.covers {
		fillCells(s.cells, s.cols, c.area)
	}
}

// touched lists what the marks change: squares of the grid, joined to rows, as
// stored.
func (s *sparing) touched() []image.Rectangle {
	var list []image.Rectangle
	for y := range len(s.cells) / s.cols {
		for x := 0; x < s.cols; x++ {
			from := x
			for x < s.cols && s.cells[y*s.cols+x] {
				x++
			}
			if x > from {
				r := image.Rect(from*grid, y*grid, x*grid, (y+1)*grid).Intersect(s.seen())
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

// write patches the original.
func (s *sparing) write(ctx context.Context, dst io.Writer, touched []image.Rectangle) (Report, error) {
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
		s.layout.Draw(img)
		if s.orientation == 1 {
			return nil
		}
		img.Rect = image.Rectangle{Max: img.Rect.Size()}
		copy(part.Pix, photo.Orient(img, back(s.orientation)).Pix)
		return nil
	}
	n, err := s.index.Patch(dst, s.original, what)
	return Report{Lossless: true, BlocksKept: n.Kept, BlocksReplaced: n.Replaced}, err
}
