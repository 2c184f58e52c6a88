package web

import "net/http"

// routes is a mux that knows what it was told, so that a test can ask every
// route who may pass.
type routes struct {
	*http.ServeMux
	patterns []string
}

// Handle does as [http.ServeMux.Handle].
func (r *routes) Handle(pattern string, handler http.Handler) {
	r.patterns = append(r.patterns, pattern)
	r.ServeMux.Handle(pattern, handler)
}

// HandleFunc does as [http.ServeMux.HandleFunc].
func (r *routes) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	r.Handle(pattern, http.HandlerFunc(handler))
}

// Routes lists the patterns that [Pages.Handler] answers by a handler of their
// own.
func (p *Pages) Routes() []string { return p.routes().patterns }
