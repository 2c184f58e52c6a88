package openapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"flawmark/sync/openapi"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
)

// What is going to end says so on every answer and in the document; the rest
// does not.
func TestRetired(t *testing.T) {
	t.Parallel()
	root := chi.NewRouter()
	api := humachi.New(root, huma.DefaultConfig("test", "1"))
	retired := openapi.Retired{"GET /old/{id}": {
		Since: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), Ends: time.Date(2027, 12, 1, 0, 0, 0, 0, time.UTC),
	}}
	root.Group(func(r chi.Router) {
		r.Use(retired.Mark)
		for _, path := range []string{"/old/{id}", "/new/{id}"} {
			op := huma.Operation{OperationID: path, Method: http.MethodGet, Path: path}
			openapi.Register(openapi.On(api, r), op, nil, func(context.Context, *struct{}) (*struct{ Body string }, error) {
				return &struct{ Body string }{"ok"}, nil
			})
		}
	})
	openapi.Finish(api, nil, nil, retired)
	for path, want := range map[string]string{"/old/1": "@1796083200 Wed, 01 Dec 2027 00:00:00 GMT", "/new/1": ""} {
		w := httptest.NewRecorder()
		root.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		got := strings.TrimSpace(w.Header().Get("Deprecation") + " " + w.Header().Get("Sunset"))
		if w.Code != http.StatusOK || got != want {
			t.Errorf("%s: %d %q, want %q", path, w.Code, got, want)
		}
	}
	old, current := api.OpenAPI().Paths["/old/{id}"].Get, api.OpenAPI().Paths["/new/{id}"].Get
	if !old.Deprecated || !strings.Contains(old.Description, "2027-12-01") || current.Deprecated {
		t.Errorf("described as deprecated: %t, %t; %q", old.Deprecated, current.Deprecated, old.Description)
	}
}
