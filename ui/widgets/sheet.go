package widgets

import (
	"image"
	"math"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"flawmark/imaging/annotate"
)

// picture is what was made for one view: the tiles cover rect.
type picture struct {
	key     string
	view    annotate.View
	rect    image.Rectangle // device pixels
	tiles   []tile
	from    origin // what a photo was made from
	version int    // which marks, or how a photo is looked at
	rough   bool
}

type tile struct {
	rect image.Rectangle // device pixels
	img  *image.RGBA     // its own size is rect's
}

// covers reports whether the picture shows need at the view exactly as it
// would be made now.
func (p picture) covers(key string, view annotate.View, need image.Rectangle) bool {
	if p.key != key || p.key == "" || p.view.Scale != view.Scale || p.view.Turn != view.Turn {
		return false
	}
	return need.In(p.at(view))
}

// hides reports whether the picture, scaled, lies over all of need, so that it
// can stand in until there is a better one.
func (p picture) hides(key string, view annotate.View, need image.Rectangle) bool {
	if p.key != key || len(p.tiles) == 0 || p.view.Turn != view.Turn || p.view.Scale <= 0 {
		return false
	}
	k := view.Scale / p.view.Scale
	along := func(from int, was, is float64) float64 { return (float64(from)-was)*k + is }
	const slack = 2 // device pixels, for rounding
	return along(p.rect.Min.X, p.view.OffsetX, view.OffsetX) <= float64(need.Min.X+slack) &&
		along(p.rect.Min.Y, p.view.OffsetY, view.OffsetY) <= float64(need.Min.Y+slack) &&
		along(p.rect.Max.X, p.view.OffsetX, view.OffsetX) >= float64(need.Max.X-slack) &&
		along(p.rect.Max.Y, p.view.OffsetY, view.OffsetY) >= float64(need.Max.Y-slack)
}

// at is where the picture is in a view of the same scale and turn.
func (p picture) at(view annotate.View) image.Rectangle {
	return p.rect.Add(image.Pt(int(math.Round(view.OffsetX-p.view.OffsetX)), int(math.Round(view.OffsetY-p.view.OffsetY))))
}

// split divides a rectangle into tiles that fit a texture.
func split(r image.Rectangle) []image.Rectangle {
	across := (r.Dx() + largestTexture - 1) / largestTexture
	down := (r.Dy() + largestTexture - 1) / largestTexture
	var list []image.Rectangle
	for j := range down {
		for i := range across {
			list = append(list, image.Rect(
				r.Min.X+r.Dx()*i/across, r.Min.Y+r.Dy()*j/down,
				r.Min.X+r.Dx()*(i+1)/across, r.Min.Y+r.Dy()*(j+1)/down))
		}
	}
	return list
}

// sheet shows a picture by canvas images, which it keeps for the next one.
type sheet struct {
	picture
	images []*canvas.Image
}

func (s *sheet) show(p picture) {
	s.picture = p
	for len(s.images) < len(p.tiles) {
		img := &canvas.Image{FillMode: canvas.ImageFillStretch, ScaleMode: canvas.ImageScaleFastest}
		s.images = append(s.images, img)
	}
	for i, img := range s.images {
		if i >= len(p.tiles) {
			img.Image = nil
			img.Hide()
			continue
		}
		img.Image = p.tiles[i].img
		img.Show()
		img.Refresh()
	}
}

// place moves the picture to where it belongs in a view, scaled when it was
// made for another zoom.
func (s *sheet) place(view annotate.View, device float64) {
	ratio := 1.0
	if s.view.Scale != view.Scale && s.view.Scale > 0 {
		ratio = view.Scale / s.view.Scale
	}
	for i, t := range s.tiles {
		x := (float64(t.rect.Min.X)-s.view.OffsetX)*ratio + view.OffsetX
		y := (float64(t.rect.Min.Y)-s.view.OffsetY)*ratio + view.OffsetY
		pos := fyne.NewPos(units(x, device), units(y, device))
		size := fyne.NewSize(units(float64(t.rect.Dx())*ratio, device), units(float64(t.rect.Dy())*ratio, device))
		// Resizing uploads the texture again; moving is free.
		if s.images[i].Size() != size {
			s.images[i].Resize(size)
		}
		if s.images[i].Position() != pos {
			s.images[i].Move(pos)
		}
	}
}

// units converts device pixels. A hair is taken off, because the toolkit
// rounds up what comes back a hair too large.
func units(pixels, device float64) float32 { return float32((pixels - 0.02) / device) }

// lane makes one picture at a time. What is asked for meanwhile is asked for
// again afterwards, with what is wanted then; an older answer never replaces a
// newer one.
type lane struct {
	asked, shown int
	running      bool
	again        bool
	stop         *atomic.Bool
}

// reset drops what is under way.
func (l *lane) reset() {
	if l.stop != nil {
		l.stop.Store(true)
	}
	l.again = false
	l.shown = l.asked
}
