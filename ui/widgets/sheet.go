package widgets

import (
	"image"
	"math"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"flawmark/imaging/annotate"
)

// picture is what was made for one view. The toolkit paints every pixel of
// every layer, so that what lies over the photo is drawn into its picture.
type picture struct {
	key     string
	view    annotate.View
	rect    image.Rectangle // of the photo, device pixels
	tiles   []tile          // what is shown: rect, and what hangs over the photo's edges
	bare    []tile          // the photo alone, for rect
	from    origin          // what the photo was made from
	version int             // how it is looked at
	marks   int             // which marks lie over it
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

// like reports whether the picture's pixels of the photo are those that another
// one of the same photo, made from there at a view, would have in their place.
func (p picture) like(key string, view annotate.View, version int, from origin) bool {
	return p.covers(key, view, image.Rectangle{}) && len(p.bare) > 0 && !p.rough && p.version == version && p.from == from
}

// hides reports whether the picture, scaled, lies over all of need, so that it
// can stand in until there is a better one.
func (p picture) hides(key string, view annotate.View, need image.Rectangle) bool {
	if p.key != key || len(p.tiles) == 0 || p.view.Turn != view.Turn || p.view.Scale <= 0 {
		return false
	}
	k := view.Scale / p.view.Scale
	slack := edgeSlack(k)
	return need.In(p.scaled(view).Inset(-slack))
}

// edgeSlack is by how many device pixels an edge may be off in a picture that
// is scaled by k: it was rounded to its own.
func edgeSlack(k float64) int { return int(math.Ceil(max(k, 1)/2)) + 1 }

// scaled is where the picture lies in a view of another scale, in the device
// pixels that it fills.
func (p picture) scaled(view annotate.View) image.Rectangle {
	if p.view.Scale <= 0 {
		return image.Rectangle{}
	}
	k := view.Scale / p.view.Scale
	along := func(from int, was, is float64) float64 { return (float64(from)-was)*k + is }
	return image.Rect(
		int(math.Ceil(along(p.rect.Min.X, p.view.OffsetX, view.OffsetX))), int(math.Ceil(along(p.rect.Min.Y, p.view.OffsetY, view.OffsetY))),
		int(math.Floor(along(p.rect.Max.X, p.view.OffsetX, view.OffsetX))), int(math.Floor(along(p.rect.Max.Y, p.view.OffsetY, view.OffsetY))))
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
		if img.Image == p.tiles[i].img && img.Visible() {
			continue // its texture is right
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
		if s.images[i].Size() != size {
			stretch(s.images[i], size)
		}
		if s.images[i].Position() != pos {
			s.images[i].Move(pos)
		}
	}
}

// stretch resizes an image whose pixels stay as they are. Resizing one that is
// on a canvas uploads its texture again; so a copy of it that is on none is
// resized in its stead.
func stretch(img *canvas.Image, size fyne.Size) {
	aside := *img
	aside.Resize(size)
	*img = aside
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
	pool         pool // of pictures that were shown
}

// reset drops what is under way.
func (l *lane) reset() {
	if l.stop != nil {
		l.stop.Store(true)
	}
	l.again = false
	l.shown = l.asked
}
