package widgets

import (
	"cmp"
	"context"
	"image"
	"math"
	"slices"
)

// subject is a photo to be shown: what is in memory of it, and where there is
// more.
type subject struct {
	key    string
	levels []*image.RGBA // by width, smallest first
	tiles  *tileSet      // nil: none
}

// clear forgets the photo.
func (s *subject) clear(cache *tileCache) {
	if s.tiles != nil {
		s.tiles.stop()
		cache.release(s.key)
	}
	*s = subject{}
}

func (s *subject) addLevel(img *image.RGBA) {
	if img == nil || img.Rect.Empty() || slices.Contains(s.levels, img) {
		return
	}
	s.levels = slices.DeleteFunc(s.levels, func(old *image.RGBA) bool { return old.Rect.Size() == img.Rect.Size() })
	s.levels = append(s.levels, img)
	slices.SortFunc(s.levels, func(a, b *image.RGBA) int { return cmp.Compare(a.Rect.Dx(), b.Rect.Dx()) })
}

// tileSet is a source of tiles with what is wanted and under way of it.
type tileSet struct {
	src     TileSource
	wants   []tileID // the most urgent first
	flights map[tileID]context.CancelFunc
	failed  map[tileID]bool
	told    bool // of a failure
	grown   int  // how many tiles have come
}

func (t *tileSet) stop() { t.want(nil) }

// want says what is wanted now, and calls off the rest.
func (t *tileSet) want(ids []tileID) {
	t.wants = ids
	for id, cancel := range t.flights {
		if !slices.Contains(ids, id) {
			cancel()
		}
	}
}

// origin tells which pixels a picture was made from; equal ones would make the
// same picture.
type origin struct {
	level   *image.RGBA
	tiles   int  // the level in tiles and one, 0: none
	missing bool // some of them
	grown   int
}

func (o composition) origin() origin {
	switch {
	case o.tiles == nil:
		return origin{level: o.level}
	case o.tiles.missing:
		return origin{level: o.level, tiles: o.tiles.level + 1, missing: true, grown: o.tiles.grown}
	default:
		return origin{tiles: o.tiles.level + 1}
	}
}

// enough is how much less than one pixel of a level for a device pixel is
// still as sharp as can be seen.
const enough = 0.98

// floorTiles is how many tiles the coarsest level may have to be kept.
const floorTiles = 4

// supply gives an order its pixels: the smallest level with at least one pixel
// for a device pixel, in memory or in tiles, or the best stand-in. It tells
// which tiles would make it better. It is not ok when nothing is known.
func (c *PhotoCanvas) supply(s *subject, o composition) (_ composition, wants []tileID, ok bool) {
	need := float64(o.w) * o.view.Scale * enough
	for _, img := range s.levels {
		o.level = img
		if float64(img.Rect.Dx()) >= need {
			return o, nil, true
		}
	}
	if s.tiles == nil {
		return o, nil, o.level != nil
	}
	m, ok := c.pave(s, o, need)
	if !ok {
		return o, nil, o.level != nil
	}
	known := false
	centre := image.Pt((2*m.cells.Min.X+m.cells.Dx())/2, (2*m.cells.Min.Y+m.cells.Dy())/2)
	for i := range m.pieces {
		id := tileID{m.level, m.cells.Min.X + i%m.cells.Dx(), m.cells.Min.Y + i/m.cells.Dx()}
		m.pieces[i] = c.piece(s, m, id, o.level)
		if !m.pieces[i].exact {
			m.missing = true
			if !s.tiles.failed[id] {
				wants = append(wants, id)
			}
		}
		known = known || m.pieces[i].img != nil && m.pieces[i].img != o.level
	}
	away := func(id tileID) int {
		dx, dy := id.col-centre.X, id.row-centre.Y
		return dx*dx + dy*dy
	}
	slices.SortStableFunc(wants, func(a, b tileID) int { return cmp.Compare(away(a), away(b)) })
	wants = append(c.floor(s), wants...)
	if !known {
		return o, wants, o.level != nil // the level in memory is all there is
	}
	o.tiles = m
	return o, wants, true
}

// pave returns an empty mosaic under an order, of the coarsest level that is
// sharp enough and not more than the cache holds. It is not ok when a level in
// memory is as good.
func (c *PhotoCanvas) pave(s *subject, o composition, need float64) (*mosaic, bool) {
	src := s.tiles.src
	last := src.Levels() - 1
	n := 0
	for n < last {
		if w, _ := src.LevelSize(n + 1); float64(w) < need {
			break
		}
		n++
	}
	room := c.cache.limit * 3 / 4
	if c.tiles != nil && c.other.tiles != nil {
		room /= 2
	}
	up := o.upright()
	for ; n <= last; n++ {
		w, h := src.LevelSize(n)
		if w <= 0 || h <= 0 || o.level != nil && o.level.Rect.Dx() >= w {
			return nil, false
		}
		m := &mosaic{level: n, w: w, h: h, grown: s.tiles.grown}
		rx, ry := float64(w)/(float64(o.w)*up.view.Scale), float64(h)/(float64(o.h)*up.view.Scale)
		across := func(device int, offset, ratio float64, more float64, size int) int {
			return clampInt(int(math.Floor((float64(device)-offset)*ratio+more)), size) / TileSide
		}
		m.cells = image.Rect(
			across(up.rect.Min.X, up.view.OffsetX, rx, -rx-2, w), across(up.rect.Min.Y, up.view.OffsetY, ry, -ry-2, h),
			across(up.rect.Max.X, up.view.OffsetX, rx, rx+2, w)+1, across(up.rect.Max.Y, up.view.OffsetY, ry, ry+2, h)+1)
		count := m.cells.Dx() * m.cells.Dy()
		if int64(count)*TileSide*TileSide*4 <= room {
			m.pieces = make([]piece, count)
			return m, true
		}
	}
	return nil, false
}

// piece returns the pixels of a tile: its own, or else the sharpest there are.
func (c *PhotoCanvas) piece(s *subject, m *mosaic, id tileID, coarse *image.RGBA) piece {
	if img := c.cache.get(s.key, id); img != nil {
		return piece{img: img, rx: 1, ry: 1, ox: float64(id.col * TileSide), oy: float64(id.row * TileSide), exact: true}
	}
	for up := 1; id.level+up < s.tiles.src.Levels(); up++ {
		w, h := s.tiles.src.LevelSize(id.level + up)
		if coarse != nil && coarse.Rect.Dx() >= w {
			break
		}
		wide := tileID{id.level + up, id.col >> up, id.row >> up}
		if img := c.cache.get(s.key, wide); img != nil {
			return piece{
				img: img, rx: float64(w) / float64(m.w), ry: float64(h) / float64(m.h),
				ox: float64(wide.col * TileSide), oy: float64(wide.row * TileSide),
			}
		}
	}
	if coarse == nil {
		return piece{}
	}
	return piece{img: coarse, rx: float64(coarse.Rect.Dx()) / float64(m.w), ry: float64(coarse.Rect.Dy()) / float64(m.h)}
}

// floor returns the missing tiles of the coarsest level.
func (c *PhotoCanvas) floor(s *subject) (ids []tileID) {
	for id := range floorOf(s.tiles.src) {
		if !c.cache.has(s.key, id) && !s.tiles.failed[id] {
			ids = append(ids, id)
		}
	}
	return ids
}

func floorOf(src TileSource) func(yield func(tileID) bool) {
	return func(yield func(tileID) bool) {
		last := src.Levels() - 1
		w, h := src.LevelSize(last)
		cols, rows := (w+TileSide-1)/TileSide, (h+TileSide-1)/TileSide
		if cols*rows > floorTiles {
			return
		}
		for i := range cols * rows {
			if !yield(tileID{last, i % cols, i / cols}) {
				return
			}
		}
	}
}
