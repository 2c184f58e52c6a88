package intake_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/intake"
	"flawmark/sync/intake/intaketest"
	"flawmark/sync/wire"
)

// TestRevokedWhileFollowing revokes a station that waits for news: it must not
// hear them, and its request must end.
func TestRevokedWhileFollowing(t *testing.T) {
	for name, test := range map[string]struct {
		accept string
		news   bool
		status int // a stream has begun before
	}{
		"poll, news":    {wire.JSONType, true, http.StatusForbidden},
		"poll, quiet":   {wire.JSONType, false, http.StatusForbidden},
		"stream, news":  {wire.StreamType, true, http.StatusOK},
		"stream, quiet": {wire.StreamType, false, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				public, private, err := ed25519.GenerateKey(nil)
				if err != nil {
					t.Fatal(err)
				}
				centre := intaketest.New("s1", public)
				handler, err := intake.New(centre.Config())
				if err != nil {
					t.Fatal(err)
				}
				token := admitDirectly(t, handler, private)
				ctx, cancel := context.WithCancel(t.Context())
				req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/stations/s1/changes?wait=25", nil)
				req.Header = http.Header{"Authorization": {"Bearer " + token}, "Accept": {test.accept}}
				w := httptest.NewRecorder()
				ended := false
				go func() {
					handler.ServeHTTP(w, req)
					ended = true
				}()
				time.Sleep(time.Second)
				centre.Revoke("s1", time.Now())
				if test.news {
					centre.Say(qc.ItemChanged, "secret")
					synctest.Wait()
				} else {
					time.Sleep(26 * time.Second)
				}
				synctest.Wait()
				if !ended {
					t.Error("the request goes on")
				}
				cancel()
				synctest.Wait()
				if w.Code != test.status || strings.Contains(w.Body.String(), "secret") {
					t.Errorf("status %d: %s", w.Code, w.Body)
				}
			})
		})
	}
}

// admitDirectly proves the key of station s1 without a network.
func admitDirectly(t *testing.T, handler http.Handler, key ed25519.PrivateKey) string {
	t.Helper()
	post := func(path string, in, out any) {
		t.Helper()
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(body)))
		req.Header.Set("Content-Type", wire.JSONType)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			t.Fatalf("%s: %v: %s", path, err, w.Body)
		}
	}
	var challenge wire.Challenge
	post("/v1/token:challenge", wire.ChallengeRequest{Station: "s1"}, &challenge)
	var token wire.Token
	post("/v1/token", wire.TokenRequest{
		Station: "s1", Nonce: challenge.Nonce,
		Signature: ed25519.Sign(key, wire.TokenMessage("centre-1", "s1", challenge.Nonce)),
	}, &token)
	if token.AccessToken == "" {
		t.Fatal("no token")
	}
	return token.AccessToken
}
