package tiles

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
)

// PackOptions says how to make a pack. The zero value is for an indexed original.
type PackOptions struct {
	// Complete stores level 0, too: for originals that cannot be indexed.
	Complete bool
	// Quality is that of the JPEG tiles, 1..100; 0 means 85.
	Quality int
	// Workers is how many tiles are encoded at once, beside the decoding; 0 means one for each CPU.
	Workers int
}

// PackQuality is the JPEG quality of a pack when nothing is said.
const PackQuality = 85

// stripeRows is how many rows are decoded at a time: few enough to stay in the CPU's cache.
const stripeRows = 16

// tileBytes is the memory of one tile.
const tileBytes = 4 * TileSide * TileSide

// WritePack writes the pack of a whole photo file to w, in one go. digest is the SHA-256 of data,
// which callers have; it is not computed again. A caller gives the pack its name only after WritePack
// and the file's closing succeeded.
//
// The picture is decoded in stripes and never exists as a whole (of a progressive JPEG libjpeg keeps
// the coefficients; PNG and WebP are decoded whole): memory is a row of tiles and half a row of each
// coarser level, about 45 MiB for 100 megapixels, and data. Without level 0 a JPEG is decoded at half
// its size. The same data and options always give the same bytes.
//
// The errors are those of the photo package, of w and of ctx.
func WritePack(ctx context.Context, w io.Writer, data []byte, digest qc.Digest, lim photo.Limits, opt PackOptions) error {
	if err := writePack(ctx, w, data, digest, lim, opt); err != nil {
		return fmt.Errorf("make pack of photo %.12s: %w", digest, err)
	}
	return nil
}

func writePack(ctx context.Context, w io.Writer, data []byte, digest qc.Digest, lim photo.Limits, opt PackOptions) error {
	info, err := photo.Inspect(bytes.NewReader(data), int64(len(data)), lim)
	if err != nil {
		return err
	}
	m := &maker{w: w, workers: opt.Workers, pack: Pack{
		digest: digest, size: int64(len(data)), pyramid: pyramid{info.Width, info.Height}, turn: turn(info.Orientation),
		mcuW: 1, mcuH: 1, quality: opt.Quality,
	}}
	if m.workers < 1 {
		m.workers = runtime.GOMAXPROCS(0)
	}
	p := &m.pack
	if p.quality < 1 || p.quality > 100 {
		p.quality = PackQuality
	}
	if !opt.Complete {
		p.first = 1
	}
	switch info.Kind {
	case photo.JPEG:
		p.mcuW, p.mcuH = mcuOf(data)
	case photo.WebP, photo.HEIC: // their largest blocks, which smear what they hold as MCUs do
		p.mcuW, p.mcuH = 64, 64
	}
	p.entries = make([]packEntry, p.layOut())
	head, err := p.head()
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	m.offset = packHeadBytes
	if len(p.entries) > 0 {
		if err := m.run(ctx, data, info, lim); err != nil {
			return err
		}
	}
	_, err = w.Write(p.table(head))
	return err
}

// table is the end of the file.
func (p *Pack) table(head []byte) []byte {
	le := binary.LittleEndian
	b := make([]byte, 0, len(p.entries)*packEntryBytes+packTailBytes)
	for _, e := range p.entries {
		b = le.AppendUint32(le.AppendUint32(le.AppendUint64(b, e.offset), e.length), e.sum)
	}
	b = le.AppendUint32(b, crc32.Update(crc32.Checksum(b, castagnoli), castagnoli, head))
	b = le.AppendUint32(b, uint32(len(p.entries)))
	return append(b, packEnd...)
}

// mcuOf is the size of the MCUs of a JPEG in pixels, whatever its process: 8 for each sample that its
// finest component has.
func mcuOf(data []byte) (w, h int) {
	w, h = 8, 8
	for at := 2; at+4 <= len(data); {
		mark := data[at+1]
		if data[at] != 0xFF || mark == 0xFF || mark == 0 {
			at++
			continue
		}
		if mark == markTEM || mark >= markRST0 && mark <= markSOI {
			at += 2
			continue
		}
		if mark == markSOS || mark == markEOI {
			break
		}
		if mark >= markSOF0 && mark <= markSOF15 && mark != markDHT && mark != markJPG && mark != markDAC {
			for i := at + 10; i+2 < len(data) && i < at+10+3*int(data[min(at+9, len(data)-1)]); i += 3 {
				w, h = max(w, 8*int(data[i+1]>>4)), max(h, 8*int(data[i+1]&15))
			}
			break
		}
		at += 2 + int(binary.BigEndian.Uint16(data[at+2:]))
	}
	return min(w, 32), min(h, 32)
}

// maker makes a pack. Tiles are filled from stripes; a full tile is oriented, encoded, and halved into
// a quarter of its parent, which then may be full, and so on. Since tiles and halving both count from
// the oriented picture's corner, no tile needs its neighbours.
type maker struct {
	pack    Pack
	workers int

	fresh chan []byte // memory for the tiles that are being filled: bounds how far decoding is ahead
	mu    sync.Mutex
	spare [][]byte // memory for parents
	open  map[place]*parent

	out    sync.Mutex
	w      io.Writer
	offset uint64
	turns  map[place]int  // when each tile is written
	early  map[int][]byte // tiles encoded before their turn
	places []place        // by turn
	next   int
}

// parent is a tile that waits for its quarters.
type parent struct {
	img  *image.RGBA
	left atomic.Int32
}

// filled is a tile as stored, not yet oriented.
type filled struct {
	at  place
	img *image.RGBA
}

// run decodes and encodes.
func (m *maker) run(ctx context.Context, data []byte, info photo.Info, lim photo.Limits) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := m.scatter(info)
	row := len(s.xs) - 1
	m.fresh = make(chan []byte, row+row/2+2*m.workers)
	for range cap(m.fresh) {
		m.fresh <- nil // made when it is needed first
	}
	m.open = map[place]*parent{}
	m.early = map[int][]byte{}
	m.order(s)
	jobs := make(chan filled, cap(m.fresh))
	var workers sync.WaitGroup
	for range m.workers {
		workers.Go(func() {
			scratch := make([]byte, tileBytes)
			for job := range jobs {
				var err error
				if scratch, err = m.finish(job, scratch); err != nil {
					cancel(err)
				}
				if ctx.Err() != nil {
					return
				}
			}
		})
	}
	err := photo.Stripes(data, 1<<s.level, lim, stripeRows, func(y int, rows *image.RGBA) error {
		return s.take(ctx, m, jobs, y, rows)
	})
	close(jobs)
	workers.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err == nil && m.next != len(m.places) {
		err = errors.New("tiles are missing") // a defect here, not in the photo
	}
	return err
}

// scatter cuts stripes of the stored picture into tiles of the oriented one.
type scatter struct {
	level  int   // that is decoded
	xs, ys []int // where tiles begin in the stored picture, and its end
	turn   turn
	row    int           // of tiles being filled
	tiles  []*image.RGBA // the row
}

// scatter chooses the level to decode. The decoder's halving counts from the stored picture's corner;
// it does for level 1 unless that has half a pixel at the end that is the oriented picture's beginning.
func (m *maker) scatter(info photo.Info) *scatter {
	p := &m.pack
	s := &scatter{turn: p.turn, level: p.first}
	flipX, flipY := p.turn.flips()
	w, h := p.turn.size(p.pyramid.w, p.pyramid.h)
	if info.Kind != photo.JPEG || flipX && w%2 == 1 || flipY && h%2 == 1 {
		s.level = 0
	}
	w, h = p.turn.size(p.pyramid.size(s.level))
	s.xs, s.ys = cuts(w, flipX), cuts(h, flipY)
	s.tiles = make([]*image.RGBA, len(s.xs)-1)
	return s
}

// cuts are the beginnings of tiles along an axis, and its end. A flipped axis begins with the narrow one.
func cuts(n int, flipped bool) []int {
	first := TileSide
	if flipped {
		first = n - (ceilDiv(n, TileSide)-1)*TileSide
	}
	out := []int{0}
	for at := first; at < n; at += TileSide {
		out = append(out, at)
	}
	return append(out, n)
}

// at names the tile in that column and row of the stored picture.
func (s *scatter) at(col, row int) place {
	flipX, flipY := s.turn.flips()
	if flipX {
		col = len(s.xs) - 2 - col
	}
	if flipY {
		row = len(s.ys) - 2 - row
	}
	if s.turn.swaps() {
		col, row = row, col
	}
	return place{s.level, col, row}
}

// take copies a stripe into tiles and hands on those that are full.
func (s *scatter) take(ctx context.Context, m *maker, jobs chan<- filled, y int, rows *image.RGBA) error {
	for from := 0; from < rows.Rect.Dy(); {
		top, end := s.ys[s.row], s.ys[s.row+1]
		to := min(rows.Rect.Dy(), end-y)
		for i := range s.tiles {
			x0, x1 := s.xs[i], s.xs[i+1]
			if y+from == top {
				select {
				case buf := <-m.fresh:
					if buf == nil {
						buf = make([]byte, tileBytes)
					}
					s.tiles[i] = packed(buf, x1-x0, end-top)
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			t := s.tiles[i]
			for j := from; j < to; j++ {
				copy(t.Pix[(y+j-top)*t.Stride:][:t.Stride], rows.Pix[j*rows.Stride+4*x0:])
			}
		}
		if from = to; y+to < end {
			continue
		}
		for i, t := range s.tiles {
			jobs <- filled{s.at(i, s.row), t} // never waits: there is room for all of fresh
		}
		s.row++
	}
	return nil
}

// order says when each tile is written: when the decoding lets it be made, so that few wait.
func (m *maker) order(s *scatter) {
	p := &m.pack
	m.turns = map[place]int{}
	missing := map[place]int{}
	for row := range len(s.ys) - 1 {
		for col := range len(s.xs) - 1 {
			for at := s.at(col, row); ; {
				if at.level >= p.first {
					m.turns[at] = len(m.places)
					m.places = append(m.places, at)
				}
				if at.level == p.pyramid.levels()-1 {
					break
				}
				up := at.parent()
				if missing[up] == 0 {
					missing[up] = p.quarters(up)
				}
				missing[up]--
				if missing[up] > 0 {
					break
				}
				at = up
			}
		}
	}
}

func (at place) parent() place { return place{at.level + 1, at.col / 2, at.row / 2} }

// quarters is how many tiles lie below a tile.
func (p *Pack) quarters(at place) int {
	cols, rows := p.pyramid.grid(at.level - 1)
	return min(2, cols-2*at.col) * min(2, rows-2*at.row)
}

// finish orients a tile, and encodes and halves it and the parents that it completes.
func (m *maker) finish(job filled, scratch []byte) ([]byte, error) {
	p := &m.pack
	img, scratch := p.turn.turned(job.img, scratch)
	for at := job.at; ; {
		if at.level >= p.first {
			if err := m.encode(at, img); err != nil {
				return scratch, err
			}
		}
		var up *parent
		if at.level < p.pyramid.levels()-1 {
			up = m.parent(at.parent())
			halve(up.img, at.col%2*TileSide/2, at.row%2*TileSide/2, img)
		}
		if at.level == job.at.level {
			m.fresh <- img.Pix[:tileBytes]
		} else {
			m.mu.Lock()
			m.spare = append(m.spare, img.Pix[:tileBytes])
			m.mu.Unlock()
		}
		if up == nil || up.left.Add(-1) > 0 {
			return scratch, nil
		}
		at, img = at.parent(), up.img
		m.mu.Lock()
		delete(m.open, at)
		m.mu.Unlock()
	}
}

// parent gives a tile that waits for its quarters, made for the first of them.
func (m *maker) parent(at place) *parent {
	m.mu.Lock()
	defer m.mu.Unlock()
	if up := m.open[at]; up != nil {
		return up
	}
	var buf []byte
	if n := len(m.spare); n > 0 {
		buf, m.spare = m.spare[n-1], m.spare[:n-1]
	} else {
		buf = make([]byte, tileBytes)
	}
	r := m.pack.pyramid.tile(at)
	up := &parent{img: packed(buf, r.Dx(), r.Dy())}
	up.left.Store(int32(m.pack.quarters(at)))
	m.open[at] = up
	return up
}

// encode writes a tile, and those that waited for it, or keeps it until its turn.
func (m *maker) encode(at place, img *image.RGBA) error {
	var b exact
	if err := photo.EncodeJPEG(&b, img, m.pack.quality); err != nil {
		return err
	}
	m.out.Lock()
	defer m.out.Unlock()
	m.early[m.turns[at]] = b
	for {
		b, ok := m.early[m.next]
		if !ok {
			return nil
		}
		delete(m.early, m.next)
		if _, err := m.w.Write(b); err != nil {
			return err
		}
		m.pack.entries[m.pack.number(m.places[m.next])] = packEntry{m.offset, uint32(len(b)), crc32.Checksum(b, castagnoli)}
		m.offset += uint64(len(b))
		m.next++
	}
}

// exact keeps what is written in as much memory as it takes, when it comes in one go.
type exact []byte

func (e *exact) Write(b []byte) (int, error) {
	*e = append(*e, b...)
	return len(b), nil
}
