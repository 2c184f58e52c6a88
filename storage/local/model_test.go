package local

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"flawmark/app/qc"
)

// model is what a station must remember, kept in the plainest way.
type model struct {
	events   []qc.FindingID
	acked    int
	rejected map[int]bool
	files    map[qc.Digest]bool // false: waits
	original map[qc.Digest]bool
	size     map[qc.Digest]int64
	items    map[qc.ItemID]string
	drafts   map[qc.ItemID]bool
	cursor   int64
	feed     string // its epoch
}

// TestAnyHistoryIsRemembered plays random histories with closes, kills and
// losses of the database in between, and compares with the model.
func TestAnyHistoryIsRemembered(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := &bench{t: t, dir: t.TempDir()}
		b.open()
		defer func() { b.close() }()
		m := model{
			rejected: make(map[int]bool), files: make(map[qc.Digest]bool), original: make(map[qc.Digest]bool),
			size: make(map[qc.Digest]int64), items: make(map[qc.ItemID]string), drafts: make(map[qc.ItemID]bool),
		}
		number := rapid.IntRange(0, 6) // few, so that files and items come again
		rt.Repeat(map[string]func(*rapid.T){
			"record": func(rt *rapid.T) {
				f := b.finding(number.Draw(rt, "n"), rapid.SampledFrom([]qc.Verdict{qc.Pass, qc.Flag}).Draw(rt, "verdict"))
				if _, err := b.Record(t.Context(), qc.FindingRecorded, "wang", noon, f); err != nil {
					rt.Fatal(err)
				}
				m.events = append(m.events, f.ID)
				delete(m.drafts, f.Item)
				for _, p := range parcels(1, f) {
					if !m.files[p.digest] {
						m.files[p.digest] = false // a file already stored stays so
					}
					m.original[p.digest], m.size[p.digest] = p.original, p.bytes
				}
			},
			"draft": func(rt *rapid.T) {
				f := b.finding(number.Draw(rt, "n"), "")
				if err := b.SaveDraft(t.Context(), qc.Draft{Finding: f}); err != nil {
					rt.Fatal(err)
				}
				m.drafts[f.Item] = true
			},
			"acknowledge": func(rt *rapid.T) {
				through := rapid.IntRange(0, len(m.events)).Draw(rt, "through")
				ack := qc.Ack{Through: uint64(through)}
				for seq := m.acked + 1; seq <= through; seq++ {
					r := qc.Receipt{Seq: uint64(seq), Status: rapid.SampledFrom([]qc.ReceiptStatus{qc.Applied, qc.Duplicate, qc.Rejected}).Draw(rt, "status")}
					ack.Receipts = append(ack.Receipts, r)
				}
				if err := b.Acknowledge(t.Context(), ack, noon); err != nil {
					rt.Fatal(err)
				}
				for _, r := range ack.Receipts {
					if r.Status != qc.Duplicate {
						m.rejected[int(r.Seq)] = r.Status == qc.Rejected
					}
				}
				m.acked = max(m.acked, through)
			},
			"rewind": func(rt *rapid.T) {
				m.acked = rapid.IntRange(0, m.acked).Draw(rt, "to")
				if err := b.Rewind(t.Context(), uint64(m.acked+1)); err != nil {
					rt.Fatal(err)
				}
				for _, id := range m.events[m.acked:] {
					n, err := strconv.Atoi(strings.TrimPrefix(string(id), "f"))
					if err != nil {
						rt.Fatal(err)
					}
					for _, p := range parcels(1, b.finding(n, "")) {
						m.files[p.digest] = false
					}
				}
			},
			"ship": func(rt *rapid.T) {
				for _, s := range b.shipments()[:min(2, len(b.shipments()))] {
					if err := b.UploadProgress(t.Context(), s.Digest, "u", 1); err != nil {
						rt.Fatal(err)
					}
					if err := b.Shipped(t.Context(), s.Digest); err != nil {
						rt.Fatal(err)
					}
					m.files[s.Digest] = true
				}
			},
			"feed": func(rt *rapid.T) {
				item := qc.Item{ID: qc.ItemID(fmt.Sprintf("item-%d", number.Draw(rt, "n"))), CustomerNote: rapid.StringN(0, 5, 20).Draw(rt, "note")}
				body, err := json.Marshal(item)
				if err != nil {
					rt.Fatal(err)
				}
				stored := b.finding(number.Draw(rt, "stored"), "").Photos[0].Digest
				photo, err := json.Marshal(qc.StoredPhoto{Digest: stored})
				if err != nil {
					rt.Fatal(err)
				}
				feed := rapid.SampledFrom([]string{"e", "e", "e", "restored"}).Draw(rt, "feed")
				if m.cursor > 0 && feed != m.feed {
					if m.acked > 0 && m.acked == len(m.events) {
						m.acked-- // the last one asks what the centre lacks
					}
					for d := range m.files {
						m.files[d] = false
					}
				}
				m.cursor, m.feed = m.cursor+2, feed
				page := qc.Page{Next: qc.Cursor{Epoch: feed, Seq: m.cursor}, Changes: []qc.Change{
					{Kind: qc.ItemChanged, Data: body}, {Kind: qc.PhotoStored, Data: photo},
				}}
				if err := b.ApplyPage(t.Context(), page); err != nil {
					rt.Fatal(err)
				}
				var kept qc.Item
				if err := json.Unmarshal(body, &kept); err != nil {
					rt.Fatal(err)
				}
				m.items[item.ID] = kept.CustomerNote
				if _, ours := m.files[stored]; ours {
					m.files[stored] = true
				}
			},
			"close": func(*rapid.T) { b.close(); b.open() },
			"kill":  func(*rapid.T) { b.die(); b.open() },
			"lose the database": func(rt *rapid.T) {
				b.die()
				if err := os.Truncate(b.path(dbName), rapid.Int64Range(0, 9000).Draw(rt, "left")); err != nil {
					rt.Fatal(err)
				}
				b.open()
				m.acked, m.cursor = 0, 0
				clear(m.rejected)
				clear(m.items)
				clear(m.drafts)
				for d := range m.files {
					m.files[d] = false
				}
			},
			"": func(rt *rapid.T) { b.compare(rt, m) },
		})
	})
}

func (b *bench) compare(rt *rapid.T, m model) {
	rt.Helper()
	if events := b.waiting(); len(events) != len(m.events)-m.acked {
		rt.Fatalf("%d events wait, want %d", len(events), len(m.events)-m.acked)
	}
	all, err := b.Recorded(b.t.Context(), len(m.events)+1)
	if err != nil || len(all) != len(m.events) {
		rt.Fatalf("%d entries, want %d: %v", len(all), len(m.events), err)
	}
	for i, id := range m.events {
		r := all[len(all)-1-i]
		want := qc.Accepted
		switch {
		case i+1 > m.acked:
			want = qc.OnlyHere
		case m.rejected[i+1]:
			want = qc.Attention
		case r.BytesSent < r.Bytes:
			want = qc.Sending
		}
		if r.Finding.ID != id || r.Delivery != want {
			rt.Fatalf("entry %d is %s %s, want %s %s", i+1, r.Finding.ID, r.Delivery, id, want)
		}
	}
	var want Counts
	for d, stored := range m.files {
		if stored {
			continue
		}
		want.BytesWaiting += m.size[d]
		if m.original[d] {
			want.PhotosWaiting++
		}
	}
	lanes := qc.Lane(0)
	for _, s := range b.shipments() {
		if stored, ours := m.files[s.Digest]; stored || !ours || s.Lane < lanes {
			rt.Fatalf("shipment %+v: stored %t, ours %t, after lane %d", s, stored, ours, lanes)
		}
		lanes = s.Lane
	}
	for _, rejected := range m.rejected {
		if rejected {
			want.Attention++
		}
	}
	counts := b.counts()
	want.EventsWaiting, want.PhotosTotal = len(m.events)-m.acked, counts.PhotosTotal
	if counts != want || counts.PhotosTotal < counts.PhotosWaiting {
		rt.Fatalf("counts %+v, want %+v", counts, want)
	}
	items, err := b.Items(b.t.Context())
	if err != nil || len(items) != len(m.items) {
		rt.Fatalf("%d items, want %d: %v", len(items), len(m.items), err)
	}
	for _, item := range items {
		if item.CustomerNote != m.items[item.ID] {
			rt.Fatalf("item %s: %q, want %q", item.ID, item.CustomerNote, m.items[item.ID])
		}
	}
	if drafts, err := b.Drafts(b.t.Context()); err != nil || len(drafts) != len(m.drafts) {
		rt.Fatalf("%d drafts, want %d: %v", len(drafts), len(m.drafts), err)
	}
	if cursor, err := b.Cursor(b.t.Context()); err != nil || cursor.Seq != m.cursor {
		rt.Fatalf("cursor %v, want %d: %v", cursor, m.cursor, err)
	}
	if err := b.view(b.t.Context(), func(tx *bbolt.Tx) error { return checkContent(tx) }); err != nil {
		rt.Fatal(err)
	}
}

// BenchmarkOpen opens a station with a long day's unsent work: 3,000 findings
// with 15,000 photos.
func BenchmarkOpen(b *testing.B) {
	s := &bench{t: b, dir: b.TempDir()}
	s.open()
	f := s.finding(0, qc.Flag)
	for n := range 3000 {
		f.ID, f.Photos = qc.FindingID(fmt.Sprint(n)), nil
		for p := range 5 {
			name := fmt.Sprintf("%d-%d", n, p)
			f.Photos = append(f.Photos, qc.Photo{
				ID: qc.PhotoID(name), Digest: qc.DigestOf([]byte("o" + name)), Bytes: 8 << 20, MediaType: "image/jpeg",
				Preview: qc.Derivative{Digest: qc.DigestOf([]byte("p" + name)), Bytes: 300 << 10},
				Thumb:   qc.Derivative{Digest: qc.DigestOf([]byte("t" + name)), Bytes: 10 << 10},
			})
		}
		if _, err := s.Record(b.Context(), qc.FindingRecorded, "wang", noon, f); err != nil {
			b.Fatal(err)
		}
	}
	for name, end := range map[string]func(){"clean": s.close, "killed": s.die} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				end()
				s.open()
			}
		})
	}
	b.Run("queue screen", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Recorded(b.Context(), 200); err != nil {
				b.Fatal(err)
			}
			s.counts()
			if _, err := s.PendingShipments(b.Context(), 16); err != nil {
				b.Fatal(err)
			}
		}
	})
	s.close()
}
