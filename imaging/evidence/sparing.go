package evidence

import (
	"bytes"
	"context"
	"image"
	"image/draw"
	"io"
	"runtime"
	"slices"
	"sync"

	"flawmark/app/qc"
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
	tints    []image.Rectangle
	opts     annotate.Options
	cells    []bool // squares of the grid of the oriented picture that marks touch
	cols     int
	lock     sync.Mutex
	drawn    map[image.Point]*image.RGBA // squares of sheets on which something is drawn
}

// square is the side of the squares in which sheets are kept.
const square = 2 * grid

func newSparing(x *tiles.Index, original io.ReaderAt, shapes []annotate.Shape) (*sparing, error) {
	s := &sparing{index: x, original: original, drawn: map[image.Point]*image.RGBA{}}
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
	for _, shape := range s.shapes {
		if m := shape.Mark; m.Tool == qc.Highlighter && len(m.Points) == 2 {
			a, b := m.Points[0], m.Points[1]
			s.tints = append(s.tints, image.Rect(whole32(a.X), whole32(a.Y), whole32(b.X), whole32(b.Y)).Inset(-2))
		}
	}
	s.cols = (seen.Max.X + grid - 1) / grid
	s.cells = make([]bool, s.cols*((seen.Max.Y+grid-1)/grid))
	return s, nil
}

// sheetSide is the side of the transparent sheets on which marks are drawn, a
// multiple of square.
const sheetSide = 2048

// draw draws the marks once and keeps the squares on which there is something.
// Tints are drawn later: they change the photo below them.
func (s *sparing) draw(ctx context.Context) error {
	seen := s.seen()
	places := make(chan image.Rectangle)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 2) { // a sheet takes 16 MiB
		workers.Go(func() {
			var pix []byte
			for place := range places {
				n := 4 * place.Dx() * place.Dy()
				if cap(pix) < n {
					pix = make([]byte, n)
				} else {
					clear(pix[:n])
				}
				sheet := &image.RGBA{Pix: pix[:n], Stride: 4 * place.Dx(), Rect: place}
				annotate.Render(sheet, s.shapes, annotate.View{Scale: 1}, s.opts)
				s.keep(sheet)
			}
		})
	}
	for y := 0; y < seen.Max.Y && ctx.Err() == nil; y += sheetSide {
		for x := 0; x < seen.Max.X && ctx.Err() == nil; x += sheetSide {
			places <- image.Rect(x, y, x+sheetSide, y+sheetSide).Intersect(seen)
		}
	}
	close(places)
	workers.Wait()
	for _, c := range s.covers {
		fillCells(s.cells, s.cols, c.area)
	}
	return ctx.Err()
}

// keep copies what is drawn on a sheet. Sheets share no cell.
func (s *sparing) keep(sheet *image.RGBA) {
	mark(s.cells, s.cols, sheet)
	const per = square / grid
	rows := len(s.cells) / s.cols
	for y := sheet.Rect.Min.Y; y < sheet.Rect.Max.Y; y += square {
		for x := sheet.Rect.Min.X; x < sheet.Rect.Max.X; x += square {
			used := false
			for cy := y / grid; cy < min(y/grid+per, rows); cy++ {
				used = used || slices.Contains(s.cells[cy*s.cols+x/grid:cy*s.cols+min(x/grid+per, s.cols)], true)
			}
			if used {
				kept := image.NewRGBA(image.Rect(x, y, x+square, y+square).Intersect(sheet.Rect))
				draw.Draw(kept, kept.Rect, sheet, kept.Rect.Min, draw.Src)
				s.lock.Lock()
				s.drawn[image.Pt(x/square, y/square)] = kept
				s.lock.Unlock()
			}
		}
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

// mark sets the cells in which something is drawn on a sheet, which begins on
// the grid.
func mark(cells []bool, cols int, sheet *image.RGBA) {
	blank := make([]byte, sheet.Stride)
	for y := range sheet.Rect.Dy() {
		row := sheet.Pix[y*sheet.Stride:][:sheet.Stride]
		if bytes.Equal(row, blank) {
			continue
		}
		at := (sheet.Rect.Min.Y+y)/grid*cols + sheet.Rect.Min.X/grid
		for len(row) > 0 {
			n := min(len(row), 4*grid)
			if !cells[at] && !bytes.Equal(row[:n], blank[:n]) {
				cells[at] = true
			}
			row = row[n:]
			at++
		}
	}
}

// paint draws the marks on a part of the oriented picture.
func (s *sparing) paint(part *image.RGBA) {
	if slices.ContainsFunc(s.tints, part.Rect.Overlaps) {
		annotate.Render(part, s.shapes, annotate.View{Scale: 1}, s.opts)
		return
	}
	r := part.Rect
	for y := r.Min.Y / square; y*square < r.Max.Y; y++ {
		for x := r.Min.X / square; x*square < r.Max.X; x++ {
			if kept := s.drawn[image.Pt(x, y)]; kept != nil {
				lay(part, kept)
			}
		}
	}
}

// lay is draw.Draw with draw.Over for what is mostly transparent, and else mostly opaque.
func lay(part, kept *image.RGBA) {
	r := kept.Rect.Intersect(part.Rect)
	const full = 1<<16 - 1
	for y := r.Min.Y; y < r.Max.Y; y++ {
		from, to := kept.Pix[kept.PixOffset(r.Min.X, y):][:4*r.Dx()], part.Pix[part.PixOffset(r.Min.X, y):][:4*r.Dx()]
		for i := 0; i < len(from); i += 4 {
			s, d := from[i:][:4:4], to[i:][:4:4]
			switch s[3] {
			case 0:
			case 255:
				copy(d, s)
			default:
				left := (full - uint32(s[3])*0x101) * 0x101
				for c := range 4 {
					d[c] = uint8((uint32(d[c])*left/full + uint32(s[c])*0x101) >> 8)
				}
			}
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
		s.paint(img)
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
