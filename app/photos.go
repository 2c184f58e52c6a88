package main

import (
	"context"
	"path/filepath"
	"runtime/debug"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
	"flawmark/storage/blob"
	"flawmark/ui/model"
)

// How photos come to the models: the files by their digest, what is derived of
// them, and the memory that decoders share.

const (
	// largestDerived is what the cache of what is derived may take on the disk:
	// about the levels of 3,000 photos.
	largestDerived = 8 << 30
	// decodeMemory is what photos that arrive and levels that are made may take
	// at the same time.
	decodeMemory = 192 << 20
	// softMemory is above what a window keeps of photos; only while some are
	// decoded there is more.
	softMemory = 168 << 20
)

// photoFiles are the blobs as the models want them.
type photoFiles struct{ *blob.Folder }

// Open opens a stored file.
func (f photoFiles) Open(d qc.Digest) (model.File, error) {
	file, err := f.Folder.Open(d)
	if err != nil {
		return nil, err // not the file: a nil *blob.File would not be a nil File
	}
	return file, nil
}

// derivedFiles are the derivatives as the models want them.
type derivedFiles struct{ *blob.Derived }

// Get opens a derivative.
func (c derivedFiles) Get(ctx context.Context, d qc.Digest, profile string) (model.File, error) {
	file, err := c.Derived.Get(ctx, d, profile)
	if err != nil {
		return nil, err // as above
	}
	return file, nil
}

// openDerived opens the cache. A station without one works, only slower.
func (s *station) openDerived() {
	derived, err := blob.OpenDerived(filepath.Join(s.settings.Data, "derived"), largestDerived)
	if err != nil {
		s.log.Warn("photos are prepared anew each time", "error", err)
		return
	}
	s.derived = derived
}

// shelf is where photos are taken in to.
func (s *station) shelf() model.Shelf {
	shelf := model.Shelf{Blobs: photoFiles{s.blobs}, Budget: s.budget, Log: s.log}
	if s.derived != nil {
		shelf.Derived = derivedFiles{s.derived}
	}
	return shelf
}

// forget lets go of a photo file and what was derived of it.
func (s *station) forget(d qc.Digest) error {
	if s.derived != nil {
		if err := s.derived.Drop(d); err != nil {
			s.log.Warn("what was derived of a photo stays", "digest", d, "error", err)
		}
	}
	return s.blobs.Remove(d)
}

// newBudget is the memory that decoders share.
func newBudget() *photo.Budget { return photo.NewBudget(decodeMemory) }

// boundMemory keeps the heap near what is in use, which is mostly pixels: there
// are few of them to look at, and collecting more often costs little.
func boundMemory() {
	debug.SetGCPercent(20)
	debug.SetMemoryLimit(softMemory)
}
