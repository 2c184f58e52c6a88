package central

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"flawmark/app/qc"
	"flawmark/app/refund"

	"github.com/google/uuid"
)

// eventVersion is the newest form of events that this program understands.
const eventVersion = 1

// effect does what an event of a station means. A refusal is for the person
// who caused the event; any other error undoes the whole batch.
func (t *tx) effect(ctx context.Context, station qc.StationID, e qc.Event) error {
	if e.Version > eventVersion || e.ID == "" {
		return refuse(saysEventUnknown, fmt.Sprintf("%s in version %d", e.Kind, e.Version))
	}
	switch e.Kind {
	case qc.FindingRecorded:
		return take(ctx, t, station, e, t.findingRecorded)
	case qc.ReviewGiven:
		return take(ctx, t, station, e, t.reviewGiven)
	case qc.ReturnDispatched:
		return take(ctx, t, station, e, t.returnDispatched)
	case qc.ReplacementArrived:
		return take(ctx, t, station, e, t.replacementArrived)
	}
	return refuse(saysEventUnknown, string(e.Kind))
}

// said is an event with its data read: who said it, where.
type said[T any] struct {
	station qc.StationID
	by      qc.Staff
	data    T
}

// take reads an event's data, finds out who speaks, and runs the effect.
func take[T any](ctx context.Context, t *tx, station qc.StationID, e qc.Event, do func(context.Context, said[T]) error) error {
	s := said[T]{station: station}
	if err := json.Unmarshal(e.Data, &s.data); err != nil {
		return refuse(saysEventUnknown, err.Error())
	}
	by, err := staff(ctx, t, e.By)
	if errors.Is(err, qc.ErrNotFound) || err == nil && !by.MayInspect() {
		return refuse(saysNotAllowed, "nobody who may inspect: "+string(e.By))
	}
	if err != nil {
		return err
	}
	s.by = by
	return do(ctx, s)
}

// atBench is the actor of what an inspector did.
func (s said[T]) atBench() refund.Actor {
	return refund.Actor{Party: refund.ByStation, ID: string(s.by.ID)}
}

func (t *tx) findingRecorded(ctx context.Context, s said[qc.Finding]) error {
	f := s.data
	if f.Inspector != s.by.ID || f.Station != s.station {
		return refuse(saysNotAllowed, "recorded by "+string(f.Inspector)+" at "+string(f.Station))
	}
	item, err := readItem(ctx, t, f.Item)
	if errors.Is(err, qc.ErrNotFound) || err == nil && item.Order != f.Order {
		return refuse(saysOrderUnknown, "item "+string(f.Item)+" of order "+string(f.Order))
	}
	if err != nil {
		return err
	}
	if err := t.checkFinding(ctx, f, item); err != nil {
		return err
	}
	cases, err := t.slicesOf(ctx, f.Item)
	if err != nil {
		return err
	}
	mine := cases.waitingFor(f)
	if len(mine) == 0 {
		if err := cases.refuseNew(f, item); err != nil {
			return err
		}
	}
	counts, err := t.counts(ctx, f, mine)
	if err != nil {
		return err
	}
	if err := t.keepFinding(ctx, f); err != nil {
		return err
	}
	if counts && f.Verdict == qc.Flag && len(mine) == 0 {
		return t.openFor(ctx, f, item, cases.free(item))
	}
	if err := t.countFinding(ctx, f, item); err != nil {
		return err
	}
	switch {
	case !counts:
		return t.audit(ctx, "staff:"+string(f.Inspector), "finding.overtaken", "item:"+string(f.Item), f.ID)
	case len(mine) == 0:
		return t.audit(ctx, "staff:"+string(f.Inspector), "finding.pass", "item:"+string(f.Item), f.ID)
	}
	return t.eachSlice(mine, func(c refund.Case) error { return t.reinspected(ctx, s, c, item) })
}

// checkFinding refuses what must not be recorded.
func (t *tx) checkFinding(ctx context.Context, f qc.Finding, item qc.Item) error {
	if f.Verdict != qc.Pass && f.Verdict != qc.Flag || f.ID == "" || f.Revision < 1 {
		return refuse(saysEventUnknown, fmt.Sprintf("finding %q revision %d: verdict %q", f.ID, f.Revision, f.Verdict))
	}
	if err := f.Check(item, t.store.catalogue); err != nil {
		if refused := refuseFor(err); refused != err { //nolint:errorlint // unchanged, not alike
			return refused
		}
		// A reason that nobody gave a sentence must not hold up what follows.
		return refuse(saysEventUnknown, err.Error())
	}
	for _, photo := range f.Photos {
		for _, d := range []qc.Digest{photo.Digest, photo.Preview.Digest, photo.Thumb.Digest} {
			if _, err := qc.ParseDigest(string(d)); err != nil {
				return refuse("error."+qc.ErrNoPhoto.Error(), "photo "+string(photo.ID)+": "+err.Error())
			}
		}
	}
	latest, err := readFinding(ctx, t, f.ID)
	if errors.Is(err, qc.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if latest.Item != f.Item || latest.Station != f.Station {
		return refuse(saysNotAllowed, "finding "+string(f.ID)+" belongs to another item or station")
	}
	if f.Revision <= latest.Revision {
		return refuse(saysMovedOn, fmt.Sprintf("revision %d after %d", f.Revision, latest.Revision))
	}
	return nil
}

func (t *tx) keepFinding(ctx context.Context, f qc.Finding) error {
	n, err := t.next(ctx, "finding")
	if err != nil {
		return err
	}
	text, err := jsonText(f)
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO finding (id, revision, n, item, station, verdict, body, received_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, string(f.ID), f.Revision, n, string(f.Item), string(f.Station),
		string(f.Verdict), text, micros(t.at)); err != nil {
		return fmt.Errorf("keep finding %s: %w", f.ID, err)
	}
	for _, photo := range f.Photos {
		if _, err := t.ExecContext(ctx, `INSERT INTO finding_preview (digest, finding, revision) VALUES ($1, $2, $3)
			ON CONFLICT DO NOTHING`, string(photo.Preview.Digest), string(f.ID), f.Revision); err != nil {
			return fmt.Errorf("keep finding %s: %w", f.ID, err)
		}
		// What was let go, or kept for ever, is judged anew with what is new of it.
		if _, err := t.ExecContext(ctx, `INSERT INTO original (digest, item, received_at) VALUES ($1, $2, $3)
			ON CONFLICT (digest, item) DO UPDATE SET received_at = excluded.received_at, fate = ''`,
			string(photo.Digest), string(f.Item), micros(t.at)); err != nil {
			return fmt.Errorf("keep finding %s: %w", f.ID, err)
		}
	}
	return nil
}

// openFor opens a case for so many pieces of a flagged item, and counts the
// finding with it.
func (t *tx) openFor(ctx context.Context, f qc.Finding, item qc.Item, pieces int) error {
	missing, err := t.missingPreviews(ctx, f)
	if err != nil {
		return err
	}
	customer, err := customerOf(ctx, t, item.Order)
	if err != nil {
		return err
	}
	id, err := newCaseID()
	if err != nil {
		return err
	}
	terms := t.store.terms.At(t.at)
	c, err := refund.Open(refund.Opening{
		Terms: &terms, Liability: terms.Liability(f, t.store.catalogue),
		ID: id, Item: item, Pieces: pieces, Customer: customer.ID, Finding: f,
		LeadWaits: t.store.policy.Waits(f, item), PhotosMissing: missing, At: t.at,
	})
	if err != nil {
		return err
	}
	if err := t.insertCase(ctx, c, subject{item, customer, f}, ""); err != nil {
		return err
	}
	if err := t.audit(ctx, "staff:"+string(f.Inspector), "case.open", "case:"+string(c.ID),
		map[string]string{"item": string(item.ID), "finding": string(f.ID)}); err != nil {
		return err
	}
	if c, err = t.instructed(ctx, c, ""); err != nil {
		return err
	}
	return t.tellStandingOf(ctx, c, f, item)
}

func newCaseID() (qc.CaseID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("name a case: %w", err)
	}
	return qc.CaseID(id.String()), nil
}

// reinspected is a finding of pieces that have an open case.
func (t *tx) reinspected(ctx context.Context, s said[qc.Finding], c refund.Case, item qc.Item) error {
	f := s.data
	e := refund.Event{Actor: s.atBench(), At: t.at, Finding: f.ID, Inspector: f.Inspector}
	recheck := c.Status == refund.Rechecking
	switch {
	case f.Verdict == qc.Pass && recheck:
		e.Kind = refund.RecheckPassed
	case f.Verdict == qc.Pass:
		e.Kind = refund.Retracted
	default:
		e.Kind = refund.Amended
		if recheck {
			e.Kind = refund.RecheckFlagged
		}
		missing, err := t.missingPreviews(ctx, f)
		if err != nil {
			return err
		}
		e.PhotosMissing, e.LeadWaits = missing, t.store.policy.Waits(f, item)
		e.Liability = c.LiabilityOf(f, t.store.catalogue)
	}
	after, err := t.move(ctx, c, e)
	if err != nil {
		return refuseFor(err)
	}
	return t.tellStanding(ctx, after)
}

// missingPreviews counts the previews of a finding that are not stored yet.
func (t *tx) missingPreviews(ctx context.Context, f qc.Finding) (int, error) {
	var missing int
	err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM finding_preview p
		WHERE p.finding = $1 AND p.revision = $2 AND NOT EXISTS (SELECT 1 FROM blob b WHERE b.digest = p.digest)`,
		string(f.ID), f.Revision).Scan(&missing)
	if err != nil {
		return 0, fmt.Errorf("count photos of finding %s: %w", f.ID, err)
	}
	return missing, nil
}

func (t *tx) reviewGiven(ctx context.Context, s said[qc.Review]) error {
	r := s.data
	if r.By != s.by.ID || !s.by.MayReview() {
		return refuse(saysNotAllowed, "reviewed by "+string(r.By))
	}
	mine, err := t.standingOn(ctx, r.Finding)
	if err != nil {
		return err
	}
	if len(mine) == 0 {
		return refuse(saysMovedOn, "no case for finding "+string(r.Finding))
	}
	f, err := readFinding(ctx, t, r.Finding)
	if err != nil {
		return err
	}
	if r.Revision != f.Revision {
		return refuse(saysMovedOn, fmt.Sprintf("reviewed revision %d, latest is %d", r.Revision, f.Revision))
	}
	e := refund.Event{Actor: refund.Actor{Party: refund.ByLead, ID: string(s.by.ID)}, At: t.at, Reason: r.Reason}
	switch r.Outcome {
	case qc.Confirmed:
		e.Kind = refund.LeadConfirmed
	case qc.SentBack:
		e.Kind = refund.LeadSentBack
	case qc.Dismissed:
		e.Kind = refund.LeadDismissed
	default:
		return refuse(saysEventUnknown, "outcome "+string(r.Outcome))
	}
	return t.eachSlice(mine, func(c refund.Case) error {
		_, err := t.reviewed(ctx, c, e)
		return refuseFor(err)
	})
}

// review is a lead's word on the finding of a case. It holds for all cases that
// stand on that finding, as far as they can still take it.
func (t *tx) review(ctx context.Context, c refund.Case, e refund.Event) (refund.Case, error) {
	after, err := t.reviewed(ctx, c, e)
	if err != nil {
		return c, err
	}
	all, err := t.standingOn(ctx, c.Finding)
	if err != nil {
		return c, err
	}
	for _, other := range all {
		if other.ID == c.ID {
			continue
		}
		if _, err := t.reviewed(ctx, other, e); err != nil && refuseFor(err) == err { //nolint:errorlint // no refusal: not moved on, but broken
			return c, err
		}
	}
	return after, nil
}

// reviewed moves a case by a lead's word and tells where the flag stands.
func (t *tx) reviewed(ctx context.Context, c refund.Case, e refund.Event) (refund.Case, error) {
	f, err := readFinding(ctx, t, c.Finding)
	if err != nil {
		return c, err
	}
	after, err := t.move(ctx, c, e)
	if err != nil {
		return c, err
	}
	r := qc.Review{Finding: f.ID, Revision: f.Revision, Reason: e.Reason, By: qc.StaffID(e.Actor.ID), At: e.At}
	switch e.Kind {
	case refund.LeadConfirmed:
		r.Outcome = qc.Confirmed
	case refund.LeadSentBack:
		r.Outcome = qc.SentBack
	default:
		r.Outcome = qc.Dismissed
	}
	text, err := jsonText(r)
	if err != nil {
		return c, err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO review (finding, revision, body) VALUES ($1, $2, $3)
		ON CONFLICT (finding, revision) DO UPDATE SET body = excluded.body`, string(f.ID), f.Revision, text); err != nil {
		return c, fmt.Errorf("keep review of %s: %w", f.ID, err)
	}
	return after, t.tellStanding(ctx, after)
}

// tellStanding tells the stations where a case's flag stands with the leads.
func (t *tx) tellStanding(ctx context.Context, c refund.Case) error {
	f, err := readFinding(ctx, t, c.Finding)
	if err != nil {
		return err
	}
	item, err := readItem(ctx, t, c.Item)
	if err != nil {
		return err
	}
	return t.tellStandingOf(ctx, c, f, item)
}

func (t *tx) tellStandingOf(ctx context.Context, c refund.Case, f qc.Finding, item qc.Item) error {
	standing := qc.Standing{
		Finding: f, Item: item, Case: c.ID, Waits: c.LeadWaits, Missing: c.PhotosMissing, At: c.ChangedAt,
	}
	review, err := body[qc.Review](t.QueryRowContext(ctx,
		`SELECT body FROM review WHERE finding = $1 AND revision = $2`, string(f.ID), f.Revision))
	if err == nil {
		standing.Review = &review
	} else if !errors.Is(err, qc.ErrNotFound) {
		return err
	}
	return t.tell(ctx, qc.StandingChanged, standing)
}

func (t *tx) returnDispatched(ctx context.Context, s said[qc.Dispatch]) error {
	waybill, err := qc.ParseWaybill(string(s.data.Waybill))
	if err != nil {
		return refuse(saysWaybillInvalid, fmt.Sprintf("%.80q", s.data.Waybill))
	}
	_, err = t.moveFromBench(ctx, s.data.Case, refund.Event{
		Kind: refund.Dispatched, Actor: s.atBench(), At: t.at, Carrier: s.data.Carrier, Waybill: waybill,
	})
	return err
}

func (t *tx) replacementArrived(ctx context.Context, s said[qc.Arrival]) error {
	waybill, err := qc.ParseWaybill(string(s.data.Waybill))
	if err != nil {
		return refuse(saysWaybillInvalid, fmt.Sprintf("%.80q", s.data.Waybill))
	}
	_, err = t.moveFromBench(ctx, s.data.Case, refund.Event{
		Kind: refund.ReplacementIn, Actor: s.atBench(), At: t.at, Waybill: waybill, ArrivedAt: asStored(s.data.At),
	})
	return err
}

// moveFromBench moves a case by its id for somebody at a bench.
func (t *tx) moveFromBench(ctx context.Context, id qc.CaseID, e refund.Event) (refund.Case, error) {
	c, err := readCase(ctx, t, id)
	if errors.Is(err, qc.ErrNotFound) {
		return c, refuse(saysMovedOn, "no case "+string(id))
	}
	if err != nil {
		return c, err
	}
	after, err := t.move(ctx, c, e)
	return after, refuseFor(err)
}
