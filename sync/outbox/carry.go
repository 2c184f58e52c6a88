package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/wire"
)

// Carriage is what this station brings for others that are cut off. Their photo
// files are in the common queue of the [Store].
type Carriage struct {
	// Next returns batches that wait, each station's in order.
	Next func(ctx context.Context, limit int) ([]qc.SignedBatch, error)
	// Push brings a batch to the centre; its failures are [*wire.Failure].
	Push func(ctx context.Context, b qc.SignedBatch) (qc.Ack, error)
	// Delivered forgets a batch.
	Delivered func(ctx context.Context, b qc.SignedBatch) error
}

const (
	carryAtOnce = 64
	// carryAgain is when a batch is offered again that the centre cannot take
	// yet: what comes before it may arrive by other hands.
	carryAgain = 10 * time.Minute
)

// carrier pushes other stations' batches. Whatever becomes of them is between
// the centre and their origin, which keeps its own copy; nothing of it ever
// shows this station's own link as troubled.
type carrier struct {
	e     *Engine
	later map[carriedBatch]time.Time
}

type carriedBatch struct {
	station qc.StationID
	epoch   string
	first   uint64
}

func newCarrier(e *Engine) *carrier { return &carrier{e: e, later: make(map[carriedBatch]time.Time)} }

func (c *carrier) name() string { return "carried events" }

func (c *carrier) step(ctx context.Context) (idle bool, err error) {
	batches, err := c.e.cfg.Carriage.Next(ctx, carryAtOnce)
	if err != nil {
		return false, fmt.Errorf("read carried events: %w", err)
	}
	for _, b := range batches {
		id := carriedBatch{b.Station, b.Batch.Epoch, b.Batch.First}
		if c.e.cfg.Now().Before(c.later[id]) {
			continue
		}
		if err := c.bring(ctx, id, b); err != nil {
			return false, err
		}
	}
	return true, nil
}

// bring pushes one batch and decides what its answer means for us.
func (c *carrier) bring(ctx context.Context, id carriedBatch, b qc.SignedBatch) error {
	_, err := c.e.cfg.Carriage.Push(ctx, b)
	failure, refused := errors.AsType[*wire.Failure](err)
	log := c.e.cfg.Log.With("station", b.Station, "first", b.Batch.First, "events", len(b.Batch.Events))
	switch {
	case err == nil:
		log.Info("another station's events were brought to the centre")
	case !refused, failure.Kind == wire.Retry, failure.Kind == wire.WrongNetwork, failure.Kind == wire.WrongServer, failure.Kind == wire.UpgradeNeeded,
		failure.Says(wire.NotAuthenticated), failure.Kind == wire.Unauthorised && failure.Problem == nil:
		return err // the link's affair
	case failure.Says(wire.SequenceGap), failure.Says(wire.NotAuthorised):
		// Something before it is missing, or the centre does not let one
		// station speak for another.
		log.Warn("another station's events have to wait", "error", err)
		c.later[id] = c.e.cfg.Now().Add(carryAgain)
		return nil
	default:
		log.Error("the centre does not take another station's events", "error", err)
	}
	delete(c.later, id)
	if err := c.e.cfg.Carriage.Delivered(ctx, b); err != nil {
		return fmt.Errorf("end carrying events: %w", err)
	}
	return nil
}
