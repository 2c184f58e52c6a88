package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"flawmark/app/qc"

	"github.com/minio/minio-go/v7"
)

// Put stores what r holds and returns its digest and length once the store has
// it. A reader that can seek is read twice; any other goes through a file of the
// scratch folder, because an object's name comes before its bytes. It fails with
// [ErrFull], [ErrAway] or [ErrBucket], and then nothing is stored.
func (b *Bucket) Put(ctx context.Context, r io.Reader) (qc.Digest, int64, error) {
	d, n, err := b.put(ctx, r)
	if err != nil {
		return "", 0, fmt.Errorf("store photo file: %w", err)
	}
	return d, n, nil
}

// PutBytes is [Bucket.Put] for bytes in memory.
func (b *Bucket) PutBytes(ctx context.Context, data []byte) (qc.Digest, error) {
	d, _, err := b.Put(ctx, bytes.NewReader(data))
	return d, err
}

func (b *Bucket) put(ctx context.Context, r io.Reader) (_ qc.Digest, _ int64, err error) {
	seeker, ok := r.(io.ReadSeeker)
	var start int64
	if ok {
		start, err = seeker.Seek(0, io.SeekCurrent)
		ok = err == nil // a pipe says so only when it is asked
	}
	var d qc.Digest
	var n int64
	if ok {
		d, n, err = digest(ctx, io.Discard, seeker)
	} else {
		var file *os.File
		if file, err = os.CreateTemp(b.scratch, "put-"); err != nil {
			return "", 0, classify(err)
		}
		defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
		seeker, start = file, 0
		d, n, err = digest(ctx, file, r)
	}
	if err != nil {
		return "", 0, classify(err)
	}
	return d, n, b.publish(ctx, d, n, func() (io.Reader, error) {
		_, err := seeker.Seek(start, io.SeekStart)
		return &section{seeker, start}, err
	})
}

// section is the rest of a reader as one that begins at 0.
type section struct {
	io.ReadSeeker
	start int64
}

func (s *section) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekStart {
		offset += s.start
	}
	at, err := s.ReadSeeker.Seek(offset, whence)
	return at - s.start, err
}

// publish makes an object of a file, unless there is a sound one. A damaged one
// is replaced, and only that very one. body may be asked for twice.
func (b *Bucket) publish(ctx context.Context, d qc.Digest, size int64, body func() (io.Reader, error)) error {
	key, err := b.key(d)
	if err != nil {
		return err
	}
	offer := func(tag string) error {
		from, err := body()
		if err != nil {
			return err
		}
		return b.create(ctx, key, from, size, d, tag)
	}
	there, err := b.stat(d)
	if errors.Is(err, qc.ErrNotFound) {
		// Somebody else may be quicker. Stores that see so at once leave the bytes
		// unread, and then it looks as if they did not answer.
		if err = offer(""); !errors.Is(err, errTaken) && !errors.Is(err, ErrAway) {
			return err
		}
		again, gone := b.stat(d)
		if gone != nil {
			return err
		}
		there, err = again, nil
	}
	if err != nil {
		return err
	}
	if there.Size == size {
		if err := b.Verify(ctx, d); !errors.Is(err, ErrDigest) {
			return err
		}
	}
	b.windows.drop(d)
	return offer(there.ETag)
}

// create makes an object, of which the store checks the digest, on condition that
// there is none of that name, or that it is the one with the tag. Otherwise it
// fails with errTaken, also where that is the one that it has made itself: when
// the answer was lost on its way.
func (b *Bucket) create(ctx context.Context, key string, body io.Reader, size int64, d qc.Digest, tag string) error {
	ctx, cancel := b.within(ctx, size)
	defer cancel()
	sum, err := hex.DecodeString(string(d))
	if err != nil {
		return err
	}
	options := minio.PutObjectOptions{
		DisableContentSha256: true, // of pieces: that of the whole is signed
		UserMetadata:         map[string]string{"X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(sum)},
	}
	if tag == "" {
		options.SetMatchETagExcept("*")
	} else {
		options.SetMatchETag(tag)
	}
	_, err = b.core.PutObject(ctx, b.name, key, body, size, "", string(d), options)
	return named(err)
}

// sealed hands on what it reads, but its end only when all of it is what it is
// said to be: without the last bytes no store makes an object of the others.
type sealed struct {
	r     io.Reader
	left  int64
	hash  hash.Hash
	want  qc.Digest
	wrong bool // it is something else
}

func newSealed(r io.Reader, size int64, want qc.Digest) *sealed {
	return &sealed{r: r, left: size, hash: sha256.New(), want: want}
}

func (s *sealed) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.r.Read(p[:min(int64(len(p)), s.left)])
	s.hash.Write(p[:n])
	if s.left -= int64(n); s.left > 0 {
		return n, err
	}
	if s.wrong = hex.EncodeToString(s.hash.Sum(nil)) != string(s.want); s.wrong {
		return 0, ErrDigest
	}
	return n, io.EOF
}
