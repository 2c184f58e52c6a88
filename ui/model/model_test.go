package model_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets"
	"flawmark/ui/model"
	"flawmark/ui/model/modeltest"
)

// bench is a station whose work is done when settled.
type bench struct {
	*model.Station
	t      *testing.T
	store  *modeltest.Store
	blobs  *modeltest.Blobs
	engine *modeltest.Engine
	work   *model.Work
	now    time.Time
	ids    int
}

var monday = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func newBench(t *testing.T) *bench {
	t.Helper()
	return newBenchWith(t, func(*model.Parts) {})
}

// newBenchWith is newBench of other parts.
func newBenchWith(t *testing.T, change func(*model.Parts)) *bench {
	t.Helper()
	catalogue, err := qc.ParseCatalogue(assets.FlawCatalogue())
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, store: &modeltest.Store{}, blobs: &modeltest.Blobs{}, engine: &modeltest.Engine{}, now: monday}
	b.store.Who = &qc.Identity{Station: "bench-3", Name: "Bench 3"}
	pin := qc.HashSecret("2580", []byte("0123456789abcdef"))
	b.store.People = []qc.Staff{
		{ID: "u12", Name: "王芳", Latin: "Wang Fang", Role: qc.Inspector, Badge: qc.HashBadge("B0012"), PIN: pin, Active: true},
		{ID: "lead7", Name: "陈伟", Role: qc.Lead, Badge: qc.HashBadge("B0007"), Active: true},
		{ID: "clerk3", Name: "李娜", Role: qc.Clerk, Active: true},
		{ID: "gone", Name: "Gone", Role: qc.Inspector, Badge: qc.HashBadge("B0099")},
	}
	for n := 1; n <= 3; n++ {
		b.store.Goods = append(b.store.Goods, qc.Item{
			ID: qc.ItemID(fmt.Sprintf("20481-%d", n)), Order: "20481", Category: "shoes", Quantity: n, Round: 1,
			Title: qc.Bilingual{EN: "Shoes", ZH: "鞋"}, UnitPrice: money.Fen(38900), Waybill: qc.Waybill(fmt.Sprintf("SF000000%d", n)),
			StockedInAt: monday.Add(-49 * time.Hour), Seller: "shop",
		})
	}
	b.work = model.NewWork(func(f func()) { f() })
	parts := model.Parts{
		Store: b.store, Blobs: b.blobs, Engine: b.engine, Catalogue: catalogue, Work: b.work,
		Now: func() time.Time { return b.now },
		NewID: func() string {
			b.ids++
			return fmt.Sprintf("id-%06d", b.ids)
		},
	}
	change(&parts)
	if blobs, ok := parts.Blobs.(*modeltest.Blobs); ok {
		b.blobs = blobs
	}
	b.Station = model.New(parts)
	b.Refresh()
	b.settle()
	return b
}

func (b *bench) settle() { b.work.Settle(context.Background()) }

func (b *bench) signIn(badge string) {
	b.t.Helper()
	b.SignIn.Enter(badge)
	b.settle()
	if _, ok := b.SignIn.Person(); !ok {
		b.t.Fatalf("badge %s did not sign in", badge)
	}
}

func (b *bench) open(text string) {
	b.t.Helper()
	b.Inspection.Scan(text)
	b.settle()
	if _, ok := b.Inspection.Item(); !ok {
		b.t.Fatalf("%s did not open: %v", text, b.Notices.Current())
	}
}

func (b *bench) photo(shade uint8) {
	b.Inspection.AddPhoto(fmt.Sprintf("p%d.jpg", shade), picture(b.t, shade))
	b.settle()
}

func picture(t *testing.T, shade uint8) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for n := range img.Pix {
		img.Pix[n] = shade
	}
	img.Set(1, 1, color.White)
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, nil); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func (b *bench) said(key string) {
	b.t.Helper()
	if got := b.Notices.Current().Sentence.Key; got != key {
		b.t.Errorf("the notice is %q, want %q", got, key)
	}
}

func TestInspection_FlagOfOneFlawIsRecordedWithItsMark(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn("b0012")
	b.open("20481-2")
	b.photo(90)
	b.Inspection.Preset(1)
	b.Inspection.Draw(qc.Box, []qc.Point{{X: -5, Y: 3}, {X: 20, Y: 500}})
	b.Inspection.Flag()
	b.settle()
	if len(b.store.Events) != 1 {
		t.Fatalf("%d events, notice %v", len(b.store.Events), b.Notices.Current())
	}
	f := b.store.Events[0].(qc.Finding)
	if f.Verdict != qc.Flag || f.Inspector != "u12" || f.Station != "bench-3" || f.Revision != 1 || f.Round != 1 || f.Order != "20481" {
		t.Errorf("recorded %+v", f)
	}
	if len(f.Flaws) != 1 || f.Flaws[0].Code != "H11" || f.Flaws[0].Severity != qc.Minor || f.Flaws[0].Zone != qc.ZoneB {
		t.Errorf("flaws are %+v", f.Flaws)
	}
	if len(f.Marks) != 1 || f.Marks[0].Flaw != f.Flaws[0].ID || f.Marks[0].Points[0] != (qc.Point{X: 0, Y: 3}) || f.Marks[0].Points[1] != (qc.Point{X: 20, Y: 48}) {
		t.Errorf("marks are %+v", f.Marks)
	}
	p := f.Photos[0]
	for _, d := range []qc.Digest{p.Digest, p.Preview.Digest, p.Thumb.Digest} {
		if _, err := b.blobs.Read(d, 1<<20); err != nil {
			t.Errorf("a file of the photo is not kept: %v", err)
		}
	}
	if _, open := b.Inspection.Item(); open || len(b.store.Saved) != 0 || b.engine.Kicked != 1 {
		t.Errorf("open %v, drafts %d, kicks %d after recording", open, len(b.store.Saved), b.engine.Kicked)
	}
	b.said("station.recorded.flag")
}

func TestInspection_AFailedRecordLosesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn("B0012")
	b.open("20481-1")
	b.photo(90)
	b.store.Fail = errors.New("no space left")
	b.Inspection.Pass()
	b.settle()
	b.said("error.unexpected")
	if !b.Notices.Current().Bad || len(b.Inspection.Finding().Photos) != 1 || b.Inspection.Recording() {
		t.Error("the inspection is not as it was before")
	}
	b.store.Fail = nil
	b.Inspection.Pass()
	b.settle()
	if len(b.store.Events) != 1 {
		t.Error("the second try did not record")
	}
}

func TestInspection_ScanOfSeveralItemsOffersThem(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn("B0012")
	b.Inspection.Scan("20481")
	b.settle()
	if got := len(b.Inspection.Choices()); got != 3 {
		t.Fatalf("%d choices, want 3", got)
	}
	b.Inspection.Open("20481-3")
	b.settle()
	if item, _ := b.Inspection.Item(); item.ID != "20481-3" || len(b.Inspection.Choices()) != 0 {
		t.Errorf("item %s, %d choices", item.ID, len(b.Inspection.Choices()))
	}
	b.Inspection.Scan("nothing")
	b.settle()
	b.said("error.unknown_item")
}

func TestInspection_AnOvertakenLookUpIsDropped(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn("B0012")
	b.Inspection.Scan("20481-1")
	b.Inspection.Scan("20481-2") // before the first has answered
	b.settle()
	if item, _ := b.Inspection.Item(); item.ID != "20481-2" {
		t.Errorf("item %s is open, want the later one", item.ID)
	}
}

func TestInspection_ARestartReopensTheNewestDraft(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn("B0012")
	b.open("20481-1")
	b.photo(10)
	b.now = b.now.Add(time.Minute)
	b.open("20481-2")
	b.photo(20)
	b.Inspection.Preset(2)
	b.settle()
	want := b.Inspection.Finding()

	again := newBench(t)
	again.store.Saved = b.store.Saved
	again.signIn("B0012")
	got := again.Inspection.Finding()
	if got.ID != want.ID || len(got.Photos) != 1 || len(got.Flaws) != 1 {
		t.Errorf("reopened %+v, want %+v", got, want)
	}
}

func TestInspection_DrawsWithEveryTool(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn("B0012")
	b.open("20481-1")
	b.photo(10)
	b.Inspection.Preset(1)
	places := []qc.Point{{X: 1, Y: 1}, {X: 9, Y: 2}, {X: 5, Y: 9}, {X: 2, Y: 8}}
	for n, form := range qc.Forms() {
		b.Inspection.Draw(form.Tool, nil)
		b.Inspection.Draw(form.Tool, places[:form.Min])
		marks := b.Inspection.Finding().Marks
		if len(marks) != n+1 || marks[n].Tool != form.Tool || len(marks[n].Points) != form.Min {
			t.Fatalf("%s: marks %+v", form.Tool, marks)
		}
		b.Inspection.EditMark(marks[n].ID, make([]qc.Point, form.Max+1))
		b.Inspection.EditMark(marks[n].ID, slices.Repeat(places[1:2], form.Min))
		if got := b.Inspection.Finding().Marks[n].Points; len(got) != form.Min || got[0] != places[1] {
			t.Errorf("%s: edited to %v", form.Tool, got)
		}
	}
	b.Inspection.Draw("spiral", places[:2])
	b.Inspection.EditMark(b.Inspection.Mark(), nil)
	if got := len(b.Inspection.Finding().Marks); got != len(qc.Forms())-1 {
		t.Errorf("%d marks after one was deleted", got)
	}
	for range qc.MaxMarks {
		b.Inspection.Draw(qc.Box, places[:2])
	}
	if got := len(b.Inspection.Finding().Marks); got != qc.MaxMarks {
		t.Errorf("%d marks, at most %d may be", got, qc.MaxMarks)
	}
	if notice := b.Notices.Current(); notice.Sentence.Key != "error.finding_mark_count" {
		t.Errorf("said %+v", notice)
	}
}

func TestInspection_AMarkWithoutFlawAsksForIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn("B0012")
	b.open("20481-1")
	b.photo(10)
	b.Inspection.Draw(qc.Arrow, []qc.Point{{X: 1, Y: 1}, {X: 9, Y: 9}})
	if !b.Inspection.Asking() {
		t.Fatal("it does not ask")
	}
	b.Inspection.AddFlaw("F04")
	f := b.Inspection.Finding()
	if b.Inspection.Asking() || f.Marks[0].Flaw != f.Flaws[0].ID {
		t.Errorf("asking %v, mark %+v", b.Inspection.Asking(), f.Marks[0])
	}
	b.Inspection.Draw(qc.Box, []qc.Point{{X: 2, Y: 2}, {X: 5, Y: 5}})
	if got := b.Inspection.Finding().Marks[1].Flaw; got != f.Flaws[0].ID {
		t.Errorf("the next mark belongs to %q, want the active flaw", got)
	}
}

func TestInspection_UndoGoesBackStepByStepAndRedoForward(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn("B0012")
	b.open("20481-3")
	b.photo(10)
	b.Inspection.AddFlaw("F04")
	id := b.Inspection.ActiveFlaw()
	for _, typed := range []string{"d", "di", "dirt"} {
		b.Inspection.SetNote(id, typed)
	}
	b.Inspection.SetSeverity(id, qc.Critical)
	b.Inspection.SetQuantity(id, 99)
	if got := b.Inspection.Finding().Flaws[0]; got.Note != "dirt" || got.Severity != qc.Critical || got.Quantity != 3 {
		t.Fatalf("flaw is %+v", got)
	}
	steps := 0
	for b.Inspection.Undo() {
		steps++
	}
	if f := b.Inspection.Finding(); steps != 5 || len(f.Photos)+len(f.Flaws) != 0 {
		t.Errorf("%d steps back, left %+v; want 5 steps and nothing left", steps, f)
	}
	for b.Inspection.Redo() {
		steps--
	}
	if f := b.Inspection.Finding(); steps != 0 || f.Flaws[0].Quantity != 3 || f.Flaws[0].Note != "dirt" {
		t.Errorf("after redo %+v", f)
	}
	b.settle()
	if got := b.store.Saved["20481-3"].Finding; len(got.Flaws) != 1 {
		t.Errorf("the draft holds %+v", got)
	}
}

func TestInspection_TheZoneMovesOnlyAnUnchangedSeverity(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn("B0012")
	b.open("20481-1")
	b.Inspection.AddFlaw("H11") // minor in zone B
	id := b.Inspection.ActiveFlaw()
	b.Inspection.SetZone(id, qc.ZoneA)
	if got := b.Inspection.Finding().Flaws[0].Severity; got != qc.Major {
		t.Errorf("in zone A it is %s, want MAJ", got)
	}
	b.Inspection.SetSeverity(id, qc.Observation)
	b.Inspection.SetZone(id, qc.ZoneB)
	if got := b.Inspection.Finding().Flaws[0].Severity; got != qc.Observation {
		t.Errorf("the inspector's severity became %s", got)
	}
}

func TestInspection_BadPhotosAreRefusedWithTheirSentence(t *testing.T) {
	t.Parallel()
	whole := picture(t, 7)
	for name, c := range map[string]struct {
		data []byte
		key  string
	}{
		"text":  {[]byte("this is not a picture at all"), "error.not_a_photo"},
		"empty": {nil, "error.empty_file"},
		"half":  {whole[:len(whole)/2], "error.photo_truncated"},
	} {
		b := newBench(t)
		b.signIn("B0012")
		b.open("20481-1")
		b.Inspection.AddPhoto(name, c.data)
		b.settle()
		if got := b.Notices.Current().Sentence.Key; got != c.key || len(b.Inspection.Finding().Photos) != 0 || b.Inspection.Arriving() != 0 {
			t.Errorf("%s: notice %q, want %q", name, got, c.key)
		}
	}
}

func TestInspection_TheSamePhotoIsTakenOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn("B0012")
	b.open("20481-1")
	b.photo(10)
	b.photo(10)
	if got := len(b.Inspection.Finding().Photos); got != 1 {
		t.Errorf("%d photos, want 1", got)
	}
	b.said("station.photo_twice")
}

func TestInspection_APhotoReachesTheItemItWasMeantFor(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn("B0012")
	b.open("20481-1")
	b.photo(10)
	b.Inspection.AddPhoto("late.jpg", picture(t, 99))
	b.Inspection.Open("20481-2") // answers before the photo is read
	b.settle()
	if got := len(b.Inspection.Finding().Photos); got != 0 {
		t.Errorf("the item now open has %d photos", got)
	}
	if got := len(b.store.Saved["20481-1"].Finding.Photos); got != 2 {
		t.Errorf("the item it was meant for has %d photos, want 2", got)
	}
}

func TestInspection_NoVerdictWhilePhotosArrive(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn("B0012")
	b.open("20481-1")
	b.photo(10)
	b.Inspection.AddPhoto("second.jpg", picture(t, 50))
	b.Inspection.Pass()
	b.said("station.photos_arriving")
	b.settle()
	b.Inspection.Pass()
	b.settle()
	if len(b.store.Events) != 1 || len(b.store.Events[0].(qc.Finding).Photos) != 2 {
		t.Errorf("recorded %+v", b.store.Events)
	}
}

func TestInspection_Obstacles(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	check := func(name string, verdict qc.Verdict, want string) {
		t.Helper()
		if got := b.Inspection.Obstacle(verdict).Key; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	check("nothing open", qc.Pass, "station.no_item")
	b.signIn("B0012")
	b.open("20481-1")
	check("no photo", qc.Pass, "error.finding_no_photo")
	b.photo(1)
	check("good", qc.Pass, "")
	b.Inspection.Draw(qc.Box, []qc.Point{{X: 1, Y: 1}, {X: 9, Y: 9}})
	check("mark on pass", qc.Pass, "station.mark_on_pass")
	b.Inspection.Undo()
	check("no flaw", qc.Flag, "error.finding_no_flaw")
	b.Inspection.AddFlaw("F04")
	check("flaw", qc.Flag, "")
	check("flaw on pass", qc.Pass, "error.finding_flaw_on_pass")
}

func TestInspection_ASentBackFindingOpensAsItsNextRevision(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	f := qc.Finding{
		ID: "F1", Revision: 2, Item: "20481-1", Order: "20481", Round: 1, Verdict: qc.Flag, Inspector: "u12",
		Photos: []qc.Photo{{ID: "P1", Width: 9, Height: 9}}, Flaws: []qc.Flaw{{ID: "X", Code: "F04", Severity: qc.Major, Quantity: 1}},
	}
	b.store.AllFlags = []qc.Standing{{Finding: f, Review: &qc.Review{Finding: "F1", Revision: 2, Outcome: qc.SentBack, Reason: "sole, please"}}}
	b.signIn("B0012")
	b.open("20481-1")
	got := b.Inspection.Finding()
	if got.ID != "F1" || got.Revision != 3 || got.Verdict != "" || len(got.Photos) != 1 || len(got.Flaws) != 1 {
		t.Errorf("opened as %+v", got)
	}
	if b.Inspection.Origin().Key != "station.origin.sent_back" {
		t.Errorf("origin %v", b.Inspection.Origin())
	}
}

func TestInspection_AReplacementOpensWithTheEarlierFlawsToLookAt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.store.AllCases = []refund.Case{{ID: "C1", Item: "20481-1", Finding: "F1", Round: 2, Status: refund.Rechecking}}
	b.store.AllFlags = []qc.Standing{{Finding: qc.Finding{ID: "F1", Item: "20481-1", Round: 1, Flaws: []qc.Flaw{{Code: "H02"}}}}}
	b.signIn("B0012")
	b.open("20481-1")
	f := b.Inspection.Finding()
	if f.Round != 2 || f.ID == "F1" || len(f.Flaws) != 0 || len(b.Inspection.Earlier()) != 1 {
		t.Errorf("opened %+v with %v to look at", f, b.Inspection.Earlier())
	}
}

func TestInspection_PresetsAreInTheCatalogue(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn("B0012")
	for _, category := range []string{"shoes", "clothing", "bags", "electronics", "sports", "", "unheard of"} {
		b.store.Goods[0].Category = category
		b.Inspection.Close()
		b.open("20481-1")
		seen := map[qc.FlawCode]bool{}
		for _, kind := range b.Inspection.Presets() {
			seen[kind.Code] = true
		}
		if len(seen) != 9 {
			t.Errorf("%q has %d presets, want 9", category, len(seen))
		}
	}
}
