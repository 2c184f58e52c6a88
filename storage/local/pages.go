package local

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
)

// The parts of bbolt's file format (version 2) that a check needs. Numbers are
// in the machine's own byte order.
const (
	boltMagic     = 0xED0CDAED
	boltVersion   = 2
	pageHead      = 16 // id 8, flags 2, count 2, overflow 4
	metaLength    = 64 // magic 4, version 4, page size 4, flags 4, root 16, freelist 8, high water 8, txid 8, checksum 8
	elementLength = 16
	bucketHead    = 16 // root page 8, sequence 8

	branchPage   = 0x01
	leafPage     = 0x02
	metaPage     = 0x04
	freelistPage = 0x10
	bucketFlag   = 0x01

	noFreelist = ^uint64(0)
	// maxDepth is far above any tree's, and below what a ring would reach.
	maxDepth = 64
)

var native = binary.NativeEndian

// checkPages reads every page that a database file uses and fails with
// [ErrDamaged] unless they form sound trees. It reads the file as bytes before
// bbolt maps it, because bbolt answers damage with panics, memory faults and
// endless loops.
func checkPages(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return unusable(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return damaged("%s is no file", path)
	}
	c := pageCheck{file: file, size: info.Size()}
	if err := c.readMeta(); err != nil {
		return fmt.Errorf("check %s: %w", path, err)
	}
	if err := c.readFreelist(); err != nil {
		return fmt.Errorf("check %s: %w", path, err)
	}
	if err := c.tree(c.root, nil, nil, 0); err != nil {
		return fmt.Errorf("check %s: %w", path, err)
	}
	return nil
}

type pageCheck struct {
	file      io.ReaderAt
	size      int64
	pageSize  int64
	root      uint64
	freelist  uint64
	highWater uint64 // the first page beyond those in use
	taken     []bool // pages that are free or have been seen
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// readMeta takes the newer of the two meta pages that are whole, as bbolt does.
func (c *pageCheck) readMeta() error {
	var newest uint64
	consider := func(offset int64) {
		buf := make([]byte, pageHead+metaLength)
		if _, err := c.file.ReadAt(buf, offset); err != nil {
			return
		}
		meta := buf[pageHead:]
		hash := fnv.New64a()
		_, _ = hash.Write(meta[:metaLength-8]) // a hash never fails
		sound := native.Uint16(buf[8:]) == metaPage && native.Uint32(meta) == boltMagic &&
			native.Uint32(meta[4:]) == boltVersion && native.Uint64(meta[56:]) == hash.Sum64()
		pageSize, txid := int64(native.Uint32(meta[8:])), native.Uint64(meta[48:])
		if !sound || offset != 0 && offset != pageSize || c.pageSize != 0 && txid <= newest {
			return
		}
		newest, c.pageSize = txid, pageSize
		c.root, c.freelist, c.highWater = native.Uint64(meta[16:]), native.Uint64(meta[32:]), native.Uint64(meta[40:])
	}
	consider(0)
	for pageSize := int64(1024); pageSize <= 1<<16; pageSize <<= 1 {
		consider(pageSize)
	}
	switch {
	case c.pageSize < 512 || c.pageSize > 1<<20:
		return damaged("no meta page is whole")
	case c.highWater < 3 || c.highWater > uint64(c.size/c.pageSize):
		return damaged("%d pages are in use, the file has %d", c.highWater, c.size/c.pageSize)
	}
	c.taken = make([]bool, c.highWater)
	c.taken[0], c.taken[1] = true, true
	return nil
}

// page reads a page with what overflows from it, and takes it.
func (c *pageCheck) page(id uint64) (data []byte, flags uint16, count int, err error) {
	if id >= c.highWater {
		return nil, 0, 0, damaged("page %d is beyond the end", id)
	}
	offset := int64(id) * c.pageSize
	head := make([]byte, pageHead)
	if _, err := c.file.ReadAt(head, offset); err != nil {
		return nil, 0, 0, c.unread(id, err)
	}
	if native.Uint64(head) != id {
		return nil, 0, 0, damaged("page %d says it is page %d", id, native.Uint64(head))
	}
	overflow := uint64(native.Uint32(head[12:]))
	if overflow >= c.highWater-id {
		return nil, 0, 0, damaged("page %d overflows the end", id)
	}
	for i := id; i <= id+overflow; i++ {
		if c.taken[i] {
			return nil, 0, 0, damaged("page %d is used twice, or is free", i)
		}
		c.taken[i] = true
	}
	data = make([]byte, int64(overflow+1)*c.pageSize)
	if _, err := c.file.ReadAt(data, offset); err != nil {
		return nil, 0, 0, c.unread(id, err)
	}
	return data, native.Uint16(head[8:]), int(native.Uint16(head[10:])), nil
}

// unread tells a file that is too short from a disk that cannot be read now.
func (c *pageCheck) unread(id uint64, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("page %d is cut off", id)
	}
	return unusable(fmt.Errorf("read page %d: %w", id, err))
}

// unusable tells a file that nobody will read any more (no permission, a bad
// sector, a link to itself) from a passing want, of handles or of memory. The
// former is damage like any other: it is set aside, and the rest goes on.
func unusable(err error) error {
	if errors.Is(err, fs.ErrPermission) || isUnreadable(err) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

func (c *pageCheck) readFreelist() error {
	if c.freelist == noFreelist {
		return nil
	}
	data, flags, count, err := c.page(c.freelist)
	if err != nil {
		return err
	}
	if flags != freelistPage {
		return damaged("the list of free pages has flags %#x", flags)
	}
	ids := data[pageHead:]
	if count == 0xFFFF { // too many for the field
		long := native.Uint64(ids)
		ids = ids[8:]
		if long > uint64(len(ids)/8) {
			return damaged("%d free pages do not fit", long)
		}
		count = int(long)
	}
	if count > len(ids)/8 {
		return damaged("%d free pages do not fit", count)
	}
	for i := range count {
		id := native.Uint64(ids[i*8:])
		if id >= c.highWater || c.taken[id] {
			return damaged("free page %d is in use, listed twice, or beyond the end", id)
		}
		c.taken[id] = true
	}
	return nil
}

// tree checks the page id and all below it. Their keys are at least low and
// below high, where these are given.
func (c *pageCheck) tree(id uint64, low, high []byte, depth int) error {
	if depth > maxDepth {
		return damaged("page %d is too deep", id)
	}
	data, flags, count, err := c.page(id)
	if err != nil {
		return err
	}
	switch flags {
	case leafPage:
		return c.leaf(data, count, low, high, depth)
	case branchPage:
		return c.branch(id, data, count, low, high, depth)
	}
	return damaged("page %d has flags %#x", id, flags)
}

func (c *pageCheck) branch(id uint64, data []byte, count int, low, high []byte, depth int) error {
	if count == 0 {
		return damaged("branch page %d is empty", id)
	}
	keys, children := make([][]byte, count), make([]uint64, count)
	for i := range count {
		at := pageHead + i*elementLength
		if at+elementLength > len(data) {
			return damaged("branch page %d has too many entries", id)
		}
		key, ok := slice(data, at, native.Uint32(data[at:]), native.Uint32(data[at+4:]))
		if !ok || i > 0 && bytes.Compare(keys[i-1], key) >= 0 {
			return damaged("branch page %d: entry %d is out of order or place", id, i)
		}
		keys[i], children[i] = key, native.Uint64(data[at+8:])
	}
	for i, child := range children {
		from, to := low, high
		if i > 0 { // the first child may hold smaller keys than its entry says
			from = keys[i]
		}
		if i+1 < count {
			to = keys[i+1]
		}
		if err := c.tree(child, from, to, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (c *pageCheck) leaf(data []byte, count int, low, high []byte, depth int) error {
	var before []byte
	for i := range count {
		at := pageHead + i*elementLength
		if at+elementLength > len(data) {
			return damaged("leaf page has too many entries")
		}
		flags, pos := native.Uint32(data[at:]), native.Uint32(data[at+4:])
		keyLength, valueLength := native.Uint32(data[at+8:]), native.Uint32(data[at+12:])
		key, ok := slice(data, at, pos, keyLength)
		if !ok || i > 0 && bytes.Compare(before, key) >= 0 ||
			low != nil && bytes.Compare(key, low) < 0 || high != nil && bytes.Compare(key, high) >= 0 {
			return damaged("leaf entry %d is out of order or place", i)
		}
		before = key
		value, ok := slice(data, at+int(keyLength), pos, valueLength)
		if !ok {
			return damaged("value of leaf entry %d is out of place", i)
		}
		if flags&bucketFlag != 0 {
			if err := c.bucket(value, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// bucket checks the tree of a bucket, which is a page of its own or, when
// small, lies within the value.
func (c *pageCheck) bucket(value []byte, depth int) error {
	if len(value) < bucketHead {
		return damaged("bucket without a head")
	}
	if root := native.Uint64(value); root != 0 {
		return c.tree(root, nil, nil, depth+1)
	}
	inline := value[bucketHead:]
	if len(inline) < pageHead || native.Uint16(inline[8:]) != leafPage || depth > maxDepth {
		return damaged("small bucket is no leaf page")
	}
	return c.leaf(inline, int(native.Uint16(inline[10:])), nil, nil, depth+1)
}

// slice returns length bytes at pos from the element at base.
func slice(data []byte, base int, pos, length uint32) ([]byte, bool) {
	from := uint64(base) + uint64(pos)
	to := from + uint64(length)
	if to > uint64(len(data)) {
		return nil, false
	}
	return data[from:to:to], true
}
