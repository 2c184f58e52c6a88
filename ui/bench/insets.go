package bench

import (
	"image"
	"slices"
	"sync"

	"golang.org/x/image/draw"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
)

// insets gives insets the pixels of a photo that has no more of them than its
// preview, with what is redacted hidden.
type insets struct {
	level  *image.RGBA // all the pixels; nil: they are not here, or there are more
	hidden []qc.Mark   // by source
	source annotate.Source
}

// take receives a picture of the photo in view; nil: another one is in view.
func (i *insets) take(p qc.Photo, level *image.RGBA) {
	*i = insets{}
	if level != nil && level.Rect.Dx() == p.Width && level.Rect.Dy() == p.Height {
		i.level = level
	}
}

// of returns where insets take their pixels from; nil: nowhere.
func (i *insets) of(photo qc.PhotoID, marks []qc.Mark) annotate.Source {
	if i.level == nil {
		return nil
	}
	var hidden []qc.Mark
	for _, m := range marks {
		if m.Photo == photo && m.Tool == qc.Redaction {
			hidden = append(hidden, m)
		}
	}
	same := slices.EqualFunc(i.hidden, hidden, func(a, b qc.Mark) bool { return a.ID == b.ID && slices.Equal(a.Points, b.Points) })
	if i.source == nil || !same {
		i.hidden, i.source = hidden, partsOf(i.level, hidden)
	}
	return i.source
}

// partsOf returns parts of a picture, redacted. Any goroutine may ask for them;
// the one that was asked for last costs nothing.
func partsOf(level *image.RGBA, hidden []qc.Mark) annotate.Source {
	redacted := sync.OnceValue(func() *image.RGBA {
		if len(hidden) == 0 {
			return level
		}
		img := &image.RGBA{Pix: slices.Clone(level.Pix), Stride: level.Stride, Rect: level.Rect}
		annotate.Redact(img, hidden, annotate.View{Scale: 1})
		return img
	})
	var mu sync.Mutex
	var part *image.RGBA
	var at image.Rectangle
	return func(r image.Rectangle, w, h int) *image.RGBA {
		mu.Lock()
		defer mu.Unlock()
		if part == nil || at != r || part.Rect.Dx() != w || part.Rect.Dy() != h {
			img := redacted()
			part, at = image.NewRGBA(image.Rect(0, 0, w, h)), r
			draw.CatmullRom.Scale(part, part.Rect, img, r.Add(img.Rect.Min), draw.Src, nil)
		}
		return part
	}
}
