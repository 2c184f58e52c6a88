package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"flawmark/app/command"
	"flawmark/storage/blob"
	"flawmark/storage/local"
)

// The doctor's checks of what is around the data: the disk, the clock, the
// cache, the backups.

const (
	// backupStale is the age at which a backup of a station in use is too old.
	backupStale = 24 * time.Hour
)

func (d *doctor) space(context.Context) error {
	space, err := blob.SpaceOf(d.settings.Data)
	if err != nil {
		return err
	}
	warn, refuse := space.Floors(int64(d.settings.WarnFree*1e9), int64(d.settings.MinFree*1e9))
	pairs := []string{"free", command.Gigabytes(space.Free), "warn", command.Gigabytes(warn), "refuse", command.Gigabytes(refuse)}
	switch {
	case space.Free < refuse:
		d.Say("space", command.Trouble, "full", pairs...)
	case space.Free < warn:
		d.Say("space", command.Warning, "low", pairs...)
	default:
		d.Say("space", command.Sound, "ok", pairs...)
	}
	return nil
}

func (d *doctor) clock(ctx context.Context) error {
	var last time.Time
	if d.store != nil {
		newest, err := d.store.Recorded(ctx, 1)
		if err != nil {
			return err
		}
		if len(newest) > 0 {
			last = newest[0].At
		}
	}
	d.Clock(d.now(), last)
	return nil
}

func (d *doctor) derived(ctx context.Context) error {
	dir := filepath.Join(d.settings.Data, "derived")
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		d.Say("derived", command.Sound, "none")
		return nil
	}
	if d.quick {
		d.Say("derived", command.Skipped, "quick")
		return nil
	}
	cache, err := blob.OpenDerived(dir, 0) // nothing is put, so nothing goes
	if err != nil {
		return err
	}
	report, err := cache.Check(ctx)
	if err = errors.Join(err, cache.Close()); err != nil {
		return err
	}
	pairs := []string{"n", strconv.Itoa(report.Files), "size", command.Gigabytes(report.Bytes), "torn", strconv.Itoa(report.Torn)}
	if report.Torn > 0 {
		d.Say("derived", command.Warning, "torn", pairs...)
		return nil
	}
	d.Say("derived", command.Sound, "ok", pairs...)
	return nil
}

func (d *doctor) backups(ctx context.Context) error {
	all, err := local.Backups(d.settings.Data)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		d.Say("backups", command.Warning, "none")
		return nil
	}
	look := all
	if d.quick {
		look = all[:1]
	}
	bad := 0
	for _, backup := range look {
		err := local.VerifyBackup(ctx, backup.Path)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			bad++
		}
	}
	pairs := []string{"n", strconv.Itoa(len(all)), "damaged", strconv.Itoa(bad), "time", command.When(all[0].At)}
	switch {
	case bad == len(look):
		d.Say("backups", command.Trouble, "damaged", pairs...)
	case bad > 0:
		d.Say("backups", command.Warning, "some_damaged", pairs...)
	case d.now().Sub(all[0].At) > backupStale:
		d.Say("backups", command.Warning, "stale", pairs...)
	default:
		d.Say("backups", command.Sound, "ok", pairs...)
	}
	return nil
}
