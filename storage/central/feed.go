package central

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"flawmark/app/qc"
)

// ErrCursorGone reports a cursor of another life of the feed: the follower
// must begin again with the zero cursor.
var ErrCursorGone = errors.New("cursor is not of this feed")

// maxPage and maxPageBytes bound a page of the feed; a change larger than a page
// is one of its own.
const (
	maxPage      = 1000
	maxPageBytes = 4 << 20
)

// tell puts a change on the feed. Its number comes from the counter row, so
// that numbers become visible in their order.
func (t *tx) tell(ctx context.Context, kind qc.ChangeKind, data any) error {
	text, err := jsonText(data)
	if err != nil {
		return fmt.Errorf("tell %s: %w", kind, err)
	}
	seq, err := t.next(ctx, "feed")
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO change (seq, kind, body, at) VALUES ($1, $2, $3, $4)`,
		seq, string(kind), text, micros(t.at))
	if err != nil {
		return fmt.Errorf("tell %s: %w", kind, err)
	}
	t.told = true
	return nil
}

// Changes returns up to limit changes after the cursor, oldest first, and fewer
// where they would make a page that a bad line does not carry. It fails with
// [ErrCursorGone] when the cursor is of another feed or beyond this one.
func (s *Store) Changes(ctx context.Context, after qc.Cursor, limit int) (qc.Page, error) {
	if limit < 1 || limit > maxPage {
		limit = maxPage
	}
	if after.Epoch != s.feedEpoch && after != (qc.Cursor{}) {
		return qc.Page{}, ErrCursorGone
	}
	page := qc.Page{Next: qc.Cursor{Epoch: s.feedEpoch, Seq: after.Seq}}
	rows, err := s.reader.QueryContext(ctx,
		`SELECT seq, kind, body FROM change WHERE seq > $1 ORDER BY seq LIMIT $2`, after.Seq, limit)
	size, full := 0, false
	for err == nil && rows.Next() {
		var c qc.Change
		var text string
		if err = rows.Scan(&c.Seq, &c.Kind, &text); err != nil {
			break
		}
		size += len(text)
		if full = size > maxPageBytes && len(page.Changes) > 0; full {
			break
		}
		c.Data = json.RawMessage(text)
		page.Changes = append(page.Changes, c)
		page.Next.Seq = c.Seq
	}
	if rows != nil {
		err = errors.Join(err, rows.Err(), rows.Close())
	}
	if err != nil {
		return qc.Page{}, fmt.Errorf("read feed after %d: %w", after.Seq, err)
	}
	page.UpToDate = !full && len(page.Changes) < limit
	if len(page.Changes) == 0 && after.Seq > 0 {
		var head int64
		if err := s.reader.QueryRowContext(ctx, `SELECT value FROM counter WHERE name = 'feed'`).Scan(&head); err != nil {
			return qc.Page{}, fmt.Errorf("read feed's head: %w", err)
		}
		if after.Seq > head {
			return qc.Page{}, ErrCursorGone
		}
	}
	return page, nil
}

// Watch returns a channel that ticks after every commit that changed the feed;
// ticks that nobody has taken yet merge into one. The function ends it.
func (s *Store) Watch() (<-chan struct{}, func()) { return s.watchers.add() }

// WatchNotices is [Store.Watch] for those who send notices: they look for what
// is due with several connections at once, and few changes have any for them.
func (s *Store) WatchNotices() (<-chan struct{}, func()) { return s.senders.add() }

// watchers wakes whoever follows the feed, or the outbox of notices.
type watchers struct {
	mu  sync.Mutex
	all map[chan struct{}]bool
}

func (w *watchers) add() (<-chan struct{}, func()) {
	ticks := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = make(map[chan struct{}]bool)
	}
	w.all[ticks] = true
	return ticks, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, ticks)
	}
}

func (w *watchers) tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ticks := range w.all {
		select {
		case ticks <- struct{}{}:
		default:
		}
	}
}
