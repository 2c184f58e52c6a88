package central_test

import (
	"context"
	"sync/atomic"
	"testing"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// fickle is given up when it has been asked so many times whether it still holds.
type fickle struct {
	context.Context
	end  context.CancelFunc
	left *atomic.Int64
}

func givenUpAfter(ctx context.Context, asked int64) fickle {
	f := fickle{left: new(atomic.Int64)}
	f.Context, f.end = context.WithCancel(ctx)
	f.left.Store(asked)
	return f
}

func (f fickle) Err() error {
	if f.left.Add(-1) < 0 {
		f.end()
	}
	return f.Context.Err()
}

// Whoever gives up between two statements of a batch, whichever, leaves nothing
// of it behind, and the database as able as before.
func TestApplyEvents_GivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite)
	batch := w.bench.seal(qc.FindingRecorded, "u12", w.bench.flag("f1", "20481-2"))
	asked := int64(0)
	for ; ; asked++ {
		ctx := givenUpAfter(t.Context(), asked)
		_, err := w.ApplyEvents(ctx, w.bench.id, batch, noon)
		ctx.end()
		if err == nil {
			break
		}
		wantErr(t, err, context.Canceled)
		cases, err := w.Cases(t.Context(), central.CaseFilter{})
		w.must(err)
		if len(cases) > 0 {
			t.Fatalf("%d cases of what was given up at the question %d", len(cases), asked)
		}
	}
	if asked < 20 { // statements, and a few more
		t.Errorf("taken within %d questions whether it is still wanted", asked)
	}
	w.status(refund.Flagged)
}
