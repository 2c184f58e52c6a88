package central

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
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
	seller  string
	waits   int64
	waiting bool
}

// MatchRefunds finds the cases that the payments of a file belong to. It
// changes nothing.
func (s *Store) MatchRefunds(ctx context.Context, rows []RefundRow) ([]RefundMatch, error) {
	var matches []RefundMatch
	err := s.read(ctx, func(q querier) error {
		claims, err := claimsOf(ctx, q, rows)
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

// claims are the cases that payments could be of.
type claims struct {
	all      []claim
	byNumber map[string][]int // places by the number of the case and of the item
	byPlaced map[string][]int // by the order's number at the marketplace
}

// claimsOf lists the cases that payments could be of: those that wait for money,
// and those that a payment names, to say so of them where they do not.
func claimsOf(ctx context.Context, q querier, rows []RefundRow) (claims, error) {
	found := claims{byNumber: make(map[string][]int), byPlaced: make(map[string][]int)}
	add := func(of *sql.Rows, err error) error {
		return each(of, err, func(of *sql.Rows) error {
			var text, placed string
			if err := of.Scan(&text, &placed); err != nil {
				return err
			}
			var c refund.Case
			if err := json.Unmarshal([]byte(text), &c); err != nil {
				return fmt.Errorf("read stored JSON: %w", err)
			}
			return found.add(c, placed)
		})
	}
	const read = `SELECT c.body, d.placed FROM desk_case d JOIN refund_case c ON c.id = d.case_id WHERE `
	if err := add(q.QueryContext(ctx, read+`d.status IN ('seller_refunding', 'refund_short') ORDER BY d.opened_at, d.case_id`)); err != nil {
		return claims{}, err
	}
	names := make(map[string]bool)
	for _, row := range rows {
		for _, name := range append(row.names(), row.Ref) {
			names[name] = name != ""
		}
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(names)), 400) {
		places, args := make([]string, len(part)), make([]any, len(part))
		for i, name := range part {
			places[i], args[i] = "$"+strconv.Itoa(i+1), name
		}
		list := "(" + strings.Join(places, ", ") + ")"
		if err := add(q.QueryContext(ctx, read+`c.status <> 'flagged' AND d.case_id IN (
			SELECT case_id FROM desk_case WHERE placed IN `+list+` UNION SELECT id FROM refund_case WHERE item IN `+list+` OR id IN `+list+`)
			ORDER BY d.opened_at, d.case_id`, args...)); err != nil {
			return claims{}, err
		}
	}
	return found, nil
}

// add adds a case that is not there yet.
func (f *claims) add(c refund.Case, placed string) error {
	if f.byNumber[string(c.ID)] != nil {
		return nil
	}
	owed, err := c.Owed()
	if err == nil {
		owed, err = owed.Sub(c.Received)
	}
	if err != nil {
		return err
	}
	place := len(f.all)
	f.all = append(f.all, claim{
		id: c.ID, item: c.Item, seller: c.Seller, waits: owed.Minor(),
		waiting: c.Status == refund.SellerRefunding || c.Status == refund.RefundShort,
	})
	for _, number := range []string{string(c.ID), string(c.Item)} {
		f.byNumber[number] = append(f.byNumber[number], place)
	}
	if placed != "" {
		f.byPlaced[placed] = append(f.byPlaced[placed], place)
	}
	return nil
}

// named lists the places of the cases that a payment names: by the marketplace's
// number of their order, or by our number of the case or the item.
func (f *claims) named(row RefundRow) []int {
	places := slices.Clone(f.byPlaced[row.Ref])
	for _, name := range row.names() {
		places = slices.Concat(places, f.byPlaced[name], f.byNumber[name])
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// names are the numbers by which a payment may name a case: that of its order,
// and whatever stands in its note.
func (r RefundRow) names() []string {
	words := strings.FieldsFunc(r.Note, func(r rune) bool { return strings.ContainsRune(" \t\n,;:，；：。、()（）#", r) })
	if r.Order == "" {
		return words
	}
	return append(words, r.Order)
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
func matchRefunds(rows []RefundRow, claims claims, known map[string]paid) []RefundMatch {
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
			m.take(&claims, findNamed)
		}
		seen[row.Ref] = true
	}
	for i := range matches {
		if matches[i].State == MatchUnknown {
			matches[i].take(&claims, findByAmount)
		}
	}
	return matches
}

// take lets a payment take what its claim waits for.
func (m *RefundMatch) take(claims *claims, find func(RefundRow, *claims) (int, MatchState)) {
	place, state := find(m.RefundRow, claims)
	m.State = state
	if place < 0 {
		return
	}
	c := &claims.all[place]
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
func findNamed(row RefundRow, claims *claims) (int, MatchState) {
	named := claims.named(row)
	var waiting, exact []int
	for _, i := range named {
		c := claims.all[i]
		if c.waiting && c.waits > 0 {
			waiting = append(waiting, i)
		}
		if c.waiting && c.waits == row.Amount.Minor() {
			exact = append(exact, i)
		}
	}
	switch {
	case len(named) == 0:
		return -1, MatchUnknown
	case len(waiting) == 0:
		return named[len(named)-1], MatchEnded
	case len(exact) == 1:
		return exact[0], MatchSure
	case len(waiting) > 1:
		return -1, MatchMany
	case claims.all[waiting[0]].waits < row.Amount.Minor():
		return waiting[0], MatchOver
	}
	return waiting[0], MatchSure
}

// findByAmount returns the place of the only claim that waits for just so much,
// or -1. A payment that names an order is not of another.
func findByAmount(row RefundRow, claims *claims) (int, MatchState) {
	place, state := -1, MatchUnknown
	for i, c := range claims.all {
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
