package intake

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
)

// slowest is how long a batch of the greatest size may take on a bad network.
const slowest = 5 * time.Minute

func (s *service) describeEvents(api huma.API) {
	openapi.Register(api, forStations(huma.Operation{
		OperationID: "push-events", Method: http.MethodPost, Path: "/v1/stations/{sid}/events",
		Summary: "Apply a batch of a station's events",
		Description: "Idempotent by content: events that the centre has are answered as duplicates. " +
			"A station may bring the events of another one that is cut off, under that station's signature.",
		MaxBodyBytes: wire.MaxBatchBytes + wire.MaxEnvelope, BodyReadTimeout: slowest,
	}), append(admission(),
		openapi.Problems(wire.BadSignature, wire.SequenceGap, wire.SequenceFork, wire.StorageFull)...), s.pushEvents)
}

func (s *service) pushEvents(ctx context.Context, in *struct {
	SID  string `path:"sid"`
	Body wire.Batch
},
) (*document[wire.Ack], error) {
	station := caller(ctx)
	if in.SID != string(station.ID) { // carried by another's hands, see mayCarry
		var problem *wire.Problem
		if station, problem = s.station(ctx, qc.StationID(in.SID)); problem != nil {
			return nil, problem
		}
	}
	batch, problem := open(in.Body, station.Key)
	if problem != nil {
		return nil, problem
	}
	ack, err := s.Centre.ApplyEvents(ctx, station.ID, batch, s.Now())
	if err != nil {
		return nil, s.problem(fmt.Errorf("apply %d events of station %s from %d: %w", len(batch.Events), station.ID, batch.First, err))
	}
	answer := wire.Ack{Through: ack.Through, Head: string(ack.Head), Results: make([]wire.Receipt, 0, len(ack.Receipts))}
	for _, receipt := range ack.Receipts {
		answer.Results = append(answer.Results, wire.Receipt{
			Seq: receipt.Seq, Status: string(receipt.Status), Problem: receipt.Problem, Detail: receipt.Detail,
		})
	}
	return &document[wire.Ack]{answer}, nil
}

// open checks that a batch is one unbroken chain under the station's
// signature. Only then does the signature of its end speak for all of it.
func open(sent wire.Batch, key ed25519.PublicKey) (qc.Batch, *wire.Problem) {
	batch := qc.Batch{Epoch: sent.Epoch, First: sent.First, Prev: qc.ChainHash(sent.Prev)}
	head, size := batch.Prev, 0
	for i, sealed := range sent.Events {
		event, err := qc.OpenEvent(sealed, head)
		if err != nil {
			return qc.Batch{}, wire.NewProblem(wire.Malformed, fmt.Sprintf("event %d does not continue the chain", sent.First+uint64(i)))
		}
		if event.Seq != sent.First+uint64(i) {
			return qc.Batch{}, wire.NewProblem(wire.Malformed, "the events are not numbered one after the other")
		}
		head = event.Hash
		size += len(sealed)
		batch.Events = append(batch.Events, sealed)
	}
	if len(batch.Events) > wire.MaxBatchEvents || size > wire.MaxBatchBytes {
		return qc.Batch{}, wire.NewProblem(wire.TooLarge, "")
	}
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, wire.BatchMessage(sent.Epoch, string(head)), sent.Signature) {
		return qc.Batch{}, wire.NewProblem(wire.BadSignature, "")
	}
	return batch, nil
}
