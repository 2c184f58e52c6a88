package local

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

func TestInspectChangesNothing(t *testing.T) {
	b := filled(t, 4)
	b.die()
	before, err := os.ReadFile(b.path(dbName))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Inspect(b.dir, Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Inspect(b.dir, Options{Now: now}); !errors.Is(err, ErrInUse) {
		t.Errorf("a second one: %v", err)
	}
	if report, err := s.CheckJournal(t.Context()); err != nil || report.Events != 4 || report.Broken != "" {
		t.Errorf("%+v, %v", report, err)
	}
	if files, err := s.Files(t.Context()); err != nil || len(files) != 24 {
		t.Errorf("%d files, %v", len(files), err)
	}
	if err := s.SaveDraft(t.Context(), qc.Draft{Finding: b.finding(1, "")}); !errors.Is(err, ErrSync) {
		t.Errorf("a change: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(b.path(dbName)); err != nil || !bytes.Equal(before, after) {
		t.Errorf("changed, %v", err)
	}
	write(t, b.path(dbName), before[:5*pageSize])
	if _, err := Inspect(b.dir, Options{Now: now}); !errors.Is(err, ErrDamaged) {
		t.Errorf("damaged: %v", err)
	}
	if _, err := Inspect(t.TempDir(), Options{Now: now}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	b.open()
	if !b.recovery.Unclean {
		t.Error("the look was taken for an orderly end")
	}
}

func TestJournalsFaultsAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		damage func([]byte) []byte
		want   func(JournalReport) bool
	}{
		"torn":   {func(d []byte) []byte { return append(d, 1, 2, 3) }, func(r JournalReport) bool { return r.Torn == 3 && r.Broken == "" }},
		"bit":    {func(d []byte) []byte { d[len(d)-9] ^= 1; return d }, func(r JournalReport) bool { return r.Broken != "" }},
		"header": {func(d []byte) []byte { d[0] = 'X'; return d }, func(r JournalReport) bool { return r.Foreign == 1 && r.Broken != "" }},
	} {
		t.Run(name, func(t *testing.T) {
			b := filled(t, 4)
			path := b.path(journalName, segmentName(1))
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, path, c.damage(bytes.Clone(data)))
			report, err := b.CheckJournal(t.Context())
			if err != nil || !c.want(report) {
				t.Errorf("%+v, %v", report, err)
			}
			write(t, path, data)
		})
	}
}

func TestOnlyWhatTheCentreHasMayGo(t *testing.T) {
	b := newBench(t)
	b.record(0, qc.Pass) // stored
	b.record(1, qc.Flag) // stored, closed case
	b.record(2, qc.Flag) // stored, open case
	b.record(3, qc.Flag) // stored, no case yet
	b.record(4, qc.Pass) // waits
	b.apply(qc.CaseChanged, refund.Case{ID: "c1", Item: "item-1", Status: refund.Credited})
	b.apply(qc.CaseChanged, refund.Case{ID: "c2", Item: "item-2", Status: refund.Returning})
	b.apply(qc.ItemChanged, qc.Item{ID: "item-9", ListingPhoto: qc.DigestOf([]byte("listing"))})
	if err := b.SaveDraft(t.Context(), qc.Draft{Finding: b.finding(9, "")}); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		for _, p := range b.finding(i, "").Photos {
			if err := b.Shipped(t.Context(), p.Digest, p.Preview.Digest, p.Thumb.Digest); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		rule  Retention
		stays [5]bool
	}{
		"young, room":  {Retention{Before: noon.Add(-time.Hour)}, [5]bool{true, true, true, true, true}},
		"young, tight": {Retention{Before: noon.Add(-time.Hour), Tight: true}, [5]bool{false, false, true, true, true}},
		"old":          {Retention{Before: noon.Add(time.Hour)}, [5]bool{false, false, false, false, true}},
	} {
		keeps, err := b.Keeps(t.Context(), c.rule)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.stays {
			p := b.finding(i, "").Photos[0]
			if keeps[p.Digest] != want || !keeps[p.Preview.Digest] {
				t.Errorf("%s: original %d stays: %t, its preview: %t", name, i, keeps[p.Digest], keeps[p.Preview.Digest])
			}
		}
		if !keeps[b.finding(9, "").Photos[0].Digest] || !keeps[qc.DigestOf([]byte("listing"))] || keeps[""] {
			t.Errorf("%s: a draft's or a listing's photo would go", name)
		}
	}
}
