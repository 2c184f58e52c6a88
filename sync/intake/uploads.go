package intake

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
)

func (s *service) routeUploads(r chi.Router, api huma.API) {
	r.Group(func(r chi.Router) {
		r.Use(resumable)
		r.Post("/v1/uploads", s.createUpload)
		r.Head("/v1/uploads/{id}", s.headUpload)
		r.Patch("/v1/uploads/{id}", s.patchUpload)
		r.Delete("/v1/uploads/{id}", s.deleteUpload)
	})
	s.describeUploads(api)
}

func (s *service) uploadOptions(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Tus-Resumable", wire.TusVersion)
	w.Header().Set("Tus-Version", wire.TusVersion)
	w.Header().Set("Tus-Extension", wire.TusExtensions)
	w.Header().Set("Tus-Max-Size", strconv.Itoa(wire.MaxPhoto))
	w.Header().Set("Tus-Checksum-Algorithm", "sha256")
	w.WriteHeader(http.StatusNoContent)
}

// resumable refuses requests of other versions of the upload protocol.
func resumable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Tus-Resumable", wire.TusVersion)
		if r.Header.Get("Tus-Resumable") != wire.TusVersion {
			w.Header().Set("Tus-Version", wire.TusVersion)
			refuse(w, malformed(http.StatusPreconditionFailed, "Tus-Resumable: 1.0.0 is needed"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func malformed(status int, detail string) *wire.Problem {
	problem := wire.NewProblem(wire.Malformed, detail)
	problem.Status = status
	return problem
}

func (s *service) createUpload(w http.ResponseWriter, r *http.Request) {
	wanted, problem := s.wanted(r)
	if problem != nil {
		refuse(w, problem)
		return
	}
	upload, err := s.Centre.BeginUpload(r.Context(), wanted)
	if err == nil && upload.Length != wanted.Length {
		// The same file cannot have two lengths: what was begun before is wrong.
		if err = s.giveUp(r.Context(), upload.ID); err == nil {
			upload, err = s.Centre.BeginUpload(r.Context(), wanted)
		}
	}
	if err != nil {
		refuse(w, s.problem(fmt.Errorf("begin upload of %s: %w", wanted.Digest, err)))
		return
	}
	w.Header().Set("Location", "/v1/uploads/"+upload.ID)
	if r.Header.Get("Content-Type") == wire.ChunkType {
		r.Header.Set("Upload-Offset", "0")
		s.append(w, r, upload, http.StatusCreated)
		return
	}
	release, err := s.uploads.take(r.Context(), upload.ID, func() {})
	if err != nil {
		refuse(w, s.problem(err))
		return
	}
	defer release()
	staged, err := s.Stage(upload.ID)
	if err != nil {
		refuse(w, s.problem(fmt.Errorf("begin upload %s: %w", upload.ID, err)))
		return
	}
	defer func() { _ = staged.Close() }()
	s.stand(w, upload, staged.Size())
	if err := s.finish(r.Context(), staged, upload); err != nil {
		refuse(w, s.problem(err))
		return
	}
	w.WriteHeader(http.StatusCreated)
}

// wanted reads what is to be uploaded.
func (s *service) wanted(r *http.Request) (Upload, *wire.Problem) {
	length, err := strconv.ParseInt(r.Header.Get("Upload-Length"), 10, 64)
	if err != nil || length <= 0 {
		return Upload{}, malformed(http.StatusBadRequest, "Upload-Length is needed and is greater than 0")
	}
	if length > wire.MaxPhoto {
		return Upload{}, wire.NewProblem(wire.TooLarge, "")
	}
	metadata, err := parseMetadata(r.Header.Get("Upload-Metadata"))
	if err != nil {
		return Upload{}, malformed(http.StatusBadRequest, "Upload-Metadata cannot be read")
	}
	digest, err := qc.ParseDigest(metadata["sha256"])
	if err != nil {
		return Upload{}, malformed(http.StatusBadRequest, "Upload-Metadata needs sha256")
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	return Upload{
		ID: hex.EncodeToString(id), Station: caller(r.Context()).ID, Digest: digest, Length: length,
		MediaType: metadata["filetype"], ExpiresAt: s.Now().Add(wire.UploadLifetime).UTC(),
	}, nil
}

// parseMetadata reads pairs of a name and a base64 value.
func parseMetadata(text string) (map[string]string, error) {
	values := make(map[string]string)
	if len(text) > 4096 {
		return nil, errors.New("upload metadata too long")
	}
	for pair := range strings.SplitSeq(text, ",") {
		name, encoded, _ := strings.Cut(strings.TrimSpace(pair), " ")
		if name == "" {
			continue
		}
		value, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
		if err != nil {
			return nil, fmt.Errorf("read upload metadata: %w", err)
		}
		values[name] = string(value)
	}
	return values, nil
}

// upload returns the caller's upload with that id.
func (s *service) upload(r *http.Request) (Upload, *wire.Problem) {
	upload, err := s.Centre.Upload(r.Context(), chi.URLParam(r, "id"))
	if err != nil {
		return Upload{}, s.problem(fmt.Errorf("find upload: %w", err))
	}
	if upload.Station != caller(r.Context()).ID {
		return Upload{}, wire.NewProblem(wire.NotFound, "")
	}
	if !upload.ExpiresAt.IsZero() && !s.Now().Before(upload.ExpiresAt) {
		if err := s.giveUp(r.Context(), upload.ID); err != nil {
			return Upload{}, s.problem(err)
		}
		return Upload{}, wire.NewProblem(wire.NotFound, "the upload has expired")
	}
	return upload, nil
}

// giveUp removes an unfinished upload.
func (s *service) giveUp(ctx context.Context, id string) error {
	release, err := s.uploads.take(ctx, id, func() {})
	if err != nil {
		return err
	}
	defer release()
	staged, err := s.Stage(id)
	if err != nil {
		return fmt.Errorf("give up upload %s: %w", id, err)
	}
	if err := staged.Discard(); err != nil {
		return fmt.Errorf("give up upload %s: %w", id, err)
	}
	return s.Centre.DropUpload(ctx, id)
}

// stand says how far an upload is.
func (s *service) stand(w http.ResponseWriter, upload Upload, offset int64) {
	w.Header().Set("Upload-Offset", strconv.FormatInt(offset, 10))
	if !upload.ExpiresAt.IsZero() {
		w.Header().Set("Upload-Expires", upload.ExpiresAt.UTC().Format(http.TimeFormat))
	}
}

func (s *service) headUpload(w http.ResponseWriter, r *http.Request) {
	upload, problem := s.upload(r)
	if problem != nil {
		refuse(w, problem)
		return
	}
	release, err := s.uploads.take(r.Context(), upload.ID, func() {})
	if err != nil {
		refuse(w, s.problem(err))
		return
	}
	defer release()
	// The request that was waited for may have finished the upload.
	if upload, problem = s.upload(r); problem != nil {
		refuse(w, problem)
		return
	}
	staged, err := s.Stage(upload.ID)
	if err != nil {
		refuse(w, s.problem(fmt.Errorf("look at upload %s: %w", upload.ID, err)))
		return
	}
	defer func() { _ = staged.Close() }()
	s.stand(w, upload, staged.Size())
	w.Header().Set("Upload-Length", strconv.FormatInt(upload.Length, 10))
	if err := s.finish(r.Context(), staged, upload); err != nil {
		refuse(w, s.problem(err))
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (s *service) deleteUpload(w http.ResponseWriter, r *http.Request) {
	upload, problem := s.upload(r)
	if problem == nil {
		if err := s.giveUp(r.Context(), upload.ID); err != nil {
			problem = s.problem(err)
		}
	}
	if problem != nil {
		refuse(w, problem)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *service) patchUpload(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != wire.ChunkType {
		refuse(w, malformed(http.StatusUnsupportedMediaType, "the content type is "+wire.ChunkType))
		return
	}
	upload, problem := s.upload(r)
	if problem != nil {
		refuse(w, problem)
		return
	}
	s.append(w, r, upload, http.StatusNoContent)
}

// append takes the body into the upload and publishes the file when it is
// whole.
func (s *service) append(w http.ResponseWriter, r *http.Request, upload Upload, success int) {
	offset, err := strconv.ParseInt(r.Header.Get("Upload-Offset"), 10, 64)
	if err != nil || offset < 0 {
		refuse(w, malformed(http.StatusBadRequest, "Upload-Offset is needed"))
		return
	}
	body := newBody(w, r, s.ReadTimeout)
	defer body.stop()
	release, err := s.uploads.take(r.Context(), upload.ID, body.interrupt)
	if err != nil {
		refuse(w, s.problem(err))
		return
	}
	defer release()
	// Bytes that have arrived are kept even when their sender has gone.
	ctx := context.WithoutCancel(r.Context())
	if _, err := s.Centre.Upload(ctx, upload.ID); err != nil {
		refuse(w, s.problem(fmt.Errorf("find upload %s: %w", upload.ID, err)))
		return
	}
	staged, err := s.Stage(upload.ID)
	if err != nil {
		refuse(w, s.problem(fmt.Errorf("open upload %s: %w", upload.ID, err)))
		return
	}
	defer func() { _ = staged.Close() }()
	problem := s.take(ctx, r, staged, upload, offset, body)
	s.stand(w, upload, staged.Size())
	if problem == nil || problem.Type == wire.OffsetConflict {
		if err := s.finish(ctx, staged, upload); err != nil {
			problem = s.problem(err)
		}
	}
	switch {
	case problem != nil:
		refuse(w, problem)
	case body.err != nil:
		refuse(w, wire.NewProblem(wire.Interrupted, ""))
	default:
		w.WriteHeader(success)
	}
}

// take appends what belongs at offset.
func (s *service) take(ctx context.Context, r *http.Request, staged Staged, upload Upload, offset int64, body *body) *wire.Problem {
	if stands := staged.Size(); offset != stands {
		problem := wire.NewProblem(wire.OffsetConflict, "")
		problem.Offset = stands
		return problem
	}
	room := upload.Length - offset
	if r.ContentLength > room {
		return wire.NewProblem(wire.TooLarge, "the chunk reaches beyond the end of the file")
	}
	var source io.Reader = body
	if sum := r.Header.Get("Upload-Checksum"); sum != "" {
		chunk, problem := checked(body, sum)
		if problem != nil {
			return problem
		}
		source = bytes.NewReader(chunk)
	}
	if _, err := staged.Append(ctx, source, room); err != nil {
		problem := s.problem(fmt.Errorf("append to upload %s: %w", upload.ID, err))
		if problem.Type == wire.OffsetConflict {
			problem.Offset = staged.Size()
		}
		return problem
	}
	return nil
}

// checked reads a chunk that comes with its checksum. It is held in memory
// until it is known to be right, because nothing of a wrong one may stay.
func checked(body *body, header string) ([]byte, *wire.Problem) {
	algorithm, encoded, _ := strings.Cut(header, " ")
	want, err := base64.StdEncoding.DecodeString(encoded)
	if algorithm != "sha256" || err != nil || len(want) != sha256.Size {
		return nil, malformed(http.StatusBadRequest, "Upload-Checksum needs sha256 in base64")
	}
	chunk, err := io.ReadAll(io.LimitReader(body, wire.MaxChunk+1))
	if err != nil || body.err != nil {
		return nil, wire.NewProblem(wire.Interrupted, "")
	}
	if len(chunk) > wire.MaxChunk {
		return nil, wire.NewProblem(wire.TooLarge, "a chunk with a checksum is at most 8 MiB")
	}
	if got := sha256.Sum256(chunk); !bytes.Equal(got[:], want) {
		return nil, wire.NewProblem(wire.ChecksumMismatch, "")
	}
	return chunk, nil
}

// finish publishes an upload that has all its bytes. Every request about an
// upload comes here: the one that brought the last byte may have failed, or the
// centre with it, and nobody sends those bytes again.
func (s *service) finish(ctx context.Context, staged Staged, upload Upload) error {
	if staged.Size() != upload.Length {
		return nil
	}
	return s.publish(context.WithoutCancel(ctx), staged, upload)
}

// publish gives a whole file its final name and tells the centre. A file that
// is not what was announced is thrown away with its upload.
func (s *service) publish(ctx context.Context, staged Staged, upload Upload) error {
	size, err := staged.Publish(ctx, upload.Digest)
	if err != nil {
		if s.Refusals.Digest != nil && errors.Is(err, s.Refusals.Digest) {
			_ = staged.Discard()
			if dropped := s.Centre.DropUpload(ctx, upload.ID); dropped != nil {
				return fmt.Errorf("drop upload %s: %w", upload.ID, dropped)
			}
		}
		return fmt.Errorf("publish upload %s: %w", upload.ID, err)
	}
	if err := s.Centre.BlobStored(ctx, upload.Digest, size, upload.MediaType, s.Now()); err != nil {
		return fmt.Errorf("record blob %s: %w", upload.Digest, err)
	}
	if err := s.Centre.DropUpload(ctx, upload.ID); err != nil {
		return fmt.Errorf("finish upload %s: %w", upload.ID, err)
	}
	_ = staged.Discard() // what is left of it; who comes later finds the file
	return nil
}

// body reads a request's body for a file: what fails on the network looks like
// its end, so that everything before it is kept, and is remembered in err.
type body struct {
	r       io.Reader
	control *http.ResponseController
	timeout time.Duration
	watch   *time.Timer
	err     error
}

func newBody(w http.ResponseWriter, r *http.Request, timeout time.Duration) *body {
	b := &body{r: r.Body, control: http.NewResponseController(w), timeout: timeout}
	b.watch = time.AfterFunc(timeout, b.interrupt)
	return b
}

// interrupt ends a read that is waiting for bytes.
func (b *body) interrupt() { _ = b.control.SetReadDeadline(time.Unix(1, 0)) }

func (b *body) stop() { b.watch.Stop() }

func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.watch.Reset(b.timeout)
	if err != nil && err != io.EOF {
		b.err, err = err, io.EOF
	}
	return n, err
}

var _ huma.StatusError = (*wire.Problem)(nil)
