package local

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"flawmark/app/qc"
)

// tail returns the path and content of the newest segment.
func (b *bench) tail() (string, []byte) {
	b.t.Helper()
	numbers, err := segmentNumbers(b.path(journalName))
	if err != nil {
		b.t.Fatal(err)
	}
	path := b.path(journalName, segmentName(numbers[len(numbers)-1]))
	data, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	return path, data
}

func write(tb testing.TB, path string, data []byte) {
	tb.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// TestTornTail stops the writing of the third record at every byte, before the
// transaction: with the database as it was after the second one. The journal is
// read for each byte, the whole store opened for those near the frame's edges
// and a sample of the others.
func TestTornTail(t *testing.T) {
	b := newBench(t)
	b.record(1, qc.Pass)
	b.record(2, qc.Flag)
	b.close()
	path, two := b.tail()
	db, err := os.ReadFile(b.path(dbName))
	if err != nil {
		t.Fatal(err)
	}
	b.open()
	b.record(3, qc.Flag)
	b.die()
	_, three := b.tail()
	if !bytes.HasPrefix(three, two) {
		t.Fatal("the journal is not append-only")
	}
	junk := bytes.Repeat([]byte{0xA5}, 100)
	for cut := len(two); cut <= len(three); cut++ {
		for name, rest := range map[string][]byte{
			"cut": nil, "zeros": make([]byte, len(three)-cut), "junk": junk[:min(len(junk), len(three)-cut)],
		} {
			want, torn := 2, int64(cut-len(two)+len(rest))
			if cut == len(three) {
				want, torn = 3, 0
			}
			data := append(bytes.Clone(three[:cut]), rest...)
			seg, err := parseSegment(data)
			if err != nil || len(seg.records) != want || seg.bad != torn {
				t.Fatalf("%s at byte %d: %d records, %d bytes torn, %v", name, cut-len(two), len(seg.records), seg.bad, err)
			}
			if into := cut - len(two); into > frameHead+1 && cut < len(three)-1 && into%251 != 0 {
				continue
			}
			write(t, b.path(dbName), db)
			write(t, path, data)
			b.open()
			if events := b.waiting(); len(events) != want {
				t.Fatalf("%s at byte %d: %d events", name, cut-len(two), len(events))
			}
			if b.recovery.Torn != torn || b.recovery.Replayed != want-2 || len(b.recovery.SetAside) > 0 || b.recovery.Healed > 0 {
				t.Fatalf("%s at byte %d: %+v", name, cut-len(two), b.recovery)
			}
			if _, left := b.tail(); !bytes.Equal(left, data[:len(data)-int(torn)]) {
				t.Fatalf("%s at byte %d: the unfinished record is still there", name, cut-len(two))
			}
			if want == 3 && len(b.shipments()) != 18 {
				t.Fatalf("the replayed finding has no files to send: %d", len(b.shipments()))
			}
			if cut%5 == 0 || cut == len(three) { // it goes on, and all is well after that
				if event := b.record(4, qc.Pass); event.Seq != uint64(want+1) {
					t.Fatalf("%s at byte %d: next event is %d", name, cut-len(two), event.Seq)
				}
				b.check()
				b.close()
				b.open()
				if len(b.waiting()) != want+1 || b.recovery.Repaired() {
					t.Fatalf("%s at byte %d: %+v", name, cut-len(two), b.recovery)
				}
			}
			b.die()
		}
	}
	b.open()
}

func TestJournalGrowsInSegments(t *testing.T) {
	b := newBench(t)
	b.journal.limit = 4 << 10
	for n := range 20 {
		b.record(n, qc.Pass)
	}
	b.close()
	numbers, err := segmentNumbers(b.path(journalName))
	if err != nil || len(numbers) < 5 {
		t.Fatalf("%d segments, %v", len(numbers), err)
	}
	if err := os.Remove(b.path(dbName)); err != nil {
		t.Fatal(err)
	}
	b.open()
	if events := b.waiting(); len(events) != 20 || b.recovery.Rebuilt != 20 {
		t.Errorf("%d events, %+v", len(events), b.recovery)
	}
}

// TestJournalIsMended damages the journal while the database is whole: the
// journal is written anew, and is then good enough to lose the database.
func TestJournalIsMended(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, b *bench){
		"gone": func(t *testing.T, b *bench) {
			t.Helper()
			if err := os.RemoveAll(b.path(journalName)); err != nil {
				t.Fatal(err)
			}
		},
		"middle of the last segment": func(t *testing.T, b *bench) {
			t.Helper()
			path, data := b.tail()
			data[len(data)/2] ^= 1
			write(t, path, data)
		},
		"header of the last segment": func(t *testing.T, b *bench) {
			t.Helper()
			path, data := b.tail()
			data[3] ^= 1
			write(t, path, data)
		},
		"first segment": func(t *testing.T, b *bench) {
			t.Helper()
			path := b.path(journalName, segmentName(1))
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			write(t, path, data)
		},
		"a segment of another station": func(t *testing.T, b *bench) {
			t.Helper()
			other := newBench(t)
			other.record(7, qc.Flag)
			other.close()
			_, data := other.tail()
			write(t, b.path(journalName, "000099.qcj"), data)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.journal.limit = 8 << 10
			for n := range 20 {
				b.record(n, qc.Flag)
			}
			epoch := b.Epoch()
			b.die()
			damage(t, b)
			b.open()
			if len(b.waiting()) != 20 || b.Epoch() != epoch || b.recovery.Reason != "" || b.recovery.Healed != 20 {
				t.Fatalf("%d events, %+v", len(b.waiting()), b.recovery)
			}
			b.record(20, qc.Pass)
			b.close()
			b.open()
			if b.recovery.Repaired() {
				t.Errorf("mended twice: %+v", b.recovery)
			}
			b.close()
			if err := os.Remove(b.path(dbName)); err != nil {
				t.Fatal(err)
			}
			b.open()
			if len(b.waiting()) != 21 || b.Epoch() != epoch {
				t.Errorf("out of the mended journal: %d events, %+v", len(b.waiting()), b.recovery)
			}
		})
	}
}

func TestFailedWriteLosesNoNumber(t *testing.T) {
	b := newBench(t)
	b.record(1, qc.Pass)
	// A transaction that cannot be: the database is full.
	b.db.MaxSize, b.db.AllocSize = 1, 1
	large := b.finding(2, qc.Flag)
	large.Flaws = []qc.Flaw{{ID: "x", Note: string(bytes.Repeat([]byte("n"), 1<<20))}}
	if _, err := b.Record(t.Context(), qc.FindingRecorded, "wang", noon, large); !errors.Is(err, ErrFull) {
		t.Fatalf("got %v", err)
	}
	b.db.MaxSize, b.db.AllocSize = maxDatabase, 16<<20
	if event := b.record(3, qc.Pass); event.Seq != 2 {
		t.Errorf("the next event is %d", event.Seq)
	}
	b.die()
	b.open()
	if len(b.waiting()) != 2 || b.recovery.Repaired() {
		t.Errorf("%d events, %+v", len(b.waiting()), b.recovery)
	}
}

func TestUnconfirmedRecordIsNotPromised(t *testing.T) {
	b := newBench(t)
	b.record(1, qc.Pass)
	calls := 0
	b.journal.sync = func(*os.File) error { calls++; return errors.New("input/output error") }
	if _, err := b.Record(t.Context(), qc.FindingRecorded, "wang", noon, b.finding(2, qc.Pass)); !errors.Is(err, ErrSync) {
		t.Fatalf("got %v", err)
	}
	b.journal.sync = (*os.File).Sync
	if _, err := b.Record(t.Context(), qc.FindingRecorded, "wang", noon, b.finding(2, qc.Pass)); !errors.Is(err, ErrSync) {
		t.Errorf("tried again: %v", err)
	}
	if err := b.SaveDraft(t.Context(), qc.Draft{Finding: b.finding(2, "")}); !errors.Is(err, ErrSync) {
		t.Errorf("draft: %v", err)
	}
	b.close()
	b.open()
	if b.record(2, qc.Pass); len(b.waiting()) != 2 {
		t.Errorf("%d events", len(b.waiting()))
	}
	b.check()
}

func FuzzSegment(f *testing.F) {
	b := newBench(f)
	b.record(1, qc.Pass)
	_, data := b.tail()
	f.Add(data)
	f.Add(data[:len(data)-1])
	f.Add([]byte(journalMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		seg, err := parseSegment(data)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("got %v", err)
			}
			return
		}
		if seg.good+seg.bad != int64(len(data)) {
			t.Errorf("%d good and %d bad bytes of %d", seg.good, seg.bad, len(data))
		}
		again, err := parseSegment(data[:seg.good])
		if err != nil || again.bad != 0 || len(again.records) != len(seg.records) {
			t.Errorf("the good part alone: %d records of %d, %v", len(again.records), len(seg.records), err)
		}
	})
}
