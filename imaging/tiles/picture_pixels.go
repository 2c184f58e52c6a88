package tiles

import (
	"context"
	"image"
	"sync"

	"flawmark/imaging/photo"
)

// maxPiece is how many pixels of the original are decoded at once; larger parts are cut in two, for
// the sake of memory and of the other core.
const maxPiece = 4 << 20

// reading is one answer in the making: a stored tile is decoded once for it.
type reading struct {
	p     *Picture
	ctx   context.Context
	mu    sync.Mutex
	tiles map[place]*image.RGBA
}

// maxReading bounds the tiles kept for one answer.
const maxReading = 24

// tile gives a stored tile, not to be changed.
func (g *reading) tile(at place) (*image.RGBA, error) {
	g.mu.Lock()
	img := g.tiles[at]
	g.mu.Unlock()
	if img != nil {
		return img, nil
	}
	if g.ctx != nil && g.ctx.Err() != nil {
		return nil, g.ctx.Err()
	}
	img, err := g.p.pack.tile(at)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tiles == nil || len(g.tiles) >= maxReading {
		g.tiles = map[place]*image.RGBA{}
	}
	g.tiles[at] = img
	return img, nil
}

// stored assembles the part r of a level of the pack.
func (g *reading) stored(level int, r image.Rectangle) (*image.RGBA, error) {
	out := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	for row := r.Min.Y / TileSide; row*TileSide < r.Max.Y; row++ {
		for col := r.Min.X / TileSide; col*TileSide < r.Max.X; col++ {
			at := place{level, col, row}
			whole := g.p.pyramid.tile(at)
			if whole == r && len(g.p.covers) == 0 {
				return g.p.pack.tile(at)
			}
			img, err := g.tile(at)
			if err != nil {
				return nil, err
			}
			in := whole.Intersect(r)
			paste(out, in.Min.X-r.Min.X, in.Min.Y-r.Min.Y, cropped(img, in.Sub(whole.Min)))
		}
	}
	return out, nil
}

// plain gives the part r of a level, not redacted. r is inside the level and not empty.
func (g *reading) plain(level int, r image.Rectangle) (*image.RGBA, error) {
	p := g.p
	if err := g.ctx.Err(); err != nil {
		return nil, err
	}
	full := p.pyramid.finer(r, level, level)
	if p.stored(level) {
		full = r
	}
	if full.Dx()*full.Dy() > maxPiece && r.Dx()+r.Dy() > 64 {
		return g.halves(level, r)
	}
	if p.stored(level) {
		return g.stored(level, r)
	}
	return p.cut(level, full)
}

// halves gives a part that is large.
func (g *reading) halves(level int, r image.Rectangle) (*image.RGBA, error) {
	a, b := r, r
	if r.Dx() > r.Dy() {
		a.Max.X = (r.Min.X + r.Dx()/2 + 15) &^ 15
		b.Min.X = a.Max.X
	} else {
		a.Max.Y = (r.Min.Y + r.Dy()/2 + 15) &^ 15
		b.Min.Y = a.Max.Y
	}
	out := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	var errs [2]error
	piece := func(i int, part image.Rectangle) {
		img, err := g.plain(level, part)
		if err != nil {
			errs[i] = err
			return
		}
		paste(out, part.Min.X-r.Min.X, part.Min.Y-r.Min.Y, img)
	}
	// The largest part is cut in two for two cores, and its halves one after the other.
	if big := g.p.pyramid.finer(r, level, level); big.Dx()*big.Dy() <= 4*maxPiece {
		var other sync.WaitGroup
		other.Go(func() { piece(1, b) })
		piece(0, a)
		other.Wait()
	} else {
		piece(0, a)
		if errs[0] == nil {
			piece(1, b)
		}
	}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// cut decodes the part full of level 0 out of the original, at the scale of a level. Halving by the
// decoder counts from the stored picture's corner; that is another grid than the level's where an
// axis is flipped and has pixels over.
func (p *Picture) cut(level int, full image.Rectangle) (*image.RGBA, error) {
	w, h := p.index.Size()
	flipX, flipY := p.turn.flips()
	steps := min(level, 3)
	for steps > 0 && (flipX && w%(1<<steps) > 0 || flipY && h%(1<<steps) > 0) {
		steps--
	}
	img, err := p.index.scaled(p.original, p.index.stored(full), 1<<steps, p.profile)
	if err != nil {
		return nil, err
	}
	img = photo.Orient(img, int(p.turn))
	for ; steps < level; steps++ {
		img = halved(img)
	}
	return img, nil
}
