// Package tiles gives random access into a JPEG that is never decoded whole.
//
// Its promise: from an untouched original, however large, a part can be had in milliseconds — as
// pixels that equal those of a full decode, or as a small JPEG that holds the original's own
// coefficients, so that nothing is lost by a second encoding and no second copy of the picture is
// kept. The price is one scan of the file when it arrives; what the scan found is the [Index], some
// hundred kilobytes for 100 megapixels, to be stored beside the photo.
//
// The words: an MCU is the unit in which a JPEG is coded, 8 or 16 pixels a side; a chunk is a run of
// 16 MCUs in a row of MCUs, and the index knows where each chunk begins (in bits) and the DC
// predictors there. All coordinates are pixels of the picture as stored, before its EXIF orientation
// is applied, unless a name says oriented. A tile is a JPEG; a region is pixels.
//
// Only sequential Huffman JPEGs of 8 bits in one scan are indexable: grey, or YCbCr with 4:4:4,
// 4:2:2, 4:4:0 or 4:2:0, with or without restart marks. Cameras write nothing else. For all others
// [Build] says [ErrNotIndexable], and the caller stores a complete pack.
//
// Coarser levels, and all of a photo that is not indexable, are kept as JPEG tiles in one file, the
// [Pack]. A [Picture] puts original, index and pack together for those who show the photo: tiles of
// any level, regions at any size, oriented, and if need be redacted.
//
// An Index does not change after it was made and may be used from several goroutines at once.
package tiles

import (
	"errors"
	"image"

	"flawmark/app/qc"
)

var (
	// ErrNotIndexable means a sound photo, but not of a form into which one can reach (progressive, RGB,
	// CMYK, several scans, PNG, …). Keep a complete pack for it.
	ErrNotIndexable = errors.New("photo cannot be indexed")
	// ErrMismatch means that the index or pack was made of another file, or the file has changed since.
	ErrMismatch = errors.New("index or pack does not belong to this photo")
	// ErrCorrupt means that the stored index is damaged or of an unknown version. Build it again.
	ErrCorrupt = errors.New("index is not readable")
)

// chunkMCUs is how many MCUs lie between two entries of the index. Fewer make access a little
// faster and the index larger.
const chunkMCUs = 16

// maxChunkBytes is more than 16 MCUs can take: 6 blocks each, 64 coefficients a block, 31 bits a
// coefficient at worst, doubled by stuffing, and some filling before a restart mark.
const maxChunkBytes = 64 << 10

// entry is where a chunk begins.
type entry struct {
	pos uint64   // bits from the start of the file to the first bit of the chunk's first MCU
	dc  [3]int16 // DC predictors there; 0 right after a restart mark
	sum uint16   // of the bytes that hold the chunk; see chunkSum
}

// Index knows where the parts of one JPEG file are.
type Index struct {
	head        header
	digest      qc.Digest
	size        int64
	orientation int
	entries     []entry // row by row, and one more: the end of the last MCU
	layout      *layout
}

// Size is the width and height in pixels as stored.
func (x *Index) Size() (w, h int) { return x.head.width, x.head.height }

// MCU is the width and height of an MCU in pixels: 8 or 16.
func (x *Index) MCU() (w, h int) { return x.head.mcuW, x.head.mcuH }

// Orientation is the EXIF orientation of the photo, 1..8.
func (x *Index) Orientation() int { return x.orientation }

// OrientedSize is the width and height in pixels as the photo is seen.
func (x *Index) OrientedSize() (w, h int) {
	if x.orientation >= 5 {
		return x.head.height, x.head.width
	}
	return x.head.width, x.head.height
}

// Digest is the SHA-256 of the file the index was made of.
func (x *Index) Digest() qc.Digest { return x.digest }

// Bytes is the size of the file the index was made of.
func (x *Index) Bytes() int64 { return x.size }

// Align enlarges r to whole MCUs, clipped to the picture: what [Index.Tile] takes.
func (x *Index) Align(r image.Rectangle) image.Rectangle {
	r = r.Intersect(x.bounds())
	if r.Empty() {
		return image.Rectangle{}
	}
	mw, mh := x.head.mcuW, x.head.mcuH
	return image.Rect(r.Min.X/mw*mw, r.Min.Y/mh*mh, ceilDiv(r.Max.X, mw)*mw, ceilDiv(r.Max.Y, mh)*mh).Intersect(x.bounds())
}

func (x *Index) bounds() image.Rectangle { return image.Rect(0, 0, x.head.width, x.head.height) }

// chunks is the number of chunks in a row of MCUs.
func (h *header) chunks() int { return ceilDiv(h.cols, chunkMCUs) }

func ceilDiv(a, b int) int { return (a + b - 1) / b }
