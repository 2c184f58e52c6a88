package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A balancer hears that the service stops before its door closes, and what it
// still sends meanwhile is answered.
func TestServe_SaysThatItStopsBeforeItDoes(t *testing.T) {
	t.Parallel()
	r := serveDemo(t, "--drain", "1500ms")
	at, err := url.Parse(r.link)
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at.Host+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return 0, err.Error()
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	if status, said := get("/readyz"); status != http.StatusOK || said != "ready\n" {
		t.Fatalf("before: %d %q", status, said)
	}
	begun := time.Now()
	r.stop()
	status, said := 0, ""
	for status != http.StatusServiceUnavailable && time.Since(begun) < time.Second {
		status, said = get("/readyz")
	}
	if status != http.StatusServiceUnavailable || said != "stopping\n" {
		t.Errorf("told to stop: %d %q", status, said)
	}
	if status, said := get("/v1/ping"); status != http.StatusOK {
		t.Errorf("a request that still comes: %d %q", status, said)
	}
	if code := <-r.code; code != 0 {
		t.Errorf("stopped with code %d", code)
	}
	if took := time.Since(begun); took < 1500*time.Millisecond {
		t.Errorf("the door was closed after %v", took)
	}
	if status, _ := get("/readyz"); status != 0 {
		t.Errorf("stopped, and it answers %d", status)
	}
}

// A container asks itself whether it can work.
func TestReady_AsACommand(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if exit, _, errOut := s.ask("ready"); exit != 0 {
		t.Error(errOut)
	}
	s.c.ending.Store(true)
	if exit, _, errOut := s.ask("ready"); exit != 1 || !strings.Contains(errOut, "cannot work now") {
		t.Errorf("while it stops: exit %d, %s", exit, errOut)
	}
	if exit, _, errOut := run(t, t.TempDir(), "ready"); exit != 1 || !strings.Contains(errOut, "No service") {
		t.Errorf("without a service: exit %d, %s", exit, errOut)
	}
}
