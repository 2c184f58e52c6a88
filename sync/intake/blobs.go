package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
)

func (s *service) describeBlobs(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "query-blobs", Method: http.MethodPost, Path: "/v1/blobs:query",
		Summary:      "Say which photo files the centre lacks",
		MaxBodyBytes: 128 << 10, BodyReadTimeout: slowest, Security: []map[string][]string{{"station": {}}},
		Errors: []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests},
	}, s.queryBlobs)
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
	s.mention(api, http.MethodGet, "/v1/photos/{sha256}", "photo", "A stored photo file, whole or in ranges", http.StatusOK)
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
	http.ServeContent(w, r, "", time.Time{}, file)
}

// pictureType never names a type that a browser would run.
func pictureType(head []byte) string {
	switch detected := http.DetectContentType(head); detected {
	case "image/jpeg", "image/png", "image/webp":
		return detected
	}
	return "application/octet-stream"
}

// mention describes a route that is served without the library.
func (s *service) mention(api huma.API, method, path, id, summary string, status int) {
	op := &huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary,
		Security:  []map[string][]string{{"station": {}}},
		Responses: map[string]*huma.Response{fmt.Sprint(status): {Description: summary}},
	}
	for _, name := range pathNames(path) {
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
	}
	op.Responses["default"] = &huma.Response{
		Description: "A problem document",
		Content:     map[string]*huma.MediaType{wire.ProblemType: {}},
	}
	api.OpenAPI().AddOperation(op)
}

func pathNames(path string) []string {
	var names []string
	for i := 0; i < len(path); i++ {
		if path[i] != '{' {
			continue
		}
		end := i
		for path[end] != '}' {
			end++
		}
		names = append(names, path[i+1:end])
		i = end
	}
	return names
}
