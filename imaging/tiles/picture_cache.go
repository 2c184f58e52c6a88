package tiles

import (
	"container/list"
	"context"
	"errors"
	"image"
	"sync"
)

// Cache keeps the tiles that were wanted last, of any number of pictures, up to a number of bytes. The
// tile of a picture's last level goes only after all finer ones, so that something can be shown at
// once. A tile that several ask for at the same time is made once. Its owner makes it with
// [NewCache]; it may be used from several goroutines at once.
type Cache struct {
	most int64

	mu     sync.Mutex
	bytes  int64
	tiles  map[tileName]*cached
	fine   list.List // of *cached, the last used first
	coarse list.List // the last levels' tiles
}

type tileName struct {
	picture string
	place
}

type cached struct {
	name tileName
	img  *image.RGBA
	err  error
	done chan struct{} // closed when img or err is there
	in   *list.List    // nil while it is being made
	at   *list.Element
}

// NewCache makes a cache of so many bytes of pixels; a tile has 1 MiB.
func NewCache(bytes int64) *Cache { return &Cache{most: bytes, tiles: map[tileName]*cached{}} }

// Tile is [Picture.Tile], out of the cache if it is there. The tile is shared: it must not be changed.
func (c *Cache) Tile(ctx context.Context, p *Picture, level, col, row int) (*image.RGBA, error) {
	name := tileName{p.name, place{level, col, row}}
	for {
		c.mu.Lock()
		t := c.tiles[name]
		if t == nil {
			t = &cached{name: name, done: make(chan struct{})}
			c.tiles[name] = t
			c.mu.Unlock()
			return c.make(ctx, p, t)
		}
		if t.in != nil {
			t.in.MoveToFront(t.at)
		}
		c.mu.Unlock()
		select {
		case <-t.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		// Who made it may have been called off: then it is our turn.
		if !errors.Is(t.err, context.Canceled) && !errors.Is(t.err, context.DeadlineExceeded) {
			return t.img, t.err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// Has gives a tile if it is there, and never waits: what a viewer draws with.
func (c *Cache) Has(p *Picture, level, col, row int) (*image.RGBA, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tiles[tileName{p.name, place{level, col, row}}]
	if t == nil || t.in == nil {
		return nil, false
	}
	t.in.MoveToFront(t.at)
	return t.img, true
}

func (c *Cache) make(ctx context.Context, p *Picture, t *cached) (*image.RGBA, error) {
	made := false
	defer func() {
		if !made { // a panic: nobody may wait for ever
			t.err = context.Canceled
		}
		c.keep(p, t)
		close(t.done)
	}()
	t.img, t.err = p.Tile(ctx, t.name.level, t.name.col, t.name.row)
	made = true
	return t.img, t.err
}

// keep files a tile that was made, and lets go of others.
func (c *Cache) keep(p *Picture, t *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tiles[t.name] != t {
		return // dropped meanwhile
	}
	if t.err != nil {
		delete(c.tiles, t.name)
		return
	}
	t.in = &c.fine
	if t.name.level == p.Levels()-1 {
		t.in = &c.coarse
	}
	t.at = t.in.PushFront(t)
	c.bytes += int64(len(t.img.Pix))
	for c.bytes > c.most && c.fine.Len()+c.coarse.Len() > 0 {
		last := c.fine.Back()
		if last == nil {
			last = c.coarse.Back()
		}
		c.remove(last.Value.(*cached))
	}
}

func (c *Cache) remove(t *cached) {
	delete(c.tiles, t.name)
	if t.in != nil {
		t.in.Remove(t.at)
		c.bytes -= int64(len(t.img.Pix))
	}
}

// Drop lets go of a picture's tiles.
func (c *Cache) Drop(p *Picture) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, t := range c.tiles {
		if name.picture == p.name {
			c.remove(t)
		}
	}
}

// Bytes is how many bytes of pixels are kept.
func (c *Cache) Bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}
