package darkroom

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"

	"flawmark/app/qc"
	"flawmark/imaging/annotate"
	"flawmark/imaging/evidence"
	"flawmark/imaging/photo"
	"flawmark/imaging/tiles"
)

// errUnread: the original could not be read to its end, which says nothing of the
// photo. Where it is kept may be away for a while.
var errUnread = errors.New("original cannot be read now")

// watched remembers that reading has failed.
type watched struct {
	File
	broke bool
}

func (w *watched) note(err error) {
	w.broke = w.broke || err != nil && !errors.Is(err, io.EOF)
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.File.Read(p)
	w.note(err)
	return n, err
}

func (w *watched) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.File.ReadAt(p, off)
	w.note(err)
	return n, err
}

// develop makes what is missing of a subject.
func (d *Darkroom) develop(ctx context.Context, s Subject) (err error) {
	var missing []Rendition
	for _, r := range s.renditions() {
		if !d.made(ctx, s.Digest, s.profile(r)) {
			missing = append(missing, r)
		}
	}
	if e, err := d.openOriginal(ctx, s.Digest); err == nil {
		e.release()
		if len(missing) == 0 {
			return nil
		}
	}
	original, err := d.config.Originals.Open(s.Digest)
	if err != nil {
		return fmt.Errorf("open original %s: %w: %w", s.Digest, errUnread, err)
	}
	file := &watched{File: original}
	defer func() {
		if _ = file.Close(); err != nil && file.broke {
			err = fmt.Errorf("%w: %w", errUnread, err)
		}
	}()
	info, err := photo.Inspect(file, file.Size(), d.config.Limits)
	if err != nil {
		return fmt.Errorf("inspect original %s: %w", s.Digest, err)
	}
	release, err := d.config.Budget.Acquire(ctx, info.Memory+file.Size())
	if err != nil {
		return err
	}
	defer release()
	data := make([]byte, file.Size())
	if _, err := io.ReadFull(file, data); err != nil {
		return fmt.Errorf("read original %s: %w", s.Digest, err)
	}
	if qc.DigestOf(data) != s.Digest {
		return fmt.Errorf("original %s: the file is damaged", s.Digest)
	}
	index, err := tiles.Build(data, s.Digest, d.config.Limits)
	switch {
	case errors.Is(err, tiles.ErrNotIndexable):
		index = nil
	case err != nil:
		return err
	}
	for _, r := range missing {
		if err := d.redact(ctx, s, r, data, index); err != nil {
			return fmt.Errorf("make %s of %s without its hidden parts: %w", r, s.Digest, err)
		}
	}
	return d.pack(ctx, s.Digest, data, index)
}

func (d *Darkroom) made(ctx context.Context, digest qc.Digest, profile string) bool {
	file, err := d.config.Derived.Get(ctx, digest, profile)
	if err != nil {
		return false
	}
	_ = file.Close()
	return true
}

// pack keeps index and pack, the pack last: where it is, both were made.
func (d *Darkroom) pack(ctx context.Context, digest qc.Digest, data []byte, index *tiles.Index) error {
	if index != nil {
		stored, err := index.MarshalBinary()
		if err != nil {
			return err
		}
		err = d.config.Derived.Put(ctx, digest, indexProfile, func(w io.Writer) error {
			_, err := w.Write(stored)
			return err
		})
		if err != nil {
			return fmt.Errorf("keep index of %s: %w", digest, err)
		}
	}
	err := d.config.Derived.Put(ctx, digest, packProfile, func(w io.Writer) error {
		return tiles.WritePack(ctx, w, data, digest, d.config.Limits, tiles.PackOptions{Complete: index == nil, Workers: 1})
	})
	if err != nil {
		return fmt.Errorf("keep pack of %s: %w", digest, err)
	}
	return nil
}

// redact makes one rendition with everything hidden that the subject hides.
func (d *Darkroom) redact(ctx context.Context, s Subject, r Rendition, data []byte, index *tiles.Index) error {
	marks := make([]qc.Mark, len(s.Hidden))
	for i, rect := range s.Hidden {
		marks[i] = qc.Mark{Tool: qc.Redaction, Points: []qc.Point{
			{X: float64(rect.Min.X), Y: float64(rect.Min.Y)}, {X: float64(rect.Max.X), Y: float64(rect.Max.Y)},
		}}
	}
	return d.config.Derived.Put(ctx, s.Digest, s.profile(r), func(w io.Writer) error {
		if r == Full {
			shapes := make([]annotate.Shape, len(marks))
			for i, m := range marks {
				shapes[i] = annotate.Shape{Mark: m}
			}
			p := qc.Photo{ID: qc.PhotoID(s.Digest[:12]), Digest: s.Digest, Bytes: int64(len(data))}
			_, err := evidence.BurnIn(ctx, w, bytes.NewReader(data), p, shapes, evidence.Options{Index: index, Limits: d.config.Limits})
			return err
		}
		paint := func(img *image.RGBA, scale float64) { annotate.Redact(img, marks, annotate.View{Scale: scale}) }
		thumb, preview, err := photo.Redacted(data, s.Hidden, paint, d.config.Limits)
		if err != nil {
			return err
		}
		if r == Thumb {
			preview = thumb
		}
		_, err = w.Write(preview.Data)
		return err
	})
}
