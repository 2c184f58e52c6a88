package tiles

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"io"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// ErrPack means that a pack is damaged, not complete, or of an unknown version. Make it again.
var ErrPack = errors.New("pack of tiles is not readable")

// The stored form of a pack, numbers little-endian:
//
//	head     magic, version; SHA-256 and size of the original; oriented width and height;
//	         orientation, MCU of the original (1×1 if it has none: PNG), quality; tile side,
//	         first level stored, number of levels; CRC-32C of the head
//	tiles    JPEGs one after the other, in no order a reader may rely on
//	table    for each tile, level by level and row by row: offset, length, CRC-32C
//	tail     CRC-32C of table and head; the number of tiles; magic
//
// The table is at the end, so that a pack is written in one go. Every byte is under a checksum.
const (
	packMagic   = "FMpack\x00"
	packVersion = 1
	packEnd     = "FMpack.\n"

	packHeadBytes  = 68
	packEntryBytes = 16
	packTailBytes  = 16

	// maxPackTile is more than a tile of 512×512 pixels takes at any quality.
	maxPackTile = 4 << 20
)

// packEntry is where a tile is.
type packEntry struct {
	offset      uint64
	length, sum uint32
}

// Pack is the stored coarser levels of one photo, oriented, as JPEG tiles in one file; all levels
// where the original has no index. [WritePack] makes it.
//
// A Pack does not change and may be used from several goroutines at once. It takes 16 bytes of memory
// for a tile.
type Pack struct {
	src        io.ReaderAt
	digest     qc.Digest
	size       int64
	pyramid    pyramid
	turn       turn
	mcuW, mcuH int
	quality    int
	first      int
	starts     []int // the first entry of each level, from first on
	entries    []packEntry
}

// Digest is the SHA-256 of the original.
func (p *Pack) Digest() qc.Digest { return p.digest }

// Bytes is the size of the original.
func (p *Pack) Bytes() int64 { return p.size }

// Size is the oriented width and height of the original in pixels.
func (p *Pack) Size() (w, h int) { return p.pyramid.w, p.pyramid.h }

// First is the finest level stored: 0, or 1 where the original's index takes the place of level 0.
func (p *Pack) First() int { return p.first }

// Tiles is how many tiles are stored.
func (p *Pack) Tiles() int { return len(p.entries) }

// layOut numbers the tiles.
func (p *Pack) layOut() int {
	n := 0
	p.starts = p.starts[:0]
	for level := p.first; level < p.pyramid.levels(); level++ {
		p.starts = append(p.starts, n)
		cols, rows := p.pyramid.grid(level)
		n += cols * rows
	}
	return n
}

func (p *Pack) number(at place) int {
	cols, _ := p.pyramid.grid(at.level)
	return p.starts[at.level-p.first] + at.row*cols + at.col
}

func (p *Pack) has(level int) bool { return p != nil && level >= p.first }

func (p *Pack) head() ([]byte, error) {
	sum, err := hex.DecodeString(string(p.digest))
	if err != nil || len(sum) != 32 {
		return nil, fmt.Errorf("%q is not a digest", p.digest)
	}
	le := binary.LittleEndian
	b := append(make([]byte, 0, packHeadBytes), packMagic...)
	b = append(b, packVersion)
	b = append(b, sum...)
	b = le.AppendUint64(b, uint64(p.size))
	b = le.AppendUint32(b, uint32(p.pyramid.w))
	b = le.AppendUint32(b, uint32(p.pyramid.h))
	b = append(b, byte(p.turn), byte(p.mcuW), byte(p.mcuH), byte(p.quality))
	b = le.AppendUint16(b, TileSide)
	b = append(b, byte(p.first), byte(p.pyramid.levels()))
	return le.AppendUint32(b, crc32.Checksum(b, castagnoli)), nil
}

// readHead fills in all but the entries.
func (p *Pack) readHead(b []byte) error {
	le := binary.LittleEndian
	if string(b[:7]) != packMagic {
		return fmt.Errorf("%w: it is something else", ErrPack)
	}
	if b[7] != packVersion {
		return fmt.Errorf("%w: version %d", ErrPack, b[7])
	}
	if le.Uint32(b[64:]) != crc32.Checksum(b[:64], castagnoli) {
		return fmt.Errorf("%w: its head is damaged", ErrPack)
	}
	p.digest, p.size = qc.Digest(hex.EncodeToString(b[8:40])), int64(le.Uint64(b[40:]))
	w, h := le.Uint32(b[48:]), le.Uint32(b[52:])
	p.turn, p.mcuW, p.mcuH, p.quality = turn(b[56]), int(b[57]), int(b[58]), int(b[59])
	p.first = int(b[62])
	if w < 1 || h < 1 || w > 1<<16 || h > 1<<16 || p.turn < 1 || p.turn > 8 || p.first > 1 ||
		p.mcuW < 1 || p.mcuH < 1 || p.mcuW > 64 || p.mcuH > 64 || p.quality < 1 || p.quality > 100 || le.Uint16(b[60:]) != TileSide {
		return fmt.Errorf("%w: its head makes no sense", ErrPack)
	}
	p.pyramid = pyramid{int(w), int(h)}
	if int(b[63]) != p.pyramid.levels() {
		return fmt.Errorf("%w: its head makes no sense", ErrPack)
	}
	return nil
}

// OpenPack reads head and table of a pack of size bytes, which must be that of the original with that
// digest and size. src must stay readable as long as the pack is in use. The pack of another photo is
// [ErrMismatch]; anything else that is not right is [ErrPack]. The tiles are checked when they are read.
func OpenPack(src io.ReaderAt, size int64, digest qc.Digest, original int64) (*Pack, error) {
	p := &Pack{src: src}
	if err := p.open(size, digest, original); err != nil {
		return nil, fmt.Errorf("open pack of photo %.12s: %w", digest, err)
	}
	return p, nil
}

func (p *Pack) open(size int64, digest qc.Digest, original int64) error {
	var head [packHeadBytes]byte
	if size < packHeadBytes+packTailBytes {
		return fmt.Errorf("%w: %d bytes", ErrPack, size)
	}
	if err := p.read(head[:], 0); err != nil {
		return err
	}
	if err := p.readHead(head[:]); err != nil {
		return err
	}
	if p.digest != digest || p.size != original {
		return fmt.Errorf("%w: it is of %.12s, %d bytes", ErrMismatch, p.digest, p.size)
	}
	n := p.layOut()
	at := size - packTailBytes - int64(n)*packEntryBytes
	if at < packHeadBytes {
		return fmt.Errorf("%w: %d bytes for %d tiles", ErrPack, size, n)
	}
	table := make([]byte, n*packEntryBytes+packTailBytes)
	if err := p.read(table, at); err != nil {
		return err
	}
	le := binary.LittleEndian
	tail := table[n*packEntryBytes:]
	table = table[:n*packEntryBytes]
	sum := crc32.Update(crc32.Checksum(table, castagnoli), castagnoli, head[:])
	if le.Uint32(tail) != sum || int64(le.Uint32(tail[4:])) != int64(n) || string(tail[8:]) != packEnd {
		return fmt.Errorf("%w: its table is damaged", ErrPack)
	}
	p.entries = make([]packEntry, n)
	total := uint64(packHeadBytes)
	for i := range p.entries {
		b := table[i*packEntryBytes:]
		e := packEntry{le.Uint64(b), le.Uint32(b[8:]), le.Uint32(b[12:])}
		if e.length == 0 || e.length > maxPackTile || e.offset < packHeadBytes || e.offset > uint64(at)-uint64(e.length) {
			return fmt.Errorf("%w: its table makes no sense", ErrPack)
		}
		total += uint64(e.length)
		p.entries[i] = e
	}
	if total != uint64(at) {
		return fmt.Errorf("%w: %d bytes of tiles instead of %d", ErrPack, at, total)
	}
	return nil
}

// read fills b.
func (p *Pack) read(b []byte, at int64) error {
	n, err := p.src.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends early", ErrPack)
	}
	return fmt.Errorf("read at %d: %w", at, err)
}

// JPEG gives a stored tile as it is. There must be such a tile.
func (p *Pack) jpeg(at place) ([]byte, error) {
	e := p.entries[p.number(at)]
	b := make([]byte, e.length)
	if err := p.read(b, int64(e.offset)); err != nil {
		return nil, err
	}
	if crc32.Checksum(b, castagnoli) != e.sum {
		return nil, fmt.Errorf("%w: tile %d,%d of level %d is damaged", ErrPack, at.col, at.row, at.level)
	}
	return b, nil
}

func (p *Pack) tile(at place) (*image.RGBA, error) {
	b, err := p.jpeg(at)
	if err != nil {
		return nil, err
	}
	img, _, err := photo.Decode(b, photo.Limits{Bytes: maxPackTile, Pixels: TileSide * TileSide, Side: TileSide})
	if err != nil {
		return nil, fmt.Errorf("%w: tile %d,%d of level %d: %s", ErrPack, at.col, at.row, at.level, err.Error())
	}
	if r := p.pyramid.tile(at); img.Rect.Size() != r.Size() {
		return nil, fmt.Errorf("%w: tile %d,%d of level %d is %v instead of %v", ErrPack, at.col, at.row, at.level, img.Rect.Size(), r.Size())
	}
	return img, nil
}
