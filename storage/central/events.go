package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"flawmark/app/qc"
)

var (
	// ErrFork says that the station's log differs from what the centre already
	// has of it. The station must begin a new epoch and raise an alarm.
	ErrFork = errors.New("station log forks from the one known here")
	// ErrBatch says that the batch is not a run of sealed events.
	ErrBatch = errors.New("not a batch of events")
)

// Gap says that events are missing before the batch.
type Gap struct {
	Expected uint64 // the sequence number to go on with
}

func (g *Gap) Error() string { return fmt.Sprintf("events are missing from %d on", g.Expected) }

// ApplyEvents takes a batch of a station's log: the events, their effects, the
// feed and how far the log is known are one transaction. Every event gets a
// receipt; one that is refused leaves nothing behind but itself and blocks
// nothing that follows. An event that was taken before is a duplicate, except
// that a refusal is repeated, so that a lost answer never hides it.
//
// It fails with a *[Gap], [ErrFork], [ErrBatch], [ErrRevoked] or
// [qc.ErrNotFound], and then nothing has happened.
func (s *Store) ApplyEvents(ctx context.Context, id qc.StationID, b qc.Batch, at time.Time) (qc.Ack, error) {
	var ack qc.Ack
	err := s.write(ctx, at, func(t *tx) error {
		var err error
		ack, err = t.applyBatch(ctx, id, b)
		return err
	})
	if err != nil {
		return qc.Ack{}, fmt.Errorf("apply events of station %s from %d: %w", id, b.First, err)
	}
	return ack, nil
}

func (t *tx) applyBatch(ctx context.Context, id qc.StationID, b qc.Batch) (qc.Ack, error) {
	station, err := readStation(ctx, t, id)
	if err != nil {
		return qc.Ack{}, err
	}
	if !station.RevokedAt.IsZero() {
		return qc.Ack{}, ErrRevoked
	}
	if b.Epoch == "" || len(b.Epoch) > 64 || b.First == 0 && len(b.Events) > 0 {
		return qc.Ack{}, ErrBatch
	}
	acked, head := station.AckedSeq, station.Head
	if b.Epoch != station.Epoch {
		if acked, head, err = logState(ctx, t, id, b.Epoch); err != nil {
			return qc.Ack{}, err
		}
	}
	if len(b.Events) == 0 {
		return qc.Ack{Through: acked, Head: head}, nil
	}
	if b.First > acked+1 {
		return qc.Ack{}, &Gap{Expected: acked + 1}
	}
	ack := qc.Ack{Through: acked, Head: head, Receipts: make([]qc.Receipt, 0, len(b.Events))}
	log := stationLog{station: id, epoch: b.Epoch}
	prev := head
	if b.First <= acked { // some of it is known
		if prev, err = t.hashAt(ctx, log, b.First-1); err != nil {
			return qc.Ack{}, err
		}
	}
	if b.Prev != prev {
		return qc.Ack{}, ErrFork
	}
	for i, sealed := range b.Events {
		e, err := qc.OpenEvent(sealed, prev)
		if errors.Is(err, qc.ErrChain) {
			return qc.Ack{}, errors.Join(ErrFork, err)
		}
		if err != nil || e.Seq != b.First+uint64(i) {
			return qc.Ack{}, errors.Join(ErrBatch, err)
		}
		var receipt qc.Receipt
		if e.Seq <= acked {
			receipt, err = t.repeat(ctx, log, e)
		} else {
			receipt, err = t.take(ctx, log, e, sealed)
			ack.Through, ack.Head = e.Seq, e.Hash
		}
		if err != nil {
			return qc.Ack{}, err
		}
		ack.Receipts = append(ack.Receipts, receipt)
		prev = e.Hash
	}
	if ack.Through == acked {
		return ack, nil
	}
	if err := t.acknowledge(ctx, log, ack); err != nil || b.Epoch == station.Epoch {
		return ack, err
	}
	_, err = t.ExecContext(ctx, `UPDATE station SET epoch = $1 WHERE id = $2`, b.Epoch, string(id))
	return ack, err
}

// stationLog names one epoch of one station's log.
type stationLog struct {
	station qc.StationID
	epoch   string
}

func (t *tx) acknowledge(ctx context.Context, log stationLog, ack qc.Ack) error {
	_, err := t.ExecContext(ctx, `INSERT INTO station_log (station, epoch, acked_seq, head) VALUES ($1, $2, $3, $4)
		ON CONFLICT (station, epoch) DO UPDATE SET acked_seq = excluded.acked_seq, head = excluded.head`,
		string(log.station), log.epoch, int64(ack.Through), string(ack.Head))
	return err
}

// hashAt returns the hash of a known event; that of 0 is [qc.ChainStart].
func (t *tx) hashAt(ctx context.Context, log stationLog, seq uint64) (qc.ChainHash, error) {
	if seq == 0 {
		return qc.ChainStart, nil
	}
	var hash qc.ChainHash
	err := t.QueryRowContext(ctx, `SELECT hash FROM station_event WHERE station = $1 AND epoch = $2 AND seq = $3`,
		string(log.station), log.epoch, int64(seq)).Scan(&hash)
	return hash, found(err)
}

// repeat answers an event that was taken before.
func (t *tx) repeat(ctx context.Context, log stationLog, e qc.Event) (qc.Receipt, error) {
	receipt := qc.Receipt{Seq: e.Seq}
	var hash qc.ChainHash
	err := t.QueryRowContext(ctx, `SELECT hash, status, problem, detail FROM station_event
		WHERE station = $1 AND epoch = $2 AND seq = $3`, string(log.station), log.epoch, int64(e.Seq)).
		Scan(&hash, &receipt.Status, &receipt.Problem, &receipt.Detail)
	if err != nil {
		return qc.Receipt{}, found(err)
	}
	if hash != e.Hash {
		return qc.Receipt{}, ErrFork
	}
	if receipt.Status != qc.Rejected {
		receipt.Status = qc.Duplicate
	}
	return receipt, nil
}

// take runs a new event's effect and keeps the event, whatever came of it.
func (t *tx) take(ctx context.Context, log stationLog, e qc.Event, sealed []byte) (qc.Receipt, error) {
	receipt := qc.Receipt{Seq: e.Seq, Status: qc.Applied}
	known, err := t.appliedBefore(ctx, log, e.ID)
	if err != nil {
		return qc.Receipt{}, err
	}
	if known {
		receipt.Status = qc.Duplicate
	} else {
		err = t.attempt(ctx, func() error { return t.effect(ctx, log.station, e) })
		if refused, ok := errors.AsType[*refusal](err); ok {
			receipt.Status, receipt.Problem, receipt.Detail = qc.Rejected, refused.problem, refused.detail
		} else if err != nil {
			return qc.Receipt{}, fmt.Errorf("event %d, %s: %w", e.Seq, e.Kind, err)
		}
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO station_event
		(station, epoch, seq, id, kind, body, hash, status, problem, detail, received_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		string(log.station), log.epoch, int64(e.Seq), e.ID, string(e.Kind), string(sealed), string(e.Hash),
		string(receipt.Status), receipt.Problem, receipt.Detail, micros(t.at)); err != nil {
		return qc.Receipt{}, fmt.Errorf("keep event %d: %w", e.Seq, err)
	}
	if receipt.Status == qc.Rejected {
		return receipt, t.audit(ctx, "station:"+string(log.station), "event.rejected", "event:"+e.ID,
			map[string]string{"kind": string(e.Kind), "problem": receipt.Problem, "detail": receipt.Detail})
	}
	return receipt, nil
}

// appliedBefore finds events that a station carries over into a new epoch.
func (t *tx) appliedBefore(ctx context.Context, log stationLog, id string) (bool, error) {
	var one int
	err := t.QueryRowContext(ctx, `SELECT 1 FROM station_event WHERE id = $1 AND station = $2 AND status = $3 LIMIT 1`,
		id, string(log.station), string(qc.Applied)).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
