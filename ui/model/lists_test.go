package model_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets"
	"flawmark/ui/model"
)

func TestSignIn_BadgePINAndBackOff(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if got := len(b.SignIn.People()); got != 2 {
		t.Errorf("%d people may work at a bench, want 2", got)
	}
	b.SignIn.Enter("B0099")
	b.settle()
	if _, in := b.SignIn.Person(); in {
		t.Fatal("somebody who left signed in")
	}
	b.SignIn.Enter("U12")
	for range 5 {
		b.SignIn.PIN("0000")
		b.settle()
	}
	b.said("station.signin.locked")
	b.SignIn.PIN("2580")
	b.settle()
	if _, in := b.SignIn.Person(); in {
		t.Error("the right PIN worked while locked")
	}
	b.now = b.now.Add(31 * time.Second)
	b.SignIn.PIN("2580")
	b.settle()
	if p, in := b.SignIn.Person(); !in || p.ID != "u12" || b.Reviews.Allowed() {
		t.Errorf("signed in %v as %s, may review %v", in, p.ID, b.Reviews.Allowed())
	}
	b.SignIn.Out()
	b.signIn("B0007")
	if !b.Reviews.Allowed() {
		t.Error("a lead may not review")
	}
}

func standing(id string, by qc.StaffID, waits bool, stocked time.Time) qc.Standing {
	return qc.Standing{
		Finding: qc.Finding{
			ID: qc.FindingID(id), Revision: 1, Item: qc.ItemID("I" + id), Verdict: qc.Flag, Inspector: by,
			Photos: []qc.Photo{{ID: qc.PhotoID("P" + id)}}, Flaws: []qc.Flaw{{ID: "X", Code: "F04", Severity: qc.Major, Quantity: 1}},
		},
		Item: qc.Item{ID: qc.ItemID("I" + id), StockedInAt: stocked}, Waits: waits,
	}
}

func TestReviews_WaitingFirstByWindowAndNeverOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.store.AllFlags = []qc.Standing{
		standing("seen", "u12", false, monday.Add(-90*time.Hour)),
		standing("late", "u12", true, monday.Add(-10*time.Hour)),
		standing("soon", "u12", true, monday.Add(-80*time.Hour)),
		standing("own", "lead7", true, monday.Add(-1*time.Hour)),
	}
	b.signIn("B0007")
	var got []qc.FindingID
	for _, row := range b.Reviews.Rows() {
		got = append(got, row.Standing.Finding.ID)
	}
	want := []qc.FindingID{"soon", "late", "own", "seen"}
	for n := range want {
		if len(got) != 4 || got[n] != want[n] {
			t.Fatalf("order %v, want %v", got, want)
		}
	}
	if b.Reviews.Waiting() != 3 {
		t.Errorf("%d wait, want 3", b.Reviews.Waiting())
	}
	b.Reviews.SendBack("  ")
	b.said("station.review.reason_needed")
	b.Reviews.Confirm()
	b.settle()
	review, ok := b.store.Events[0].(qc.Review)
	if !ok || review.Finding != "soon" || review.Outcome != qc.Confirmed || review.By != "lead7" {
		t.Errorf("recorded %+v", b.store.Events)
	}
	if row, _, _ := b.Reviews.Selected(); row.Standing.Finding.ID != "late" {
		t.Errorf("then %s is in view, want the next", row.Standing.Finding.ID)
	}
	b.Reviews.Move(1)
	b.Reviews.Dismiss("fine")
	b.settle()
	if len(b.store.Events) != 1 {
		t.Error("an own finding was reviewed")
	}
	b.said("error.own_finding")
}

func TestReviews_FollowTheCase(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for id, status := range map[string]refund.Status{
		"asked": refund.AwaitingDecision, "sent": refund.Returning, "paid": refund.Credited, "kept": refund.Kept,
	} {
		s := standing(id, "u12", false, monday.Add(-time.Hour))
		s.Case = qc.CaseID(id)
		b.store.AllFlags = append(b.store.AllFlags, s)
		b.store.AllCases = append(b.store.AllCases, refund.Case{ID: s.Case, Status: status})
	}
	b.signIn("B0007")
	decided := make(map[qc.FindingID]bool)
	for _, row := range b.Reviews.Rows() {
		decided[row.Standing.Finding.ID] = row.Decided
	}
	if len(decided) != 2 || decided["asked"] || !decided["sent"] {
		t.Fatalf("listed, and whether decided: %v; want asked and sent, the latter decided", decided)
	}
	for range decided {
		if row, _, _ := b.Reviews.Selected(); row.Decided {
			break
		}
		b.Reviews.Move(1)
	}
	b.Reviews.Dismiss("no flaw")
	b.said("station.review.decided")
	b.Reviews.Confirm()
	b.settle()
	if len(b.store.Events) != 1 {
		t.Errorf("recorded %+v, want the look alone", b.store.Events)
	}
}

func TestCases_ReturnAndReplacement(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.store.AllCases = []refund.Case{
		{ID: "hold", Item: "20481-1", Status: refund.Negotiating, Version: 3, ChangedAt: monday},
		{ID: "aside", Item: "20481-2", Status: refund.Exchanging, Version: 4, ChangedAt: monday},
		{ID: "back", Item: "20481-3", Status: refund.ReturnApproved, Version: 5, ChangedAt: monday},
		{ID: "old", Item: "20481-3", Status: refund.Kept, Version: 5, ChangedAt: monday.Add(-100 * time.Hour)},
	}
	b.signIn("B0012")
	if got := len(b.Cases.Rows()); got != 3 || b.Cases.Due() != 1 {
		t.Fatalf("%d rows and %d to do, want 3 and 1", got, b.Cases.Due())
	}
	if b.Cases.Dispatch("SF Express", "nonsense") {
		t.Error("nonsense was taken for a waybill")
	}
	b.said("error.waybill_invalid")
	if !b.Cases.Dispatch("SF Express", " sf1234567890123 ") {
		t.Fatalf("refused: %v", b.Notices.Current())
	}
	b.settle()
	sent, ok := b.store.Events[0].(qc.Dispatch)
	if !ok || sent.Case != "back" || sent.Waybill != "SF1234567890123" || sent.By != "u12" {
		t.Errorf("recorded %+v", b.store.Events)
	}
	if b.Cases.Due() != 0 {
		t.Error("it is still to do")
	}
	b.Cases.Select(0)
	if row, _, _ := b.Cases.Selected(); row.Case.ID != "aside" || !b.Cases.Arrived("ZTO99887766") {
		t.Fatalf("in view %s: %v", row.Case.ID, b.Notices.Current())
	}
	b.settle()
	if got, ok := b.store.Events[1].(qc.Arrival); !ok || got.Case != "aside" || got.Waybill != "ZTO99887766" {
		t.Errorf("recorded %+v", b.store.Events[1])
	}
}

func TestQueue_SaysHowFarThingsHaveTravelled(t *testing.T) {
	t.Parallel()
	words, err := assets.LoadWords("en")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	f := &qc.Finding{Verdict: qc.Flag}
	for _, r := range []qc.Recorded{
		{Delivery: qc.OnlyHere},
		{Delivery: qc.Sending, Photos: 5, PhotosSent: 3},
		{Delivery: qc.Accepted, AcceptedAt: monday},
		{Delivery: qc.Attention, Problem: "error.case_moved_on"},
	} {
		r.Finding, r.Item = f, "20481-2"
		b.store.History = append(b.store.History, r)
	}
	b.Queue.Refresh()
	b.settle()
	want := []string{"Only on this station", "Sent 3 of 5", "Accepted " + monday.Local().Format("15:04"), "Needs attention"}
	for n, row := range b.Queue.Rows() {
		if got := row.Delivery.In(words); got != want[n] || row.What.In(words) != "Flagged 20481-2" {
			t.Errorf("row %d says %q, want %q", n, got, want[n])
		}
	}
	if b.Queue.Waiting() != 3 || b.Queue.Rows()[3].Problem.Key != "error.case_moved_on" {
		t.Errorf("%d wait; the problem is %v", b.Queue.Waiting(), b.Queue.Rows()[3].Problem)
	}
}

func TestStatus_Sentence(t *testing.T) {
	t.Parallel()
	words, err := assets.LoadWords("en")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.engine.Now = model.Link{State: "online", EventsWaiting: 2, PhotosWaiting: 4, PhotosTotal: 9, BytesPerSecond: 3_200_000}
	b.Status.Refresh()
	want := "online · 2 findings waiting · photos 5 of 9 sent · 3.2 MB/s"
	if got := model.Join(words, " · ", b.Status.Parts()...); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	b.engine.Now = model.Link{State: "degraded", PhotosWaiting: 1, PhotosTotal: 1, Problem: "error.blob_damaged"}
	b.Status.Refresh()
	if got := model.Join(words, " · ", b.Status.Parts()...); !strings.Contains(got, words.Text("error.blob_damaged")) {
		t.Errorf("a photo that cannot be sent is not said: %q", got)
	}
}

func TestSettings_EnrolShowsTheCode(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if b.Settings.Set(model.Settings{Centre: "centre.example"}) {
		t.Error("an address without scheme was accepted")
	}
	var kept model.Settings
	var seen string
	work := model.NewWork(func(f func()) { f() })
	s := model.New(model.Parts{
		Store: b.store, Blobs: b.blobs, Engine: b.engine, Work: work, Now: func() time.Time { return b.now },
		Settings: model.Settings{Language: "zh"},
		Keep:     func(_ context.Context, s model.Settings) error { kept = s; return nil },
		Enrol: func(_ context.Context, centre, name string, show func(string)) (qc.Identity, error) {
			show("ABCD-1234")
			return qc.Identity{Station: "s9", Name: name, Centre: centre}, nil
		},
	})
	s.Settings.OnChange = func() {
		if s.Settings.Code() != "" {
			seen = s.Settings.Code()
		}
	}
	s.Settings.Set(model.Settings{Name: " Bench 3 ", Centre: "https://centre.example", Language: "zh", Scale: 1})
	s.Settings.Enrol()
	work.Settle(context.Background())
	identity, enrolled := s.Settings.Identity()
	if kept.Name != "Bench 3" || seen != "ABCD-1234" || !enrolled || identity.Station != "s9" {
		t.Errorf("kept %+v, code %q, identity %+v", kept, seen, identity)
	}
}

func TestWork_SavesAreMadeEvenWhenTheProgramCloses(t *testing.T) {
	t.Parallel()
	work := model.NewWork(func(f func()) { f() })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	saved := 0
	for range 3 {
		work.Do(model.LaneSave, func(ctx context.Context) func() {
			cancel()
			if ctx.Err() == nil || saved == 0 {
				saved++
			}
			return nil
		})
	}
	if err := work.Run(ctx); err != nil || saved != 3 {
		t.Errorf("%d of 3 saves made, error %v", saved, err)
	}
}

func TestEveryKeySaidHasWords(t *testing.T) {
	t.Parallel()
	for _, language := range assets.Languages() {
		words, err := assets.LoadWords(language)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keysInSource(t, ".", "../bench") {
			if !words.Has(key) {
				t.Errorf("%s has no text for %s", language, key)
			}
		}
	}
}

func TestStation_RunAnswersOnTheDispatcherAndEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	window := make(chan func(), 64) // the window's goroutine is this test
	work := model.NewWork(func(f func()) { window <- f })
	s := model.New(model.Parts{
		Store: b.store, Blobs: b.blobs, Engine: b.engine, Work: work, Now: func() time.Time { return monday },
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	for len(s.SignIn.People()) == 0 {
		(<-window)()
	}
	s.SignIn.Enter("B0012")
	s.Inspection.Scan("20481-1")
	for open := false; !open; _, open = s.Inspection.Item() {
		(<-window)()
	}
	cancel()
	for {
		select {
		case f := <-window:
			f()
		case err := <-ended:
			if err != nil {
				t.Errorf("Run ended with %v", err)
			}
			return
		}
	}
}

func TestShift_SumsUpToday(t *testing.T) {
	b := newBench(t)
	at := func(d time.Duration) time.Time { return monday.Local().Truncate(time.Minute).Add(d) }
	day := time.Date(at(0).Year(), at(0).Month(), at(0).Day(), 12, 0, 0, 0, time.Local)
	b.now = day
	flag, pass := &qc.Finding{Verdict: qc.Flag}, &qc.Finding{Verdict: qc.Pass}
	b.store.History = []qc.Recorded{
		{At: day, By: "u12", Item: "1", Finding: flag, Delivery: qc.Accepted, Photos: 4, PhotosSent: 4},
		{At: day, By: "u12", Item: "2", Finding: pass, Delivery: qc.Sending, Photos: 3},
		{At: day, By: "lead7", Item: "1", Kind: qc.ReviewGiven, Delivery: qc.Accepted},
		{At: day, By: "lead7", Item: "3", Finding: flag, Delivery: qc.Attention, Photos: 1},
		{At: day.Add(-24 * time.Hour), By: "u12", Item: "4", Finding: pass, Delivery: qc.OnlyHere, Photos: 9},
	}
	b.Refresh()
	b.settle()
	if got, want := b.Queue.Shift(""), (model.Shift{Passed: 1, Flagged: 2, Others: 1, Photos: 8, Waiting: 1, Attention: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := b.Queue.Shift("u12"), (model.Shift{Passed: 1, Flagged: 1, Photos: 7, Waiting: 1}); got != want {
		t.Errorf("of one person %+v, want %+v", got, want)
	}
	rows := b.Queue.Rows()
	if _, ok := rows[0].Again(); ok {
		t.Error("what the centre accepted is to be inspected again")
	}
	if item, ok := rows[3].Again(); !ok || item != "3" {
		t.Errorf("what the centre refused: %q, %v", item, ok)
	}
}

func TestQueue_PauseAndTimeLeft(t *testing.T) {
	b := newBench(t)
	b.engine.Now = model.Link{State: "online", PhotosWaiting: 3, PhotosTotal: 5, BytesWaiting: 60e6, BytesPerSecond: 1e6, EventsWaiting: 1}
	b.Status.Refresh()
	if left, ok := b.Status.TimeLeft(); !ok || left.Key != "station.status.left_minutes" {
		t.Errorf("60 MB at 1 MB/s: %v %v", left, ok)
	}
	if b.Status.Remains().IsZero() {
		t.Error("closing says nothing of what remains")
	}
	b.Queue.Pause(true)
	if !b.Queue.Paused() {
		t.Error("not paused")
	}
	b.Queue.Pause(false)
	b.Queue.SendNow()
	if b.Queue.Paused() || b.engine.Retried != 1 {
		t.Errorf("paused %v, retried %d", b.Queue.Paused(), b.engine.Retried)
	}
	b.engine.Now = model.Link{State: "online"}
	b.Status.Refresh()
	if _, ok := b.Status.TimeLeft(); ok || !b.Status.Remains().IsZero() {
		t.Error("something remains of nothing")
	}
}
