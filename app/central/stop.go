package main

import (
	"context"
	"net/http"
	"strings"
)

// untilStop has requests that would go on for ever, or that are taken up again
// where they were, end when ctx does. All others come to their own end.
func untilStop(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if mayBreakOff(r) {
			own, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(ctx, cancel)()
			r = r.WithContext(own)
		}
		next.ServeHTTP(w, r)
	})
}

// mayBreakOff reports whether nothing is lost when a request ends early: event
// streams, long polls, and uploads, whose bytes are kept as they come.
func mayBreakOff(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet:
		return strings.HasSuffix(r.URL.Path, "/events") || strings.HasSuffix(r.URL.Path, "/changes")
	case http.MethodPost, http.MethodPatch:
		return strings.HasPrefix(r.URL.Path, "/v1/uploads")
	}
	return false
}
