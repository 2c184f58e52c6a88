package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"sync"

	"flawmark/app/qc"

	"github.com/minio/minio-go/v7"
)

// stagedPieces is a [Staged] of a bucket. What has arrived is a chain of objects,
// each named by the offset at which it begins. One is made only where there is
// none of that name, so however many centres append to an upload, at every offset
// one of them was first, and how far the upload has come is the same for all and
// never goes back.
type stagedPieces struct {
	b      *Bucket
	id     string
	pieces []piece
	size   int64
	// only is the first piece while it is the only one and of this request: most
	// previews are, and need not be fetched to be published.
	only []byte
	once sync.Once
}

type piece struct {
	key  string
	size int64
}

// Stage opens the upload with that id, new or where it was left, by this centre
// or another one. An id has 1 to 128 letters, digits, hyphens and underscores. It
// fails with [ErrName], with [ErrBusy] while the upload is open in this process,
// [ErrAway] or [ErrBucket].
func (b *Bucket) Stage(id string) (Staged, error) {
	if err := checkUploadID(id); err != nil {
		return nil, err
	}
	b.mu.Lock()
	busy := b.staged[id]
	b.staged[id] = true
	b.mu.Unlock()
	if busy {
		return nil, fmt.Errorf("open upload %s: %w", id, ErrBusy)
	}
	s := &stagedPieces{b: b, id: id}
	if err := s.look(); err != nil {
		return nil, errors.Join(fmt.Errorf("open upload %s: %w", id, err), s.Close())
	}
	return s, nil
}

func (s *stagedPieces) folder() string { return s.b.prefix + path.Join(stagedDir, s.id) + "/" }

// key names the piece at an offset, so that the names' order is the offsets'.
func (s *stagedPieces) key(offset int64) string {
	return s.folder() + fmt.Sprintf("%015d", offset)
}

// look follows the chain from its beginning as far as it goes.
func (s *stagedPieces) look() error {
	s.pieces, s.size, s.only = nil, 0, nil
	for info, err := range s.b.list(s.folder()) {
		if err != nil {
			return err
		}
		if offset, err := strconv.ParseInt(path.Base(info.Key), 10, 64); err != nil || offset != s.size {
			continue // not ours
		}
		s.pieces = append(s.pieces, piece{info.Key, info.Size})
		s.size += info.Size
	}
	return nil
}

// Size returns how many bytes are there.
func (s *stagedPieces) Size() int64 { return s.size }

// Append adds at most limit bytes of r and returns how many were added; the store
// has them, also when it fails because r broke off or ctx ended. It fails with
// [ErrBusy] when somebody else has appended meanwhile, [ErrFull], [ErrAway] or
// [ErrBucket].
func (s *stagedPieces) Append(ctx context.Context, r io.Reader, limit int64) (added int64, err error) {
	select {
	case s.b.pieces <- struct{}{}:
		defer func() { <-s.b.pieces }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	for limit > 0 {
		var buffer bytes.Buffer // grows as bytes come: most are far smaller than a piece
		_, readErr := copyBytes(ctx, &buffer, io.LimitReader(r, min(limit, pieceSize)))
		n := int64(buffer.Len())
		if n > 0 {
			if err := s.put(ctx, buffer.Bytes()); err != nil {
				return added, fmt.Errorf("append to upload %s: %w", s.id, err)
			}
			added += n
			limit -= n
		}
		if readErr != nil {
			return added, fmt.Errorf("append to upload %s: %w", s.id, readErr)
		}
		if n < pieceSize {
			break // the end of r, or of limit
		}
	}
	return added, nil
}

// put makes the next piece.
func (s *stagedPieces) put(ctx context.Context, data []byte) error {
	key, size := s.key(s.size), int64(len(data))
	ctx = context.WithoutCancel(ctx) // what has arrived is kept
	err := s.b.create(ctx, key, bytes.NewReader(data), size, qc.DigestOf(data), "")
	if errors.Is(err, errTaken) || errors.Is(err, ErrAway) { // see [Bucket.publish]
		err = s.settle(ctx, key, data, err)
	}
	if err != nil {
		return err
	}
	s.only = nil
	if s.size == 0 {
		s.only = data
	}
	s.pieces = append(s.pieces, piece{key, size})
	s.size += size
	return nil
}

// settle finds out what became of a piece that the store did not say it has taken.
// It may have, when its answer was lost; then the next try meets itself.
func (s *stagedPieces) settle(ctx context.Context, key string, data []byte, refused error) error {
	ctx, cancel := s.b.within(ctx, int64(len(data)))
	defer cancel()
	info, err := s.b.core.StatObject(ctx, s.b.name, key, minio.StatObjectOptions{})
	if err != nil {
		return refused
	}
	from := s.b.stream(ctx, key, info.Size)
	there, err := io.ReadAll(from)
	from.close()
	if err != nil || bytes.Equal(there, data) {
		return err
	}
	if err := s.look(); err != nil {
		return err
	}
	return fmt.Errorf("%w: somebody else has appended to it", ErrBusy)
}

// Publish checks the whole content against want and makes it a file of the
// bucket. It fails with [ErrDigest] when it is something else, and then the
// upload is discarded. The upload is closed in any case; its pieces stay until
// [Staged.Discard], so that whoever asks meanwhile hears that all has arrived.
func (s *stagedPieces) Publish(ctx context.Context, want qc.Digest) (int64, error) {
	var whole *sealed
	var pieces *chain
	err := s.b.publish(ctx, want, s.size, func() (io.Reader, error) {
		if s.only != nil {
			if qc.DigestOf(s.only) != want {
				return nil, ErrDigest
			}
			return bytes.NewReader(s.only), nil
		}
		pieces.close()
		pieces = &chain{b: s.b, ctx: ctx, left: s.pieces}
		whole = newSealed(pieces, s.size, want)
		return whole, nil
	})
	pieces.close()
	switch {
	case errors.Is(err, ErrDigest) || whole != nil && whole.wrong:
		return 0, errors.Join(fmt.Errorf("publish upload %s: %w", s.id, ErrDigest), s.Discard())
	case errors.Is(err, qc.ErrNotFound) && s.b.Verify(ctx, want) == nil:
		// Another centre was first, and has cleared the pieces up meanwhile.
	case err != nil:
		return 0, errors.Join(fmt.Errorf("publish upload %s: %w", s.id, err), s.Close())
	}
	return s.size, s.Close()
}

// chain reads pieces one after the other.
type chain struct {
	b    *Bucket
	ctx  context.Context //nolint:containedctx // of the call that reads
	left []piece
	now  *stream
}

// Read implements [io.Reader].
func (c *chain) Read(p []byte) (int, error) {
	for {
		if c.now == nil {
			if len(c.left) == 0 {
				return 0, io.EOF
			}
			c.now, c.left = c.b.stream(c.ctx, c.left[0].key, c.left[0].size), c.left[1:]
		}
		n, err := c.now.Read(p)
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		c.close()
		if n > 0 {
			return n, nil
		}
	}
}

func (c *chain) close() {
	if c != nil && c.now != nil {
		c.now.close()
		c.now = nil
	}
}

// Discard deletes what has arrived, and closes the upload.
func (s *stagedPieces) Discard() error {
	err := s.Close()
	for info, listErr := range s.b.list(s.folder()) {
		if listErr == nil {
			listErr = s.b.remove(s.b.life, info.Key)
		}
		if listErr != nil {
			return errors.Join(fmt.Errorf("discard upload %s: %w", s.id, listErr), err)
		}
	}
	return err
}

// Close leaves the upload for later. Closing twice is no error.
func (s *stagedPieces) Close() error {
	s.once.Do(func() {
		s.b.mu.Lock()
		delete(s.b.staged, s.id)
		s.b.mu.Unlock()
		s.only = nil
	})
	return nil
}
