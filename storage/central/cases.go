package central

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

var (
	// ErrKeyReused says that the idempotency key was given before, with other
	// content.
	ErrKeyReused = errors.New("key_reused")
	// ErrSellerRef says that the seller's refund number has brought money before.
	ErrSellerRef = errors.New("seller_ref_used")
)

// Conflict says that the case has changed since the caller saw it.
type Conflict struct {
	Case refund.Case // as it is now
}

func (c *Conflict) Error() string {
	return fmt.Sprintf("case %s is now at version %d", c.Case.ID, c.Case.Version)
}

// keepKeys is how long idempotency keys are remembered.
const keepKeys = 30 * 24 * time.Hour

// Act lets e happen to a case: the case, its money, the feed and the audit
// trail are one transaction. Version is the one that the actor saw, 0 for any;
// a zero e.At means now.
//
// A key that was used by the same actor for the same act returns what came of
// it the first time, and so does money that was booked since the actor saw the
// case. Act fails with a *[Conflict], [ErrKeyReused], [ErrSellerRef],
// [qc.ErrNotFound] or an error of package refund, and then nothing has happened.
func (s *Store) Act(ctx context.Context, id qc.CaseID, version int, e refund.Event, key string) (refund.Case, error) {
	if e.At.IsZero() {
		e.At = s.now()
	}
	e.At = asStored(e.At)
	var after refund.Case
	err := s.write(ctx, e.At, func(t *tx) error {
		var err error
		after, err = t.act(ctx, id, version, e, key)
		return err
	})
	if err != nil {
		return refund.Case{}, fmt.Errorf("%s case %s: %w", e.Kind, id, err)
	}
	return after, nil
}

func (t *tx) act(ctx context.Context, id qc.CaseID, version int, e refund.Event, key string) (refund.Case, error) {
	print, err := fingerprint(id, e)
	if err != nil {
		return refund.Case{}, err
	}
	actor := actorName(e.Actor)
	if key != "" {
		before, err := remembered[refund.Case](ctx, t, actor, key, print)
		if !errors.Is(err, qc.ErrNotFound) {
			return before, err
		}
	}
	if err := t.entitled(ctx, e.Actor, e.Approver); err != nil {
		return refund.Case{}, err
	}
	c, err := readCase(ctx, t, id)
	if err != nil {
		return refund.Case{}, err
	}
	booked, err := t.alreadyBooked(ctx, c, version, e)
	if err != nil || booked {
		return c, err
	}
	if version != 0 && version != c.Version {
		return refund.Case{}, &Conflict{Case: c}
	}
	if e.Kind == refund.TakenBack {
		if e.Available, err = balance(ctx, t, c.Customer); err != nil {
			return refund.Case{}, err
		}
	}
	var after refund.Case
	if isReview(e) {
		after, err = t.review(ctx, c, e)
	} else {
		after, err = t.move(ctx, c, e)
	}
	if err != nil {
		return after, err
	}
	return after, t.remember(ctx, actor, key, print, after)
}

// remember keeps what came of an act under its key, if it has one.
func (t *tx) remember(ctx context.Context, actor, key, print string, outcome any) error {
	if key == "" {
		return nil
	}
	text, err := jsonText(outcome)
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO idempotency (actor, key, fingerprint, body, at) VALUES ($1, $2, $3, $4, $5)`,
		actor, key, print, text, micros(t.at))
	return err
}

// isReview reports whether e is a lead's word on a finding, which the stations
// are told as such.
func isReview(e refund.Event) bool {
	return e.Actor.Party == refund.ByLead &&
		slices.Contains([]refund.Kind{refund.LeadConfirmed, refund.LeadSentBack, refund.LeadDismissed}, e.Kind)
}

// fingerprint tells acts apart by what they say, not by when they are said.
func fingerprint(id qc.CaseID, e refund.Event) (string, error) {
	e.At = time.Time{}
	return fingerprintOf(id, e)
}

func fingerprintOf(id qc.CaseID, said any) (string, error) {
	text, err := jsonText(said)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(string(id) + "\x00" + text))
	return hex.EncodeToString(sum[:]), nil
}

// remembered returns what came of an act with the same key, or
// [qc.ErrNotFound] when the key is new.
func remembered[T any](ctx context.Context, t *tx, actor, key, print string) (T, error) {
	var same string
	var nothing T
	err := t.QueryRowContext(ctx, `SELECT fingerprint FROM idempotency WHERE actor = $1 AND key = $2`, actor, key).Scan(&same)
	if err != nil {
		return nothing, found(err)
	}
	if same != print {
		return nothing, ErrKeyReused
	}
	return body[T](t.QueryRowContext(ctx, `SELECT body FROM idempotency WHERE actor = $1 AND key = $2`, actor, key))
}

func actorName(a refund.Actor) string {
	if a.ID == "" {
		return string(a.Party)
	}
	return string(a.Party) + ":" + a.ID
}

// move applies e to c and writes down everything that follows from it.
func (t *tx) move(ctx context.Context, c refund.Case, e refund.Event) (refund.Case, error) {
	after, transfers, err := c.Apply(e)
	if err != nil {
		return c, err
	}
	for _, transfer := range transfers {
		if err := t.post(ctx, transfer); err != nil {
			return c, err
		}
	}
	if err := t.writeMemo(ctx, c, after, e, transfers); err != nil {
		return c, err
	}
	if err := t.updateCase(ctx, c.Version, after); err != nil {
		return c, err
	}
	if after.Finding != c.Finding {
		if err := t.countAgain(ctx, c.Finding, after.Finding); err != nil {
			return c, err
		}
	}
	if err := t.announce(ctx, c.Status, after, e.Kind); err != nil {
		return c, err
	}
	if e.Kind == refund.ReplacementIn {
		if err := t.replaceItem(ctx, after, e.Waybill, c.Arrival(e)); err != nil {
			return c, err
		}
	}
	if err := t.audit(ctx, actorName(e.Actor), "case."+string(e.Kind), "case:"+string(c.ID),
		map[string]any{"event": e, "from": c.Status, "to": after.Status, "version": after.Version}); err != nil {
		return c, err
	}
	return t.instructed(ctx, after, e.Kind)
}

// replaceItem makes a case's item the replacement that has arrived: it is found
// by its own parcel and has a window of its own.
func (t *tx) replaceItem(ctx context.Context, c refund.Case, parcel qc.Waybill, arrived time.Time) error {
	item, err := readItem(ctx, t, c.Item)
	if err != nil {
		return err
	}
	item.Round, item.StockedInAt, item.Waybill = max(item.Round, c.Round), asStored(arrived), parcel
	return t.updateItem(ctx, item)
}

// subject is what a case is about, as its transaction has read it.
type subject struct {
	item     qc.Item
	customer qc.Customer
	finding  qc.Finding // on which it stands, in its last revision
}

func (t *tx) subjectOf(ctx context.Context, c refund.Case) (s subject, err error) {
	if s.item, err = readItem(ctx, t, c.Item); err != nil {
		return s, err
	}
	if s.customer, err = customerOf(ctx, t, c.Order); err != nil {
		return s, err
	}
	s.finding, err = readFinding(ctx, t, c.Finding)
	return s, err
}

// insertCase writes a new case down and tells of it: opened, or what on says.
func (t *tx) insertCase(ctx context.Context, c refund.Case, about subject, on refund.Kind) error {
	text, err := jsonText(c)
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO refund_case (id, order_id, item, customer, finding, status, is_open,
		version, opened_at, changed_at, window_ends_at, decide_by, search, body, due_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		string(c.ID), string(c.Order), string(c.Item), string(c.Customer), string(c.Finding), string(c.Status),
		openColumn(c), c.Version, micros(c.OpenedAt), micros(c.ChangedAt), micros(c.WindowEndsAt), micros(c.DecideBy),
		searchColumn(c), text, dueColumn(c)); err != nil {
		return fmt.Errorf("open case %s: %w", c.ID, err)
	}
	if err := t.checkSlices(ctx, about.item); err != nil {
		return fmt.Errorf("open case %s: %w", c.ID, err)
	}
	if err := t.announce(ctx, "", c, on); err != nil {
		return err
	}
	if err := t.fileCaseRow(ctx, caseRowOf(c, about.item, about.customer)); err != nil {
		return err
	}
	if err := t.countFinding(ctx, about.finding, about.item); err != nil {
		return err
	}
	return t.tell(ctx, qc.CaseChanged, c)
}

func (t *tx) updateCase(ctx context.Context, version int, c refund.Case) error {
	text, err := jsonText(c)
	if err != nil {
		return err
	}
	result, err := t.ExecContext(ctx, `UPDATE refund_case SET finding = $1, status = $2, is_open = $3, version = $4,
		changed_at = $5, window_ends_at = $6, decide_by = $7, search = $8, body = $9, due_at = $10 WHERE id = $11 AND version = $12`,
		string(c.Finding), string(c.Status), openColumn(c), c.Version, micros(c.ChangedAt), micros(c.WindowEndsAt),
		micros(c.DecideBy), searchColumn(c), text, dueColumn(c), string(c.ID), version)
	if err != nil {
		return fmt.Errorf("keep case %s: %w", c.ID, err)
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fmt.Errorf("keep case %s: version %d is not the latest", c.ID, version), err)
	}
	if err := t.fileCase(ctx, c); err != nil {
		return err
	}
	return t.tell(ctx, qc.CaseChanged, c)
}

func openColumn(c refund.Case) int {
	if c.Status.Terminal() {
		return 0
	}
	return 1
}

// searchColumn is what a case is found by at the desk.
func searchColumn(c refund.Case) string {
	return strings.ToLower(strings.Join([]string{
		string(c.ID), string(c.Order), string(c.Item), string(c.Customer), c.Seller,
		string(c.ReturnWaybill), string(c.ReplacementWaybill), c.SellerRef,
	}, "\n"))
}

func readCase(ctx context.Context, q querier, id qc.CaseID) (refund.Case, error) {
	return body[refund.Case](q.QueryRowContext(ctx, `SELECT body FROM refund_case WHERE id = $1`, string(id)))
}

// CaseFilter narrows a list of cases; its zero value matches all.
type CaseFilter struct {
	Open   bool          // only cases that have not ended
	Status refund.Status // only this one
	Query  string        // part of an order, item, customer, seller, waybill or refund number
	Limit  int           // 0: 500, of EachCase all
}

// Cases lists cases by urgency: open ones first, the seller's window that
// closes first at the top, those without a window last.
func (s *Store) Cases(ctx context.Context, f CaseFilter) ([]refund.Case, error) {
	if f.Limit < 1 {
		f.Limit = 500
	}
	var cases []refund.Case
	err := s.EachCase(ctx, f, func(c refund.Case) error {
		cases = append(cases, c)
		return nil
	})
	return cases, err
}

// EachCase calls row for each of the cases in the order of [Store.Cases], of all
// that fit where the filter has no limit. It holds one at a time.
func (s *Store) EachCase(ctx context.Context, f CaseFilter, row func(refund.Case) error) error {
	onlyOpen := 0
	if f.Open {
		onlyOpen = 1
	}
	limit := int64(f.Limit)
	if limit < 1 {
		limit = math.MaxInt64
	}
	like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(strings.TrimSpace(f.Query))) + "%"
	rows, err := s.reader.QueryContext(ctx, `SELECT body FROM refund_case
		WHERE is_open >= $1 AND ($2 = '' OR status = $2) AND search LIKE $3 ESCAPE '\'
		ORDER BY is_open DESC, CASE WHEN window_ends_at = 0 THEN 1 ELSE 0 END, window_ends_at, opened_at, id LIMIT $4`,
		onlyOpen, string(f.Status), like, limit)
	if err := eachBody(rows, err, row); err != nil {
		return fmt.Errorf("list cases: %w", err)
	}
	return nil
}

// Case returns one case, or [qc.ErrNotFound].
func (s *Store) Case(ctx context.Context, id qc.CaseID) (refund.Case, error) {
	c, err := readCase(ctx, s.reader, id)
	if err != nil {
		return c, fmt.Errorf("read case %.80q: %w", id, err)
	}
	return c, nil
}

// Dossier is everything about a case for the desk.
type Dossier struct {
	Case     refund.Case
	Item     qc.Item
	Customer qc.Customer
	Findings []qc.Finding    // of the item in their last revisions: every round, newest first
	Tickets  []refund.Ticket // of the order: about the item, the order, or other items
	Assignee qc.StaffID      // who of the desk looks after it; empty: nobody
	Memos    []refund.Memo   // of what the case has brought, the first one first
	Letters  []refund.Letter // written about it by the desk, oldest first
}

// Dossier returns a case with all that belongs to it, or [qc.ErrNotFound].
func (s *Store) Dossier(ctx context.Context, id qc.CaseID) (Dossier, error) {
	var d Dossier
	err := s.read(ctx, func(q querier) error {
		var err error
		if d.Case, err = readCase(ctx, q, id); err != nil {
			return err
		}
		if d.Item, err = readItem(ctx, q, d.Case.Item); err != nil {
			return err
		}
		if d.Customer, err = customerOf(ctx, q, d.Case.Order); err != nil {
			return err
		}
		if d.Findings, err = findingsOf(ctx, q, d.Case.Item); err != nil {
			return err
		}
		if d.Tickets, err = tickets(ctx, q, TicketFilter{Order: d.Case.Order}, ""); err != nil {
			return err
		}
		if d.Memos, err = memosOf(ctx, q, id); err != nil {
			return err
		}
		if d.Assignee, err = assignee(ctx, q, id); err != nil {
			return err
		}
		d.Letters, err = letters(ctx, q, id)
		return err
	})
	if err != nil {
		return Dossier{}, fmt.Errorf("read dossier of case %.80q: %w", id, err)
	}
	return d, nil
}

// read runs do against one moment of the database.
func (s *Store) read(ctx context.Context, do func(querier) error) error {
	snapshot, err := s.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: s.engine.snapshot})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err = do(snapshot)
	if end := snapshot.Rollback(); end != nil && !errors.Is(end, sql.ErrTxDone) {
		err = errors.Join(err, end)
	}
	return err
}

// readFinding returns the last revision of a finding.
func readFinding(ctx context.Context, q querier, id qc.FindingID) (qc.Finding, error) {
	f, err := body[qc.Finding](q.QueryRowContext(ctx,
		`SELECT body FROM finding WHERE id = $1 ORDER BY revision DESC LIMIT 1`, string(id)))
	if err != nil {
		return f, fmt.Errorf("read finding %.80q: %w", id, err)
	}
	return f, nil
}

// findingsOf returns the last revisions of an item's findings, newest first.
func findingsOf(ctx context.Context, q querier, item qc.ItemID) ([]qc.Finding, error) {
	all, err := bodies[qc.Finding](q.QueryContext(ctx, `SELECT body FROM finding WHERE item = $1 ORDER BY n DESC`, string(item)))
	if err != nil {
		return nil, fmt.Errorf("read findings of item %s: %w", item, err)
	}
	seen := make(map[qc.FindingID]bool)
	return slices.DeleteFunc(all, func(f qc.Finding) bool {
		again := seen[f.ID]
		seen[f.ID] = true
		return again
	}), nil
}
