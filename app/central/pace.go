package main

import (
	"net/http"
	"time"
)

// A reader gets unread for each piece of an answer: slow lines are waited for,
// readers that have stopped are not.
const (
	unread = 30 * time.Second
	piece  = 64 << 10
)

// paced ends answers that are not read: each piece of one has the time limit,
// and between pieces there is none, so that streams may be silent.
func paced(limit time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &pacedWriter{ResponseWriter: w, limit: limit}
		p.until(time.Time{}) // the deadline of the connection's request before
		next.ServeHTTP(p, r)
	})
}

type pacedWriter struct {
	http.ResponseWriter
	limit time.Duration
}

// until sets the socket's deadline; writers of tests have none.
func (p *pacedWriter) until(deadline time.Time) {
	_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(deadline)
}

// WriteHeader implements http.ResponseWriter.
func (p *pacedWriter) WriteHeader(status int) {
	p.until(time.Now().Add(p.limit))
	p.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (p *pacedWriter) Write(data []byte) (int, error) {
	written := 0
	for {
		p.until(time.Now().Add(p.limit))
		n, err := p.ResponseWriter.Write(data[:min(piece, len(data))])
		written += n
		if data = data[n:]; err != nil || len(data) == 0 {
			return written, err
		}
	}
}

// FlushError sends what is written. What comes later has time of its own: a
// deadline left behind would end a silent stream.
func (p *pacedWriter) FlushError() error {
	err := http.NewResponseController(p.ResponseWriter).Flush()
	p.until(time.Time{})
	return err
}

// Unwrap lets response controllers reach the connection.
func (p *pacedWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }
