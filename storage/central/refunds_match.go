package central

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

// MatchState says what a payment in a file is to us. Its words are under the
// key "match." plus it.
type MatchState string

// The states of a match. Only the first is booked by itself, and the second
// when a person says that it is right.
const (
	MatchSure     MatchState = "sure"     // the money of one case, by its order or its own number
	MatchLikely   MatchState = "likely"   // the amount that one case alone waits for, and nothing else says so
	MatchDone     MatchState = "done"     // booked, now or before
	MatchRepeated MatchState = "repeated" // the same line once more
	MatchDiffers  MatchState = "differs"  // its number stands for another amount, here or in what is booked
	MatchOver     MatchState = "over"     // more than its case still waits for
	MatchMany     MatchState = "many"     // several cases could be meant
	MatchEnded    MatchState = "ended"    // its case does not wait for money
	MatchUnknown  MatchState = "unknown"  // no case of ours
	MatchTotal    MatchState = "total"    // no payment, but the sum of others
	MatchBroken   MatchState = "broken"   // cannot be read, or could not be booked
)

// RefundMatch is a payment of a file and the case it belongs to.
type RefundMatch struct {
	RefundRow

	State   MatchState   `json:"state"`
	Case    qc.CaseID    `json:"case,omitempty"`
	Item    qc.ItemID    `json:"item,omitempty"`
	Waits   money.Amount `json:"waits,omitzero"` // what the case still waits for, before this payment
	Short   bool         `json:"short,omitempty"`
	Problem string       `json:"problem,omitempty"` // MatchBroken: key of the sentence that says why
}

// claim is a case as payments are matched with it.
type claim struct {
	id      qc.CaseID
	item    qc.ItemID
	order   qc.OrderID
	seller  string
	placed  string // the order's number at the marketplace
	waits   int64
	waiting bool
}

// MatchRefunds finds the cases that the payments of a file belong to. It
// changes nothing.
func (s *Store) MatchRefunds(ctx context.Context, rows []RefundRow) ([]RefundMatch, error) {
	var matches []RefundMatch
	err := s.read(ctx, func(q querier) error {
		claims, err := claimsOf(ctx, q)
		if err != nil {
			return err
		}
		known, err := knownRefunds(ctx, q, rows)
		if err != nil {
			return err
		}
		matches = matchRefunds(rows, claims, known)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("match refunds: %w", err)
	}
	return matches, nil
}

// BookRefunds books the payments that are sure, each by itself with
// [refund.SellerPaid], and returns all with what became of them. A caller whose
// clerk has confirmed a likely one makes it sure. Booking the same file again
// changes nothing, and neither does another centre that books it meanwhile.
func (s *Store) BookRefunds(ctx context.Context, matches []RefundMatch, by refund.Actor, at time.Time) ([]RefundMatch, error) {
	booked := slices.Clone(matches)
	for i := range booked {
		m := &booked[i]
		if m.State != MatchSure {
			continue
		}
		_, err := s.Act(ctx, m.Case, 0, refund.Event{
			Kind: refund.SellerPaid, Actor: by, At: at, Amount: m.Amount, SellerRef: m.Ref,
		}, "")
		var refused *refusal
		switch {
		case err == nil:
			m.State = MatchDone
		case errors.Is(err, ErrSellerRef):
			m.State = MatchDiffers
		case errors.As(refuseFor(err), &refused):
			m.State, m.Problem = MatchBroken, refused.problem
		default:
			return booked, fmt.Errorf("book refund %s in line %d: %w", m.Ref, m.Line, err)
		}
	}
	return booked, nil
}

// claimsOf lists the cases that a payment could be of: those that wait for
// money, and to say so of them, those that do not.
func claimsOf(ctx context.Context, q querier) ([]claim, error) {
	cases, err := bodies[refund.Case](q.QueryContext(ctx, `SELECT body FROM refund_case WHERE status <> 'flagged' ORDER BY opened_at, id`))
	if err != nil {
		return nil, err
	}
	items := make(map[qc.ItemID]qc.Item)
	all, err := bodies[qc.Item](q.QueryContext(ctx, `SELECT body FROM item WHERE id IN (SELECT item FROM refund_case)`))
	if err != nil {
		return nil, err
	}
	for _, item := range all {
		items[item.ID] = item
	}
	claims := make([]claim, len(cases))
	for i, c := range cases {
		owed, err := c.Owed()
		if err == nil {
			owed, err = owed.Sub(c.Received)
		}
		if err != nil {
			return nil, err
		}
		claims[i] = claim{
			id: c.ID, item: c.Item, order: c.Order, seller: c.Seller, placed: items[c.Item].PlatformOrder, waits: owed.Minor(),
			waiting: c.Status == refund.SellerRefunding || c.Status == refund.RefundShort,
		}
	}
	return claims, nil
}

// paid is money of a seller that is booked.
type paid struct {
	in     qc.CaseID
	item   qc.ItemID
	amount int64
}

// knownRefunds looks up which of the payments are booked.
func knownRefunds(ctx context.Context, q querier, rows []RefundRow) (map[string]paid, error) {
	known := make(map[string]paid)
	for _, row := range rows {
		if row.Ref == "" {
			continue
		}
		var p paid
		err := q.QueryRowContext(ctx, `SELECT t.case_id, COALESCE(c.item, ''), t.amount FROM transfer t
			LEFT JOIN refund_case c ON c.id = t.case_id WHERE t.ref = $1 AND t.kind = 'received' LIMIT 1`, row.Ref).
			Scan(&p.in, &p.item, &p.amount)
		if err == nil {
			known[row.Ref] = p
		} else if !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("look for payment %.80q: %w", row.Ref, err)
		}
	}
	return known, nil
}

// matchRefunds matches the rows in their order, first those that name their
// case. What one row brings, the next one of the same case does not wait for
// any more.
func matchRefunds(rows []RefundRow, claims []claim, known map[string]paid) []RefundMatch {
	claims = slices.Clone(claims)
	differing := contradictions(rows)
	seen := make(map[string]bool)
	matches := make([]RefundMatch, len(rows))
	for i, row := range rows {
		m := &matches[i]
		m.RefundRow = row
		before, booked := known[row.Ref]
		switch {
		case row.Total:
			m.State = MatchTotal
			continue
		case row.Broken != "":
			m.State = MatchBroken
			continue
		case differing[row.Ref], booked && before.amount != row.Amount.Minor():
			m.State, m.Case, m.Item = MatchDiffers, before.in, before.item
		case seen[row.Ref]:
			m.State = MatchRepeated
		case booked:
			m.State, m.Case, m.Item = MatchDone, before.in, before.item
		default:
			m.take(claims, findNamed)
		}
		seen[row.Ref] = true
	}
	for i := range matches {
		if matches[i].State == MatchUnknown {
			matches[i].take(claims, findByAmount)
		}
	}
	return matches
}

// take lets a payment take what its claim waits for.
func (m *RefundMatch) take(claims []claim, find func(RefundRow, []claim) (int, MatchState)) {
	place, state := find(m.RefundRow, claims)
	m.State = state
	if place < 0 {
		return
	}
	c := &claims[place]
	m.Case, m.Item, m.Waits = c.id, c.item, money.Fen(c.waits)
	if state == MatchSure || state == MatchLikely {
		m.Short = m.Amount.Minor() < c.waits
		c.waits -= m.Amount.Minor()
	}
}

// contradictions are the numbers that a file gives with different amounts: none
// of them is believed.
func contradictions(rows []RefundRow) map[string]bool {
	first, differing := make(map[string]RefundRow), make(map[string]bool)
	for _, row := range rows {
		if row.Broken != "" || row.Total {
			continue
		}
		if before, ok := first[row.Ref]; ok && (before.Amount != row.Amount || before.Order != row.Order) {
			differing[row.Ref] = true
		} else if !ok {
			first[row.Ref] = row
		}
	}
	return differing
}

// findNamed returns the place of the claim that a payment names, or -1.
func findNamed(row RefundRow, claims []claim) (int, MatchState) {
	last := -1
	var waiting, exact []int
	for i, c := range claims {
		if !c.named(row) {
			continue
		}
		last = i
		if c.waiting && c.waits > 0 {
			waiting = append(waiting, i)
		}
		if c.waiting && c.waits == row.Amount.Minor() {
			exact = append(exact, i)
		}
	}
	switch {
	case last < 0:
		return -1, MatchUnknown
	case len(waiting) == 0:
		return last, MatchEnded
	case len(exact) == 1:
		return exact[0], MatchSure
	case len(waiting) > 1:
		return -1, MatchMany
	case claims[waiting[0]].waits < row.Amount.Minor():
		return waiting[0], MatchOver
	}
	return waiting[0], MatchSure
}

// findByAmount returns the place of the only claim that waits for just so much,
// or -1. A payment that names an order is not of another.
func findByAmount(row RefundRow, claims []claim) (int, MatchState) {
	place, state := -1, MatchUnknown
	for i, c := range claims {
		if row.Order != "" || !c.waiting || c.waits != row.Amount.Minor() || row.Seller != "" && row.Seller != c.seller {
			continue
		}
		if place >= 0 {
			return -1, MatchMany
		}
		place, state = i, MatchLikely
	}
	return place, state
}

// named reports whether a payment names the claim: by the marketplace's number
// of its order, or by our number of the case or the item in the note.
func (c claim) named(row RefundRow) bool {
	if c.placed != "" && (row.Order == c.placed || row.Ref == c.placed) {
		return true
	}
	words := strings.FieldsFunc(row.Note, func(r rune) bool { return strings.ContainsRune(" \t,;:，；：。、()（）#", r) })
	return slices.ContainsFunc(append(words, row.Order), func(word string) bool {
		return word != "" && (word == string(c.id) || word == string(c.item) || word == c.placed)
	})
}
