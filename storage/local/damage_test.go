package local

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
)

// filled returns a station with n findings that wait, half of the photos of the
// first one stored, and something in every bucket; killed, not closed.
func filled(t *testing.T, n int) *bench {
	t.Helper()
	b := newBench(t)
	if err := b.SetIdentity(t.Context(), qc.Identity{Station: "s1"}); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		b.apply(qc.ItemChanged, qc.Item{ID: qc.ItemID(fmt.Sprintf("item-%d", i)), Order: "A-1"})
	}
	b.apply(qc.StaffChanged, qc.Staff{ID: "wang"})
	if err := b.SaveDraft(t.Context(), qc.Draft{Finding: b.finding(1000, "")}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		b.record(i, []qc.Verdict{qc.Pass, qc.Flag}[i%2])
	}
	return b
}

// intact checks that all n findings are here, in their order, with their files.
func intact(t *testing.T, b *bench, n int) {
	t.Helper()
	events := b.waiting()
	if len(events) != n {
		t.Fatalf("%d of %d events are left; %+v", len(events), n, b.recovery)
	}
	if got := len(b.shipments()); got != 6*n {
		t.Fatalf("%d of %d files are left to be sent", got, 6*n)
	}
	all, err := b.Recorded(t.Context(), n+1)
	if err != nil || len(all) != n {
		t.Fatalf("%d of %d entries, %v", len(all), n, err)
	}
	for i, r := range all {
		if want := qc.FindingID(fmt.Sprintf("f%d", n-1-i)); r.Finding.ID != want || r.Seq != uint64(n-i) {
			t.Fatalf("entry %d is %s, number %d", i, r.Finding.ID, r.Seq)
		}
	}
	if identity, known, err := b.Identity(t.Context()); !known || identity.Station != "s1" || err != nil {
		t.Fatalf("identity %v, %t, %v", identity, known, err)
	}
	b.check()
}

func TestDamagedDatabaseLosesNoFinding(t *testing.T) {
	const n, page = 40, 4096
	edit := func(change func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			t.Helper()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, path, change(data))
		}
	}
	zero := func(from, to int) func(*testing.T, string) {
		return edit(func(data []byte) []byte { clear(data[from*page : min(to*page, len(data))]); return data })
	}
	for name, damage := range map[string]func(*testing.T, string){
		"gone": func(t *testing.T, path string) {
			t.Helper()
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
		"empty":                edit(func([]byte) []byte { return nil }),
		"cut after one page":   edit(func(data []byte) []byte { return data[:page] }),
		"cut after four pages": edit(func(data []byte) []byte { return data[:4*page] }),
		"cut within a page":    edit(func(data []byte) []byte { return data[:5*page+100] }),
		"both meta pages zero": zero(0, 2),
		"all but meta zero":    zero(2, 1<<20),
		"all zero":             zero(0, 1<<20),
		"something else":       edit(func([]byte) []byte { return []byte("MZ not a database at all") }),
		"noise": edit(func(data []byte) []byte {
			random := rand.New(rand.NewPCG(1, 1))
			for i := 2 * page; i < len(data); i++ {
				data[i] = byte(random.Uint32())
			}
			return data
		}),
	} {
		for _, end := range []string{"killed", "closed"} {
			t.Run(name+", "+end, func(t *testing.T) {
				b := filled(t, n)
				epoch := b.Epoch()
				if end == "killed" {
					b.die()
				} else {
					b.close()
				}
				damage(t, b.path(dbName))
				b.open()
				intact(t, b, n)
				if b.recovery.Rebuilt != n || b.recovery.Reason == "" || b.Epoch() != epoch {
					t.Errorf("recovery %+v, epoch %s, was %s", b.recovery, b.Epoch(), epoch)
				}
				if aside := len(b.recovery.SetAside); (aside == 1) != (name != "gone") {
					t.Errorf("set aside: %v", b.recovery.SetAside)
				}
				if cursor, err := b.Cursor(t.Context()); cursor != (qc.Cursor{}) || err != nil {
					t.Errorf("the feed would not come again: %v, %v", cursor, err)
				}
				if event := b.record(n, qc.Flag); event.Seq != n+1 {
					t.Errorf("the next event is %d", event.Seq)
				}
			})
		}
	}
}

// TestEveryDamagedPageIsFoundOrHarmless zeroes each page of a database in turn.
// Whatever page it is, Open neither crashes nor loses a finding.
func TestEveryDamagedPageIsFoundOrHarmless(t *testing.T) {
	const n = 12
	b := filled(t, n)
	b.die()
	whole, err := os.ReadFile(b.path(dbName))
	if err != nil {
		t.Fatal(err)
	}
	_, journal := b.tail()
	rebuilt := 0
	const page = 4096
	for at := 0; at < len(whole); at += page {
		if bytes.Equal(whole[at:at+page], make([]byte, page)) {
			continue // never used
		}
		data := bytes.Clone(whole)
		clear(data[at : at+page])
		dir := t.TempDir()
		again := &bench{t: t, dir: dir}
		if err := os.MkdirAll(again.path(journalName), 0o750); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"station.lock", "journal/identity.json"} {
			data, err := os.ReadFile(b.path(name))
			if err != nil {
				t.Fatal(err)
			}
			write(t, again.path(name), data)
		}
		write(t, again.path(dbName), data)
		write(t, again.path(journalName, segmentName(1)), journal)
		again.open()
		intact(t, again, n)
		if again.recovery.Reason != "" {
			rebuilt++
		}
		again.close()
	}
	if rebuilt < 5 {
		t.Errorf("only %d pages mattered", rebuilt)
	}
	b.open()
}

func TestDamageWithoutAnyJournalBeginsANewEpoch(t *testing.T) {
	b := filled(t, 3)
	epoch := b.Epoch()
	b.close()
	if err := os.RemoveAll(b.path(journalName)); err != nil {
		t.Fatal(err)
	}
	write(t, b.path(dbName), []byte("nothing"))
	b.open()
	if b.Epoch() == epoch || len(b.waiting()) != 0 {
		t.Errorf("epoch %s, was %s; %d events", b.Epoch(), epoch, len(b.waiting()))
	}
}

func TestAlteredEventIsFound(t *testing.T) {
	b := filled(t, 5)
	err := b.db.Update(func(tx *bbolt.Tx) error {
		sealed := append([]byte(nil), tx.Bucket(inEvents).Get(eventKey(3))...)
		copy(sealed[len(sealed)/2:], "xxxx")
		return tx.Bucket(inEvents).Put(eventKey(3), sealed)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Check(t.Context()); !errors.Is(err, ErrDamaged) {
		t.Errorf("Check: %v", err)
	}
	b.die()
	b.open()
	intact(t, b, 5)
	if b.recovery.Rebuilt != 5 {
		t.Errorf("recovery %+v", b.recovery)
	}
}

// TestMisplacedPageIsFound writes each page where its neighbour belongs, as a
// disk does that misdirects a write: every page is sound, and in the wrong place.
func TestMisplacedPageIsFound(t *testing.T) {
	b := filled(t, 12)
	b.die()
	whole, err := os.ReadFile(b.path(dbName))
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	found := 0
	for at := 2 * page; at+page < len(whole); at += page {
		if bytes.Equal(whole[at:at+2*page], make([]byte, 2*page)) {
			continue // never used
		}
		data := bytes.Clone(whole)
		copy(data[at:at+page], whole[at+page:])
		if bytes.Equal(data[at:at+page], whole[at:at+page]) {
			continue
		}
		path := b.path("other.db")
		write(t, path, data)
		err := checkPages(path)
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
		if err != nil {
			found++
			continue
		}
		// Part of no tree, or the inside of a long value: then the content tells.
		db, err := openDatabase(path, true)
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("page %d: %v", at/page, err)
		}
		if err == nil {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d pages mattered", found)
	}
	b.open()
}

func TestSoundDatabasesPassTheCheck(t *testing.T) {
	b := filled(t, 150) // trees of several levels, free pages, small and large buckets
	if err := checkPages(b.path(dbName)); err != nil {
		t.Error(err)
	}
	for i := range 150 {
		if err := b.Shipped(t.Context(), b.finding(i, "").Photos[0].Digest); err != nil {
			t.Fatal(err)
		}
		if err := checkPages(b.path(dbName)); err != nil {
			t.Fatalf("after %d: %v", i, err)
		}
	}
}
