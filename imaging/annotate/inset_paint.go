package annotate

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"

	xdraw "golang.org/x/image/draw"

	"flawmark/app/qc"
)

// redact paints the redactions before anything else and remembers them for the
// insets.
func (p *painter) redact(shapes []Shape) {
	var marks []qc.Mark
	for _, s := range shapes {
		if s.Mark.Tool == qc.Redaction {
			marks = append(marks, s.Mark)
		}
	}
	if len(marks) == 0 {
		return
	}
	p.covers = covers(marks, p.view)
	switch {
	case p.photo:
		p.covers = fringed(p.dst, p.covers)
	case p.source != nil && p.view.sound():
		p.covers = p.sourced(p.covers)
	}
	seal(p.dst, p.covers)
}

// sourced gives covers the colour of what the source has around them.
func (p *painter) sourced(list []cover) []cover {
	out := make([]cover, len(list))
	for i, c := range list {
		out[i] = c
		var sum colourSum
		for _, strip := range strips(c.r) {
			r := p.imagePixels(pixelBounds(strip)).Intersect(p.image)
			if r.Empty() {
				continue
			}
			if img := p.source(r, min(r.Dx(), 64), min(r.Dy(), 64)); img != nil {
				sum.add(img, img.Rect, nil)
			}
		}
		if mean, ok := sum.mean(); ok {
			out[i].colour = mean
		}
	}
	return out
}

// imagePixels returns the whole image pixels that an area of the output shows.
func (p painter) imagePixels(area bounds) image.Rectangle {
	a, b := p.view.ToImage(qc.Point{X: area.x0, Y: area.y0}), p.view.ToImage(qc.Point{X: area.x1, Y: area.y1})
	r := boundsAround(a, b)
	return image.Rect(
		floor(r.x0+1e-6, -farthest, farthest), floor(r.y0+1e-6, -farthest, farthest),
		floor(r.x1+1-1e-6, -farthest, farthest), floor(r.y1+1-1e-6, -farthest, farthest),
	)
}

// picture is what is seen of an inset: pixels of dst's own size and turn, at
// their place.
type picture struct {
	img *image.RGBA // nil: still in raw
	raw *image.RGBA // a copy of what is enlarged
	at  image.Rectangle
}

// take gets the pixels of an inset before anything is drawn over them; nil
// where none of it is seen or there are none.
func (p painter) take(f Frame, framed bounds) *picture {
	whole := rounded(framed)
	seen := whole.Intersect(p.dst.Rect)
	if seen.Empty() {
		return nil
	}
	// What is far outside is not asked for: at deep zoom an inset is many
	// windows large. A kernel needs two pixels more than are seen.
	part := f.From
	if seen != whole {
		a := p.view.ToImage(corner(seen.Min))
		b := p.view.ToImage(corner(seen.Max))
		r := boundsAround(f.original(a), f.original(b))
		part = image.Rect(int(math.Floor(r.x0))-2, int(math.Floor(r.y0))-2, int(math.Ceil(r.x1))+2, int(math.Ceil(r.y1))+2).Intersect(f.From)
	}
	at := rounded(boundsAround(p.view.ToScreen(f.shown(part.Min)), p.view.ToScreen(f.shown(part.Max))))
	if part.Empty() || at.Empty() {
		return nil
	}
	if p.source == nil {
		return p.fromPhoto(part, at)
	}
	size := at.Size()
	if p.view.Turn%2 != 0 {
		size = image.Pt(size.Y, size.X)
	}
	img := p.source(part, size.X, size.Y)
	if img == nil || img.Rect.Empty() {
		return nil
	}
	img = turned(img, p.view.Turn)
	if img.Rect.Size() != at.Size() {
		fit := image.NewRGBA(image.Rectangle{Max: at.Size()})
		xdraw.ApproxBiLinear.Scale(fit, fit.Rect, img, img.Rect, draw.Src, nil)
		img = fit
	}
	pic := &picture{img: img, at: at}
	p.reseal(pic, part)
	return pic
}

// fromPhoto copies what is enlarged off dst, if that holds all of it.
func (p painter) fromPhoto(part, at image.Rectangle) *picture {
	a, b := p.view.ToScreen(corner(part.Min)), p.view.ToScreen(corner(part.Max))
	from := rounded(boundsAround(a, b))
	if !p.photo || from.Empty() || !from.In(p.dst.Rect) {
		return nil
	}
	raw := image.NewRGBA(image.Rectangle{Max: from.Size()})
	draw.Draw(raw, raw.Rect, p.dst, from.Min, draw.Src)
	return &picture{raw: raw, at: at}
}

// reseal paints redactions over an inset once more: its pixels come from
// elsewhere.
func (p painter) reseal(pic *picture, part image.Rectangle) {
	from := boundsAround(p.view.ToScreen(corner(part.Min)), p.view.ToScreen(corner(part.Max)))
	fx, fy := float64(pic.at.Dx())/(from.x1-from.x0), float64(pic.at.Dy())/(from.y1-from.y0)
	for _, c := range p.covers {
		b := pixelBounds(c.r)
		r := outwards(bounds{(b.x0 - from.x0) * fx, (b.y0 - from.y0) * fy, (b.x1 - from.x0) * fx, (b.y1 - from.y0) * fy}, spread(p.view.Scale*max(fx, fy)), pic.img.Rect)
		seal(pic.img, []cover{{r, c.colour}})
	}
}

// original returns the place of the image that an inset shows at a place.
func (f Frame) original(at qc.Point) qc.Point {
	fx, fy := f.factors()
	return qc.Point{X: float64(f.From.Min.X) + (at.X-float64(f.To.Min.X))/fx, Y: float64(f.From.Min.Y) + (at.Y-float64(f.To.Min.Y))/fy}
}

// shown returns where an inset shows a place of the image.
func (f Frame) shown(at image.Point) qc.Point {
	fx, fy := f.factors()
	return qc.Point{X: float64(f.To.Min.X) + float64(at.X-f.From.Min.X)*fx, Y: float64(f.To.Min.Y) + float64(at.Y-f.From.Min.Y)*fy}
}

// factors are the zoom as it came out in whole pixels.
func (f Frame) factors() (x, y float64) {
	return float64(f.To.Dx()) / float64(f.From.Dx()), float64(f.To.Dy()) / float64(f.From.Dy())
}

func rounded(b bounds) image.Rectangle {
	return image.Rect(
		floor(b.x0+0.5, -farthest, farthest), floor(b.y0+0.5, -farthest, farthest),
		floor(b.x1+0.5, -farthest, farthest), floor(b.y1+0.5, -farthest, farthest),
	)
}

// turned returns img turned by quarter turns clockwise, at the origin.
func turned(img *image.RGBA, quarters int) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	quarters &= 3
	if quarters == 0 {
		return &image.RGBA{Pix: img.Pix, Stride: img.Stride, Rect: image.Rect(0, 0, w, h)}
	}
	size := image.Rect(0, 0, w, h)
	if quarters != 2 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewRGBA(size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			var sx, sy int
			switch quarters {
			case 1:
				sx, sy = y, h-1-x
			case 2:
				sx, sy = w-1-x, h-1-y
			default:
				sx, sy = w-1-y, x
			}
			copy(out.Pix[y*out.Stride+4*x:][:4], img.Pix[sy*img.Stride+4*sx:][:4])
		}
	}
	return out
}

// inset draws one: what it enlarges framed, lines from there, the picture in a
// frame of the same colour, and how many times larger it is.
func (p painter) inset(s Shape, f Frame, to bounds, pic *picture) {
	st := styleOf(s.Severity)
	from := boundsOf(p.onScreen(s.Mark))
	thin, thick := style{colour: st.colour, stroke: 2}, style{colour: st.colour, stroke: 3}
	for _, line := range tangents(from, to) {
		p.course(thin, line)
	}
	p.box(thin, from)
	if pic != nil {
		if pic.img != nil {
			draw.Draw(p.dst, pic.at, pic.img, image.Point{}, draw.Over)
		} else {
			p.enlarge(pic)
		}
	}
	p.box(thick, to)
	p.zoom(s, f.Zoom, to)
}

// enlarge draws what was copied off the photo.
func (p painter) enlarge(pic *picture) {
	clip := pic.at.Intersect(p.dst.Rect)
	part, ok := p.dst.SubImage(clip).(*image.RGBA)
	if ok && !clip.Empty() {
		xdraw.CatmullRom.Scale(part, pic.at, pic.raw, pic.raw.Rect, draw.Src, nil)
	}
}

// zoom writes how many times larger an inset is into its corner.
func (p painter) zoom(s Shape, zoom float64, to bounds) {
	text := "×" + strconv.FormatFloat(math.Round(zoom*10)/10, 'f', -1, 64)
	pen := newPen(boldFont, max(20*p.unit, leastCap)/capHeight)
	width := pen.width(text)
	pad := 0.3 * pen.size
	w, h := width+2*pad, (capHeight+0.6)*pen.size
	if w > to.x1-to.x0 || h > to.y1-to.y0 {
		return // the picture is too small to be written on
	}
	box := bounds{to.x1 - w, to.y1 - h, to.x1, to.y1}
	r := p.pixels(box)
	draw.Draw(p.dst, r, image.NewUniform(color.Color(styleOf(s.Severity).colour)), image.Point{}, draw.Src)
	pen.write(p.dst, text, box.x0+pad, box.y1-pad, Ink(s.Severity))
}

// tangents returns the two lines between equal corners of two boxes that cut
// through neither.
func tangents(a, b bounds) [][]qc.Point {
	corners := func(r bounds) [4]qc.Point {
		return [4]qc.Point{{X: r.x0, Y: r.y0}, {X: r.x1, Y: r.y0}, {X: r.x1, Y: r.y1}, {X: r.x0, Y: r.y1}}
	}
	from, to := corners(a), corners(b)
	var lines [][]qc.Point
	for i := range from {
		dx, dy := to[i].X-from[i].X, to[i].Y-from[i].Y
		left, right := false, false
		for _, other := range append(from[:], to[:]...) {
			side := dx*(other.Y-from[i].Y) - dy*(other.X-from[i].X)
			left, right = left || side < -1e-6, right || side > 1e-6
		}
		if left != right {
			lines = append(lines, []qc.Point{from[i], to[i]})
		}
	}
	return lines
}
