package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"flawmark/app/qc"
	"flawmark/sync/wire"
)

// delivery pushes events, oldest first.
type delivery struct {
	e *Engine
	// events and bytes are how much goes in one batch; less after a refusal.
	events, bytes int
	// parked holds events that the centre refused to read at all.
	parked map[uint64]bool
	// gap is what the centre expected last, to notice when rewinding is of no
	// use.
	gap uint64
	// renewed: the log began anew, and nothing has been acknowledged since.
	renewed bool
}

func newDelivery(e *Engine) *delivery {
	return &delivery{e: e, events: wire.MaxBatchEvents, bytes: wire.MaxBatchBytes, parked: make(map[uint64]bool)}
}

func (d *delivery) name() string { return "events" }

func (d *delivery) step(ctx context.Context) (idle bool, err error) {
	batch, err := d.e.cfg.Store.PendingBatch(ctx, d.events, d.bytes)
	if err != nil {
		return false, fmt.Errorf("read pending events: %w", err)
	}
	if len(batch.Events) == 0 {
		return true, nil
	}
	ack, err := d.e.cfg.Remote.PushEvents(ctx, batch)
	if err != nil {
		return false, d.refused(ctx, batch, err)
	}
	last := batch.First + uint64(len(batch.Events)) - 1
	if ack.Through < batch.First || ack.Through > last {
		return false, &wire.Failure{Kind: wire.Retry, Op: "push events", Err: fmt.Errorf("acknowledged through %d of %d to %d", ack.Through, batch.First, last)}
	}
	if err := d.e.cfg.Store.Acknowledge(ctx, ack, d.e.cfg.Now()); err != nil {
		return false, d.forked(ctx, fmt.Errorf("acknowledge events through %d: %w", ack.Through, err))
	}
	d.gap, d.renewed = 0, false
	d.events = min(d.events*2, wire.MaxBatchEvents)
	d.bytes = min(d.bytes*2, wire.MaxBatchBytes)
	return false, nil
}

// refused does what a refusal asks for; nil: go on at once.
func (d *delivery) refused(ctx context.Context, batch qc.Batch, err error) error {
	failure, ok := errors.AsType[*wire.Failure](err)
	if !ok {
		return err
	}
	switch {
	case failure.Says(wire.SequenceGap):
		expected := failure.Problem.Expected
		useless := expected == 0 || expected == batch.First || expected == d.gap && d.parked[expected]
		d.gap = expected
		if useless {
			return err
		}
		d.e.cfg.Log.Info("the centre expects other events", "expected", expected, "offered", batch.First)
		if err := d.e.cfg.Store.Rewind(ctx, expected); err != nil {
			return d.forked(ctx, fmt.Errorf("rewind to event %d: %w", expected, err))
		}
		if d.parked[expected] {
			return err // the centre insists on an event it cannot read: slowly
		}
		return nil
	case failure.Says(wire.SequenceFork):
		return d.forked(ctx, err)
	case failure.Kind == wire.Rejected, failure.Kind == wire.Oversized:
		if n := len(batch.Events); n > 1 {
			d.events = max(n/2, 1)
			if failure.Kind == wire.Oversized {
				d.bytes = max(d.bytes/2, wire.MinChunk)
			}
			return nil
		}
		return d.park(ctx, batch, failure)
	}
	return err
}

// forked lets the log begin anew when err says that the centre remembers another
// one; nil: go on at once. The centre knows the events by their ids, so none
// happens twice. One that sees a fork in a new log as well is not helped by
// another: that is for a person.
func (d *delivery) forked(ctx context.Context, err error) error {
	failure, ok := errors.AsType[*wire.Failure](err)
	if seen := errors.Is(err, qc.ErrFork) || ok && failure.Says(wire.SequenceFork); !seen || d.renewed {
		return err
	}
	d.e.cfg.Log.Error("the centre remembers another history of this station, so its log begins anew", "error", err)
	if begun := d.e.cfg.Store.BeginEpoch(ctx); begun != nil {
		return fmt.Errorf("%w; begin a new log: %w", err, begun)
	}
	d.renewed, d.gap = true, 0
	clear(d.parked)
	return nil
}

// park records that the centre cannot take one event at all, so that a person
// looks at it and what follows goes on.
func (d *delivery) park(ctx context.Context, batch qc.Batch, failure *wire.Failure) error {
	var event struct {
		Hash qc.ChainHash `json:"hash"`
	}
	if err := json.Unmarshal(batch.Events[0], &event); err != nil {
		return fmt.Errorf("read event %d: %w", batch.First, err)
	}
	d.e.cfg.Log.Error("the centre cannot take an event", "seq", batch.First, "error", failure)
	d.parked[batch.First] = true
	ack := qc.Ack{Through: batch.First, Head: event.Hash, Receipts: []qc.Receipt{{
		Seq: batch.First, Status: qc.Rejected, Problem: "error.unexpected", Detail: failure.Error(),
	}}}
	if err := d.e.cfg.Store.Acknowledge(ctx, ack, d.e.cfg.Now()); err != nil {
		return fmt.Errorf("park event %d: %w", batch.First, err)
	}
	return nil
}
