package central_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"flawmark/app/dev/drill"
	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/app/refund/refundtest"
	"flawmark/storage/central"
)

// life is a store to which anything happens: what stations, customers, clerks,
// leads, instructions and the clock may do and what they may not, twice over
// and out of order, while the centre is closed, killed and opened again. It is
// compared with what had been acknowledged after every single step.
type life struct {
	world
	chance refundtest.Chance
	dir    string // of the database's files; empty: it is elsewhere
	at     time.Time
	db     *sql.DB // a look past the store; nil: none
	known  map[qc.CaseID]refund.Case
	ids    []qc.CaseID
	items  map[qc.ItemID]qc.Item
	said   []qc.Batch
	lacked []qc.Digest
	acts   []told
	events int
	faults []string
	plant  func(*life) // after each step; nil: nothing is planted
}

// told is an act and what the store said of it.
type told struct {
	id    qc.CaseID
	event refund.Event
	key   string
	after string
}

func (l *life) config(dir string) central.Config {
	c := config(l.t, dir)
	c.Now = func() time.Time { return l.at }
	terms, err := refund.ReadPolicies(os.DirFS("../../assets/policies"))
	l.must(err)
	c.Terms = terms
	return c
}

// newLife begins a life in a folder of its own, on SQLite, or in the store that
// open makes.
func newLife(t testing.TB, seed uint64, open opener) *life {
	t.Helper()
	l := &life{chance: refundtest.NewChance(seed), at: noon, known: map[qc.CaseID]refund.Case{}, items: map[qc.ItemID]qc.Item{}}
	l.t = t
	if open == nil {
		l.dir = t.TempDir()
		open = func(tb testing.TB) *central.Store {
			tb.Helper()
			store, err := central.Open(tb.Context(), l.config(l.dir))
			if err != nil {
				tb.Fatal(err)
			}
			return store
		}
	}
	l.world = newWorld(t, open)
	l.look()
	order := sampleOrder()
	order.Items[0].Quantity, order.Items[1].Quantity = 3, 2
	_, err := l.ImportOrders(t.Context(), []qc.Order{order}, noon)
	l.must(err)
	for _, item := range order.Items {
		l.items[item.ID] = item
	}
	return l
}

func (l *life) look() {
	if l.dir == "" {
		return
	}
	if l.db != nil {
		_ = l.db.Close()
	}
	db, err := sql.Open("sqlite", filepath.Join(l.dir, "central.db")+"?_pragma=busy_timeout(5000)")
	l.must(err)
	l.db = db
}

func (l *life) end() {
	if l.dir != "" {
		l.must(l.db.Close())
		l.must(l.Close())
	}
}

func (l *life) wrong(format string, args ...any) {
	l.faults = append(l.faults, fmt.Sprintf("event %d: ", l.events)+fmt.Sprintf(format, args...))
}

// step lets one thing happen and compares.
func (l *life) step() {
	l.events++
	l.at = l.at.Add(time.Duration(l.chance.IntN(90)) * time.Minute)
	switch n := l.chance.IntN(40); {
	case n < 8:
		l.inspect()
	case n < 11:
		l.deliver()
	case n < 13:
		l.review()
	case n < 14:
		l.repeatBatch()
	case n < 16:
		l.split()
	case n < 17:
		l.linked()
	case n < 18:
		l.instructs()
	case n < 20:
		l.at = l.at.Add(time.Duration(l.chance.IntN(60)) * time.Hour)
		_, err := l.RunTimers(l.t.Context(), l.at)
		l.must(err)
	case n < 21 && l.dir != "":
		l.again()
	case n < 24:
		l.repeatAct()
	default:
		l.act()
	}
	if l.plant != nil {
		l.plant(l)
	}
	l.compare()
}

func (l *life) item() qc.Item {
	ids := []qc.ItemID{"20481-1", "20481-2", "20481-3"}
	item, err := l.Item(l.t.Context(), refundtest.One(l.chance, ids...))
	l.must(err)
	return item
}

// pick returns a case as it was acknowledged last.
func (l *life) pick() (refund.Case, bool) {
	if len(l.ids) == 0 {
		return refund.Case{}, false
	}
	return l.known[refundtest.One(l.chance, l.ids...)], true
}

// inspect says a finding, of the right round or not, new or revised.
func (l *life) inspect() {
	item := l.item()
	id := qc.FindingID(fmt.Sprintf("f%d", l.chance.IntN(4*l.events+1)))
	f := l.bench.flag(id, item.ID)
	if c, ok := l.pick(); ok && l.chance.IntN(2) == 0 {
		f = l.bench.flag(c.Finding, c.Item)
		f.Revision, f.Round = 2+l.chance.IntN(4), c.Round
		if l.chance.IntN(3) == 0 {
			f.ID, f.Revision, f.Case = id, 1, c.ID
		}
	}
	if l.chance.IntN(3) > 0 && f.Revision == 1 {
		f.Round = item.Round
	}
	f.Flaws[0].Severity = refundtest.One(l.chance, qc.Critical, qc.Major, qc.Minor, qc.Observation)
	f.Unsure = l.chance.IntN(5) == 0
	if l.chance.IntN(3) == 0 {
		f.Verdict, f.Flaws, f.Marks = qc.Pass, nil, nil
	}
	if l.chance.IntN(3) > 0 {
		l.must(l.BlobStored(l.t.Context(), f.Photos[0].Preview.Digest, 5, "image/jpeg", l.at))
	} else {
		l.lacked = append(l.lacked, f.Photos[0].Preview.Digest)
	}
	l.say(qc.FindingRecorded, "u12", f)
}

// say seals an event and sends it, perhaps twice.
func (l *life) say(kind qc.EventKind, by qc.StaffID, data any) {
	batch := l.bench.seal(kind, by, data)
	first, err := l.ApplyEvents(l.t.Context(), l.bench.id, batch, l.at)
	l.must(err)
	l.said = append(l.said, batch)
	if l.chance.IntN(4) == 0 {
		l.sameAgain(batch, first.Receipts[0].Status)
	}
}

func (l *life) sameAgain(batch qc.Batch, first qc.ReceiptStatus) {
	l.compare()
	before := len(l.faults)
	ack, err := l.ApplyEvents(l.t.Context(), l.bench.id, batch, l.at)
	l.must(err)
	if got := ack.Receipts[0].Status; got != qc.Duplicate && (got != qc.Rejected || first == qc.Applied) {
		l.wrong("an event sent again is %s", got)
	}
	if changed := l.compare(); changed > 0 && before == len(l.faults) {
		l.wrong("doubled: an event sent again changed %d cases", changed)
	}
}

func (l *life) repeatBatch() {
	if len(l.said) > 0 {
		l.sameAgain(refundtest.One(l.chance, l.said...), qc.Applied+qc.Rejected)
	}
}

func (l *life) deliver() {
	if len(l.lacked) == 0 {
		return
	}
	n := l.chance.IntN(len(l.lacked))
	l.must(l.BlobStored(l.t.Context(), l.lacked[n], 5, "image/jpeg", l.at))
	l.lacked = append(l.lacked[:n], l.lacked[n+1:]...)
}

func (l *life) review() {
	c, ok := l.pick()
	if !ok {
		return
	}
	by := refundtest.One[qc.StaffID](l.chance, "lead7", "lead7", "u12")
	l.say(qc.ReviewGiven, by, qc.Review{
		Finding: c.Finding, Revision: 1 + l.chance.IntN(2), By: by, Reason: refundtest.One(l.chance, "", "look again"),
		Outcome: refundtest.One(l.chance, qc.Confirmed, qc.Confirmed, qc.SentBack, qc.Dismissed),
	})
}

func (l *life) split() {
	c, ok := l.pick()
	if !ok {
		return
	}
	by := refundtest.One(l.chance, customer, clerk, refund.Actor{Party: refund.ByLead, ID: "lead7"})
	_, err := l.Split(l.t.Context(), c.ID, l.version(c), l.chance.IntN(4), by, "")
	l.refusable("split", err)
}

func (l *life) linked() {
	c, ok := l.pick()
	if !ok {
		return
	}
	e := refund.Event{Actor: refundtest.One(l.chance, clerk, clerk, customer), Reason: refundtest.One(l.chance, "", "because", "because")}
	if l.chance.IntN(2) == 0 {
		_, err := l.ClaimFlaw(l.t.Context(), c.Item, e)
		l.refusable("claim a flaw", err)
		return
	}
	e.Amount, e.SellerRef = money.Fen(1+l.chance.Int64N(c.Received.Minor()+1)), fmt.Sprintf("V-%d", l.chance.IntN(50))
	_, err := l.Correct(l.t.Context(), c.ID, e)
	l.refusable("correct", err)
}

func (l *life) instructs() {
	i := qc.Instructions{
		Grave: refundtest.One(l.chance, qc.GraveWishes()...), Minor: refundtest.One(l.chance, qc.MinorWishes()...), OfferFrom: l.chance.IntN(60) - 5,
	}
	if l.chance.IntN(2) == 0 {
		i = qc.Instructions{}
	}
	if err := l.Instruct(l.t.Context(), "20481", i, customer); err != nil && !errors.Is(err, qc.ErrInstructions) {
		l.must(err)
	}
}

// version is the one that somebody saw, or saw a while ago, or did not look at.
func (l *life) version(c refund.Case) int {
	return refundtest.One(l.chance, c.Version, c.Version, c.Version, 0, max(1, c.Version-1))
}

func (l *life) act() {
	c, ok := l.pick()
	if !ok {
		return
	}
	e := l.chance.Event(c, l.at)
	if likely, ok := l.chance.Likely(c, l.at); ok && l.chance.IntN(4) > 0 {
		e = likely
	}
	e.Available = money.Amount{}
	if e.Actor.Party == refund.ByInstruction {
		e.Rule = refund.MinorRule
	}
	version, key := l.version(c), fmt.Sprintf("key-%d", l.events)
	after, err := l.Act(l.t.Context(), c.ID, version, e, key)
	if l.refusable(string(e.Kind), err) {
		return
	}
	if version != 0 && version != c.Version && e.Kind != refund.SellerPaid {
		l.wrong("%s on version %d, it was at %d", e.Kind, version, c.Version)
	}
	l.acts = append(l.acts, told{id: c.ID, event: e, key: key, after: text(after)})
}

// repeatAct does again what was done: nothing comes of it but the same answer.
func (l *life) repeatAct() {
	if len(l.acts) == 0 {
		return
	}
	done := refundtest.One(l.chance, l.acts...)
	again, err := l.Act(l.t.Context(), done.id, 1+l.chance.IntN(9), done.event, done.key)
	switch {
	case err != nil:
		l.wrong("doubled: %s once more: %v", done.event.Kind, err)
	case text(again) != done.after:
		l.wrong("doubled: %s once more was answered otherwise", done.event.Kind)
	}
	if changed := l.compare(); changed > 0 {
		l.wrong("doubled: %s once more changed %d cases", done.event.Kind, changed)
	}
}

// refusable reports whether the store refused, and fails the test on anything
// that is no refusal.
func (l *life) refusable(what string, err error) bool {
	if err == nil {
		return false
	}
	known := append(refund.Refusals(), central.ErrClaimed, central.ErrSellerRef, central.ErrKeyReused)
	for _, why := range known {
		if errors.Is(err, why) {
			return true
		}
	}
	if conflict, ok := errors.AsType[*central.Conflict](err); ok {
		if was := l.known[conflict.Case.ID]; was.Version != conflict.Case.Version {
			l.wrong("%s: a conflict with version %d, it is at %d", what, conflict.Case.Version, was.Version)
		}
		return true
	}
	l.t.Fatalf("event %d, %s: %v", l.events, what, err)
	return true
}

// again closes the centre and opens it, or kills it and opens what is left: the
// files as they are at that moment.
func (l *life) again() {
	killed := l.chance.IntN(2) == 0
	from := l.dir
	if killed {
		l.dir = l.t.TempDir()
		for _, name := range []string{"central.db", "central.db-wal"} {
			data, err := os.ReadFile(filepath.Join(from, name))
			if err != nil && !os.IsNotExist(err) {
				l.must(err)
			}
			l.must(os.WriteFile(filepath.Join(l.dir, name), data, 0o600))
		}
	}
	l.must(l.Close())
	store, err := central.Open(l.t.Context(), l.config(l.dir))
	l.must(err)
	l.Store = store
	l.bench.w.Store = store
	l.look()
}

// compare holds the store to what it had acknowledged, and returns how many
// cases have changed since.
func (l *life) compare() int {
	cases, err := l.Cases(l.t.Context(), central.CaseFilter{Limit: 100_000})
	l.must(err)
	changed := 0
	seen := make(map[qc.CaseID]bool, len(cases))
	held := make(map[qc.ItemID]int)
	var given int64
	for _, c := range cases {
		seen[c.ID] = true
		was, known := l.known[c.ID]
		wrong := refundtest.Sound(c)
		if known {
			wrong = refundtest.Step(was, c)
		} else {
			l.ids = append(l.ids, c.ID)
		}
		if wrong != nil {
			l.wrong("case %s: %v", c.ID, wrong)
		}
		if !known || was.Version != c.Version {
			changed++
		}
		l.known[c.ID] = c
		if !c.Status.Terminal() {
			held[c.Item] += c.Pieces()
		}
		given += refundtest.Given(c)
	}
	for id := range l.known {
		if !seen[id] {
			l.wrong("lost: case %s", id)
			delete(l.known, id)
		}
	}
	for item, pieces := range held {
		if pieces > l.items[item].Quantity {
			l.wrong("open cases hold %d pieces of %s", pieces, item)
		}
	}
	balance, err := l.Balance(l.t.Context(), "C-1001")
	l.must(err)
	if balance.Minor() != given || given < 0 {
		l.wrong("the balance is %s, the cases gave %d", balance, given)
	}
	l.books()
	return changed
}

// books looks past the store at the ledger.
func (l *life) books() {
	if l.db == nil {
		return
	}
	var sum, unequal int64
	l.must(l.db.QueryRow(`SELECT COALESCE(SUM(posted), 0) FROM balance`).Scan(&sum))
	l.must(l.db.QueryRow(`SELECT COUNT(*) FROM transfer r WHERE r.kind = 'received' AND r.amount <> (SELECT COALESCE(SUM(x.amount), 0)
		FROM transfer x WHERE x.case_id = r.case_id AND x.ref = r.ref AND x.kind IN ('credit', 'fee'))`).Scan(&unequal))
	if sum != 0 || unequal != 0 {
		l.wrong("the ledger adds up to %d, and %d refunds were not credited once", sum, unequal)
	}
}

func text(c refund.Case) string {
	data, err := json.Marshal(c)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// lasts is how many events a life has.
const lasts = 300

// TestDrillLives_Store lets so many events happen to stores on SQLite.
func TestDrillLives_Store(t *testing.T) {
	t.Parallel()
	rig := drill.Begin(t, "lives", drill.Sizes{Test: lasts, Short: 10 * lasts, Long: 100 * lasts})
	var found drill.Outcome
	reached := make(map[refund.Status]bool)
	for seed := rig.Seed; found.Tries < rig.Tries; seed++ {
		l := newLife(t, seed, nil)
		for range lasts {
			l.step()
		}
		l.sound()
		l.end()
		found.Tries += l.events
		for _, fault := range l.faults {
			t.Errorf("life %d, %s", seed, fault)
			if strings.Contains(fault, "doubled") {
				found.Doubled++
			} else {
				found.Lost++
			}
		}
		for _, c := range l.known {
			for _, e := range c.Timeline {
				reached[e.To] = true
			}
		}
	}
	// Every status is met by the rig of the rules; here the rarest ends are not.
	if rig.Asked && len(reached) < 15 {
		t.Errorf("only %d of %d statuses were met: %v", len(reached), len(refund.Statuses()), reached)
	}
	found.Figures = []string{"store_events", strconv.Itoa(found.Tries), "store_statuses", strconv.Itoa(len(reached))}
	rig.Done(found)
}

// testAnyLife is the same on whichever database, where it cannot be killed.
func (open opener) testAnyLife(t *testing.T) {
	t.Parallel()
	l := newLife(t, 7, open)
	for range 120 {
		l.step()
	}
	for _, fault := range l.faults {
		t.Error(fault)
	}
	l.sound()
}

// TestDrillLives_StoreSeesPlantedFaults breaks the store's promises behind its
// back: each fault is found.
func TestDrillLives_StoreSeesPlantedFaults(t *testing.T) {
	t.Parallel()
	do := func(query string) func(*life) bool {
		return func(l *life) bool {
			result, err := l.db.Exec(query)
			l.must(err)
			n, err := result.RowsAffected()
			l.must(err)
			return n > 0
		}
	}
	for name, fault := range map[string]struct {
		once func(*life) bool // reports whether it could be planted
		says string
	}{
		"a balance moves by itself": {do(`UPDATE balance SET posted = posted + 1 WHERE account = 'customer:C-1001'`), "adds up to 1"},
		"a credit is booked twice":  {do(`UPDATE balance SET posted = posted + CASE WHEN account = 'customer:C-1001' THEN 100 ELSE -100 END WHERE account IN ('customer:C-1001', 'seller_receivable:潮流前线鞋店') AND EXISTS (SELECT 1 FROM transfer)`), "the cases gave"},
		"an update is lost":         {lostUpdate, "rewritten"},
		"a case is lost":            {do(`DELETE FROM refund_case WHERE id NOT IN (SELECT case_id FROM transfer WHERE case_id IS NOT NULL) AND id NOT IN (SELECT case_id FROM notice)`), "lost"},
		"keys are forgotten":        {func(l *life) bool { return len(l.acts) > 20 && do(`DELETE FROM idempotency`)(l) }, "doubled"},
		"an event is taken for a new one": {func(l *life) bool {
			return len(l.said) > 0 && do(`UPDATE refund_case SET body = json_set(body, '$.quantity', 9) WHERE is_open = 1`)(l)
		}, "pieces of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(6) {
				l := newLife(t, 100+seed, nil)
				planted := false
				l.plant = func(l *life) { planted = planted || l.events > 15 && fault.once(l) }
				for range lasts {
					if l.step(); len(l.faults) > 0 {
						break
					}
				}
				l.end()
				if len(l.faults) == 0 {
					continue
				}
				if !strings.Contains(strings.Join(l.faults, "\n"), fault.says) {
					t.Errorf("found as %q, want %q", l.faults, fault.says)
				}
				return
			}
			t.Error("nobody has found it")
		})
	}
}

// lostUpdate writes an older state of a case over its newest.
func lostUpdate(l *life) bool {
	for _, c := range l.known {
		if len(c.Timeline) < 3 {
			continue
		}
		c.Timeline, c.Version = c.Timeline[:len(c.Timeline)-1], c.Version-1
		c.Status = c.Timeline[len(c.Timeline)-1].To
		_, err := l.db.Exec(`UPDATE refund_case SET body = $1, version = $2, status = $3 WHERE id = $4`, text(c), c.Version, string(c.Status), string(c.ID))
		l.must(err)
		return true
	}
	return false
}
