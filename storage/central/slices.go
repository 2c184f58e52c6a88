package central

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// slicesOfItem are all cases of an item. An item of several pieces may have
// several open ones, each for a slice of the quantity; together they never hold
// more pieces than there are.
type slicesOfItem []refund.Case

// slicesOf returns the cases of an item, the one that changed first first.
func (t *tx) slicesOf(ctx context.Context, item qc.ItemID) (slicesOfItem, error) {
	cases, err := bodies[refund.Case](t.QueryContext(ctx,
		`SELECT body FROM refund_case WHERE item = $1 ORDER BY changed_at, id`, string(item)))
	if err != nil {
		return nil, fmt.Errorf("read cases of item %s: %w", item, err)
	}
	return cases, nil
}

// standingOn returns the open cases that stand on a finding: after a split
// there may be several.
func (t *tx) standingOn(ctx context.Context, id qc.FindingID) ([]refund.Case, error) {
	cases, err := bodies[refund.Case](t.QueryContext(ctx,
		`SELECT body FROM refund_case WHERE finding = $1 AND is_open = 1 ORDER BY changed_at, id`, string(id)))
	if err != nil {
		return nil, fmt.Errorf("read cases of finding %s: %w", id, err)
	}
	return cases, nil
}

// waitingFor returns the open cases that a station's finding is for.
//
// A new revision is for all cases that stand on the finding. A new finding is
// for one: that for which the station says it was made, else the one that
// waits for it most: a replacement to be rechecked, photos that the customer
// asked for, a flag that nobody was told of, a customer who has not chosen;
// of several the one that has waited longest. None: it is for pieces that no
// open case holds.
func (s slicesOfItem) waitingFor(f qc.Finding) []refund.Case {
	open := slices.DeleteFunc(slices.Clone(s), func(c refund.Case) bool {
		return c.Status.Terminal() || c.Pieces() == 0 || c.Round != f.Round
	})
	if same := slices.DeleteFunc(slices.Clone(open), func(c refund.Case) bool { return c.Finding != f.ID }); len(same) > 0 {
		return same
	}
	if i := slices.IndexFunc(open, func(c refund.Case) bool { return f.Case != "" && c.ID == f.Case }); i >= 0 {
		return open[i : i+1]
	}
	if len(open) == 0 {
		return nil
	}
	first := slices.MinFunc(open, func(a, b refund.Case) int { return cmp.Compare(waits(a), waits(b)) })
	if waits(first) == len(patient) && s.loose(f) {
		return nil
	}
	return []refund.Case{first}
}

// patient are the statuses that wait for a finding, the most eager first.
var patient = []refund.Status{refund.Rechecking, refund.PhotosRequested, refund.Flagged, refund.AwaitingDecision}

func waits(c refund.Case) int {
	if i := slices.Index(patient, c.Status); i >= 0 {
		return i
	}
	return len(patient)
}

// loose reports whether pieces of the item have had a case that ended, and are
// still here: a new finding may be about them.
func (s slicesOfItem) loose(f qc.Finding) bool {
	return slices.ContainsFunc(s, func(c refund.Case) bool {
		return c.Status.Terminal() && !gone(c) && c.Pieces() > 0 && c.Finding != f.ID
	})
}

// gone reports whether the pieces of an ended case are not ours to judge any
// more.
func gone(c refund.Case) bool { return c.Status == refund.Credited || c.Status == refund.Forfeited }

// free returns how many pieces of the item a new case could be about.
func (s slicesOfItem) free(item qc.Item) int {
	pieces := item.Quantity
	for _, c := range s {
		if !c.Status.Terminal() || gone(c) {
			pieces -= c.Pieces()
		}
	}
	return pieces
}

// refuseNew keeps ended cases ended: their finding is not revised any more, and
// pieces whose money came back are not ours to judge.
func (s slicesOfItem) refuseNew(f qc.Finding, item qc.Item) error {
	if f.Round != item.Round {
		return refuse(saysMovedOn, fmt.Sprintf("finding of round %d, item is in round %d", f.Round, item.Round))
	}
	ended := slices.ContainsFunc(s, func(c refund.Case) bool {
		return c.Finding == f.ID && c.Status.Terminal() && c.Status != refund.Withdrawn
	})
	if ended || s.free(item) < 1 {
		return refuse(saysMovedOn, "the item's case has ended")
	}
	return nil
}

// checkSlices makes sure that an item's open cases hold no more pieces than
// there are.
func (t *tx) checkSlices(ctx context.Context, item qc.Item) error {
	cases, err := t.slicesOf(ctx, item.ID)
	if err != nil {
		return err
	}
	if held := cases.held(); held > item.Quantity {
		return fmt.Errorf("open cases hold %d pieces of %d: %w", held, item.Quantity, refund.ErrPieces)
	}
	return nil
}

// held returns how many pieces the open cases hold.
func (s slicesOfItem) held() int {
	pieces := 0
	for _, c := range s {
		if !c.Status.Terminal() {
			pieces += c.Pieces()
		}
	}
	return pieces
}

// eachSlice does to every case what it can still take. It fails with the last
// refusal where none could.
func (t *tx) eachSlice(cases []refund.Case, do func(refund.Case) error) error {
	var refused error
	done := 0
	for _, c := range cases {
		err := do(c)
		if _, ok := errors.AsType[*refusal](err); ok {
			refused = err
			continue
		}
		if err != nil {
			return err
		}
		done++
	}
	if done == 0 {
		return refused
	}
	return nil
}

// Halves are what became of a case that was split: the rest keeps its id.
type Halves struct {
	Rest refund.Case `json:"rest"`
	Part refund.Case `json:"part"`
}

// Split makes so many pieces of a case a case of their own, so that the
// customer can decide differently for them; see [refund.Case.Split]. Both
// halves, the feed and the audit trail are one transaction. Version and key
// are as in [Store.Act], and so are the errors.
func (s *Store) Split(ctx context.Context, id qc.CaseID, version, pieces int, by refund.Actor, key string) (Halves, error) {
	var halves Halves
	at := asStored(s.now())
	err := s.write(ctx, at, func(t *tx) error {
		var err error
		halves, err = t.split(ctx, id, version, pieces, by, key)
		return err
	})
	if err != nil {
		return Halves{}, fmt.Errorf("split case %s: %w", id, err)
	}
	return halves, nil
}

func (t *tx) split(ctx context.Context, id qc.CaseID, version, pieces int, by refund.Actor, key string) (Halves, error) {
	print, err := fingerprintOf(id, map[string]any{"split": pieces, "by": by})
	if err != nil {
		return Halves{}, err
	}
	actor := actorName(by)
	if key != "" {
		before, err := remembered[Halves](ctx, t, actor, key, print)
		if !errors.Is(err, qc.ErrNotFound) {
			return before, err
		}
	}
	if err := t.entitled(ctx, by, ""); err != nil {
		return Halves{}, err
	}
	c, err := readCase(ctx, t, id)
	if err != nil {
		return Halves{}, err
	}
	if version != 0 && version != c.Version {
		return Halves{}, &Conflict{Case: c}
	}
	other, err := newCaseID()
	if err != nil {
		return Halves{}, err
	}
	e := refund.Event{Kind: refund.SplitOff, Actor: by, At: t.at}
	var halves Halves
	if halves.Rest, halves.Part, err = c.Split(other, pieces, e); err != nil {
		return Halves{}, err
	}
	if err := t.updateCase(ctx, c.Version, halves.Rest); err != nil {
		return Halves{}, err
	}
	if err := t.announce(ctx, c.Status, halves.Rest, e.Kind); err != nil {
		return Halves{}, err
	}
	about, err := t.subjectOf(ctx, halves.Part)
	if err != nil {
		return Halves{}, err
	}
	if err := t.insertCase(ctx, halves.Part, about, e.Kind); err != nil {
		return Halves{}, err
	}
	if err := t.audit(ctx, actor, "case."+string(e.Kind), "case:"+string(id), map[string]any{
		"pieces": pieces, "part": other, "version": halves.Rest.Version,
	}); err != nil {
		return Halves{}, err
	}
	return halves, t.remember(ctx, actor, key, print, halves)
}
