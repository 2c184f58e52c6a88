package widgets

import (
	"context"
	"errors"
	"image"
)

const (
	// cacheBytes bounds what is kept of tiles.
	cacheBytes = 96 << 20
	// flightsAtOnce bounds the tiles under way: one core stays free to compose.
	flightsAtOnce = 3
)

// SetTiles says where there are sharper pixels of the photo that key
// identifies; it is ignored when key is not shown. A nil source means nowhere.
// Tiles are fetched off the UI goroutine, a few at a time, for what is in view
// now; until one is here, the best coarser pixels stand in for it. One that
// cannot be had is reported to OnProblem, once for a source.
func (c *PhotoCanvas) SetTiles(key string, src TileSource) {
	if key == "" || key != c.key {
		return
	}
	c.setTiles(&c.subject, src)
	c.update()
}

func (c *PhotoCanvas) setTiles(s *subject, src TileSource) {
	if s.tiles != nil {
		if s.tiles.src == src {
			return
		}
		s.tiles.stop()
		c.cache.forget(s.key) // another source, other pixels
		c.photoVersion++
	}
	s.tiles = nil
	if src != nil && src.Levels() > 0 {
		s.tiles = &tileSet{src: src, flights: map[tileID]context.CancelFunc{}, failed: map[tileID]bool{}}
	}
}

// want asks for tiles, the most urgent first, and calls off what else is
// under way for the subject.
func (c *PhotoCanvas) want(s *subject, ids []tileID) {
	if s.tiles != nil {
		s.tiles.want(ids)
		c.pump()
	}
}

// pump starts as much as may be under way.
func (c *PhotoCanvas) pump() {
	if c.pumping {
		return
	}
	c.pumping = true
	for _, s := range []*subject{&c.subject, &c.other.subject} {
		if s.tiles == nil {
			continue
		}
		for _, id := range s.tiles.wants {
			if c.flying >= flightsAtOnce {
				break
			}
			if _, under := s.tiles.flights[id]; !under && !s.tiles.failed[id] && !c.cache.has(s.key, id) {
				c.fetch(s, id)
			}
		}
	}
	c.pumping = false
}

func (c *PhotoCanvas) fetch(s *subject, id tileID) {
	ctx, cancel := context.WithCancel(context.Background())
	key, set := s.key, s.tiles
	set.flights[id] = cancel
	c.flying++
	c.background(func() {
		img, err := set.src.Tile(ctx, id.level, id.col, id.row)
		called := ctx.Err() != nil
		cancel()
		if err == nil {
			img, err = checkTile(set.src, id, img)
		}
		c.dispatch(func() { c.landed(key, set, id, img, err, called) })
	})
}

// landed takes a tile that has come, or the news that it will not.
func (c *PhotoCanvas) landed(key string, set *tileSet, id tileID, img *image.RGBA, err error, called bool) {
	delete(set.flights, id)
	c.flying--
	defer c.pump()
	shown := c.subject.tiles == set || c.other.tiles == set
	switch {
	case !shown:
	case err == nil:
		isFloor := false
		for f := range floorOf(set.src) {
			isFloor = isFloor || f == id
		}
		c.cache.put(key, id, img, isFloor)
		set.grown++
		if c.pumping {
			c.came = true
		} else {
			c.updatePictures()
		}
	case called || errors.Is(err, context.Canceled):
	default:
		set.failed[id] = true
		if !set.told {
			set.told = true
			if c.OnProblem != nil {
				c.OnProblem(err)
			}
		}
	}
}

// stopTiles calls off everything that is under way.
func (c *PhotoCanvas) stopTiles() {
	for _, s := range []*subject{&c.subject, &c.other.subject} {
		if s.tiles != nil {
			s.tiles.stop()
		}
	}
}
