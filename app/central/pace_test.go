package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Whoever asks for something large and does not read it is not waited for.
func TestPaced_LeavesWhoDoesNotRead(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	server := httptest.NewServer(paced(50*time.Millisecond, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.Copy(w, io.LimitReader(zeros{}, 1<<30))
		ended <- err
	})))
	defer server.Close()
	var dialer net.Dialer
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	line, err := dialer.DialContext(ctx, "tcp", server.Listener.Addr().String())
	must(t, err)
	defer line.Close()
	_, err = io.WriteString(line, "GET / HTTP/1.1\r\nHost: centre.test\r\n\r\n")
	must(t, err)
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a thousand megabytes went to somebody who reads nothing")
		}
	case <-ctx.Done():
		t.Error("the centre still waits for somebody who reads nothing")
		_ = line.Close()
	}
}

// Slow readers, silent streams and connections that are used again are no such.
func TestPaced_KeepsTheRest(t *testing.T) {
	t.Parallel()
	const limit = 300 * time.Millisecond
	idle := make(chan struct{})
	server := httptest.NewUnstartedServer(paced(limit, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/stream":
			_, _ = io.WriteString(w, "first\n")
			_ = http.NewResponseController(w).Flush()
			<-idle
			_, _ = io.WriteString(w, "second\n")
		case "/redirect":
			http.Redirect(w, r, "/", http.StatusSeeOther)
		default:
			_, _ = io.Copy(w, io.LimitReader(zeros{}, 1<<20))
		}
	})))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	two := server.Client()
	one := &http.Client{Transport: &http.Transport{TLSClientConfig: two.Transport.(*http.Transport).TLSClientConfig.Clone()}}
	one.Transport.(*http.Transport).TLSClientConfig.NextProtos = []string{"http/1.1"}
	get := func(client *http.Client, path string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		must(t, err)
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		answer, err := client.Do(r)
		must(t, err)
		return answer
	}
	streams := map[string]*bufio.Reader{}
	for name, client := range map[string]*http.Client{"HTTP/1": one, "HTTP/2": two} {
		stream := get(client, "/stream")
		defer stream.Body.Close()
		streams[name] = bufio.NewReader(stream.Body)
		if first, err := streams[name].ReadString('\n'); err != nil || first != "first\n" {
			t.Errorf("%s: the stream begins with %q, %v", name, first, err)
		}
		for _, path := range []string{"/", "/redirect", "/"} {
			answer := get(client, path)
			n, err := io.Copy(io.Discard, answer.Body)
			must(t, answer.Body.Close())
			if want := int64(1 << 20); err != nil || path == "/" && n != want {
				t.Errorf("%s %s: %d bytes, %v", name, path, n, err)
			}
			timer := time.NewTimer(limit + limit/2) // the socket's own time has to pass
			<-timer.C
		}
	}
	close(idle)
	for name, stream := range streams {
		if rest, err := io.ReadAll(stream); err != nil || strings.TrimSpace(string(rest)) != "second" {
			t.Errorf("%s: the stream ends with %q, %v", name, rest, err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
