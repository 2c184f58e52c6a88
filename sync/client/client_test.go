package client_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/client"
	"flawmark/sync/intake"
	"flawmark/sync/intake/intaketest"
	"flawmark/sync/outbox"
	"flawmark/sync/wire"
)

var _ outbox.Remote = (*client.Client)(nil)

type pair struct {
	centre *intaketest.Centre
	key    ed25519.PrivateKey
	server *httptest.Server
	cfg    client.Config
}

func start(t *testing.T) *pair {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{centre: intaketest.New("s1", public), key: private}
	handler, err := intake.New(p.centre.Config())
	if err != nil {
		t.Fatal(err)
	}
	p.server = httptest.NewServer(handler)
	t.Cleanup(p.server.Close)
	p.cfg = client.Config{
		BaseURL: p.server.URL, Instance: "centre-1", Station: "s1", Key: private, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	return p
}

func (p *pair) client(t *testing.T, change func(*client.Config)) *client.Client {
	t.Helper()
	cfg := p.cfg
	if change != nil {
		change(&cfg)
	}
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func batch(t *testing.T, n int) qc.Batch {
	t.Helper()
	b := qc.Batch{Epoch: "e1", First: 1, Prev: qc.ChainStart}
	prev := b.Prev
	for i := range n {
		event := qc.Event{Seq: uint64(i + 1), ID: "e" + string(rune('a'+i)), Kind: qc.FindingRecorded, Version: 1, Data: json.RawMessage(`{"note":"<旧>"}`)}
		sealed, err := qc.Seal(&event, prev)
		if err != nil {
			t.Fatal(err)
		}
		prev = event.Hash
		b.Events = append(b.Events, sealed)
	}
	return b
}

func kindOf(err error) wire.Kind {
	if failure, ok := errors.AsType[*wire.Failure](err); ok {
		return failure.Kind
	}
	return ""
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestWholeConversation(t *testing.T) {
	p := start(t)
	c, ctx := p.client(t, nil), t.Context()
	if err := c.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	ack, err := c.PushEvents(ctx, batch(t, 3))
	if err != nil || ack.Through != 3 || len(ack.Receipts) != 3 || ack.Receipts[0].Status != qc.Applied {
		t.Fatalf("push: %+v, %v", ack, err)
	}
	data := bytes.Repeat([]byte("photo"), 100_000)
	digest := qc.DigestOf(data)
	shipment := qc.Shipment{Digest: digest, Bytes: int64(len(data)), MediaType: "image/jpeg", Lane: qc.LanePreview}
	if have, _, err := c.QueryBlobs(ctx, []qc.Digest{digest}); err != nil || len(have) != 0 {
		t.Fatalf("query: %v, %v", have, err)
	}
	upload, offset, err := c.BeginUpload(ctx, shipment)
	if err != nil || offset != 0 {
		t.Fatalf("begin: %d, %v", offset, err)
	}
	if offset, err = c.UploadChunk(ctx, upload, bytes.NewReader(data), 0, 200_000); err != nil || offset != 200_000 {
		t.Fatalf("first chunk: %d, %v", offset, err)
	}
	if again, offset, err := c.BeginUpload(ctx, shipment); err != nil || again != upload || offset != 200_000 {
		t.Fatalf("begin again: %s at %d, %v", again, offset, err)
	}
	if offset, err = c.UploadOffset(ctx, upload); err != nil || offset != 200_000 {
		t.Fatalf("offset: %d, %v", offset, err)
	}
	// A chunk from the middle must carry the bytes of the middle.
	if _, err = c.UploadChunk(ctx, upload, bytes.NewReader(data), 200_000, 300_000); err != nil {
		t.Fatal(err)
	}
	if have, _, err := c.QueryBlobs(ctx, []qc.Digest{digest}); err != nil || len(have) != 1 {
		t.Fatalf("query: %v, %v", have, err)
	}
	if got, err := c.FetchPhoto(ctx, digest); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("fetch: %d bytes, %v", len(got), err)
	}
	if _, err := c.UploadOffset(ctx, upload); kindOf(err) != wire.Rejected {
		t.Errorf("a finished upload: %v", err)
	}
	page, err := c.Changes(ctx, qc.Cursor{}, 100, 0)
	if err != nil || len(page.Changes) != 4 || !page.UpToDate || page.Next.Seq != 4 {
		t.Errorf("changes: %+v, %v", page, err)
	}
	_, err = c.Changes(ctx, qc.Cursor{Epoch: "old", Seq: 7}, 100, 0)
	if failure, ok := errors.AsType[*wire.Failure](err); !ok || !failure.Says(wire.CursorExpired) {
		t.Errorf("old cursor: %v", err)
	}
}

func TestEnrol(t *testing.T) {
	p := start(t)
	public, private, _ := ed25519.GenerateKey(nil)
	c := p.client(t, func(cfg *client.Config) { cfg.Instance, cfg.Station, cfg.Key = "", "", nil })
	if err := c.Connect(t.Context()); kindOf(err) != wire.Unauthorised {
		t.Errorf("connected without enrolment: %v", err)
	}
	identity, err := c.Enrol(t.Context(), "Bench 4", public, func(e client.Enrolment) {
		if e.UserCode != "ABCD-EFGH" {
			t.Errorf("code %q", e.UserCode)
		}
		if _, _, err := c.PollEnrolment(t.Context(), e.DeviceCode); !errors.Is(err, client.ErrPending) {
			t.Errorf("before approval: %v", err)
		}
		p.centre.Approve()
	})
	if err != nil || identity.Station != "enrolled" || identity.Instance != "centre-1" || identity.Centre != p.server.URL || identity.Name != "Bench 4" {
		t.Fatalf("%+v, %v", identity, err)
	}
	c = p.client(t, func(cfg *client.Config) { cfg.Station, cfg.Key = identity.Station, private })
	if err := c.Connect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNothingIsBelieved puts other servers in the centre's place.
func TestNothingIsBelieved(t *testing.T) {
	p := start(t)
	page := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>Welcome to the guest Wi-Fi</html>")
	}
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   wire.Kind
	}{
		{"sign-in page", func(w http.ResponseWriter, r *http.Request) { page(w) }, wire.WrongNetwork},
		{"redirect to a sign-in page", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/portal" {
				page(w)
				return
			}
			http.Redirect(w, r, "/portal", http.StatusFound)
		}, wire.WrongNetwork},
		{"another centre", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(wire.InstanceHeader, "centre-2")
			w.Header().Set("Content-Type", wire.JSONType)
			_, _ = io.WriteString(w, `{"acked_through":3}`)
		}, wire.WrongServer},
		{"our name on a page", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(wire.InstanceHeader, "centre-1")
			page(w)
		}, wire.WrongNetwork},
		{"a gateway without a centre", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusBadGateway)
		}, wire.Retry},
	} {
		t.Run(c.name, func(t *testing.T) {
			var portal, sent atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/portal" {
					portal.Add(1)
				}
				n, _ := io.Copy(io.Discard, r.Body)
				if r.Method == http.MethodPatch {
					sent.Add(n)
				}
				c.answer(w, r)
			}))
			defer server.Close()
			liar := p.client(t, func(cfg *client.Config) { cfg.BaseURL = server.URL })
			if err := liar.Connect(t.Context()); kindOf(err) != c.want {
				t.Errorf("connect: %v", err)
			}
			if ack, err := liar.PushEvents(t.Context(), batch(t, 3)); kindOf(err) != c.want || ack.Through != 0 {
				t.Errorf("push: %+v, %v", ack, err)
			}
			if _, err := liar.UploadChunk(t.Context(), "/v1/uploads/u1", strings.NewReader("photo"), 0, 5); kindOf(err) != c.want {
				t.Errorf("upload: %v", err)
			}
			if portal.Load() != 0 || sent.Load() != 0 {
				t.Errorf("followed %d redirects, sent %d bytes of a photo", portal.Load(), sent.Load())
			}
		})
	}
}

func TestCertificates(t *testing.T) {
	p := start(t)
	handler, err := intake.New(p.centre.Config())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	ours := x509.NewCertPool()
	ours.AddCert(server.Certificate())
	sum := sha256.Sum256(server.Certificate().RawSubjectPublicKeyInfo)
	pin := base64.StdEncoding.EncodeToString(sum[:])
	for _, c := range []struct {
		name string
		pool *x509.CertPool
		pins []string
		want wire.Kind
	}{
		{"our own authority", ours, nil, ""},
		{"one of two pins", ours, []string{"another", pin}, ""},
		{"no pin fits", ours, []string{"another"}, wire.WrongNetwork},
		{"unknown authority", nil, nil, wire.WrongNetwork},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := p.client(t, func(cfg *client.Config) { cfg.BaseURL, cfg.RootCAs, cfg.Pins = server.URL, c.pool, c.pins })
			if err := client.Connect(t.Context()); kindOf(err) != c.want || c.want == "" && err != nil {
				t.Errorf("got %v, want kind %q", err, c.want)
			}
		})
	}
}

// TestTokenRefusedOnce ends every token behind the client's back.
func TestTokenRefusedOnce(t *testing.T) {
	p := start(t)
	var tokens, refused atomic.Int64
	refuse := atomic.Bool{}
	c := p.client(t, func(cfg *client.Config) {
		cfg.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/v1/token" {
				tokens.Add(1)
				refuse.Store(false)
			}
			if refuse.Load() && r.Header.Get("Authorization") != "" {
				refused.Add(1)
				r = r.Clone(r.Context())
				r.Header.Set("Authorization", "Bearer ended")
			}
			return http.DefaultTransport.RoundTrip(r)
		})
	})
	for range 3 {
		if _, err := c.Changes(t.Context(), qc.Cursor{}, 10, 0); err != nil {
			t.Fatal(err)
		}
	}
	if tokens.Load() != 1 {
		t.Errorf("%d tokens for 3 requests", tokens.Load())
	}
	refuse.Store(true)
	if _, err := c.PushEvents(t.Context(), batch(t, 2)); err != nil {
		t.Errorf("not admitted again: %v", err)
	}
	if tokens.Load() != 2 || refused.Load() != 1 {
		t.Errorf("%d tokens, %d refusals", tokens.Load(), refused.Load())
	}
	p.centre.Revoke("s1", time.Now())
	if _, err := c.PushEvents(t.Context(), batch(t, 2)); kindOf(err) != wire.Unauthorised {
		t.Errorf("revoked: %v", err)
	}
}

// TestLostAnswers loses the first two answers to everything that may be
// repeated: nothing may happen twice, and no part of an upload is repeated.
func TestLostAnswers(t *testing.T) {
	p := start(t)
	lost := make(map[string]int)
	patches := 0
	c := p.client(t, func(cfg *client.Config) {
		cfg.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			resp, err := http.DefaultTransport.RoundTrip(r)
			if r.Method == http.MethodPatch {
				patches++
			}
			if name := r.Method + r.URL.Path; err == nil && r.URL.Path != "/v1/ping" && lost[name] < 2 {
				lost[name]++
				resp.Body.Close()
				return nil, io.ErrUnexpectedEOF
			}
			return resp, err
		})
	})
	ack, err := c.PushEvents(t.Context(), batch(t, 3))
	if err != nil || ack.Through != 3 || ack.Receipts[2].Status != qc.Duplicate {
		t.Fatalf("%+v, %v", ack, err)
	}
	for id, times := range p.centre.Effects {
		if times != 1 {
			t.Errorf("%s happened %d times", id, times)
		}
	}
	data := []byte("a small photo")
	upload, _, err := c.BeginUpload(t.Context(), qc.Shipment{Digest: qc.DigestOf(data), Bytes: int64(len(data))})
	if err != nil || len(p.centre.Uploads) != 1 {
		t.Fatalf("%d uploads, %v", len(p.centre.Uploads), err)
	}
	if _, err := c.UploadChunk(t.Context(), upload, bytes.NewReader(data), 0, 5); kindOf(err) != wire.Retry {
		t.Errorf("lost part: %v", err)
	}
	if patches != 1 {
		t.Errorf("a part was sent %d times", patches)
	}
	if offset, err := c.UploadOffset(t.Context(), upload); err != nil || offset != 5 {
		t.Errorf("offset %d, %v", offset, err)
	}
}

func TestRetryAfterIsTheCallers(t *testing.T) {
	p := start(t)
	calls := 0
	c := p.client(t, func(cfg *client.Config) {
		cfg.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			calls++
			return &http.Response{StatusCode: 503, Body: http.NoBody, Request: r, Header: http.Header{
				"Retry-After": {"86400"}, wire.InstanceHeader: {"centre-1"},
			}}, nil
		})
	})
	_, err := c.FetchPhoto(t.Context(), "aa")
	failure, ok := errors.AsType[*wire.Failure](err)
	if !ok || failure.Kind != wire.Retry || failure.RetryAfter != wire.MaxRetryAfter || calls != 1 {
		t.Errorf("after %d calls: %+v", calls, err)
	}
}

// TestStalledUploadEnds uploads to a server that admits the station and then
// reads nothing more.
func TestStalledUploadEnds(t *testing.T) {
	p := start(t)
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close() // connections wait in its backlog
	c := p.client(t, func(cfg *client.Config) {
		cfg.StallTimeout = 100 * time.Millisecond
		cfg.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPatch {
				r = r.Clone(r.Context())
				r.URL.Host = deaf.Addr().String()
			}
			return http.DefaultTransport.RoundTrip(r)
		})
	})
	_, err = c.UploadChunk(t.Context(), "/v1/uploads/u1", zeros{}, 0, 1<<30)
	if kindOf(err) != wire.Retry || !strings.Contains(err.Error(), "stalled") {
		t.Errorf("got %v", err)
	}
}

type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) { return len(p), nil }

func TestCancelledIsNoFailure(t *testing.T) {
	p := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.client(t, nil).Connect(ctx); !errors.Is(err, context.Canceled) || kindOf(err) != "" {
		t.Errorf("got %v", err)
	}
}

// TestNoSecretsInErrors looks for the token and for queries in what is logged.
func TestNoSecretsInErrors(t *testing.T) {
	p := start(t)
	token := ""
	c := p.client(t, func(cfg *client.Config) {
		cfg.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if header := r.Header.Get("Authorization"); header != "" {
				token = strings.TrimPrefix(header, "Bearer ")
				return nil, errors.New("connection reset")
			}
			return http.DefaultTransport.RoundTrip(r)
		})
	})
	_, err := c.Changes(t.Context(), qc.Cursor{Epoch: "secret", Seq: 1}, 10, 0)
	if err == nil || token == "" || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "secret") {
		t.Errorf("error says %v", err)
	}
}
