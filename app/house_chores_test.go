package main

import (
	"log/slog"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/settings"
	"flawmark/storage/blob"
	"flawmark/storage/local"
)

// opened is the folder as a station with a clock of the test's.
func (f *folder) opened(now func() time.Time) *station {
	f.t.Helper()
	blobs, err := blob.OpenFolder(f.path("blobs"))
	f.try(err)
	store, err := local.Open(f.dir, local.Options{})
	f.try(err)
	f.t.Cleanup(func() { _, _ = store.Close(), blobs.Close() })
	return &station{
		settings: settings.Station{Data: f.dir, WarnFree: 1e-6, MinFree: 1e-6},
		store:    store, blobs: blobs, now: now, log: slog.New(slog.DiscardHandler),
	}
}

func TestPhotosAreClearedOnlyWhenTheCentreHasThem(t *testing.T) {
	f := newFolder(t)
	now := time.Now()
	s := f.opened(func() time.Time { return now })
	orphan, err := s.blobs.PutBytes(t.Context(), []byte("of nothing any more"))
	f.try(err)
	stored := qc.DigestOf([]byte("photo 0"))
	f.try(s.store.Shipped(t.Context(), stored))
	here := func(want map[qc.Digest]bool) {
		t.Helper()
		f.try(s.clearPhotos(t.Context()))
		for d, stays := range want {
			if _, there, err := s.blobs.Has(d); err != nil || there != stays {
				t.Errorf("after %v: %s is there: %t, %v", time.Until(now).Round(time.Hour), d[:8], there, err)
			}
		}
	}
	here(map[qc.Digest]bool{stored: true, orphan: true, f.sent: true, f.left: true})
	now = now.Add(20 * 24 * time.Hour)
	here(map[qc.Digest]bool{stored: true, orphan: true, f.sent: true, f.left: true})
	now = now.Add(20 * 24 * time.Hour)
	here(map[qc.Digest]bool{stored: false, orphan: false, f.sent: true, f.left: true})
}

func TestBackupsAreHourlyAndNeverBelowTheFloor(t *testing.T) {
	f := newFolder(t) // with a backup of now
	now := time.Now()
	s := f.opened(func() time.Time { return now })
	count := func() int {
		t.Helper()
		all, err := local.Backups(f.dir)
		f.try(err)
		return len(all)
	}
	f.try(s.hourlyBackup(t.Context()))
	if got := count(); got != 1 {
		t.Errorf("%d backups within the hour", got)
	}
	now = now.Add(61 * time.Minute)
	f.try(s.hourlyBackup(t.Context()))
	if got := count(); got != 2 {
		t.Errorf("%d backups after an hour", got)
	}
	now = now.Add(61 * time.Minute)
	s.settings.MinFree = 900_000
	if err := s.hourlyBackup(t.Context()); !isFull(err) || count() != 2 {
		t.Errorf("below the floor: %v, %d backups", err, count())
	}
}

func TestScarceRoomIsSaidOnce(t *testing.T) {
	f := newFolder(t)
	s := f.opened(time.Now)
	var said []string
	s.warn = func(key string, _ ...any) { said = append(said, key) }
	look := func(warnFree float64, want int) {
		t.Helper()
		s.settings.WarnFree = warnFree
		f.try(s.watchSpace(t.Context()))
		if len(said) != want {
			t.Errorf("said %v, not %d times", said, want)
		}
	}
	look(1e-6, 0)
	look(900_000, 1)
	look(900_000, 1)
	look(1e-6, 1)
	look(900_000, 2)
	s.settings.MinFree = 900_000
	f.try(s.watchSpace(t.Context()))
	if _, err := s.blobs.PutBytes(t.Context(), []byte("one more")); !isFull(err) {
		t.Errorf("a new photo below the floor: %v", err)
	}
}

func TestRepairsAreToldInOneSentence(t *testing.T) {
	for want, r := range map[string]local.Recovery{
		"station.repaired.backup":      {Reason: "x", Backup: "a", Restored: 3},
		"station.repaired.backup_only": {Reason: "x", Backup: "a", NewEpoch: true},
		"station.repaired.journal":     {Reason: "x", Rebuilt: 3},
		"station.repaired.copied":      {Copied: true, NewEpoch: true, Healed: 3, SetAside: []string{"000001.qcj"}},
		"station.repaired.completed":   {Unclean: true, Torn: 7},
		"station.repaired":             {Reason: "x"},
	} {
		if got, _ := repairSentence(r); got != want {
			t.Errorf("%+v: %s, not %s", r, got, want)
		}
	}
}
