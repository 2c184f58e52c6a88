package client_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"flawmark/app/qc"
	"flawmark/sync/client"
	"flawmark/sync/wire"
)

// hostile is a centre that admits the station and then answers as it likes.
func hostile(t *testing.T, answer http.HandlerFunc) *client.Client {
	t.Helper()
	return hurried(t, answer, time.Minute)
}

// hurried is hostile for a station that waits no longer than that.
func hurried(t *testing.T, answer http.HandlerFunc, patience time.Duration) *client.Client {
	t.Helper()
	p := start(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(wire.InstanceHeader, "centre-1")
		w.Header().Set("Content-Type", wire.JSONType)
		switch r.URL.Path {
		case "/v1/token:challenge":
			fmt.Fprint(w, `{"nonce":"n"}`)
		case "/v1/token":
			fmt.Fprint(w, `{"access_token":"t","expires_in":900}`)
		default:
			answer(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return p.client(t, func(cfg *client.Config) {
		cfg.BaseURL, cfg.StallTimeout, cfg.AnswerTimeout = server.URL, patience, patience
	})
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

// endless sends piece again and again until the station hangs up.
func endless(piece string, status int, pause time.Duration, ended *atomic.Bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if status != http.StatusOK {
			w.Header().Set("Content-Type", wire.ProblemType)
			w.WriteHeader(status)
		}
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte(piece)); err != nil {
				break
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(pause):
			}
		}
		ended.Store(true)
	}
}

func packed(text string) http.HandlerFunc {
	var data bytes.Buffer
	w := gzip.NewWriter(&data)
	_, err := w.Write([]byte(text))
	err = errors.Join(err, w.Close())
	return func(w http.ResponseWriter, _ *http.Request) {
		if err == nil {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(data.Bytes())
		}
	}
}

// TestHostileFeed: no page of such a centre is believed, and each is one
// sentence.
func TestHostileFeed(t *testing.T) {
	t.Parallel()
	var ended atomic.Bool
	many := strings.Repeat(`{"seq":8,"type":"x","data":{}},`, 20) + `{"seq":9,"type":"x","data":{}}`
	for name, answer := range map[string]http.HandlerFunc{
		"wrong types":         says(`{"items":{"seq":1},"next":"e.9"}`),
		"items are numbers":   says(`{"items":[1,2],"next":"e.9"}`),
		"number for a cursor": says(`{"items":[],"next":9}`),
		"no cursor of ours":   says(`{"items":[],"next":"../../etc"}`),
		"negative cursor":     says(`{"items":[],"next":"e.-1"}`),
		"cursor that obeys":   says(`{"items":[],"next":"e\u001b[2J.9"}`),
		"nothing":             says(``),
		"half":                says(`{"items":[{"seq":1,`),
		"an array":            says(`[]`),
		"too many changes":    says(`{"items":[` + many + `],"next":"e.9"}`),
		"backwards":           says(`{"items":[],"next":"e.4"}`),
		"stands still":        says(`{"items":[{"seq":5,"type":"x","data":{}}],"next":"e.5"}`),
		"huge":                says(`{"items":[` + strings.Repeat(" ", 17<<20) + `],"next":"e.9"}`),
		"deep":                says(`{"items":` + strings.Repeat("[", 1<<20)),
		"gzip bomb":           packed(`{"items":[` + strings.Repeat(" ", 64<<20) + `],"next":"e.9"}`),
		"endless":             endless(`{"items":[`, 200, 0, &ended),
		"trickle":             endless(` `, 200, 10*time.Millisecond, &ended),
		"busy trickle":        endless(strings.Repeat(" ", 4096), 200, 10*time.Millisecond, &ended),
		"endless refusal":     endless(` `, 400, 10*time.Millisecond, &ended),
		"endless failure":     endless(` `, 500, 10*time.Millisecond, &ended),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patience := time.Minute
			if strings.Contains(name, "trickle") || strings.Contains(name, "endless") {
				patience = 500 * time.Millisecond
			}
			page, err := hurried(t, answer, patience).Changes(t.Context(), qc.Cursor{Epoch: "e", Seq: 5}, 20, 0)
			failure, ok := errors.AsType[*wire.Failure](err)
			if !ok || len(page.Changes) > 0 {
				t.Fatalf("%d changes, %v", len(page.Changes), err)
			}
			if failure.Kind == wire.Retry && failure.Sentence == "" && !strings.Contains(failure.Error(), "stalled") && !strings.Contains(failure.Error(), "status 500") {
				t.Errorf("says nothing: %v", failure)
			}
		})
	}
}

// TestFeedIsCleaned: what a page says cannot command a terminal or a window,
// and a change out of all bounds does not hold up the others.
func TestFeedIsCleaned(t *testing.T) {
	t.Parallel()
	text := `{"title":"a\u0000b\u001b[31m\u202ec\\u0000 \n旧` + "\u202e\u009b" + `","at":"9999-12-31T23:59:59Z"}`
	c := hostile(t, says(`{"items":[{"seq":6,"type":"a\u0007","data":{}},{"seq":7,"type":"x","data":"`+strings.Repeat("x", 2<<20)+
		`"},{"seq":8,"type":"x","data":`+text+`}],"next":"e.9"}`))
	page, err := c.Changes(t.Context(), qc.Cursor{Epoch: "e", Seq: 5}, 20, 0)
	if err != nil || len(page.Changes) != 3 || page.Changes[0].Kind != "" || string(page.Changes[1].Data) != "null" {
		t.Fatalf("%.300v, %v", page, err)
	}
	var said struct{ Title string }
	if err := json.Unmarshal(page.Changes[2].Data, &said); err != nil {
		t.Fatal(err)
	}
	if want := "a\ufffdb\ufffd[31m\ufffdc\\u0000 \n旧\ufffd\ufffd"; said.Title != want {
		t.Errorf("%q, want %q", said.Title, want)
	}
}

// TestHostileAnswers meets the other requests.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	offset := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Tus-Resumable", wire.TusVersion)
			w.Header().Set("Upload-Offset", text)
			w.Header().Set("Location", "/v1/uploads/u1")
			w.WriteHeader(http.StatusCreated)
		}
	}
	push := func(c *client.Client) error { _, err := c.PushEvents(t.Context(), batch(t, 2)); return err }
	begin := func(c *client.Client) error {
		_, _, err := c.BeginUpload(t.Context(), qc.Shipment{Digest: qc.DigestOf(nil), Bytes: 5})
		return err
	}
	chunk := func(c *client.Client) error {
		_, err := c.UploadChunk(t.Context(), "/v1/uploads/u1", strings.NewReader("photo"), 1, 2)
		return err
	}
	enrol := func(c *client.Client) error {
		_, err := c.BeginEnrolment(t.Context(), "Bench", make([]byte, 32))
		return err
	}
	poll := func(c *client.Client) error { _, _, err := c.PollEnrolment(t.Context(), "d"); return err }
	receipts := strings.Repeat(`{"sseq":1,"status":"applied"},`, 2) + `{"sseq":1,"status":"applied"}`
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		ask    func(*client.Client) error
	}{
		"more receipts than events":  {says(`{"acked_through":2,"results":[` + receipts + `]}`), push},
		"unknown outcome":            {says(`{"acked_through":2,"results":[{"sseq":1,"status":"lost"}]}`), push},
		"acknowledges less than 0":   {says(`{"acked_through":-1}`), push},
		"acknowledges a float":       {says(`{"acked_through":1e99}`), push},
		"upload begins behind":       {offset("6"), begin},
		"upload begins before":       {offset("-3"), begin},
		"part beyond what was sent":  {offset("5"), chunk},
		"part behind":                {offset("0"), chunk},
		"part of no number":          {offset("99999999999999999999"), chunk},
		"user code that obeys":       {says(`{"user_code":"A\u001b[2J","device_code":"d"}`), enrol},
		"no user code":               {says(`{"device_code":"d"}`), enrol},
		"a novel for a user code":    {says(`{"device_code":"d","user_code":"` + strings.Repeat("A", 5000) + `"}`), enrol},
		"station that obeys":         {says(`{"status":"approved","station":"s\u0000","instance":"centre-1"}`), poll},
		"station of no centre":       {says(`{"status":"approved","station":"s1"}`), poll},
		"expiry in no known century": {says(`{"user_code":"ABCDEFGH","device_code":"d","expires_at":"99999-01-01T00:00:00Z"}`), enrol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.ask(hostile(t, c.answer))
			if failure, ok := errors.AsType[*wire.Failure](err); !ok || strings.ContainsFunc(failure.Error(), unicode.IsControl) {
				t.Errorf("got %v", err)
			}
		})
	}
	if got, err := hostile(t, says(`{"user_code":"ABCDEFGH","device_code":"d","interval":9223372036854775807}`)).
		BeginEnrolment(t.Context(), "Bench", make([]byte, 32)); err != nil || got.Interval != time.Minute {
		t.Errorf("polls every %v, %v", got.Interval, err)
	}
}

// TestRefusalsAreClipped: what the centre says of an event comes to people by
// keys only.
func TestRefusalsAreClipped(t *testing.T) {
	t.Parallel()
	c := hostile(t, says(`{"acked_through":2,"results":[{"sseq":1,"status":"rejected","problem":"<b>\u001b","detail":"`+strings.Repeat("x", 9000)+`"}]}`))
	ack, err := c.PushEvents(t.Context(), batch(t, 2))
	if err != nil || ack.Receipts[0].Problem != "error.unexpected" || len(ack.Receipts[0].Detail) != 1000 {
		t.Errorf("%.200v, %v", ack, err)
	}
}

// TestTokenGoesNowhere: redirects of every kind are not followed.
func TestTokenGoesNowhere(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		c := hostile(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) })
		if _, err := c.PushEvents(t.Context(), batch(t, 1)); kindOf(err) != wire.WrongNetwork {
			t.Errorf("%d: %v", status, err)
		}
		if _, err := c.FetchPhoto(t.Context(), qc.DigestOf(nil)); kindOf(err) != wire.WrongNetwork {
			t.Errorf("%d: %v", status, err)
		}
	}
	if reached.Load() != 0 {
		t.Errorf("followed %d times", reached.Load())
	}
}

// FuzzAnswers has a centre answer any bytes to every request for a document.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"items":[{"seq":6,"type":"x","data":{"a":"\u001b"}}],"next":"e.6","up_to_date":true}`))
	f.Add([]byte(`{"acked_through":2,"chain_head":"x","results":[{"sseq":1,"status":"applied"}]}`))
	f.Add([]byte(`{"have":["x"],"partial":[{"sha256":"x","url":"//evil","offset":-1}]}`))
	f.Add([]byte(`{"nonce":"n","access_token":"t","expires_in":9e9}`))
	f.Add([]byte(`{"user_code":"ABCDEFGH","device_code":"d","status":"approved","station":"s","instance":"i"}`))
	f.Add([]byte(`{"type":"urn:flawmark:problem:sequence-gap","expected":18446744073709551615}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		p := start(t)
		for _, status := range []int{http.StatusOK, http.StatusConflict} {
			c := p.client(t, func(cfg *client.Config) {
				cfg.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
					w := httptest.NewRecorder()
					w.Header().Set(wire.InstanceHeader, "centre-1")
					w.Header().Set("Content-Type", wire.JSONType)
					switch r.URL.Path {
					case "/v1/token:challenge":
						fmt.Fprint(w, `{"nonce":"n"}`)
					case "/v1/token":
						fmt.Fprint(w, `{"access_token":"t","expires_in":900}`)
					default:
						if status != http.StatusOK {
							w.Header().Set("Content-Type", wire.ProblemType)
						}
						w.WriteHeader(status)
						_, _ = w.Write(answer)
					}
					return w.Result(), nil
				})
			})
			after := qc.Cursor{Epoch: "e", Seq: 5}
			if page, err := c.Changes(t.Context(), after, 10, 0); err == nil {
				if len(page.Changes) > 10 || page.Next.Epoch == "e" && page.Next.Seq < 5 || page.Next == after && len(page.Changes) > 0 {
					t.Errorf("%d changes lead to %v", len(page.Changes), page.Next)
				}
				for _, change := range page.Changes {
					if len(change.Data) > 0 && !json.Valid(change.Data) {
						t.Errorf("%q is no JSON any more", change.Data)
					}
				}
			}
			if ack, err := c.PushEvents(t.Context(), batch(t, 2)); err == nil && len(ack.Receipts) > 2 {
				t.Errorf("%d receipts", len(ack.Receipts))
			}
			_, _, _ = c.QueryBlobs(t.Context(), []qc.Digest{"aa"})
			if begun, err := c.BeginEnrolment(t.Context(), "Bench", make([]byte, 32)); err == nil && (begun.Interval < time.Second || begun.Interval > time.Minute) {
				t.Errorf("polls every %v", begun.Interval)
			}
			_, _, _ = c.PollEnrolment(t.Context(), "d")
			_, _ = c.Ping(t.Context())
		}
	})
}
