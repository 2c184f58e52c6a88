package blob

import (
	"container/list"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"

	"flawmark/app/qc"

	"golang.org/x/sync/singleflight"
)

// A window is a stretch of a file that is fetched and kept as one: tiles and
// regions of a photo lie near each other. What is kept of all files of a bucket
// together is bounded. It is never wrong, because files do not change.
const (
	windowSize  = 256 << 10
	mostWindows = 128
)

type window struct {
	file qc.Digest
	n    int64
}

// windows keeps those that were read last.
type windows struct {
	fetches singleflight.Group

	mu    sync.Mutex
	order *list.List // of *kept, the newest first
	all   map[window]*list.Element
}

type kept struct {
	window
	data []byte
}

func newWindows() *windows {
	return &windows{order: list.New(), all: make(map[window]*list.Element)}
}

func (w *windows) get(at window) ([]byte, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	element, ok := w.all[at]
	if !ok {
		return nil, false
	}
	w.order.MoveToFront(element)
	return element.Value.(*kept).data, true //nolint:forcetypeassert // nothing else is put there
}

func (w *windows) put(at window, data []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.all[at]; ok {
		return
	}
	w.all[at] = w.order.PushFront(&kept{at, data})
	for w.order.Len() > mostWindows {
		w.forget(w.order.Back())
	}
}

func (w *windows) forget(element *list.Element) {
	w.order.Remove(element)
	delete(w.all, element.Value.(*kept).window) //nolint:forcetypeassert // likewise
}

// drop forgets a file.
func (w *windows) drop(d qc.Digest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for at, element := range w.all {
		if at.file == d {
			w.forget(element)
		}
	}
}

// window returns the n-th window of a file of that size and whether it had to be
// fetched; then so many are, as far as the file goes, for whoever reads on. Who
// asks for the same at the same time waits for one answer.
func (b *Bucket) window(d qc.Digest, key string, size, n, ahead int64) (data []byte, fetched bool, err error) {
	if data, ok := b.windows.get(window{d, n}); ok {
		return data, false, nil
	}
	got, err, _ := b.windows.fetches.Do(string(d)+"/"+strconv.FormatInt(n, 10), func() (any, error) {
		if data, ok := b.windows.get(window{d, n}); ok {
			return data, nil // came between the two looks
		}
		return b.fetch(d, key, size, n, max(ahead, 1))
	})
	if err != nil {
		return nil, false, err
	}
	return got.([]byte), true, nil //nolint:forcetypeassert // that is what fetch returns
}

// fetch asks for count windows from the n-th on, keeps them, and returns the
// first.
func (b *Bucket) fetch(d qc.Digest, key string, size, n, count int64) ([]byte, error) {
	from, to := n*windowSize, min((n+count)*windowSize, size)
	data := make([]byte, to-from)
	s := b.stream(b.life, key, to)
	s.at = from
	_, err := io.ReadFull(s, data)
	s.close()
	if err != nil {
		return nil, fmt.Errorf("read photo file %s: %w", d, err)
	}
	first := data[:min(windowSize, len(data))]
	for i := int64(0); i*windowSize < int64(len(data)); i++ {
		part := data[i*windowSize : min((i+1)*windowSize, int64(len(data)))]
		if count > 1 {
			part = slices.Clone(part) // one that is kept does not keep the others
		}
		b.windows.put(window{d, n + i}, part)
	}
	return first, nil
}
