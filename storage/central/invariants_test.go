package central_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/app/refund/refundtest"
	"flawmark/storage/central"
)

// The promises of the store among the numbered ones; the others are held by the
// rules and tested there (app/refund, TestInvariant1 to TestInvariant12), and
// all of them by the rig that lets anything happen to a store.

// replay is everything that was said and done in a world, to be done again.
type replay struct {
	w       world
	batches []qc.Batch
	photos  []qc.Digest
	acts    []told
	forget  bool // planted: the keys of acts are left out
}

// again does everything once more, in any order, and returns what has changed.
func (r *replay) again(chance refundtest.Chance) []string {
	before := r.w.everything()
	var all []func()
	for _, batch := range r.batches {
		all = append(all, func() {
			_, err := r.w.ApplyEvents(r.w.t.Context(), r.w.bench.id, batch, noon.Add(time.Hour))
			r.w.must(err)
		})
	}
	for _, photo := range r.photos {
		all = append(all, func() { r.w.must(r.w.BlobStored(r.w.t.Context(), photo, 5, "image/jpeg", noon.Add(time.Hour))) })
	}
	for _, act := range r.acts {
		all = append(all, func() {
			key := act.key
			if r.forget {
				key = ""
			}
			act.event.At = time.Time{} // now
			after, err := r.w.Act(r.w.t.Context(), act.id, 0, act.event, key)
			if !r.forget && (err != nil || text(after) != act.after) {
				r.w.t.Errorf("%s once more: %v", act.event.Kind, err)
			}
		})
	}
	chance.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, do := range all {
		do()
	}
	var changed []string
	for i, after := range r.w.everything() {
		if after != before[i] {
			changed = append(changed, before[i]+" → "+after)
		}
	}
	return changed
}

// everything is all there is, as text: how much of each kind, and every case.
func (w world) everything() []string {
	w.t.Helper()
	report, err := w.Verify(w.t.Context())
	w.must(err)
	notices, err := w.Notices(w.t.Context(), central.NoticeFilter{Limit: 10_000})
	w.must(err)
	cases, err := w.Cases(w.t.Context(), central.CaseFilter{})
	w.must(err)
	all := []string{fmt.Sprintf("%+v", report), fmt.Sprintf("%d notices", len(notices)), fmt.Sprintf("%d cases", len(cases))}
	for _, c := range cases {
		all = append(all, text(c))
	}
	return all
}

// busy lets a good deal happen in a world and keeps it for [replay.again].
func (open opener) busy(t *testing.T, chance refundtest.Chance) *replay {
	t.Helper()
	r := &replay{w: newWorld(t, open)}
	say := func(kind qc.EventKind, by qc.StaffID, data any) {
		batch := r.w.bench.seal(kind, by, data)
		_, err := r.w.ApplyEvents(t.Context(), r.w.bench.id, batch, noon)
		r.w.must(err)
		r.batches = append(r.batches, batch)
	}
	for n, item := range []qc.ItemID{"20481-1", "20481-2", "20481-3"} {
		f := r.w.bench.flag(qc.FindingID(fmt.Sprint("f", n)), item)
		say(qc.FindingRecorded, "u12", f)
		r.w.store(f.Photos[0].Preview.Digest)
		r.photos = append(r.photos, f.Photos[0].Preview.Digest)
		say(qc.ReviewGiven, "lead7", qc.Review{Finding: f.ID, Revision: 1, Outcome: qc.Confirmed, By: "lead7"})
	}
	say(qc.FindingRecorded, "u12", r.w.bench.flag("unknown", "no such item")) // is refused, again and again
	cases, err := r.w.Cases(t.Context(), central.CaseFilter{})
	r.w.must(err)
	act := func(c refund.Case, e refund.Event, key string) {
		after, err := r.w.Act(t.Context(), c.ID, c.Version, e, key)
		if err == nil { // else the store knows more than the rules, such as what is on the balance
			r.acts = append(r.acts, told{id: c.ID, event: e, key: key, after: text(after)})
		}
	}
	act(cases[0], refund.Event{Kind: refund.ChoseRefund, Actor: customer}, "choice")
	act(r.w.load(cases[0].ID), refund.Event{Kind: refund.Goodwill, Actor: clerk, Amount: money.Fen(100), Reason: "sorry"}, "gift")
	for n := range 40 {
		c := r.w.load(cases[1+n%2].ID)
		e, ok := chance.Likely(c, noon)
		if !ok || e.Actor.Party == refund.ByInstruction || e.Actor.Party == refund.ByStation {
			continue
		}
		act(c, e, fmt.Sprint("key-", n))
	}
	return r
}

// testInvariant9: replaying any event, upload or act changes nothing.
func (open opener) testInvariant9(t *testing.T) {
	t.Parallel()
	chance := refundtest.NewChance(9)
	r := open.busy(t, chance)
	if changed := r.again(chance); len(changed) > 0 || len(r.acts) < 10 {
		t.Errorf("after %d acts once more: %q", len(r.acts), changed)
	}
	r.forget = true
	if len(r.again(chance)) == 0 {
		t.Error("without their keys acts happened once more, and nobody has noticed")
	}
}

// queued is one thing in a queue: an event of a station, or a photo.
type queued struct {
	queue   int // of a station; photos have their own
	finding *qc.Finding
	review  *qc.Review
	about   qc.FindingID
	photo   qc.Digest
}

// queues are what several stations have said while they were offline, each in
// its own order, and what becomes of it.
type queues struct {
	lines []queued // in the order in which it happened
}

const offlineStations = 3

// happen draws what inspectors at several stations, and leads at any of them,
// have done to the same few items.
func happen(chance refundtest.Chance) queues {
	w := world{}
	var sequences [][]queued
	for n := range 3 + chance.IntN(5) {
		station := chance.IntN(offlineStations)
		id := qc.FindingID(fmt.Sprintf("f%d", n))
		f := (&bench{w: w}).flag(id, refundtest.One[qc.ItemID](chance, "20481-1", "20481-2", "20481-3"))
		draw := func(f qc.Finding) *qc.Finding {
			f.Flaws = slices.Clone(f.Flaws)
			f.Flaws[0].Severity = refundtest.One(chance, qc.Critical, qc.Major, qc.Minor)
			f.Unsure = chance.IntN(3) == 0
			if chance.IntN(4) == 0 {
				f.Verdict, f.Flaws, f.Marks = qc.Pass, nil, nil
			}
			return &f
		}
		sequence := []queued{{queue: station, finding: draw(f), about: id}}
		if chance.IntN(4) > 0 {
			sequence = append(sequence, queued{queue: offlineStations, photo: f.Photos[0].Preview.Digest, about: id})
		}
		revision := 1
		for range chance.IntN(3) {
			if chance.IntN(2) == 0 {
				revision++
				f.Revision = revision
				sequence = append(sequence, queued{queue: station, finding: draw(f), about: id})
				continue
			}
			sequence = append(sequence, queued{queue: chance.IntN(offlineStations), about: id, review: &qc.Review{
				Finding: id, Revision: revision, By: "lead7", Reason: "because",
				Outcome: refundtest.One(chance, qc.Confirmed, qc.SentBack, qc.Dismissed),
			}})
		}
		sequences = append(sequences, sequence)
	}
	var q queues
	for len(sequences) > 0 { // all of it went on at the same time
		n := chance.IntN(len(sequences))
		q.lines = append(q.lines, sequences[n][0])
		if sequences[n] = sequences[n][1:]; len(sequences[n]) == 0 {
			sequences = slices.Delete(sequences, n, n+1)
		}
	}
	fast := []time.Duration{0, time.Duration(chance.IntN(180)) * time.Minute, -time.Duration(chance.IntN(180)) * time.Minute} // the stations' clocks
	for n, l := range q.lines {
		if l.finding != nil {
			l.finding.RecordedAt = noon.Add(-24*time.Hour + time.Duration(n)*17*time.Minute + fast[l.queue])
		}
	}
	return q
}

// shuffled draws another order in which they may arrive: each queue keeps its
// own, and so does what is about one finding.
func (q queues) shuffled(chance refundtest.Chance) []queued {
	left := slices.Clone(q.lines)
	var order []queued
	for len(left) > 0 {
		var first []int
		for n, l := range left {
			earlier := slices.ContainsFunc(left[:n], func(e queued) bool {
				return e.about == l.about || e.queue == l.queue && l.queue != offlineStations
			})
			if !earlier {
				first = append(first, n)
			}
		}
		n := refundtest.One(chance, first...)
		order = append(order, left[n])
		left = slices.Delete(left, n, n+1)
	}
	return order
}

// arrive delivers lines in an order and returns what then is open.
func (open opener) arrive(t *testing.T, order []queued) string {
	t.Helper()
	w := newWorld(t, open)
	stations := make([]*bench, offlineStations)
	for n := range stations {
		stations[n] = w.enrol(fmt.Sprint("bench ", n+2))
	}
	for _, l := range order {
		switch {
		case l.finding != nil:
			f := *l.finding
			f.Station = stations[l.queue].id
			stations[l.queue].say(noon, qc.FindingRecorded, "u12", f)
		case l.review != nil:
			stations[l.queue].say(noon, qc.ReviewGiven, "lead7", *l.review)
		default:
			w.store(l.photo)
		}
	}
	cases, err := w.Cases(t.Context(), central.CaseFilter{Open: true})
	w.must(err)
	var all []string
	for _, c := range cases {
		all = append(all, fmt.Sprintf("%s: %s on %s, lead waits %v, %d photos missing, %s's fault, round %d, %d pieces, worth %s",
			c.Item, c.Status, c.Finding, c.LeadWaits, c.PhotosMissing, c.Liability, c.Round, c.Quantity, c.Paid))
	}
	w.sound()
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// testInvariant10: offline queues may arrive in any order that respects the
// sequence of each finding; what is then open is the same.
func (open opener) testInvariant10(t *testing.T) {
	t.Parallel()
	open.anyOrder(t, 12, nil)
}

// anyOrder delivers what happened in its own order and in two others.
func (open opener) anyOrder(t *testing.T, seeds uint64, plant func([]queued)) (differ bool) {
	t.Helper()
	for seed := range seeds {
		chance := refundtest.NewChance(1000 + seed)
		q := happen(chance)
		want := open.arrive(t, q.lines)
		for range 2 {
			order := q.shuffled(chance)
			if plant != nil {
				plant(order)
			}
			if got := open.arrive(t, order); got != want {
				if plant != nil {
					return true
				}
				t.Errorf("life %d: in the order in which it happened\n%s\nin another\n%s\n%s", seed, want, got, inWords(q.lines, order))
			}
		}
	}
	return false
}

func inWords(orders ...[]queued) string {
	var out strings.Builder
	for _, order := range orders {
		for _, l := range order {
			switch {
			case l.finding != nil:
				fmt.Fprintf(&out, " %s/%d %s %s at %s;", l.about, l.finding.Revision, l.finding.Verdict, l.finding.Item, l.finding.RecordedAt.Format("15:04"))
			case l.review != nil:
				fmt.Fprintf(&out, " %s of %s/%d;", l.review.Outcome, l.about, l.review.Revision)
			default:
				fmt.Fprintf(&out, " photo of %s;", l.about)
			}
		}
		out.WriteString("\n")
	}
	return out.String()
}

// Where what arrives last counted, orders would differ.
func TestInvariant10_SeesPlantedFaults(t *testing.T) {
	t.Parallel()
	asItCame := func(order []queued) {
		for n, l := range order {
			if l.finding != nil {
				f := *l.finding
				f.RecordedAt = noon.Add(-24*time.Hour + time.Duration(n)*time.Minute)
				order[n].finding = &f
			}
		}
	}
	if !opener(openSQLite).anyOrder(t, 30, asItCame) {
		t.Error("nobody has noticed")
	}
}
