package blob

import (
	"context"
	"io"
	"iter"
	"time"

	"flawmark/app/qc"
)

// Files is what a [Folder] and a [Bucket] have in common. Both pass the same
// tests.
type Files interface {
	// Put stores what r holds and returns its digest and length once it is
	// durable. Storing what is already there succeeds, after a check that it is
	// undamaged. When it fails, nothing is stored.
	Put(ctx context.Context, r io.Reader) (qc.Digest, int64, error)
	PutBytes(ctx context.Context, data []byte) (qc.Digest, error)
	// Open opens a file for reading anywhere in it, or fails with
	// [qc.ErrNotFound]. The bytes are not checked against the digest.
	Open(d qc.Digest) (*File, error)
	// Read returns a whole file of at most limit bytes, checked against its
	// digest. It fails with [qc.ErrNotFound], [ErrTooLarge] or [ErrDigest].
	Read(d qc.Digest, limit int64) ([]byte, error)
	// Has reports whether the file is there, and its size.
	Has(d qc.Digest) (int64, bool, error)
	// Verify reads the whole file and fails with [ErrDigest] when it is
	// damaged, or with [qc.ErrNotFound].
	Verify(ctx context.Context, d qc.Digest) error
	// Remove deletes a file. One that is not there is no error.
	Remove(d qc.Digest) error
	// All yields the digests of all files in their order. An error ends it.
	All() iter.Seq2[qc.Digest, error]
	// Stage opens the upload with that id, new or where it was left.
	Stage(id string) (Staged, error)
	// Sweep deletes what nobody went on with since before.
	Sweep(before time.Time) (int, error)
	Close() error
}

var (
	_ Files = (*Folder)(nil)
	_ Files = (*Bucket)(nil)
)

// Staged is an upload in progress: bytes that have arrived and are durable, but
// may not be all. In this process it has one user at a time.
type Staged interface {
	// Size returns how many bytes are there.
	Size() int64
	// Append adds at most limit bytes of r and returns how many were added; they
	// are durable, also when it fails because r broke off or ctx ended. It fails
	// with [ErrBusy] when somebody else has appended meanwhile; Size is then what
	// is there now.
	Append(ctx context.Context, r io.Reader, limit int64) (int64, error)
	// Publish checks the whole content against want and makes it one of the
	// files. It fails with [ErrDigest] when it is something else, and then the
	// upload is discarded. The upload is closed in any case. Discard it once it
	// is noted that the file is there.
	Publish(ctx context.Context, want qc.Digest) (int64, error)
	// Discard deletes what has arrived, and closes the upload.
	Discard() error
	// Close leaves the upload for later. Closing twice is no error.
	Close() error
}
