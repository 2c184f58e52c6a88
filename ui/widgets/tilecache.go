package widgets

import (
	"container/list"
	"context"
	"fmt"
	"image"
)

// TileSide is the width and height of a tile in its level's pixels. Tiles at
// the right and lower edge of a level are as much smaller as the level ends
// earlier.
const TileSide = 512

// TileSource gives a photo in tiles, so that nobody ever holds it whole. The
// picture is oriented as it is looked at. Level 0 is the photo's own
// resolution, level n is reduced by 2ⁿ.
type TileSource interface {
	// Levels returns how many there are, at least 1.
	Levels() int
	// LevelSize returns a level's size in its pixels.
	LevelSize(level int) (w, h int)
	// Tile returns a tile's pixels, which nobody changes afterwards. It may be
	// called by several goroutines at once, and gives up when ctx ends.
	Tile(ctx context.Context, level, col, row int) (*image.RGBA, error)
}

// tileID is a tile's place in a photo.
type tileID struct{ level, col, row int }

// tileSize returns the size a tile must have.
func tileSize(src TileSource, id tileID) image.Point {
	w, h := src.LevelSize(id.level)
	return image.Pt(min(TileSide, w-id.col*TileSide), min(TileSide, h-id.row*TileSide))
}

// checkTile refuses a tile of another size than its place has.
func checkTile(src TileSource, id tileID, img *image.RGBA) (*image.RGBA, error) {
	want := tileSize(src, id)
	if img == nil || img.Rect.Size() != want {
		got := image.Point{}
		if img != nil {
			got = img.Rect.Size()
		}
		return nil, fmt.Errorf("tile %d of level %d at %d is %v, not %v", id.col, id.level, id.row, got, want)
	}
	return img, nil
}

// tileCache keeps the tiles used last, of all photos together within limit
// bytes. Those of a photo's floor stay until they are released: with them there
// is always something to show.
type tileCache struct {
	limit, bytes int64
	entries      map[tileKey]*list.Element
	order        list.List // of *tileEntry, the one used last at the front
}

type tileKey struct {
	photo string
	tileID
}

type tileEntry struct {
	key   tileKey
	img   *image.RGBA
	floor bool
}

func (c *tileCache) get(photo string, id tileID) *image.RGBA {
	e := c.entries[tileKey{photo, id}]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*tileEntry).img
}

func (c *tileCache) has(photo string, id tileID) bool { return c.entries[tileKey{photo, id}] != nil }

func (c *tileCache) put(photo string, id tileID, img *image.RGBA, floor bool) {
	key := tileKey{photo, id}
	if e := c.entries[key]; e != nil {
		c.remove(e)
	}
	if c.entries == nil {
		c.entries = map[tileKey]*list.Element{}
	}
	c.entries[key] = c.order.PushFront(&tileEntry{key, img, floor})
	c.bytes += int64(len(img.Pix))
	c.trim()
}

// trim drops what was used longest ago until the rest is within the limit.
func (c *tileCache) trim() {
	for e := c.order.Back(); e != nil && c.bytes > c.limit; {
		before := e.Prev()
		if !e.Value.(*tileEntry).floor {
			c.remove(e)
		}
		e = before
	}
}

func (c *tileCache) remove(e *list.Element) {
	entry := c.order.Remove(e).(*tileEntry)
	delete(c.entries, entry.key)
	c.bytes -= int64(len(entry.img.Pix))
}

// release gives a photo's floor free.
func (c *tileCache) release(photo string) {
	for e := c.order.Front(); e != nil; e = e.Next() {
		if entry := e.Value.(*tileEntry); entry.key.photo == photo {
			entry.floor = false
		}
	}
}

// forget drops everything of a photo.
func (c *tileCache) forget(photo string) {
	for e := c.order.Front(); e != nil; {
		next := e.Next()
		if e.Value.(*tileEntry).key.photo == photo {
			c.remove(e)
		}
		e = next
	}
}
