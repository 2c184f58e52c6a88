package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"flawmark/app/qc"

	"github.com/minio/minio-go/v7"
)

// Open opens a stored file. It fails with [qc.ErrNotFound], [ErrAway] or
// [ErrBucket]. What is read nearby is fetched with it and kept for a while.
func (b *Bucket) Open(d qc.Digest) (*File, error) {
	key, err := b.key(d)
	if err != nil {
		return nil, fmt.Errorf("open photo file: %w", err)
	}
	size, err := b.firstWindow(d, key)
	if err != nil {
		return nil, fmt.Errorf("open photo file %s: %w", d, err)
	}
	return &File{file: &object{b: b, d: d, key: key, size: size, ahead: 2, next: 1}, size: size}, nil
}

// firstWindow asks for the size, and where the beginning is not at hand for that
// in the same question: most who open a file read its beginning.
func (b *Bucket) firstWindow(d qc.Digest, key string) (int64, error) {
	if _, have := b.windows.get(window{d, 0}); !have {
		data, size, err := b.begin(key)
		if err == nil {
			b.windows.put(window{d, 0}, data)
			return size, nil
		}
		if answer, ok := errors.AsType[minio.ErrorResponse](err); !ok || answer.StatusCode != http.StatusRequestedRangeNotSatisfiable {
			return 0, err
		} // an empty file has no first byte
	}
	info, err := b.stat(d)
	return info.Size, err
}

// begin fetches the first window of an object and the size of all of it.
func (b *Bucket) begin(key string) ([]byte, int64, error) {
	ctx, cancel := b.within(b.life, windowSize)
	defer cancel()
	body, header, err := b.get(ctx, key, 0, windowSize)
	if err != nil {
		return nil, 0, err
	}
	defer body.Close()
	size := header.Get("Content-Length") // of an answer that is the whole
	if _, total, ok := strings.Cut(header.Get("Content-Range"), "/"); ok {
		size = total
	}
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || n < 0 {
		return nil, 0, fmt.Errorf("%w: the store does not say how large a file is", ErrBucket)
	}
	data := make([]byte, min(n, windowSize))
	if _, err := io.ReadFull(body, data); err != nil {
		return nil, 0, named(err)
	}
	return data, n, nil
}

// get asks for n bytes of an object from an offset. There may come fewer.
func (b *Bucket) get(ctx context.Context, key string, off, n int64) (io.ReadCloser, http.Header, error) {
	var options minio.GetObjectOptions
	if err := options.SetRange(off, off+n-1); err != nil {
		return nil, nil, err
	}
	body, _, header, err := b.core.GetObject(ctx, b.name, key, options)
	if err != nil {
		return nil, nil, named(err)
	}
	if off > 0 && !strings.HasPrefix(header.Get("Content-Range"), fmt.Sprintf("bytes %d-", off)) {
		return nil, nil, errors.Join(fmt.Errorf("%w: the store does not answer in ranges", ErrBucket), body.Close())
	}
	return body, header, nil
}

// Read returns a whole file of at most limit bytes, checked against its digest.
// It fails with [qc.ErrNotFound], [ErrTooLarge], [ErrDigest] or [ErrAway].
func (b *Bucket) Read(d qc.Digest, limit int64) ([]byte, error) {
	info, err := b.stat(d)
	if err != nil {
		return nil, fmt.Errorf("read photo file %s: %w", d, err)
	}
	if info.Size > limit {
		return nil, fmt.Errorf("read photo file %s: %w: %d bytes", d, ErrTooLarge, info.Size)
	}
	data := make([]byte, info.Size)
	from := b.stream(b.life, info.Key, info.Size)
	_, err = io.ReadFull(from, data)
	from.close()
	if err != nil {
		return nil, fmt.Errorf("read photo file %s: %w", d, err)
	}
	if qc.DigestOf(data) != d {
		return nil, fmt.Errorf("read photo file %s: %w", d, ErrDigest)
	}
	return data, nil
}

// Verify reads the whole file and fails with [ErrDigest] when it is damaged,
// or with [qc.ErrNotFound].
func (b *Bucket) Verify(ctx context.Context, d qc.Digest) error {
	info, err := b.stat(d)
	if err != nil {
		return fmt.Errorf("verify photo file %s: %w", d, err)
	}
	from := b.stream(ctx, info.Key, info.Size)
	got, _, err := digest(ctx, io.Discard, from)
	from.close()
	if err != nil {
		return fmt.Errorf("verify photo file %s: %w", d, err)
	}
	if got != d {
		return fmt.Errorf("verify photo file %s: %w", d, ErrDigest)
	}
	return nil
}

// stream reads an object to its end and goes on where an answer has broken off.
// It is to be closed.
type stream struct {
	b        *Bucket
	ctx      context.Context //nolint:containedctx // of the call that reads
	key      string
	at, size int64
	body     io.ReadCloser // nil: nothing has been asked yet, or it broke off
	cancel   context.CancelFunc
	failures int // in a row
}

func (b *Bucket) stream(ctx context.Context, key string, size int64) *stream {
	return &stream{b: b, ctx: ctx, key: key, size: size}
}

// Read implements [io.Reader].
func (s *stream) Read(p []byte) (int, error) {
	for s.at < s.size && len(p) > 0 {
		if s.body == nil {
			var ctx context.Context
			ctx, s.cancel = s.b.within(s.ctx, s.size-s.at)
			body, _, err := s.b.get(ctx, s.key, s.at, s.size-s.at)
			if err != nil {
				s.close()
				return 0, err // after as many tries as a question gets
			}
			s.body = body
		}
		n, err := s.body.Read(p[:min(int64(len(p)), s.size-s.at)])
		s.at += int64(n)
		if n > 0 {
			s.failures = 0
		}
		if err != nil {
			s.close()
			if s.failures++; n == 0 && s.failures >= tries {
				return 0, fmt.Errorf("%w: after %d of %d bytes: %w", ErrAway, s.at, s.size, err)
			}
		}
		if n > 0 {
			return n, nil
		}
	}
	if len(p) == 0 {
		return 0, nil
	}
	return 0, io.EOF
}

func (s *stream) close() {
	if s.body != nil {
		_ = s.body.Close() // nothing more is wanted of it
		s.body = nil
	}
	if s.cancel != nil {
		s.cancel()
		s.cancel = nil
	}
}

// mostAhead is how many windows are fetched at once for who reads on and on;
// pieces of at least direct bytes do not pass through windows at all.
const (
	mostAhead = 8
	direct    = 4 * windowSize
)

// object is an open file of a bucket.
type object struct {
	b    *Bucket
	d    qc.Digest
	key  string
	size int64
	at   int64

	mu    sync.Mutex // ReadAt comes from anywhere
	ahead int64      // windows to fetch at the next miss
	next  int64      // the window that is missed next by who reads on, also with gaps: a tile is a stretch of each row
}

// window returns the n-th window, and fetches the more with it the longer its
// reader has gone on.
func (o *object) window(n, least int64) ([]byte, error) {
	o.mu.Lock()
	ahead := int64(1)
	if n == o.next {
		ahead = o.ahead
	}
	o.mu.Unlock()
	ahead = max(ahead, least)
	data, fetched, err := o.b.window(o.d, o.key, o.size, n, ahead)
	if fetched {
		o.mu.Lock()
		o.ahead, o.next = min(2*ahead, mostAhead), n+ahead
		o.mu.Unlock()
	}
	return data, err
}

// Read implements [io.Reader].
func (o *object) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if o.at >= o.size {
		return 0, io.EOF
	}
	if len(p) >= direct {
		n, err := o.ReadAt(p, o.at)
		o.at += int64(n)
		if n > 0 && errors.Is(err, io.EOF) {
			err = nil
		}
		return n, err
	}
	data, err := o.window(o.at/windowSize, 1)
	if err != nil {
		return 0, err
	}
	n := copy(p, data[o.at%windowSize:])
	o.at += int64(n)
	return n, nil
}

// ReadAt implements [io.ReaderAt].
func (o *object) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read photo file: negative offset")
	}
	var end error
	if left := max(o.size-off, 0); int64(len(p)) > left {
		p, end = p[:left], io.EOF
	}
	if len(p) >= direct {
		from := o.b.stream(o.b.life, o.key, off+int64(len(p)))
		from.at = off
		n, err := io.ReadFull(from, p)
		from.close()
		if err == nil {
			err = end
		}
		return n, err
	}
	n := 0
	for n < len(p) {
		at := off + int64(n)
		missing := (off+int64(len(p))-1)/windowSize - at/windowSize + 1
		data, err := o.window(at/windowSize, missing)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], data[at%windowSize:])
	}
	return n, end
}

// Seek implements [io.Seeker].
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, errors.New("seek in photo file: negative offset")
	}
	o.at = offset
	return offset, nil
}

// Close implements [io.Closer].
func (o *object) Close() error { return nil }
