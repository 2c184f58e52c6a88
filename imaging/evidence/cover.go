package evidence

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	xdraw "golang.org/x/image/draw"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// grid is the side of the largest unit in which common JPEGs are coded.
const grid = 16

// mixed is how many pixels beside a unit carry some of its colours after
// decoding.
const mixed = 2

// cover is what a redaction hides.
type cover struct {
	area   image.Rectangle // in pixels of the oriented picture, on the grid as stored
	colour color.RGBA      // the mean of what lies around it
}

// covers finds what the redactions among shapes hide; see partial for those that
// are not well formed.
func covers(shapes []annotate.Shape, f frame) []cover {
	var list []cover
	for _, s := range shapes {
		if s.Mark.Tool != qc.Redaction || len(s.Mark.Points) != 2 {
			continue
		}
		a, b := s.Mark.Points[0], s.Mark.Points[1]
		r := image.Rect(
			whole32(math.Floor(min(a.X, b.X)))-1, whole32(math.Floor(min(a.Y, b.Y)))-1,
			whole32(math.Ceil(max(a.X, b.X)))+1, whole32(math.Ceil(max(a.Y, b.Y)))+1,
		).Intersect(f.seen())
		if !r.Empty() {
			list = append(list, cover{area: f.oriented(onGrid(f.stored(r)).Intersect(image.Rect(0, 0, f.w, f.h))), colour: color.RGBA{0x60, 0x60, 0x60, 0xff}})
		}
	}
	return list
}

// whole32 is v as an int, what is no number or far away as an edge.
func whole32(v float64) int {
	const far = 1 << 20
	if math.IsNaN(v) {
		return 0
	}
	return int(min(max(v, -far), far))
}

func onGrid(r image.Rectangle) image.Rectangle {
	return image.Rect(r.Min.X/grid*grid, r.Min.Y/grid*grid, (r.Max.X+grid-1)/grid*grid, (r.Max.Y+grid-1)/grid*grid)
}

// colour gives each cover the mean colour of a band around it, of which pixels
// are had by read. The band is so far off that nothing hidden is mixed into it.
func colour(list []cover, within image.Rectangle, read func(image.Rectangle) (*image.RGBA, error)) error {
	const band = 4
	for i, c := range list {
		near, far := c.area.Inset(-mixed), c.area.Inset(-mixed-band)
		var sum [3]int
		n := 0
		for _, strip := range [...]image.Rectangle{
			{Min: far.Min, Max: image.Pt(far.Max.X, near.Min.Y)},
			{Min: image.Pt(far.Min.X, near.Max.Y), Max: far.Max},
			{Min: image.Pt(far.Min.X, near.Min.Y), Max: image.Pt(near.Min.X, near.Max.Y)},
			{Min: image.Pt(near.Max.X, near.Min.Y), Max: image.Pt(far.Max.X, near.Max.Y)},
		} {
			if strip = strip.Intersect(within); strip.Empty() {
				continue
			}
			img, err := read(strip)
			if err != nil {
				return err
			}
			for y := strip.Min.Y; y < strip.Max.Y; y++ {
				for x := strip.Min.X; x < strip.Max.X; x++ {
					if hidden(list, image.Pt(x, y)) {
						continue
					}
					p := img.RGBAAt(img.Rect.Min.X+x-strip.Min.X, img.Rect.Min.Y+y-strip.Min.Y)
					sum[0], sum[1], sum[2], n = sum[0]+int(p.R), sum[1]+int(p.G), sum[2]+int(p.B), n+1
				}
			}
		}
		if n > 0 {
			list[i].colour = color.RGBA{uint8((sum[0] + n/2) / n), uint8((sum[1] + n/2) / n), uint8((sum[2] + n/2) / n), 0xff}
		}
	}
	return nil
}

func hidden(list []cover, p image.Point) bool {
	for _, c := range list {
		if p.In(c.area.Inset(-mixed)) {
			return true
		}
	}
	return false
}

// fill paints the covers over img, whose bounds are its place in the oriented
// picture, and so many pixels more.
func fill(img *image.RGBA, list []cover, more int) {
	for _, c := range list {
		draw.Draw(img, c.area.Inset(-more), image.NewUniform(c.colour), image.Point{}, draw.Src)
	}
}

// withCovers puts the covers in the place of the redactions, so that the renderer
// keeps its labels off them and draws them as they are.
func withCovers(shapes []annotate.Shape, list []cover) []annotate.Shape {
	var out []annotate.Shape
	for _, s := range shapes {
		if s.Mark.Tool != qc.Redaction {
			out = append(out, s)
		}
	}
	for _, c := range list {
		r := c.area.Inset(1) // the renderer grows it by as much
		out = append(out, annotate.Shape{Mark: qc.Mark{Tool: qc.Redaction, Points: []qc.Point{
			{X: float64(r.Min.X), Y: float64(r.Min.Y)}, {X: float64(r.Max.X), Y: float64(r.Max.Y)},
		}}})
	}
	return out
}

// source is where the renderer takes the pixels of insets and the colours of
// covers from.
func source(list []cover, within image.Rectangle, read func(image.Rectangle) (*image.RGBA, error)) annotate.Source {
	return func(r image.Rectangle, w, h int) *image.RGBA {
		out := image.NewRGBA(image.Rect(0, 0, max(w, 1), max(h, 1)))
		for _, c := range list {
			if inner := r.Inset(grid / 2); !inner.Empty() && inner.In(c.area) {
				draw.Draw(out, out.Rect, image.NewUniform(c.colour), image.Point{}, draw.Src)
				return out
			}
		}
		if r = r.Intersect(within); r.Empty() {
			return nil
		}
		img, err := read(r)
		if err != nil {
			return nil // the patch meets the same error
		}
		part := *img
		part.Rect = r
		fill(&part, list, mixed)
		scaler := xdraw.Scaler(xdraw.CatmullRom)
		if r.Dx() > 4*w || r.Dy() > 4*h {
			scaler = xdraw.ApproxBiLinear
		}
		scaler.Scale(out, out.Rect, &part, part.Rect, draw.Src, nil)
		return out
	}
}
