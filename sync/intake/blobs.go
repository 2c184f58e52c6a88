package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
)

func (s *service) describeBlobs(api huma.API) {
	openapi.Register(api, forStations(huma.Operation{
		OperationID: "query-blobs", Method: http.MethodPost, Path: "/v1/blobs:query",
		Summary:      "Say which photo files the centre lacks",
		Description:  "Each file that was asked for is in exactly one list of the answer.",
		MaxBodyBytes: 128 << 10, BodyReadTimeout: slowest,
	}), admission(), s.queryBlobs)
}

func (s *service) queryBlobs(ctx context.Context, in *struct{ Body wire.BlobQuery }) (*document[wire.BlobAnswer], error) {
	asked := make([]qc.Digest, 0, len(in.Body.SHA256))
	for _, text := range in.Body.SHA256 {
		digest, err := qc.ParseDigest(text)
		if err != nil {
			return nil, s.problem(err)
		}
		asked = append(asked, digest)
	}
	lacked, err := s.Centre.LackedBlobs(ctx, asked)
	if err != nil {
		return nil, s.problem(fmt.Errorf("query %d blobs: %w", len(asked), err))
	}
	answer := wire.BlobAnswer{Have: []string{}, Partial: []wire.PartialBlob{}, Want: []string{}}
	for _, digest := range asked {
		if slices.Contains(lacked, digest) {
			answer.Want = append(answer.Want, string(digest))
		} else {
			answer.Have = append(answer.Have, string(digest))
		}
	}
	return &document[wire.BlobAnswer]{answer}, nil
}

func (s *service) routePhotos(r chi.Router, api huma.API) {
	r.Get("/v1/photos/{sha256}", s.photo)
	r.Head("/v1/photos/{sha256}", s.photo)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		openapi.Raw(api, forStations(photoOperation(method)), append(admission(), openapi.Refusal{URI: wire.NotFound},
			openapi.Refusal{URI: wire.Malformed, Status: http.StatusRequestedRangeNotSatisfiable}))
	}
}

func (s *service) photo(w http.ResponseWriter, r *http.Request) {
	digest, err := qc.ParseDigest(chi.URLParam(r, "sha256"))
	if err != nil {
		refuse(w, wire.NewProblem(wire.NotFound, ""))
		return
	}
	file, err := s.Open(digest)
	if err != nil {
		refuse(w, s.problem(fmt.Errorf("serve photo %s: %w", digest, err)))
		return
	}
	defer func() { _ = file.Close() }()
	head := make([]byte, 512)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		refuse(w, s.problem(fmt.Errorf("serve photo %s: %w", digest, err)))
		return
	}
	w.Header().Set("Content-Type", pictureType(head[:n]))
	w.Header().Set("Content-Disposition", "attachment")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	w.Header().Set("ETag", `"`+string(digest)+`"`)
	r.Header.Del("If-Match") // a file never changes
	r.Header.Del("If-Unmodified-Since")
	http.ServeContent(&ranged{ResponseWriter: w}, r, "", time.Time{}, file)
}

// ranged refuses ranges outside a file in our own words.
type ranged struct {
	http.ResponseWriter
	refused bool
}

func (w *ranged) WriteHeader(status int) {
	if w.refused = status == http.StatusRequestedRangeNotSatisfiable; w.refused {
		for _, name := range []string{"ETag", "Content-Length", "Content-Disposition"} {
			w.Header().Del(name)
		}
		refuse(w.ResponseWriter, malformed(status, "the range is not within the file"))
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *ranged) Write(data []byte) (int, error) {
	if w.refused {
		return len(data), nil
	}
	return w.ResponseWriter.Write(data)
}

// pictureType never names a type that a browser would run.
func pictureType(head []byte) string {
	switch detected := http.DetectContentType(head); detected {
	case "image/jpeg", "image/png", "image/webp":
		return detected
	}
	return "application/octet-stream"
}

// photoOperation describes how a file is read, or looked at.
func photoOperation(method string) huma.Operation {
	headers := map[string]*huma.Param{
		"ETag":          openapi.Header("The file's digest: it never changes", openapi.Text("")),
		"Accept-Ranges": openapi.Header("bytes", openapi.Text("")),
	}
	whole := &huma.Response{Description: "The file as it was uploaded", Headers: headers}
	part := &huma.Response{Description: "The part that Range asked for", Headers: maps.Clone(headers)}
	op := huma.Operation{
		OperationID: "photo", Method: method, Path: "/v1/photos/{sha256}", Summary: "Read a stored photo file",
		Description: "Whole, or in ranges (RFC 9110), so that a cut download goes on.",
		Parameters: []*huma.Param{
			openapi.Param("header", "Range", "Which bytes", false, openapi.Text(""), "bytes=1048576-"),
			openapi.Param("header", "If-None-Match", "The ETag of a copy", false, openapi.Text(""), nil),
		},
		Responses: map[string]*huma.Response{"200": whole, "206": part, "304": {Description: "It is the file that If-None-Match names"}},
	}
	if method == http.MethodHead {
		op.OperationID, op.Summary = "head-photo", "Look whether a photo file is stored"
		return op
	}
	content := map[string]*huma.MediaType{}
	for _, kind := range []string{"image/jpeg", "image/png", "image/webp", "application/octet-stream"} {
		content[kind] = &huma.MediaType{Schema: openapi.Text("binary")}
	}
	whole.Content, part.Content = content, content
	return op
}
