package tiles

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"image"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// Build makes the index of a whole JPEG file in one scan of its Huffman codes, which costs less than
// libjpeg's reading of the coefficients. digest is the SHA-256 of data, which callers have, since
// photos are kept under it; it is not computed again.
//
// The errors are [ErrNotIndexable] and those of the photo package. A file that ends early, whatever
// part is missing, is photo.ErrTruncated or photo.ErrUnreadable and never gets an index.
func Build(data []byte, digest qc.Digest, lim photo.Limits) (*Index, error) {
	x, _, err := build(data, digest, lim, false)
	return x, err
}

// BuildEighth is Build and, from the same scan and for little more, the picture at 1/8 (sides
// rounded up), not oriented: every pixel is the mean of a block. photo.RGBA and photo.Orient make a
// texture or a thumbnail of it. Its colour planes are sampled like the photo's; grey photos come
// with neutral ones.
func BuildEighth(data []byte, digest qc.Digest, lim photo.Limits) (*Index, *image.YCbCr, error) {
	return build(data, digest, lim, true)
}

func build(data []byte, digest qc.Digest, lim photo.Limits, small bool) (*Index, *image.YCbCr, error) {
	x, eighth, err := scan(data, digest, lim, small)
	if err != nil {
		return nil, nil, fmt.Errorf("index photo %.12s: %w", digest, err)
	}
	return x, eighth, nil
}

func scan(data []byte, digest qc.Digest, lim photo.Limits, small bool) (*Index, *image.YCbCr, error) {
	if _, err := qc.ParseDigest(string(digest)); err != nil {
		return nil, nil, err
	}
	info, err := photo.Inspect(bytes.NewReader(data), int64(len(data)), lim)
	if err != nil {
		return nil, nil, err
	}
	if info.Kind != photo.JPEG {
		return nil, nil, notIndexable("%s", info.Kind)
	}
	h, err := readHeader(data)
	if err != nil {
		return nil, nil, err
	}
	if w, ht := h.width, h.height; w*ht != info.Width*info.Height {
		return nil, nil, damaged("two frames")
	}
	x := &Index{
		head: *h, digest: digest, size: int64(len(data)), orientation: info.Orientation, layout: h.layout(),
		entries: make([]entry, 0, h.chunks()*h.rows+1),
	}
	var pic *eighth
	if small {
		pic = newEighth(h)
	}
	d := &decoder{data: data, p: h.scanAt}
	var dcs chunkDCs
	mcu := 0
	for row := range h.rows {
		for col := 0; col < h.cols; {
			if h.restartsAt(mcu) {
				if err := d.restart(mcu/h.restart - 1); err != nil {
					return nil, nil, err
				}
			}
			if col%chunkMCUs == 0 {
				if err := x.record(d); err != nil {
					return nil, nil, err
				}
			}
			n := min(chunkMCUs-col%chunkMCUs, h.cols-col, h.restartAfter(mcu)-mcu)
			if err := d.walk(x.layout, n, &dcs); err != nil {
				return nil, nil, err
			}
			if pic != nil {
				pic.take(&dcs, col, row, n)
			}
			col += n
			mcu += n
		}
	}
	if err := x.record(d); err != nil {
		return nil, nil, err
	}
	if err := d.finish(); err != nil {
		return nil, nil, err
	}
	x.entries[len(x.entries)-1].dc = [3]int16{}
	for i := range x.entries[:len(x.entries)-1] {
		from, to := x.chunkBytes(i, i+1)
		x.entries[i].sum = chunkSum(data[from:to])
	}
	if pic != nil {
		return x, pic.picture(), nil
	}
	return x, nil, nil
}

// record notes where the decoder is.
func (x *Index) record(d *decoder) error {
	e := entry{pos: d.bit()}
	for c, dc := range d.pred {
		e.dc[c] = int16(dc)
	}
	if n := len(x.entries); n > 0 {
		if e.pos-x.entries[n-1].pos > 8*maxChunkBytes-8 {
			return notIndexable("filling between data")
		}
	}
	x.entries = append(x.entries, e)
	return nil
}

// mark goes to the mark after the last MCU walked over and gives its code, leaving p behind it.
func (d *decoder) mark() (byte, error) {
	if left := d.n - min(d.n, d.virtual); left >= 8 {
		return 0, damaged("data beyond the last block")
	}
	for d.p+1 < len(d.data) && d.data[d.p] == 0xFF {
		code := d.data[d.p+1]
		d.p++
		if code != 0xFF {
			d.p++
			if code == 0 {
				break
			}
			return code, nil
		}
	}
	if d.p+1 >= len(d.data) {
		return 0, fmt.Errorf("%w: its end is missing", photo.ErrTruncated)
	}
	return 0, damaged("data beyond the last block")
}

// restart passes the restart mark of that number.
func (d *decoder) restart(number int) error {
	code, err := d.mark()
	if err != nil {
		return err
	}
	if code != markRST0+byte(number&7) {
		return damaged("restart mark %#x instead of %d", code, number&7)
	}
	d.acc, d.n, d.virtual, d.pred = 0, 0, 0, [3]int32{}
	return nil
}

// finish checks that the picture ends where its last block does.
func (d *decoder) finish() error {
	code, err := d.mark()
	if err == nil && code != markEOI {
		return notIndexable("mark %#x after the scan", code)
	}
	return err
}

// chunkBytes are the bytes of the file that hold the chunks from..to-1.
func (x *Index) chunkBytes(from, to int) (first, end uint64) {
	return x.entries[from].pos >> 3, (x.entries[to].pos + 7) >> 3
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// chunkSum tells a chunk's bytes from those of another file or of damage.
func chunkSum(b []byte) uint16 {
	c := crc32.Checksum(b, castagnoli)
	return uint16(c ^ c>>16)
}
