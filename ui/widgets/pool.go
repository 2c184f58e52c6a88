package widgets

import (
	"image"
	"sync"
)

// pool keeps the pixels of pictures that nobody shows any more for the next
// ones, which are nearly as large: memory that is given back and taken anew for
// each is cleared, and collected late. A nil pool keeps nothing. It may be used
// by any goroutine.
type pool struct {
	mu   sync.Mutex
	free [][]byte
}

// poolSize is how many pictures a pool keeps: the photo alone and with its
// marks.
const poolSize = 2

// get returns a picture with any pixels.
func (p *pool) get(size image.Point) *image.RGBA {
	need := 4 * size.X * size.Y
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		for i, pix := range p.free {
			if cap(pix) >= need && cap(pix) <= 2*need {
				p.free = append(p.free[:i], p.free[i+1:]...)
				return &image.RGBA{Pix: pix[:need], Stride: 4 * size.X, Rect: image.Rectangle{Max: size}}
			}
		}
	}
	return image.NewRGBA(image.Rectangle{Max: size})
}

// put takes a picture that nobody will look at again.
func (p *pool) put(img *image.RGBA) {
	if p == nil || img == nil || len(img.Pix) < 1<<20 {
		return // small ones are soon made
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) == poolSize {
		p.free = append(p.free[:0], p.free[1:]...)
	}
	p.free = append(p.free, img.Pix[:0])
}

// putOld takes what was shown, but for what still is.
func (p *pool) putOld(was, is picture) {
	still := map[*image.RGBA]bool{}
	for _, list := range [][]tile{is.bare, is.tiles} {
		for _, t := range list {
			still[t.img] = true
		}
	}
	for _, list := range [][]tile{was.bare, was.tiles} {
		for _, t := range list {
			if !still[t.img] {
				still[t.img] = true
				p.put(t.img)
			}
		}
	}
}
