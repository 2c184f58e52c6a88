package central_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/app/refund/refundtest"
	"flawmark/storage/central"
)

// centre is what anything happens to: a store in this process, or one in a
// process that is killed.
type centre interface {
	Act(ctx context.Context, id qc.CaseID, version int, e refund.Event, key string) (refund.Case, error)
	Split(ctx context.Context, id qc.CaseID, version, pieces int, by refund.Actor, key string) (central.Halves, error)
	Correct(ctx context.Context, id qc.CaseID, e refund.Event) (refund.Case, error)
	ClaimFlaw(ctx context.Context, item qc.ItemID, e refund.Event) (refund.Case, error)
	Instruct(ctx context.Context, order qc.OrderID, i qc.Instructions, by refund.Actor) error
	ApplyEvents(ctx context.Context, id qc.StationID, b qc.Batch, at time.Time) (qc.Ack, error)
	BlobStored(ctx context.Context, d qc.Digest, size int64, mediaType string, at time.Time) error
	RunTimers(ctx context.Context, at time.Time) (int, error)
	Verify(ctx context.Context) (central.Report, error)
	Close() error
}

// life is a centre to which anything happens: what stations, customers, clerks,
// leads, instructions and the clock may do and what they may not, twice over,
// many at once and out of order, while the centre is closed, killed and opened
// again. After every single step the database is compared with what had been
// acknowledged before.
type life struct {
	t      testing.TB
	chance refundtest.Chance
	centre centre
	place  place
	look   func() sight // past the store, into its database
	eye    eye          // that looks, from this process; none: from that of the store
	bench  *bench
	at     time.Time

	known map[qc.CaseID]refund.Case
	texts map[qc.CaseID]string // of them, as they are stored
	ids   []qc.CaseID
	items map[qc.ItemID]qc.Item
	books ledger

	said   []qc.Batch
	lacked []qc.Digest // previews that were not sent
	sent   map[qc.Digest]bool
	acts   []told
	due    []refund.Case // as the step's answer said that they now are
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

// place is where a life's database is.
type place struct {
	Dir string `json:"dir"` // of the centre
	URL string `json:"url"` // of PostgreSQL; empty: SQLite, in Dir
}

func (p place) config() (central.Config, error) {
	c, err := readConfig(p.Dir)
	if err == nil {
		c.Terms, err = refund.ReadPolicies(os.DirFS("../../assets/policies"))
	}
	c.URL = p.URL
	return c, err
}

// newLife founds a centre at a place and lets a life begin in it.
func newLife(t testing.TB, seed uint64, at place) *life {
	t.Helper()
	l := &life{
		t: t, chance: refundtest.NewChance(seed), place: at, at: noon, books: newLedger(),
		known: map[qc.CaseID]refund.Case{}, texts: map[qc.CaseID]string{}, items: map[qc.ItemID]qc.Item{},
		sent: map[qc.Digest]bool{},
	}
	w := newWorld(t, func(testing.TB) *central.Store { return l.open() })
	order := sampleOrder()
	order.Items[0].Quantity, order.Items[1].Quantity = 3, 2
	_, err := w.ImportOrders(t.Context(), []qc.Order{order}, noon)
	l.must(err)
	for _, item := range order.Items {
		l.items[item.ID] = item
	}
	l.bench, l.centre = w.bench, w.Store
	l.watch()
	return l
}

// open opens the store in this process, on the life's own clock.
func (l *life) open() *central.Store {
	l.t.Helper()
	c, err := l.place.config()
	l.must(err)
	c.Now = func() time.Time { return l.at }
	store, err := central.Open(l.t.Context(), c)
	l.must(err)
	return store
}

// watch looks into the database from this process.
func (l *life) watch() {
	l.blink()
	var err error
	l.eye, err = newEye(l.place)
	l.must(err)
	l.look = func() sight {
		seen, err := l.eye.look(l.t.Context(), l.books.last)
		l.must(err)
		return seen
	}
}

// blink ends looking.
func (l *life) blink() {
	if l.eye.db != nil {
		l.must(l.eye.db.Close())
		l.eye.db = nil
	}
}

// end derives everything again and closes the centre.
func (l *life) end() {
	l.t.Helper()
	report, err := l.centre.Verify(l.t.Context())
	l.must(err)
	for _, problem := range report.Problems {
		l.wrong("lost: not sound: %s", problem)
	}
	if store, here := l.centre.(*central.Store); here {
		faults, err := store.CheckDesk(l.t.Context())
		l.must(err)
		if !faults.OK() {
			l.wrong("lost: the desk's rows of %v and %v are not what they are made of", faults.Cases, faults.Findings)
		}
	}
	l.blink()
	l.must(l.centre.Close())
}

func (l *life) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatalf("event %d: %v", l.events, err)
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
		_, err := l.centre.RunTimers(l.t.Context(), l.at)
		l.must(err)
	case n < 21 && l.chance.IntN(4) == 0:
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

// pick returns a case as it was acknowledged last.
func (l *life) pick() (refund.Case, bool) {
	if len(l.ids) == 0 {
		return refund.Case{}, false
	}
	return l.known[refundtest.One(l.chance, l.ids...)], true
}

// inspect says a finding, of the right round or not, new or revised.
func (l *life) inspect() {
	item := l.items[refundtest.One[qc.ItemID](l.chance, "20481-1", "20481-2", "20481-3")]
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
	f.RecordedAt = l.at.Add(-time.Duration(l.chance.IntN(48)) * time.Hour) // the station was offline
	f.Flaws[0].Severity = refundtest.One(l.chance, qc.Critical, qc.Major, qc.Minor, qc.Observation)
	f.Unsure = l.chance.IntN(5) == 0
	if l.chance.IntN(3) == 0 {
		f.Verdict, f.Flaws, f.Marks = qc.Pass, nil, nil
	}
	if l.chance.IntN(3) > 0 {
		l.send(f.Photos[0].Preview.Digest)
	} else {
		l.lacked = append(l.lacked, f.Photos[0].Preview.Digest)
	}
	l.say(qc.FindingRecorded, "u12", f)
}

func (l *life) send(d qc.Digest) {
	l.must(l.centre.BlobStored(l.t.Context(), d, 5, "image/jpeg", l.at))
	l.sent[d] = true
	l.compare()
}

// say seals an event and sends it, perhaps twice.
func (l *life) say(kind qc.EventKind, by qc.StaffID, data any) {
	batch := l.bench.seal(kind, by, data)
	first, err := l.centre.ApplyEvents(l.t.Context(), l.bench.id, batch, l.at)
	l.must(err)
	l.said = append(l.said, batch)
	if l.chance.IntN(4) == 0 {
		l.sameAgain(batch, first.Receipts[0].Status)
	}
}

func (l *life) sameAgain(batch qc.Batch, first qc.ReceiptStatus) {
	l.compare()
	before := len(l.faults)
	ack, err := l.centre.ApplyEvents(l.t.Context(), l.bench.id, batch, l.at)
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
	l.send(l.lacked[n])
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
	halves, err := l.centre.Split(l.t.Context(), c.ID, l.version(c), l.chance.IntN(4), by, l.key())
	if !l.refusable("split", err) {
		l.due = append(l.due, halves.Rest, halves.Part)
	}
}

func (l *life) key() string { return fmt.Sprintf("key-%d", l.events) }

func (l *life) linked() {
	c, ok := l.pick()
	if !ok {
		return
	}
	e := refund.Event{Actor: refundtest.One(l.chance, clerk, clerk, customer), Reason: refundtest.One(l.chance, "", "because", "because")}
	if l.chance.IntN(2) == 0 {
		claimed, err := l.centre.ClaimFlaw(l.t.Context(), c.Item, e)
		if !l.refusable("claim a flaw", err) {
			l.due = append(l.due, claimed)
		}
		return
	}
	e.Amount, e.SellerRef = money.Fen(1+l.chance.Int64N(c.Received.Minor()+1)), fmt.Sprintf("V-%d", l.chance.IntN(50))
	corrected, err := l.centre.Correct(l.t.Context(), c.ID, e)
	if !l.refusable("correct", err) {
		l.due = append(l.due, corrected)
	}
}

func (l *life) instructs() {
	i := qc.Instructions{
		Grave: refundtest.One(l.chance, qc.GraveWishes()...), Minor: refundtest.One(l.chance, qc.MinorWishes()...), OfferFrom: l.chance.IntN(60) - 5,
	}
	if l.chance.IntN(2) == 0 {
		i = qc.Instructions{}
	}
	if err := l.centre.Instruct(l.t.Context(), "20481", i, customer); err != nil && !errors.Is(err, qc.ErrInstructions) {
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
	version, key := l.version(c), l.key()
	var after refund.Case
	var err error
	_, here := l.centre.(*central.Store)
	if here && (l.chance.IntN(100) == 0 || e.Kind == refund.SellerPaid && l.chance.IntN(10) == 0) {
		after, err = l.crowd(c.ID, version, e, key)
	} else {
		after, err = l.centre.Act(l.t.Context(), c.ID, version, e, key)
	}
	if l.refusable(string(e.Kind), err) {
		return
	}
	if version != 0 && version != c.Version && e.Kind != refund.SellerPaid {
		l.wrong("%s on version %d, it was at %d", e.Kind, version, c.Version)
	}
	l.due = append(l.due, after)
	l.acts = append(l.acts, told{id: c.ID, event: e, key: key, after: text(after)})
}

// atOnce is how many try the same thing at the same moment.
const atOnce = 50

// crowd does the same thing fifty times at once: all get the same answer, and
// the step's comparison says whether it happened once.
func (l *life) crowd(id qc.CaseID, version int, e refund.Event, key string) (refund.Case, error) {
	answers, errs := make([]refund.Case, atOnce), make([]error, atOnce)
	var group sync.WaitGroup
	for n := range atOnce {
		group.Go(func() { answers[n], errs[n] = l.centre.Act(l.t.Context(), id, version, e, key) })
	}
	group.Wait()
	for n := range atOnce {
		if (errs[n] == nil) != (errs[0] == nil) || errs[0] == nil && text(answers[n]) != text(answers[0]) {
			l.wrong("doubled: of %d who did %s at once, one is told %v and another %v", atOnce, e.Kind, errs[0], errs[n])
			break
		}
	}
	return answers[0], errs[0]
}

// repeatAct does again what was done: nothing comes of it but the same answer.
func (l *life) repeatAct() {
	if len(l.acts) == 0 {
		return
	}
	done := refundtest.One(l.chance, l.acts...)
	if l.at.Sub(done.event.At) > 29*24*time.Hour {
		return // a centre remembers keys for 30 days
	}
	again, err := l.centre.Act(l.t.Context(), done.id, 1+l.chance.IntN(9), done.event, done.key)
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

// refusals are what a centre says no with.
func refusals() []error {
	return append(refund.Refusals(), central.ErrClaimed, central.ErrSellerRef, central.ErrKeyReused, qc.ErrInstructions)
}

// refusable reports whether the store refused, and fails the test on anything
// that is no refusal.
func (l *life) refusable(what string, err error) bool {
	if err == nil {
		return false
	}
	for _, why := range refusals() {
		if errors.Is(err, why) {
			return true
		}
	}
	if conflict, ok := errors.AsType[*central.Conflict](err); ok {
		if was := l.known[conflict.Case.ID]; was.Version != conflict.Case.Version {
			l.wrong("doubled: %s met version %d, it was at %d, and nobody else acts here", what, conflict.Case.Version, was.Version)
		}
		return true
	}
	l.t.Fatalf("event %d, %s: %v", l.events, what, err)
	return true
}

// again closes the centre and opens it, or opens what a power cut would leave:
// the files as they are at that moment. Centres that can be killed are killed
// elsewhere.
func (l *life) again() {
	store, here := l.centre.(*central.Store)
	if !here {
		return
	}
	from := l.place.Dir
	if l.place.URL == "" && l.chance.IntN(2) == 0 {
		l.place.Dir = from + "'"
		l.must(os.MkdirAll(l.place.Dir, 0o700))
		for _, name := range []string{"central.db", "central.db-wal"} {
			data, err := os.ReadFile(filepath.Join(from, name))
			if err != nil && !os.IsNotExist(err) {
				l.must(err)
			}
			l.must(os.WriteFile(filepath.Join(l.place.Dir, name), data, 0o600))
		}
	}
	l.blink()
	l.must(store.Close())
	if l.place.Dir != from {
		l.must(os.RemoveAll(from))
	}
	l.centre = l.open()
	l.watch()
}

// compare holds the database to what had been acknowledged, takes over what has
// changed since, and returns how many cases that were.
func (l *life) compare() int {
	seen := l.look()
	changed := 0
	for id, stored := range seen.Cases {
		if stored == l.texts[id] {
			continue
		}
		changed++
		var c refund.Case
		l.must(json.Unmarshal([]byte(stored), &c))
		was, known := l.known[id]
		if !known {
			l.ids = append(l.ids, id)
		}
		if err := happened(was, c); err != nil {
			l.wrong("case %s: %v", id, err)
		}
		l.known[id], l.texts[id] = c, stored
	}
	for id := range l.known {
		if _, there := seen.Cases[id]; !there {
			l.wrong("lost: case %s", id)
			delete(l.known, id)
			delete(l.texts, id)
		}
	}
	for id, stored := range seen.Items {
		var item qc.Item
		l.must(json.Unmarshal([]byte(stored), &item))
		l.items[id] = item
	}
	l.answered(seen)
	l.pieces()
	l.money(seen)
	return changed
}

// answered: what the store has said it did is there.
func (l *life) answered(seen sight) {
	for _, c := range l.due {
		if now := l.known[c.ID]; text(now) != text(c) {
			l.wrong("lost: case %s was answered at version %d, it is at %d", c.ID, c.Version, now.Version)
		}
	}
	l.due = nil
	if seen.Logged != int64(l.bench.seq) || seen.Photos != int64(len(l.sent)) {
		l.wrong("lost: %d of %d events and %d of %d photos are there", seen.Logged, l.bench.seq, seen.Photos, len(l.sent))
	}
}

// kept: whatever had been answered when the centre was killed is there.
func (l *life) kept() {
	seen := l.look()
	for id, was := range l.known {
		var now refund.Case
		if stored := seen.Cases[id]; stored != "" {
			l.must(json.Unmarshal([]byte(stored), &now))
		}
		if err := refundtest.Step(was, now); err != nil {
			l.wrong("lost with a kill: case %s: %v", id, err)
		}
	}
	if seen.Booked < l.books.last {
		l.wrong("lost with a kill: %d of %d postings are there", seen.Booked, l.books.last)
	}
	if told := int64(len(l.said)); seen.Logged < told || seen.Photos < int64(len(l.sent)) {
		l.wrong("lost with a kill: %d of %d events and %d of %d photos are there", seen.Logged, told, seen.Photos, len(l.sent))
	}
}

// happened reports what is wrong with what one step has made of a case; was is
// zero for a new one.
func happened(was, c refund.Case) error {
	if was.ID == "" {
		return refundtest.Sound(c)
	}
	if err := refundtest.Step(was, c); err != nil {
		return err
	}
	done := 0
	for _, e := range c.Timeline[len(was.Timeline):] {
		if e.Actor.Party != refund.ByInstruction { // those act upon what others did
			done++
		}
	}
	if done > 1 {
		return fmt.Errorf("doubled: one step has left %d entries: %+v", done, c.Timeline[len(was.Timeline):])
	}
	return nil
}

// pieces are held by one open case each.
func (l *life) pieces() {
	held := make(map[qc.ItemID]int)
	for _, c := range l.known {
		if !c.Status.Terminal() {
			held[c.Item] += c.Pieces()
		}
	}
	for item, pieces := range held {
		if pieces > l.items[item].Quantity {
			l.wrong("open cases hold %d pieces of %s", pieces, item)
		}
	}
}

// money: the ledger's sum, every account, and the customer's balance are what
// was booked, and what the cases say.
func (l *life) money(seen sight) {
	for _, problem := range l.books.take(seen) {
		l.wrong("%s", problem)
	}
	var given int64
	for _, c := range l.known {
		given += refundtest.Given(c)
	}
	if balance := seen.Balances[refund.CustomerAccount("C-1001")]; balance != given || given < 0 {
		l.wrong("the balance is %d, the cases gave %d", balance, given)
	}
}

func text(c refund.Case) string {
	data, err := json.Marshal(c)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
