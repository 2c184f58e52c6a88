package tiles

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// ErrNoLevel means that neither index nor pack gives a level: the original needs an index, or a
// complete pack.
var ErrNoLevel = errors.New("neither index nor pack holds this level")

// ErrOutside means that there is no such tile or region.
var ErrOutside = errors.New("outside of the picture")

// detailQuality is the JPEG quality of tiles of level 0 that cannot be cut out of the original.
const detailQuality = 92

// Picture is a photo as a viewer or an image server wants it: any tile of any level, any region at
// any size, oriented, in sRGB. Level n is reduced 2ⁿ times; the last level is one tile.
//
// Level 0 comes out of the original through its index, without a decode of the rest; coarser levels
// out of the pack, and as long as there is none, out of the original at 1/2, 1/4 and 1/8. A Picture
// keeps no pixels: callers do, in a [Cache]. It does not change and may be used from several
// goroutines at once.
type Picture struct {
	original io.ReaderAt
	index    *Index
	pack     *Pack
	digest   qc.Digest
	lim      photo.Limits
	profile  []byte // of level 0 through the index; nil when that is sRGB
	pyramid  pyramid
	turn     turn
	mcuW     int
	mcuH     int

	covers []image.Rectangle // redacted, level 0
	fill   color.RGBA
	std    bool   // tiles of level 0 tell nothing of what is elsewhere
	name   string // of what is seen: the digest and the redactions
}

// Open gives the picture of an original of size bytes. index or pack may be nil, but one of them must
// give level 0, else Open says [ErrNoLevel]; without an index the original may be nil, too. All must
// be of the same photo: [ErrMismatch]. What is opened must stay readable as long as the picture is in
// use. Open reads little and decodes nothing but a corner.
func Open(original io.ReaderAt, size int64, index *Index, pack *Pack, lim photo.Limits) (*Picture, error) {
	p := &Picture{original: original, index: index, pack: pack, lim: lim}
	if original == nil {
		p.index = nil
	}
	var is int64
	switch {
	case p.index != nil:
		w, h := index.OrientedSize()
		p.digest, is, p.pyramid, p.turn = index.digest, index.size, pyramid{w, h}, turn(index.orientation)
		p.mcuW, p.mcuH = index.MCU()
	case pack.has(0):
		p.digest, is, p.pyramid, p.turn, p.mcuW, p.mcuH = pack.digest, pack.size, pack.pyramid, pack.turn, pack.mcuW, pack.mcuH
	default:
		return nil, fmt.Errorf("open picture: %w", ErrNoLevel)
	}
	if size != is || pack != nil && (pack.digest != p.digest || pack.size != size || pack.pyramid != p.pyramid || pack.turn != p.turn) {
		return nil, fmt.Errorf("open picture %.12s: %w", p.digest, ErrMismatch)
	}
	p.name = string(p.digest)
	if p.index != nil {
		// Tables of a photo's own are counted over all of it, thus over what is redacted, too.
		p.std = p.index.head.hasAnnexTables()
		if err := p.readProfile(); err != nil {
			return nil, fmt.Errorf("open picture %.12s: %w", p.digest, err)
		}
	}
	return p, nil
}

// readProfile finds the profile of the original, unless it does not matter.
func (p *Picture) readProfile() error {
	profile := p.index.profile(p.original)
	if profile == nil {
		return nil
	}
	corner, err := p.index.Tile(p.original, 0, 0, p.mcuW, p.mcuH)
	if err != nil {
		return err
	}
	corner = withProfile(corner, profile)
	info, err := photo.Inspect(bytes.NewReader(corner), int64(len(corner)), photo.Limits{})
	if err == nil && info.Profile != "sRGB" && !info.ColourUnknown {
		p.profile = profile
	}
	return nil
}

// Size is the oriented width and height in pixels of level 0.
func (p *Picture) Size() (w, h int) { return p.pyramid.w, p.pyramid.h }

// Levels is how many levels there are, at least 1.
func (p *Picture) Levels() int { return p.pyramid.levels() }

// LevelSize is the width and height of a level in pixels: those of level 0 over 2ⁿ, rounded up.
func (p *Picture) LevelSize(level int) (w, h int) { return p.pyramid.size(level) }

// Digest is the SHA-256 of the original.
func (p *Picture) Digest() qc.Digest { return p.digest }

// Name tells pictures apart by what they show: two of the same photo with the same redactions have
// the same. It is safe in a file name or an entity tag.
func (p *Picture) Name() string { return p.name }

// Tile gives a tile, 512 pixels a side but at the right and lower edges; packed, beginning at 0,0, and
// the caller's own. Where there is none, it says [ErrOutside]. The other errors are those of
// [Index.Tile], [ErrPack], and those of ctx and of reading.
func (p *Picture) Tile(ctx context.Context, level, col, row int) (*image.RGBA, error) {
	r := p.pyramid.tile(place{level, col, row})
	if r.Empty() {
		return nil, fmt.Errorf("tile %d,%d of level %d of photo %.12s: %w", col, row, level, p.digest, ErrOutside)
	}
	img, err := p.pixels(ctx, level, r)
	if err != nil {
		return nil, fmt.Errorf("tile %d,%d of level %d of photo %.12s: %w", col, row, level, p.digest, err)
	}
	return img, nil
}

// JPEG gives a tile as a JPEG file: as it is stored in the pack; of level 0 through the index, and of
// a photo that is stored upright, with the original's own coefficients and profile; else encoded. It
// carries no metadata. The errors are those of Tile.
func (p *Picture) JPEG(ctx context.Context, level, col, row int) ([]byte, error) {
	b, err := p.jpeg(ctx, place{level, col, row})
	if err != nil {
		return nil, fmt.Errorf("tile %d,%d of level %d of photo %.12s: %w", col, row, level, p.digest, err)
	}
	return b, nil
}

func (p *Picture) jpeg(ctx context.Context, at place) ([]byte, error) {
	r := p.pyramid.tile(at)
	if r.Empty() {
		return nil, ErrOutside
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !p.touched(at.level, r) {
		switch {
		case p.stored(at.level):
			return p.pack.jpeg(at)
		case at.level == 0 && p.turn == 1 && (len(p.covers) == 0 || p.std):
			b, err := p.index.Tile(p.original, r.Min.X, r.Min.Y, r.Dx(), r.Dy())
			return withProfile(b, p.profile), err
		}
	}
	img, err := p.pixels(ctx, at.level, r)
	if err != nil {
		return nil, err
	}
	quality := PackQuality
	if p.pack != nil {
		quality = p.pack.quality
	}
	if at.level == 0 {
		quality = max(quality, detailQuality)
	}
	var b exact
	if err := photo.EncodeJPEG(&b, img, quality); err != nil {
		return nil, err
	}
	return b, nil
}

// stored tells whether a level comes out of the pack.
func (p *Picture) stored(level int) bool {
	return p.pack.has(level) && (level > 0 || p.index == nil)
}
