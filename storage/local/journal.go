package local

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"flawmark/app/qc"
)

// A journal is a row of segments, 000001.qcj and so on. A segment is
//
//	magic, frame of the header (JSON), then a frame for each sealed event
//	frame = length (4 bytes, little endian) | CRC-32C of the payload | payload
//
// Each frame is on the disk before the next one is written, so only the last
// one of the last segment can be unfinished. A segment gets its name when its
// header is complete.
const (
	journalMagic  = "FLAWQCJ1"
	journalSuffix = ".qcj"
	frameHead     = 8
	// maxFrame is far above any event; a longer one is damage.
	maxFrame = 16 << 20
	// segmentSize is where a new segment is begun.
	segmentSize = 16 << 20
)

// segmentHeader ties a segment to its log.
type segmentHeader struct {
	Epoch string       `json:"epoch"`
	First uint64       `json:"first"` // number of its first event
	Prev  qc.ChainHash `json:"prev"`  // of the event before
}

// segment is what is in one file.
type segment struct {
	number  int
	path    string
	header  segmentHeader
	records [][]byte // sealed events
	good    int64    // bytes up to the end of the last whole frame
	bad     int64    // bytes after it
}

// last returns the number of the segment's last event.
func (s segment) last() uint64 { return s.header.First + uint64(len(s.records)) - 1 }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame wraps a payload for the journal.
func frame(payload []byte) []byte {
	framed := make([]byte, frameHead, frameHead+len(payload))
	binary.LittleEndian.PutUint32(framed, uint32(len(payload)))
	binary.LittleEndian.PutUint32(framed[4:], crc32.Checksum(payload, castagnoli))
	return append(framed, payload...)
}

// unframe returns the payload of the first frame and what follows it, or false
// when there is no whole one. No frame is empty: zeros are not a frame.
func unframe(data []byte) (payload, rest []byte, ok bool) {
	if len(data) < frameHead {
		return nil, data, false
	}
	length := int(binary.LittleEndian.Uint32(data))
	if length == 0 || length > maxFrame || length > len(data)-frameHead {
		return nil, data, false
	}
	payload = data[frameHead : frameHead+length]
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(data[4:]) {
		return nil, data, false
	}
	return payload, data[frameHead+length:], true
}

// parseSegment reads a segment's bytes up to the first frame that is not whole.
// It fails with [ErrDamaged] when not even the header is.
func parseSegment(data []byte) (segment, error) {
	var seg segment
	rest, ok := bytes.CutPrefix(data, []byte(journalMagic))
	if !ok {
		return seg, fmt.Errorf("%w: not a journal", ErrDamaged)
	}
	payload, tail, ok := unframe(rest)
	if !ok || json.Unmarshal(payload, &seg.header) != nil || seg.header.Epoch == "" || seg.header.First == 0 {
		return seg, fmt.Errorf("%w: journal without a header", ErrDamaged)
	}
	for {
		payload, rest, ok := unframe(tail)
		if !ok {
			break
		}
		seg.records = append(seg.records, payload)
		tail = rest
	}
	seg.bad = int64(len(tail))
	seg.good = int64(len(data)) - seg.bad
	return seg, nil
}

// readSegment reads one file.
func readSegment(dir string, number int) (segment, error) {
	path := filepath.Join(dir, segmentName(number))
	data, err := os.ReadFile(path)
	if err != nil {
		return segment{}, fmt.Errorf("read journal: %w", err)
	}
	seg, err := parseSegment(data)
	seg.number, seg.path = number, path
	if err != nil {
		return seg, fmt.Errorf("read journal %s: %w", path, err)
	}
	return seg, nil
}

func segmentName(number int) string { return fmt.Sprintf("%06d%s", number, journalSuffix) }

// segmentNumbers lists the segments in their order. Those whose making was cut
// short have another suffix and are written over by the next one.
func segmentNumbers(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list journal: %w", err)
	}
	var numbers []int
	for _, entry := range entries {
		base, ok := strings.CutSuffix(entry.Name(), journalSuffix)
		if number, err := strconv.Atoi(base); ok && err == nil && number > 0 {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// journal is the segment that is being written.
type journal struct {
	dir    string
	number int
	file   *os.File
	size   int64
	limit  int64 // where a new segment is begun
	sync   func(*os.File) error
}

func newJournal(dir string) *journal {
	return &journal{dir: dir, limit: segmentSize, sync: (*os.File).Sync}
}

// resume goes on writing at the end of a segment, behind its last whole frame.
func (j *journal) resume(seg segment) error {
	file, err := os.OpenFile(seg.path, os.O_RDWR, fileMode)
	if err != nil {
		return fmt.Errorf("open journal: %w", err)
	}
	if seg.bad > 0 {
		if err := errors.Join(file.Truncate(seg.good), j.sync(file)); err != nil {
			return errors.Join(fmt.Errorf("cut journal %s: %w", seg.path, err), file.Close())
		}
	}
	j.number, j.file, j.size = seg.number, file, seg.good
	return nil
}

// begin starts the next segment.
func (j *journal) begin(header segmentHeader) error {
	head, err := json.Marshal(header)
	if err != nil {
		return fmt.Errorf("begin journal: %w", err)
	}
	head = append([]byte(journalMagic), frame(head)...)
	path := filepath.Join(j.dir, segmentName(j.number+1))
	if err := writeDurably(path, head); err != nil {
		return fmt.Errorf("begin journal: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, fileMode)
	if err != nil {
		return fmt.Errorf("begin journal: %w", err)
	}
	if err := j.close(); err != nil {
		return errors.Join(err, file.Close())
	}
	j.number, j.file, j.size = j.number+1, file, int64(len(head))
	return nil
}

// append writes a sealed event and returns when it is on the disk, with the
// length to cut back to if the event is taken back. When it fails, nothing of
// the event is left; [ErrSync] says that this, too, could not be ensured.
func (j *journal) append(sealed []byte, header segmentHeader) (before int64, err error) {
	if len(sealed) > maxFrame {
		return 0, fmt.Errorf("append to journal: event of %d bytes is too large", len(sealed))
	}
	if j.size >= j.limit {
		if err := j.begin(header); err != nil {
			return 0, classify(err)
		}
	}
	before = j.size
	framed := frame(sealed)
	if _, err := j.file.WriteAt(framed, before); err != nil {
		return before, errors.Join(classify(fmt.Errorf("append to journal: %w", err)), j.cut(before))
	}
	if err := j.sync(j.file); err != nil {
		// What this promised is unknown now, and asking again would lie.
		cutErr := j.cut(before)
		return before, fmt.Errorf("append to journal: %w: %w", ErrSync, errors.Join(err, cutErr))
	}
	j.size = before + int64(len(framed))
	return before, nil
}

// cut takes back everything from length on. It fails with [ErrSync].
func (j *journal) cut(length int64) error {
	if err := errors.Join(j.file.Truncate(length), j.sync(j.file)); err != nil {
		return fmt.Errorf("cut journal: %w: %w", ErrSync, err)
	}
	j.size = length
	return nil
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	file := j.file
	j.file = nil
	return file.Close()
}

// writeDurably makes a file appear whole or not at all.
func writeDurably(path string, data []byte) error {
	temp := path + ".new"
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// classify names a full disk.
func classify(err error) error {
	if err != nil && isFull(err) && !errors.Is(err, ErrFull) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
