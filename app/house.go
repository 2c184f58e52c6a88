package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/storage/blob"
	"flawmark/storage/local"
)

const (
	// keepFor is how long what the centre has is kept in the log: a centre that
	// is restored from a backup of two weeks ago asks for it again.
	keepFor = 15 * 24 * time.Hour
	// keepPhotosFor is how long originals stay that the centre has.
	keepPhotosFor = 30 * 24 * time.Hour
	// tooYoung is the age below which no photo goes, whoever names it: it may be
	// on its way into a draft.
	tooYoung = 24 * time.Hour
	// keepBackups is how many hourly backups stay.
	keepBackups = 24
)

// chore is something that is done again and again while the window is open.
type chore struct {
	every time.Duration
	fails string // what the log says when it cannot be done
	do    func(context.Context) error
	due   time.Time
}

// keepHouse does the chores until ctx ends.
func (s *station) keepHouse(ctx context.Context) error {
	chores := []chore{
		{every: 5 * time.Minute, fails: "free space is not known", do: s.watchSpace},
		{every: 6 * time.Hour, fails: "old log entries stay", do: func(ctx context.Context) error {
			_, err := s.store.Prune(ctx, s.now().Add(-keepFor))
			return err
		}},
		{every: 6 * time.Hour, fails: "old photos stay", do: s.clearPhotos},
		{every: 10 * time.Minute, fails: "backup failed", do: s.hourlyBackup},
	}
	const look = time.Minute
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		for i := range chores {
			c := &chores[i]
			if s.now().Before(c.due) {
				continue
			}
			c.due = s.now().Add(c.every)
			if err := c.do(ctx); err != nil && ctx.Err() == nil {
				s.log.Error(c.fails, "error", err) //nolint:sloglint // a constant of the table
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// space returns the room on the disk, and below what it is little, and too
// little for new photos.
func (s *station) space() (space blob.Space, warn, refuse int64, err error) {
	space, err = blob.SpaceOf(s.settings.Data)
	warn, refuse = space.Floors(int64(s.settings.WarnFree*1e9), int64(s.settings.MinFree*1e9))
	return space, warn, refuse, err
}

// watchSpace says once that room gets scarce, and again after it was not.
func (s *station) watchSpace(context.Context) error {
	space, warn, refuse, err := s.space()
	if err != nil {
		return err
	}
	s.blobs.KeepFree(refuse)
	scarce := space.Free < warn
	if scarce && !s.scarce && s.warn != nil {
		s.warn("station.disk_low", "free", command.Gigabytes(space.Free))
	}
	s.scarce = scarce
	return nil
}

// clearPhotos deletes the originals that the centre has and nobody here needs
// any more: by their age, or, when room is scarce, as soon as their case is
// closed. What waits to be sent stays, whatever its age.
func (s *station) clearPhotos(ctx context.Context) error {
	space, warn, _, err := s.space()
	if err != nil {
		return err
	}
	age := keepPhotosFor
	if s.settings.KeepPhotos > 0 {
		age = time.Duration(s.settings.KeepPhotos) * 24 * time.Hour
	}
	rule := local.Retention{Before: s.now().Add(-age), Tight: space.Free < warn}
	keeps, err := s.store.Keeps(ctx, rule)
	if err != nil {
		return err
	}
	known, err := s.store.Files(ctx)
	if err != nil {
		return err
	}
	inLog := make(map[qc.Digest]bool, len(known))
	for _, file := range known {
		inLog[file.Digest] = true
	}
	var all []qc.Digest // listed first, so that nothing is deleted from what is being read
	for d, err := range s.blobs.All() {
		if err != nil {
			return err
		}
		all = append(all, d)
	}
	gone := 0
	for _, d := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		at, err := s.blobs.StoredAt(d)
		if errors.Is(err, qc.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		// What no finding names any more stays its time, counted from its arrival.
		until := s.now().Add(-tooYoung)
		if !inLog[d] && rule.Before.Before(until) {
			until = rule.Before
		}
		if keeps[d] || !at.Before(until) {
			continue
		}
		if err := s.forget(d); err != nil {
			return err
		}
		gone++
	}
	if gone > 0 {
		s.log.Info("photos that the centre has were cleared", "files", gone)
	}
	return nil
}

// hourlyBackup makes a backup unless there is one of the last hour, or too
// little room for what comes first.
func (s *station) hourlyBackup(ctx context.Context) error {
	backups, err := local.Backups(s.settings.Data)
	if err != nil {
		return err
	}
	if len(backups) > 0 {
		age := s.now().Sub(backups[0].At)
		if age >= 0 && age < time.Hour {
			return nil
		}
	}
	space, _, refuse, err := s.space()
	if err != nil {
		return err
	}
	if space.Free < refuse {
		return fmt.Errorf("%w: %d bytes are free", blob.ErrFull, space.Free)
	}
	_, err = s.store.KeepBackup(ctx, keepBackups)
	if errors.Is(err, local.ErrBackupRuns) {
		return nil
	}
	return err
}

// repairSentence returns the key and the pairs of the sentence that tells what
// Open had to repair.
func repairSentence(r local.Recovery) (key string, pairs []string) {
	pairs = []string{
		"events", strconv.Itoa(r.Events()), "drafts", strconv.Itoa(r.Drafts),
		"time", command.When(r.BackupAt), "backup", filepath.Base(r.Backup),
	}
	switch {
	case r.Backup != "" && r.NewEpoch:
		return "station.repaired.backup_only", pairs
	case r.Backup != "":
		return "station.repaired.backup", pairs
	case r.Reason != "" && (r.Rebuilt > 0 || r.Drafts > 0):
		return "station.repaired.journal", pairs
	case r.Copied:
		return "station.repaired.copied", pairs
	case r.Reason == "" && len(r.SetAside) == 0:
		return "station.repaired.completed", pairs
	}
	return "station.repaired", nil
}

// gigabytes writes a number of bytes for people.
