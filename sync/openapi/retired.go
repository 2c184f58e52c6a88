package openapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
)

// Retirement is when an operation was deprecated, and when it ends.
type Retirement struct{ Since, Ends time.Time }

// Retired lists the operations that will end, such as "GET /v1/shop". What the
// README promises of the time between is for whoever adds one.
type Retired map[string]Retirement

// Mark puts the word on every answer of what is retired (RFC 9745, RFC 8594). It
// belongs behind the router, which knows what is asked.
func (r Retired) Mark(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if end, ok := r[req.Method+" "+chi.RouteContext(req.Context()).RoutePattern()]; ok {
			w.Header().Set("Deprecation", "@"+strconv.FormatInt(end.Since.Unix(), 10))
			w.Header().Set("Sunset", end.Ends.UTC().Format(http.TimeFormat))
			w.Header().Add("Link", `</openapi.json>; rel="deprecation"`)
		}
		next.ServeHTTP(w, req)
	})
}

// describe marks what is retired in the document.
func (r Retired) describe(doc *huma.OpenAPI) {
	for name, end := range r {
		method, path, _ := strings.Cut(name, " ")
		item := doc.Paths[path]
		if item == nil {
			continue
		}
		for _, op := range operations(item) {
			if op.Method == method {
				op.Deprecated = true
				op.Description += "\n\nThis ends on " + end.Ends.UTC().Format(time.DateOnly) + "."
			}
		}
	}
}

func operations(item *huma.PathItem) []*huma.Operation {
	var all []*huma.Operation
	for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Head, item.Patch, item.Options} {
		if op != nil {
			all = append(all, op)
		}
	}
	return all
}
