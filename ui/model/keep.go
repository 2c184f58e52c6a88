package model

import (
	"context"
	"fmt"
	"image"
	"io"
	"log/slog"
	"time"

	"flawmark/app/qc"
	"flawmark/imaging/ingest"
	"flawmark/imaging/photo"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// File is a kept file, open for reading at any place.
type File interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Blobs keeps photo files by digest. What Put and PutBytes have returned a
// digest of is durable; when r of Put fails, nothing is kept. Read fails when
// the file is larger than limit bytes or is not what its digest says. Read and
// Open fail with [qc.ErrNotFound] when it is not here.
type Blobs interface {
	Put(ctx context.Context, r io.Reader) (qc.Digest, int64, error)
	PutBytes(ctx context.Context, data []byte) (qc.Digest, error)
	Read(d qc.Digest, limit int64) ([]byte, error)
	Open(d qc.Digest) (File, error)
}

// Derived keeps what can be made again of an original, by the original's
// digest and a profile. It may forget: Get then fails with [qc.ErrNotFound].
type Derived interface {
	Get(ctx context.Context, d qc.Digest, profile string) (File, error)
	Put(ctx context.Context, d qc.Digest, profile string, write func(io.Writer) error) error
}

// The profiles of what is derived.
const (
	profileIndex  = "index"  // where the parts of a JPEG are
	profileLevels = "levels" // the coarser levels, or all of what has no index
)

// Shelf is where photos are taken in to. Blobs is needed.
type Shelf struct {
	Blobs   Blobs
	Derived Derived       // nil: what is derived is not kept
	Budget  *photo.Budget // nil: memory is bounded by each photo only
	Log     *slog.Logger  // nil: none
}

// Taken is a photo that has been taken in and kept.
type Taken struct {
	Photo    qc.Photo
	Warnings []string // word keys of what makes it poor evidence: photo.blurred, photo.dark, photo.clipped

	preview *image.RGBA
}

// Take takes a photo in from src, in one read: the original is hashed and kept
// while it comes, its index and renditions are made beside, and the files are
// durable before the photo that names them is returned. It is what the window
// does with a photo, for commands without one.
func (s Shelf) Take(ctx context.Context, name string, src io.Reader, at time.Time) (Taken, error) {
	return s.take(ctx, qc.PhotoID(uuid.Must(uuid.NewV7()).String()), name, src, at, nil)
}

// PhotoProblem returns the key of the sentence that says why a file was not
// taken as a photo.
func PhotoProblem(err error) string {
	if key := errorKey(err); key != "" {
		return key
	}
	return "error.unexpected"
}

func (s Shelf) take(ctx context.Context, id qc.PhotoID, name string, src io.Reader, at time.Time, early func(*image.RGBA)) (Taken, error) {
	var t Taken
	intake := ingest.Intake{Budget: s.Budget, Early: func(img *image.RGBA) {
		t.preview = img // the last one is the preview
		if early != nil {
			early(img)
		}
	}}
	a, err := s.receive(ctx, intake, src)
	if err != nil {
		return Taken{}, fmt.Errorf("take in photo %s: %w", name, err)
	}
	t.Warnings = a.Quality.Warnings
	t.Photo = qc.Photo{
		ID: id, Digest: a.Digest, Bytes: a.Bytes, MediaType: string(a.Info.Kind),
		Width: a.Info.Width, Height: a.Info.Height, Name: name, CapturedAt: a.Info.CapturedAt, ReceivedAt: at,
	}
	// The files first: a photo in a draft must never point at nothing.
	if t.Photo.Preview, err = keepRendition(ctx, s.Blobs, a.Preview); err != nil {
		return Taken{}, fmt.Errorf("keep photo %s: %w", name, err)
	}
	if t.Photo.Thumb, err = keepRendition(ctx, s.Blobs, a.Thumb); err != nil {
		return Taken{}, fmt.Errorf("keep photo %s: %w", name, err)
	}
	if a.Index != nil && s.Derived != nil {
		// Without it the photo opens later, and is as good.
		if err := keepDerived(ctx, s.Derived, a.Digest, profileIndex, a.Index); err != nil && s.Log != nil {
			s.Log.Warn("index of photo is not kept", "digest", a.Digest, "error", err)
		}
	}
	return t, nil
}

// receive runs the arrival and the keeping of the original side by side: each
// ends with the other's error, and nothing is kept of what is no photo.
func (s Shelf) receive(ctx context.Context, intake ingest.Intake, src io.Reader) (ingest.Arrival, error) {
	var a ingest.Arrival
	var kept qc.Digest
	from, to := io.Pipe()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		kept, _, err = s.Blobs.Put(ctx, from)
		from.CloseWithError(err)
		return err
	})
	group.Go(func() (err error) {
		a, err = intake.Take(ctx, src, to)
		to.CloseWithError(err) // nil is the file's end
		return err
	})
	if err := group.Wait(); err != nil {
		return ingest.Arrival{}, err
	}
	if kept != a.Digest {
		return ingest.Arrival{}, fmt.Errorf("%w: %s was kept, %s came", qc.ErrDigest, kept, a.Digest)
	}
	return a, nil
}

func keepDerived(ctx context.Context, derived Derived, d qc.Digest, profile string, data []byte) error {
	return derived.Put(ctx, d, profile, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
