package local

import (
	"encoding/json"
	"errors"
	"os"

	"flawmark/app/qc"
)

// salvageDrafts reads the drafts that a damaged database still has. It never
// lets bbolt near the file: it follows the tree as far as that is sound, and
// where it is not, it looks through every page for what can only be a draft.
// The pages of a draft that was dropped lately may still be there, so one too
// many may come back, rather than one too few.
func salvageDrafts(path string) map[qc.ItemID]qc.Draft {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	c := pageCheck{file: file, size: info.Size()}
	found := make(salvage)
	if err := c.readMeta(); err == nil && found.follow(&c) {
		return found
	}
	if c.pageSize == 0 {
		c.pageSize = int64(os.Getpagesize())
	}
	for offset := int64(0); offset < c.size; offset += c.pageSize {
		found.scan(&c, offset)
	}
	return found
}

type salvage map[qc.ItemID]qc.Draft

// take keeps what is a draft; of several of one item the newest.
func (s salvage) take(key, value []byte) {
	var draft qc.Draft
	if json.Unmarshal(value, &draft) != nil {
		return
	}
	item := draft.Finding.Item
	if item == "" || string(item) != string(key) || draft.UpdatedAt.IsZero() {
		return
	}
	if known, ok := s[item]; !ok || known.UpdatedAt.Before(draft.UpdatedAt) {
		s[item] = draft
	}
}

// follow walks the tree to the drafts and reports whether all of the way was
// sound.
func (s salvage) follow(c *pageCheck) bool {
	sound, reached := true, false
	c.walk(c.root, 0, &sound, func(flags uint32, key, value []byte) {
		if flags&bucketFlag == 0 || string(key) != string(inDrafts) || len(value) < bucketHead {
			return
		}
		reached = true
		take := func(_ uint32, key, value []byte) { s.take(key, value) }
		if root := native.Uint64(value); root != 0 {
			c.walk(root, 0, &sound, take)
		} else {
			elements(value[bucketHead:], &sound, take)
		}
	})
	return sound && reached
}

// walk calls visit for all entries below a page that can be read.
func (c *pageCheck) walk(id uint64, depth int, sound *bool, visit func(flags uint32, key, value []byte)) {
	if depth > maxDepth {
		*sound = false
		return
	}
	data, flags, count, err := c.page(id)
	switch {
	case err != nil:
		*sound = false
	case flags == leafPage:
		elements(data, sound, visit)
	case flags == branchPage:
		for i := range count {
			at := pageHead + i*elementLength
			if at+elementLength > len(data) {
				*sound = false
				return
			}
			c.walk(native.Uint64(data[at+8:]), depth+1, sound, visit)
		}
	default:
		*sound = false
	}
}

// elements calls visit for the entries of a leaf page that lie within it.
func elements(data []byte, sound *bool, visit func(flags uint32, key, value []byte)) {
	if len(data) < pageHead || native.Uint16(data[8:]) != leafPage {
		*sound = false
		return
	}
	for i := range int(native.Uint16(data[10:])) {
		at := pageHead + i*elementLength
		if at+elementLength > len(data) {
			*sound = false
			return
		}
		pos, keySize, valueSize := native.Uint32(data[at+4:]), native.Uint32(data[at+8:]), native.Uint32(data[at+12:])
		key, ok := slice(data, at, pos, keySize)
		value, fits := slice(data, at, pos+keySize, valueSize)
		if !ok || !fits || pos+keySize < pos {
			*sound = false
			continue
		}
		visit(native.Uint32(data[at:]), key, value)
	}
}

// scan looks at one place of the file, whatever should be there.
func (s salvage) scan(c *pageCheck, offset int64) {
	// A long draft overflows onto the pages behind; this is more than any has.
	const most = 4 << 20
	head := make([]byte, pageHead)
	if _, err := c.file.ReadAt(head, offset); err != nil || native.Uint16(head[8:]) != leafPage {
		return
	}
	length := min((int64(native.Uint32(head[12:]))+1)*c.pageSize, most, c.size-offset)
	data := make([]byte, length)
	if n, err := c.file.ReadAt(data, offset); err != nil {
		if data = data[:n]; errors.Is(err, os.ErrClosed) {
			return
		}
	}
	ignored := true
	elements(data, &ignored, func(flags uint32, key, value []byte) {
		switch {
		case flags&bucketFlag == 0:
			s.take(key, value)
		case string(key) == string(inDrafts) && len(value) > bucketHead:
			elements(value[bucketHead:], &ignored, func(_ uint32, key, value []byte) { s.take(key, value) })
		}
	})
}
