package client_test

import (
	"crypto/ed25519"
	"errors"
	"testing"

	"flawmark/app/qc"
	"flawmark/sync/client"
	"flawmark/sync/intake"
	"flawmark/sync/wire"
)

// TestPushFor brings another station's batch: its own signature lets it in, and
// the carrier's does not.
func TestPushFor(t *testing.T) {
	t.Parallel()
	p := start(t)
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.centre.Stations["s2"] = intake.Station{ID: "s2", Key: public}
	c := p.client(t, nil)
	forged, err := client.Sign("s2", batch(t, 2), p.key)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.PushFor(t.Context(), forged)
	if failure, ok := errors.AsType[*wire.Failure](err); !ok || !failure.Says(wire.BadSignature) || len(p.centre.Applied) != 0 {
		t.Errorf("forged: %v", err)
	}
	if err := client.Verify(forged, public); !errors.Is(err, client.ErrSignature) {
		t.Errorf("verified: %v", err)
	}
	signed, err := client.Sign("s2", batch(t, 2), private)
	if err = errors.Join(err, client.Verify(signed, public)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []qc.ReceiptStatus{qc.Applied, qc.Duplicate} {
		ack, err := c.PushFor(t.Context(), signed)
		if err != nil || ack.Through != 2 || ack.Receipts[1].Status != want {
			t.Errorf("%+v, %v, want %s", ack, err, want)
		}
	}
	other := p.client(t, func(cfg *client.Config) { cfg.Key = private })
	if _, err := other.PushFor(t.Context(), signed); kindOf(err) != wire.Unauthorised {
		t.Errorf("without a token: %v", err)
	}
}
