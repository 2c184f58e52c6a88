package evidence

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"

	xdraw "golang.org/x/image/draw"

	"flawmark/app/qc"
	"flawmark/assets"
	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
)

// overview adds a file that shows a whole photo.
func (k *packing) overview(ctx context.Context, p qc.Photo) error {
	s, err := k.open(ctx, p)
	if err != nil || s == nil {
		return err
	}
	whole := image.Rect(0, 0, s.w, s.h)
	data, size, err := k.draw(ctx, s, whole, s.marks, overviewSide)
	if err != nil {
		return err
	}
	k.out.Files = append(k.out.Files, File{
		View: Overview, Photo: p.ID, Flaws: k.shown(p.ID), Width: size.X, Height: size.Y, JPEG: data,
	})
	return nil
}

// detail adds a file that shows a part of a photo.
func (k *packing) detail(ctx context.Context, d detail) error {
	s, err := k.open(ctx, d.photo)
	if err != nil || s == nil {
		return err
	}
	crop := d.crop(s)
	data, size, err := k.draw(ctx, s, crop, within(s.marks, crop), detailSide)
	if err != nil {
		return err
	}
	k.out.Files = append(k.out.Files, File{
		View: Detail, Photo: d.photo.ID, Flaws: d.numbers, Width: size.X, Height: size.Y, JPEG: data,
	})
	return nil
}

// within returns the marks that touch a part of a photo, as they are drawn
// there: the part itself is what an inset or a spotlight would make of it.
func within(marks []annotate.Shape, crop image.Rectangle) []annotate.Shape {
	var list []annotate.Shape
	for _, s := range marks {
		if s.Mark.Tool == qc.Inset || s.Mark.Tool == qc.Spotlight {
			continue
		}
		if r, ok := reach(s.Mark); ok && r.Overlaps(crop) {
			list = append(list, s)
		}
	}
	return list
}

// reach is what a mark covers in pixels; ok is false for a mark without a
// place.
func reach(m qc.Mark) (r image.Rectangle, ok bool) {
	points := m.Points
	if m.Tool == qc.Inset {
		points = points[:min(2, len(points))]
	}
	if len(points) == 0 {
		return r, false
	}
	low, high := points[0], points[0]
	for _, p := range points {
		low = qc.Point{X: min(low.X, p.X), Y: min(low.Y, p.Y)}
		high = qc.Point{X: max(high.X, p.X), Y: max(high.Y, p.Y)}
	}
	return image.Rect(
		whole32(math.Floor(low.X)), whole32(math.Floor(low.Y)),
		max(whole32(math.Ceil(high.X)), whole32(math.Floor(low.X))+1), max(whole32(math.Ceil(high.Y)), whole32(math.Floor(low.Y))+1),
	), true
}

// draw makes the file of a part of a photo with marks on it, at most so many
// pixels wide or high.
func (k *packing) draw(ctx context.Context, s *subject, part image.Rectangle, marks []annotate.Shape, side int) ([]byte, image.Point, error) {
	size := fitted(part.Size(), side)
	base, err := s.picture.Region(ctx, part, size.X, size.Y)
	if err != nil {
		return nil, size, err
	}
	moved := make([]annotate.Shape, len(marks))
	for i, shape := range marks {
		moved[i] = shape
		moved[i].Mark.Points = slices.Clone(shape.Mark.Points)
		for j := range moved[i].Mark.Points {
			moved[i].Mark.Points[j].X -= float64(part.Min.X)
			moved[i].Mark.Points[j].Y -= float64(part.Min.Y)
		}
	}
	most := 0
	for _, shape := range marks {
		most = max(most, shape.Number)
	}
	source := func(r image.Rectangle, w, h int) *image.RGBA {
		img, err := s.picture.Region(ctx, r.Add(part.Min), w, h)
		if err != nil {
			return nil
		}
		return img
	}
	return k.squeeze(ctx, base, func(size image.Point) *image.RGBA {
		img := shrunk(base, size)
		annotate.Render(img, moved, annotate.View{Scale: float64(size.X) / float64(part.Dx())}, annotate.Options{
			Unit: unitFor(size, most), Width: part.Dx(), Height: part.Dy(), Photo: true, Source: source,
		})
		return img
	})
}

// fitted is a size that keeps its shape and fits into a square of that side.
func fitted(size image.Point, side int) image.Point {
	long := max(size.X, size.Y)
	if long <= side {
		return size
	}
	return image.Pt(max((size.X*side+long/2)/long, 1), max((size.Y*side+long/2)/long, 1))
}

// shrunk returns a copy of a picture at a smaller size.
func shrunk(img *image.RGBA, size image.Point) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: size})
	if size == img.Rect.Size() {
		draw.Draw(out, out.Rect, img, img.Rect.Min, draw.Src)
		return out
	}
	xdraw.CatmullRom.Scale(out, out.Rect, img, img.Rect, draw.Src, nil)
	return out
}

// unitFor returns the unit in which marks are drawn on an output: the usual one,
// or as much more as it takes for the numbers up to most to be legible.
func unitFor(size image.Point, most int) float64 {
	const radius = 17 // of a badge, in units
	return max(annotate.UnitOf(image.Rectangle{Max: size}), LeastNumber/(numberHeight(most)*radius))
}

// numberHeight is how high the renderer writes a flaw's number, as a share of its
// badge's radius.
func numberHeight(number int) float64 {
	digits := 1
	for ; number > 9; number /= 10 {
		digits++
	}
	em := 1.35
	if digits > 1 {
		em = min(em, 2.3/float64(digits))
	}
	const capital = 0.714
	return em * capital
}

// Qualities of a JPEG, the best first, and the least that is taken while the
// picture can be made smaller instead.
var qualities = [...]int{92, 89, 86, 83, 80, 76, 72, 66, 58, 50, 42, 34, 26, 18, 10}

const goodEnough = 8 // qualities before 66 and with it

// squeeze makes a file that is small enough: at the best quality where that
// will do, at a lower one else, then smaller, and only at [LeastSide] at a
// quality that shows. draw gives the picture at a size up to base's.
func (k *packing) squeeze(ctx context.Context, base *image.RGBA, draw func(image.Point) *image.RGBA) ([]byte, image.Point, error) {
	for size := base.Rect.Size(); ; {
		if err := ctx.Err(); err != nil {
			return nil, size, err
		}
		img := draw(size)
		long := max(size.X, size.Y)
		last := long <= LeastSide
		offered := qualities[:goodEnough]
		if last {
			offered = qualities[:]
		}
		encode := func(i int) ([]byte, error) {
			var b bytes.Buffer
			err := photo.EncodeJPEG(&b, img, offered[i])
			return b.Bytes(), err
		}
		best, err := encode(0)
		if err != nil {
			return nil, size, err
		}
		if len(best) <= k.opts.MostBytes {
			return best, size, nil
		}
		best = nil
		for low, high := 1, len(offered)-1; low <= high; { // the first that is small enough
			middle := (low + high) / 2
			if best == nil {
				middle = high // whether there is one at all
			}
			data, err := encode(middle)
			if err != nil {
				return nil, size, err
			}
			if len(data) <= k.opts.MostBytes {
				best, high = data, middle-1
				continue
			}
			if best == nil {
				break
			}
			low = middle + 1
		}
		if best != nil {
			return best, size, nil
		}
		// Too small a picture beats none: nothing but a tiny limit gets here.
		next := max(long*4/5, LeastSide)
		if last {
			next = long * 4 / 5
		}
		if next < 16 {
			return nil, size, photo.ErrTooLarge
		}
		size = fitted(base.Rect.Size(), next)
	}
}

// detail is a part of a photo that is shown enlarged.
type detail struct {
	photo   qc.Photo
	area    image.Rectangle // that the marks cover, in pixels of the opened picture
	numbers []int
	grave   int // of the gravest flaw; see [qc.Severities]
}

// details returns which parts of photos are shown, at most so many, the gravest
// flaws first. Near flaws share one, as near as it takes.
func (k *packing) details(room int) []detail {
	if room <= 0 {
		return nil
	}
	var best []detail
	for most, side := 0, detailSide/2; side <= 4*detailSide; side *= 2 {
		list := freshFirst(k.joined(side))
		list = list[:min(room, len(list))]
		seen := make(map[int]bool)
		for _, d := range list {
			for _, n := range d.numbers {
				seen[n] = true
			}
		}
		if len(seen) > most { // farther off is worse, unless it shows more
			best, most = list, len(seen)
		}
	}
	return best
}

// freshFirst shows every flaw once before any a second time.
func freshFirst(list []detail) []detail {
	var first, again []detail
	seen := make(map[int]bool)
	for _, d := range list {
		fresh := slices.ContainsFunc(d.numbers, func(n int) bool { return !seen[n] })
		for _, n := range d.numbers {
			seen[n] = true
		}
		if fresh {
			first = append(first, d)
		} else {
			again = append(again, d)
		}
	}
	return append(first, again...)
}

// joined returns the parts of all photos that are worth a file, those that fit
// into a square of that side joined.
func (k *packing) joined(side int) []detail {
	var list []detail
	for _, p := range k.finding.Photos {
		s := k.opened[p.ID]
		if s == nil {
			continue // it shows no flaw, or there is no file of it
		}
		var parts []detail
		for i := len(s.marks) - 1; i >= 0; i-- { // the gravest are last
			shape := s.marks[i]
			r, ok := reach(shape.Mark)
			if r = r.Intersect(image.Rect(0, 0, s.w, s.h)); !ok || r.Empty() || shape.Number == 0 || !shape.Mark.Tool.Shows() && shape.Mark.Tool != qc.Measure {
				continue
			}
			one := detail{photo: p, area: r, numbers: []int{shape.Number}, grave: slices.Index(qc.Severities(), shape.Severity)}
			parts = with(parts, one, side)
		}
		for _, d := range parts {
			if !k.overviewed(p.ID) || d.worthwhile(s) {
				list = append(list, d)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b detail) int {
		return cmp.Or(cmp.Compare(a.grave, b.grave), cmp.Compare(a.numbers[0], b.numbers[0]))
	})
	return list
}

// with adds a part to those of a photo, or to the first one near.
func with(parts []detail, one detail, side int) []detail {
	for i, d := range parts {
		both := d.area.Union(one.area)
		if long := max(both.Dx(), both.Dy()); long > side && !one.area.In(d.area) && !d.area.In(one.area) {
			continue
		}
		for _, n := range one.numbers {
			if !slices.Contains(d.numbers, n) {
				d.numbers = append(slices.Clone(d.numbers), n)
			}
		}
		slices.Sort(d.numbers)
		d.area, d.grave = both, min(d.grave, one.grave)
		parts[i] = d
		return parts
	}
	return append(parts, one)
}

// overviewed reports whether a photo is shown as a whole.
func (k *packing) overviewed(p qc.PhotoID) bool {
	return slices.ContainsFunc(k.out.Files, func(f File) bool { return f.View == Overview && f.Photo == p })
}

// worthwhile reports whether a detail shows clearly more than the overview.
func (d detail) worthwhile(s *subject) bool {
	whole, part := max(s.w, s.h), d.crop(s)
	long := max(part.Dx(), part.Dy())
	inDetail := min(1, float64(detailSide)/float64(long))
	inOverview := min(1, float64(overviewSide)/float64(whole))
	return inDetail >= 1.25*inOverview
}

// crop returns the part of a photo around the marks: with room for numbers
// beside them, at least [LeastSide] long, and not too slim.
func (d detail) crop(s *subject) image.Rectangle {
	long := max(d.area.Dx(), d.area.Dy())
	pad := max(long*2/5, 60)
	w, h := d.area.Dx()+2*pad, d.area.Dy()+2*pad
	long = max(w, h, LeastSide)
	if w < h {
		w, h = max(w, long*3/4), long
	} else {
		w, h = long, max(h, long*3/4)
	}
	w, h = min(w, s.w), min(h, s.h)
	middle := d.area.Min.Add(d.area.Max).Div(2)
	x := min(max(middle.X-w/2, 0), s.w-w)
	y := min(max(middle.Y-h/2, 0), s.h-h)
	return image.Rect(x, y, x+w, y+h)
}

// comparison adds the seller's photo beside the first overview.
func (k *packing) comparison(ctx context.Context) error {
	if len(k.opts.Listing) == 0 || len(k.out.Files) == 0 {
		return nil
	}
	s := k.opened[k.out.Files[0].Photo]
	const height = 1000
	theirs, _, err := photo.DecodeFit(k.opts.Listing, 2*height, height, k.opts.Limits)
	if err != nil {
		return nil //nolint:nilerr // a listing photo that cannot be read is no evidence; the rest is
	}
	words, err := assets.LoadWords("zh")
	if err != nil {
		return err
	}
	size := image.Pt(s.w, s.h)
	if s.h > height {
		size = image.Pt(max(s.w*height/s.h, 1), height)
	}
	size = fitted(size, 2*height)
	ours, err := s.picture.Region(ctx, image.Rect(0, 0, s.w, s.h), size.X, size.Y)
	if err != nil {
		return err
	}
	theirs = shrunkToHeight(theirs, min(height, size.Y))
	const gap = 12
	base := image.NewRGBA(image.Rect(0, 0, theirs.Rect.Dx()+gap+size.X, max(theirs.Rect.Dy(), size.Y)))
	draw.Draw(base, base.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(base, theirs.Rect, theirs, image.Point{}, draw.Src)
	right := theirs.Rect.Dx() + gap
	draw.Draw(base, ours.Rect.Add(image.Pt(right, 0)), ours, image.Point{}, draw.Src)
	caption := func(x int, key string) annotate.Shape {
		return annotate.Shape{Severity: qc.Observation, Mark: qc.Mark{
			ID: qc.MarkID(key), Tool: qc.Text, Text: words.Text(key), Points: []qc.Point{{X: float64(x + gap), Y: gap}},
		}}
	}
	captions := []annotate.Shape{caption(0, "seller.listing"), caption(right, "seller.received")}
	data, out, err := k.squeeze(ctx, base, func(size image.Point) *image.RGBA {
		img := shrunk(base, size)
		annotate.Render(img, captions, annotate.View{Scale: float64(size.X) / float64(base.Rect.Dx())}, annotate.Options{
			Width: base.Rect.Dx(), Height: base.Rect.Dy(), Photo: true,
		})
		return img
	})
	if err != nil {
		return err
	}
	k.out.Files = append(k.out.Files, File{View: Comparison, Photo: s.ID, Width: out.X, Height: out.Y, JPEG: data})
	return nil
}

func shrunkToHeight(img *image.RGBA, height int) *image.RGBA {
	size := img.Rect.Size()
	if size.Y <= height {
		return img
	}
	return shrunk(img, image.Pt(max(size.X*height/size.Y, 1), height))
}
