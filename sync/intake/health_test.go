package intake_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"flawmark/app/qc"
	"flawmark/sync/intake"
	"flawmark/sync/wire"
)

// broken is a store that cannot look anything up; asked for nothing, it does
// nothing, as real ones do.
type broken struct {
	intake.Centre
	is bool
}

func (b *broken) LackedBlobs(ctx context.Context, ds []qc.Digest) ([]qc.Digest, error) {
	if b.is && len(ds) > 0 {
		return nil, errors.New("the database is gone")
	}
	return b.Centre.LackedBlobs(ctx, ds)
}

func TestHealthAsksTheStore(t *testing.T) {
	store := &broken{}
	d := open(t, func(cfg *intake.Config) {
		store.Centre = cfg.Centre
		cfg.Centre = store
	})
	if resp, body := d.ask(http.MethodGet, "/healthz", nil); resp.StatusCode != 200 || string(body) != "ok\n" {
		t.Errorf("sound: %d %q", resp.StatusCode, body)
	}
	store.is = true
	resp, body := d.ask(http.MethodGet, "/healthz", nil)
	d.wantProblem(resp, body, 500, wire.Internal)
}
