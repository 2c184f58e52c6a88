package outbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/wire"
)

// Uploading.
const (
	askAtOnce   = 64                     // files in one question
	chunkTakes  = 2 * time.Second        // what a chunk aims at
	lettingPass = 300 * time.Millisecond // a chunk may still end by itself
	openAgain   = time.Minute            // after a file could not be opened
	// maxPlaceLost is how often an upload is sought again without a rest.
	maxPlaceLost = 3
)

// uploads sends photo files, most urgent lane first.
type uploads struct {
	e       *Engine
	chunk   int64
	rate    float64
	skipped map[qc.Digest]skip
	// lost counts how often the centre forgot an upload without any progress.
	lost int
	// moved: something arrived since the last failure.
	moved bool
	// round is the Retry up to which files left alone were tried again.
	round int
	// verified is the file that was last found to be what was recorded.
	verified qc.Digest
	// budget is what the limit lets go now, in bytes, as of spent.
	budget float64
	spent  time.Time
}

func newUploads(e *Engine) *uploads {
	return &uploads{e: e, chunk: wire.MinChunk, skipped: make(map[qc.Digest]skip)}
}

// skip says why a file that waits is left alone, so that the others go on.
type skip struct {
	problem string    // key of a sentence
	again   time.Time // when to try it again; zero: when the program starts again
}

func (u *uploads) name() string { return "photos" }

// progressed reports, once, whether anything arrived: a failure after that is
// the first one again.
func (u *uploads) progressed() bool {
	moved := u.moved
	u.moved = false
	return moved
}

// Why sending a file ended without a fault.
var (
	errOvertaken = errors.New("something more urgent waits")
	errForgotten = errors.New("the centre does not know the upload")
	errPaused    = errors.New("a person holds photo files back")
)

func (u *uploads) step(ctx context.Context) (idle bool, err error) {
	if u.e.isPaused() {
		return true, nil
	}
	if round := u.e.asked(); round != u.round {
		u.round = round
		clear(u.skipped)
	}
	limit := askAtOnce + len(u.skipped)
	shipments, err := u.e.cfg.Store.PendingShipments(ctx, limit)
	if err != nil {
		return false, fmt.Errorf("read pending photos: %w", err)
	}
	if len(shipments) < limit { // these are all
		maps.DeleteFunc(u.skipped, func(d qc.Digest, _ skip) bool {
			return !slices.ContainsFunc(shipments, func(s qc.Shipment) bool { return s.Digest == d })
		})
	}
	u.report()
	shipments = slices.DeleteFunc(shipments, u.rests)
	if len(shipments) == 0 {
		u.e.change(func(s *Status) { s.Uploading, s.BytesPerSecond = "", 0 })
		return true, nil
	}
	if shipments, err = u.lacked(ctx, shipments); err != nil {
		return false, err
	}
	for _, shipment := range shipments {
		if u.overtaken(ctx, shipment.Lane) {
			return false, nil
		}
		err := u.send(ctx, shipment)
		switch {
		case errors.Is(err, errOvertaken), errors.Is(err, errPaused):
			return false, nil
		case errors.Is(err, errForgotten):
			if u.lost++; u.lost > maxPlaceLost {
				u.lost = 0
				return false, &wire.Failure{Kind: wire.Retry, Op: "upload", Err: err}
			}
			return false, nil
		case err != nil:
			return false, err
		}
		u.lost = 0
		// Each file that has gone is a success of its own.
		u.e.worked(u.name())
	}
	return false, nil
}

// lacked asks what the centre has, and returns the rest with the places where
// they go on.
func (u *uploads) lacked(ctx context.Context, shipments []qc.Shipment) ([]qc.Shipment, error) {
	digests := make([]qc.Digest, 0, len(shipments))
	for _, shipment := range shipments {
		digests = append(digests, shipment.Digest)
	}
	have, partial, err := u.e.cfg.Remote.QueryBlobs(ctx, digests)
	if err != nil {
		return nil, err
	}
	have = slices.DeleteFunc(have, func(d qc.Digest) bool { return !slices.Contains(digests, d) })
	if len(have) > 0 {
		if err := u.e.cfg.Store.Shipped(ctx, have...); err != nil {
			return nil, fmt.Errorf("note %d photos as sent: %w", len(have), err)
		}
		u.lost, u.moved = 0, true
	}
	shipments = slices.DeleteFunc(shipments, func(s qc.Shipment) bool { return slices.Contains(have, s.Digest) })
	for i := range shipments {
		for _, known := range partial {
			if known.Digest == shipments[i].Digest {
				shipments[i].Upload = known.Upload
			}
		}
	}
	return shipments, nil
}

// overtaken reports whether something more urgent than lane waits.
func (u *uploads) overtaken(ctx context.Context, lane qc.Lane) bool {
	if lane <= qc.LanePreview {
		return false
	}
	first, err := u.e.cfg.Store.PendingShipments(ctx, 1+len(u.skipped))
	if err != nil {
		return false // the next step will meet and report it
	}
	return slices.ContainsFunc(first, func(s qc.Shipment) bool { return s.Lane < lane && !u.rests(s) })
}

// rests reports whether a file is left alone for now.
func (u *uploads) rests(s qc.Shipment) bool {
	skipped, ok := u.skipped[s.Digest]
	return ok && (skipped.again.IsZero() || u.e.cfg.Now().Before(skipped.again))
}

// skip leaves a file alone and says so.
func (u *uploads) skip(d qc.Digest, why skip, err error) {
	u.skipped[d] = why
	u.e.cfg.Log.Error("a photo file cannot be sent", "sha256", d, "error", err)
	u.report()
}

// report shows how many files are left alone, and why.
func (u *uploads) report() {
	problem := ""
	for _, skipped := range u.skipped {
		if problem == "" || skipped.problem == damagedFile {
			problem = skipped.problem
		}
	}
	u.e.stuck(len(u.skipped), problem)
}

// Sentences about files that cannot be sent.
const (
	damagedFile = "error.blob_damaged"
	unforeseen  = "error.unexpected"
	// garbledAnswer is about a centre whose answers make no sense.
	garbledAnswer = "error.centre_garbled"
)

// send sends the rest of one file.
func (u *uploads) send(ctx context.Context, shipment qc.Shipment) error {
	file, err := u.e.cfg.Open(shipment.Digest)
	if err != nil {
		why := skip{problem: damagedFile}
		if !errors.Is(err, qc.ErrNotFound) { // the disk, or too many open files: it may pass
			why = skip{problem: unforeseen, again: u.e.cfg.Now().Add(openAgain)}
		}
		u.skip(shipment.Digest, why, fmt.Errorf("open: %w", err))
		return nil
	}
	defer func() { _ = file.Close() }()
	if file.Size() != shipment.Bytes {
		u.skip(shipment.Digest, skip{problem: damagedFile}, fmt.Errorf("%d bytes where %d were recorded", file.Size(), shipment.Bytes))
		return nil
	}
	if sound, err := u.sound(ctx, shipment); !sound {
		return err
	}
	u.e.change(func(s *Status) { s.Uploading = shipment.Digest })
	place, offset, err := u.place(ctx, shipment)
	if err == nil && (offset < 0 || offset > shipment.Bytes) {
		err = u.senseless(ctx, shipment, offset)
	}
	// An offset at the end does not say that the centre could publish the file.
	// Only the answer to a part that ends there does, be it an empty one.
	for taken := false; err == nil && !taken; {
		var after int64
		after, err = u.sendChunk(ctx, shipment, place, file, offset)
		failure, _ := errors.AsType[*wire.Failure](err)
		switch {
		case err == nil && (after <= min(offset, shipment.Bytes-1) || after > shipment.Bytes):
			err = &wire.Failure{Kind: wire.Retry, Op: "upload", Err: fmt.Errorf("offset %d after %d", after, offset)}
		case err == nil:
			offset, u.lost, u.moved, taken = after, 0, true, after == shipment.Bytes
			if err := u.e.cfg.Store.UploadProgress(ctx, shipment.Digest, place, offset); err != nil {
				return fmt.Errorf("note progress of %s: %w", shipment.Digest, err)
			}
		case failure != nil && failure.Says(wire.OffsetConflict) && failure.Problem.Offset > offset && failure.Problem.Offset <= shipment.Bytes && u.lost < maxPlaceLost:
			u.lost++ // a centre that leads on and on gets no end of parts
			offset, err = failure.Problem.Offset, nil
		case failure != nil && failure.Says(wire.OffsetConflict) && u.lost < maxPlaceLost:
			u.lost++
			offset, err = u.e.cfg.Remote.UploadOffset(ctx, place)
			if err == nil && (offset < 0 || offset > shipment.Bytes) {
				err = u.senseless(ctx, shipment, offset)
			}
		}
	}
	if err != nil {
		return u.ended(ctx, shipment, err)
	}
	if err := u.e.cfg.Store.Shipped(ctx, shipment.Digest); err != nil {
		return fmt.Errorf("note photo %s as sent: %w", shipment.Digest, err)
	}
	delete(u.skipped, shipment.Digest)
	return nil
}

// sound reports whether a file is still what was recorded. One that is not is
// left alone, and not a byte of it goes.
func (u *uploads) sound(ctx context.Context, shipment qc.Shipment) (bool, error) {
	if u.e.cfg.Verify == nil || u.verified == shipment.Digest {
		return true, nil
	}
	err := u.e.cfg.Verify(ctx, shipment.Digest)
	switch {
	case err == nil:
		u.verified = shipment.Digest
		return true, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.Is(err, qc.ErrDigest):
		u.skip(shipment.Digest, skip{problem: damagedFile}, fmt.Errorf("verify: %w", err))
	default:
		u.skip(shipment.Digest, skip{problem: unforeseen, again: u.e.cfg.Now().Add(openAgain)}, fmt.Errorf("verify: %w", err))
	}
	return false, nil
}

// senseless forgets an upload whose offset cannot be, and is the failure that
// has it begun again after a rest.
func (u *uploads) senseless(ctx context.Context, shipment qc.Shipment, offset int64) error {
	if err := u.e.cfg.Store.UploadProgress(ctx, shipment.Digest, "", 0); err != nil {
		return fmt.Errorf("forget upload of %s: %w", shipment.Digest, err)
	}
	return &wire.Failure{
		Kind: wire.Retry, Op: "upload", Sentence: garbledAnswer, Err: fmt.Errorf("offset %d of %d bytes", offset, shipment.Bytes),
	}
}

// ended turns a file's failure into what the queue does about it.
func (u *uploads) ended(ctx context.Context, shipment qc.Shipment, err error) error {
	u.chunk = max(u.chunk/2, wire.MinChunk)
	failure, ok := errors.AsType[*wire.Failure](err)
	if !ok || failure.Kind != wire.Rejected && failure.Kind != wire.Oversized {
		return err
	}
	if failure.Says(wire.DigestMismatch) || failure.Kind == wire.Oversized || failure.Problem != nil && !failure.Says(wire.NotFound) {
		why := skip{problem: unforeseen}
		if failure.Says(wire.DigestMismatch) {
			why.problem = damagedFile
		}
		u.skip(shipment.Digest, why, err)
		return nil
	}
	// Finished with the answer lost, or expired: ask again which it is.
	if err := u.e.cfg.Store.UploadProgress(ctx, shipment.Digest, "", 0); err != nil {
		return fmt.Errorf("forget upload of %s: %w", shipment.Digest, err)
	}
	return errForgotten
}

// place returns where a file's bytes go and how many are there.
func (u *uploads) place(ctx context.Context, shipment qc.Shipment) (string, int64, error) {
	if shipment.Upload != "" {
		offset, err := u.e.cfg.Remote.UploadOffset(ctx, shipment.Upload)
		return shipment.Upload, offset, err
	}
	upload, offset, err := u.e.cfg.Remote.BeginUpload(ctx, shipment)
	if err != nil {
		return "", 0, err
	}
	if err := u.e.cfg.Store.UploadProgress(ctx, shipment.Digest, upload, offset); err != nil {
		return "", 0, fmt.Errorf("note upload of %s: %w", shipment.Digest, err)
	}
	return upload, offset, nil
}

// sendChunk sends the next part, and breaks it off when something more urgent
// is recorded meanwhile. What has arrived by then is not lost.
func (u *uploads) sendChunk(ctx context.Context, shipment qc.Shipment, place string, file File, offset int64) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var watching sync.WaitGroup
	done := make(chan struct{})
	if shipment.Lane > qc.LanePreview {
		if u.overtaken(ctx, shipment.Lane) {
			return 0, errOvertaken
		}
		u.afford(ctx, shipment.Lane)
	}
	if u.e.isPaused() {
		return 0, errPaused
	}
	if shipment.Lane > qc.LanePreview {
		watching.Go(func() { u.yieldTo(ctx, cancel, shipment.Lane, done) })
	}
	n := min(u.chunk, shipment.Bytes-offset)
	began := u.e.cfg.Now()
	after, err := u.e.cfg.Remote.UploadChunk(ctx, place, file, offset, n)
	close(done)
	watching.Wait()
	if err != nil {
		if cause := context.Cause(ctx); errors.Is(cause, errOvertaken) || errors.Is(cause, errPaused) {
			return 0, cause
		}
		return 0, err
	}
	if shipment.Lane > qc.LanePreview {
		u.budget -= float64(n)
	}
	if n > 0 {
		u.measure(n, u.e.cfg.Now().Sub(began))
	}
	return after, nil
}

// yieldTo ends a chunk in progress for something more urgent.
func (u *uploads) yieldTo(ctx context.Context, cancel context.CancelCauseFunc, lane qc.Lane, done <-chan struct{}) {
	ticks, stop := u.e.cfg.Store.Watch()
	defer stop()
	for {
		kicked := u.e.kicks()
		if u.e.isPaused() {
			cancel(errPaused)
			return
		}
		if u.overtaken(ctx, lane) { // also what came before the watch began
			u.e.pause(ctx, done, lettingPass)
			cancel(errOvertaken)
			return
		}
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-ticks:
		case <-kicked:
		}
	}
}

// afford waits until the limit lets another part of an original go. A part
// that was larger than what was left is paid for afterwards.
func (u *uploads) afford(ctx context.Context, lane qc.Lane) {
	for ctx.Err() == nil && !u.e.isPaused() && !u.overtaken(ctx, lane) {
		at := u.e.cfg.Now()
		limit := u.limit(at)
		if limit <= 0 {
			u.budget, u.spent = 0, at
			return
		}
		if passed := at.Sub(u.spent).Seconds(); passed > 0 && !u.spent.IsZero() {
			u.budget = min(u.budget+passed*limit, 0)
		}
		u.spent = at
		if u.budget >= 0 {
			u.chunk = min(u.chunk, max(int64(limit*chunkTakes.Seconds()), wire.MinChunk))
			return
		}
		u.e.pause(ctx, u.e.kicks(), min(time.Duration(-u.budget/limit*float64(time.Second))+time.Millisecond, waitForBudget))
	}
}

// waitForBudget is how soon a change of the limit is noticed.
const waitForBudget = 5 * time.Second

func (u *uploads) limit(at time.Time) float64 {
	if u.e.cfg.Limit == nil {
		return 0
	}
	return float64(u.e.cfg.Limit(at))
}

// measure adapts the chunk to the network.
func (u *uploads) measure(n int64, took time.Duration) {
	rate := float64(n) / max(took.Seconds(), 0.001)
	if u.rate == 0 {
		u.rate = rate
	}
	u.rate = 0.7*u.rate + 0.3*rate
	u.chunk = min(max(int64(u.rate*chunkTakes.Seconds()), wire.MinChunk), wire.MaxChunk, u.chunk*2)
	shown := u.rate
	u.e.change(func(s *Status) { s.BytesPerSecond = shown })
}
