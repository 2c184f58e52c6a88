package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
)

// indexes keeps the indexes used last; one of 100 megapixels takes 3 MiB. It is
// safe for use by several goroutines.
type indexes struct {
	mu   sync.Mutex
	kept []*tiles.Index // the one used last at the end
}

const indexesKept = 6

func (x *indexes) get(d qc.Digest) *tiles.Index {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := slices.IndexFunc(x.kept, func(one *tiles.Index) bool { return one.Digest() == d })
	if n < 0 {
		return nil
	}
	one := x.kept[n]
	x.kept = append(slices.Delete(x.kept, n, n+1), one)
	return one
}

func (x *indexes) put(one *tiles.Index) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.kept = append(x.kept, one)
	if len(x.kept) > indexesKept {
		x.kept = slices.Delete(x.kept, 0, len(x.kept)-indexesKept)
	}
}

// index returns the index of an original of size bytes as it is kept. It fails
// with [qc.ErrNotFound] when it must be made.
func (p *Pictures) index(ctx context.Context, d qc.Digest, size int64) (*tiles.Index, error) {
	if one := p.indexes.get(d); one != nil {
		return one, nil
	}
	if p.parts.Derived == nil {
		return nil, qc.ErrNotFound
	}
	f, err := p.parts.Derived.Get(ctx, d, profileIndex)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	stored := make([]byte, f.Size())
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, f.Size()), stored); err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	one, err := tiles.Unmarshal(stored, d, size)
	if err != nil {
		p.parts.Log.Warn("index of a photo is damaged, and is made again", "digest", d, "error", err)
		return nil, qc.ErrNotFound
	}
	p.indexes.put(one)
	return one, nil
}

// makeIndex makes and keeps the index of an original. It fails with
// [tiles.ErrNotIndexable] when there is none.
func (p *Pictures) makeIndex(ctx context.Context, d qc.Digest, original File) (*tiles.Index, error) {
	info, err := photo.Inspect(original, original.Size(), photo.Limits{})
	if err != nil {
		return nil, err
	}
	if info.Kind != photo.JPEG || info.Progressive {
		return nil, tiles.ErrNotIndexable // without reading it
	}
	release, err := p.parts.Budget.Acquire(ctx, original.Size())
	if err != nil {
		return nil, err
	}
	defer release()
	data, err := p.parts.Blobs.Read(d, photo.DefaultLimits().Bytes)
	if err != nil {
		return nil, err
	}
	return p.buildIndex(ctx, d, data)
}

func (p *Pictures) buildIndex(ctx context.Context, d qc.Digest, data []byte) (*tiles.Index, error) {
	if info, err := photo.Inspect(bytes.NewReader(data), int64(len(data)), photo.Limits{}); err != nil {
		return nil, err
	} else if info.Kind != photo.JPEG || info.Progressive {
		return nil, tiles.ErrNotIndexable
	}
	one, err := tiles.Build(data, d, photo.Limits{})
	if err != nil {
		return nil, err
	}
	p.indexes.put(one)
	if p.parts.Derived == nil {
		return one, nil
	}
	stored, err := one.MarshalBinary()
	if err == nil {
		err = keepDerived(ctx, p.parts.Derived, d, profileIndex, stored)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		p.parts.Log.Warn("index of photo is not kept", "digest", d, "error", err)
	}
	return one, nil
}
