package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/wire"
)

// pollFor is how long the centre holds a question when there is no news.
const pollFor = wire.MaxWait

// feed follows the centre's changes.
type feed struct {
	e    *Engine
	wait time.Duration // 0: read to the end and be idle
	// restart asks for everything again; changes carry whole states, so
	// applying them twice does no harm.
	restart bool
	// steady: the last question was answered, so the next one may wait for
	// news. After a failure the first answer comes at once and clears it.
	steady bool
}

func newFeed(e *Engine, wait time.Duration) *feed { return &feed{e: e, wait: wait} }

func (f *feed) name() string { return "feed" }

func (f *feed) step(ctx context.Context) (idle bool, err error) {
	stored, err := f.e.cfg.Store.Cursor(ctx)
	if err != nil {
		return false, fmt.Errorf("read feed cursor: %w", err)
	}
	after := stored
	if f.restart {
		after = qc.Cursor{}
	}
	asked, wait := f.e.cfg.Now(), f.wait
	if !f.steady {
		wait = 0
	}
	page, err := f.e.cfg.Remote.Changes(ctx, after, wire.MaxPage, wait)
	f.steady = err == nil
	if err != nil {
		failure, ok := errors.AsType[*wire.Failure](err)
		if ok && failure.Says(wire.CursorExpired) && !f.restart {
			f.e.cfg.Log.Info("the feed begins again", "after", stored.String())
			f.restart = true
			return false, nil
		}
		return false, err
	}
	stuck := page.Next == after && len(page.Changes) > 0
	if back := page.Next.Epoch == after.Epoch && page.Next.Seq < after.Seq; back || stuck {
		// Following it would never end.
		return false, &wire.Failure{Kind: wire.Retry, Op: "follow changes", Sentence: garbledAnswer, Err: fmt.Errorf("%d changes lead from %s to %s", len(page.Changes), after, page.Next)}
	}
	f.restart = false
	if len(page.Changes) > 0 || page.Next != stored {
		if err := f.e.cfg.Store.ApplyPage(ctx, page); err != nil {
			return false, fmt.Errorf("apply %d changes to %s: %w", len(page.Changes), page.Next, err)
		}
	}
	if f.wait == 0 {
		return page.UpToDate || len(page.Changes) == 0, nil
	}
	if wait > 0 && len(page.Changes) == 0 && f.e.cfg.Now().Sub(asked) < time.Second {
		// A centre that does not hold the question, or one that is closing.
		f.e.pause(ctx, f.e.kicks(), time.Second)
	}
	return false, nil
}
