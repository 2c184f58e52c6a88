package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// ErrBackupRuns reports that another backup of the same store is being made.
var ErrBackupRuns = errors.New("a backup is being made already")

const (
	backupDir    = "backup"
	backupPrefix = "station-"
	backupSuffix = ".db"
)

// Backup is a copy of the database that was checked after it was written.
type Backup struct {
	Path   string
	Number int       // grows with each one
	At     time.Time // when it was made, as the file says
	Bytes  int64
}

// KeepBackup writes a copy of the database beside it, reads it back, and gives
// it its name only when all of it is sound. The oldest ones go, so that at most
// keep stay. It fails with [ErrBackupRuns], [ErrFull] or [ErrDamaged].
func (s *Store) KeepBackup(ctx context.Context, keep int) (Backup, error) {
	if !s.backing.TryLock() {
		return Backup{}, ErrBackupRuns
	}
	defer s.backing.Unlock()
	made, err := s.keepBackup(ctx, max(keep, 1))
	if err != nil {
		return Backup{}, fmt.Errorf("back up station data: %w", classify(err))
	}
	return made, nil
}

func (s *Store) keepBackup(ctx context.Context, keep int) (Backup, error) {
	dir := filepath.Join(s.dir, backupDir)
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return Backup{}, err
	}
	if err := sweepUnfinished(dir); err != nil {
		return Backup{}, err
	}
	all, err := Backups(s.dir)
	if err != nil {
		return Backup{}, err
	}
	number := 1
	if len(all) > 0 {
		number = all[0].Number + 1
	}
	path := filepath.Join(dir, fmt.Sprintf("%s%06d%s", backupPrefix, number, backupSuffix))
	if err := s.BackupTo(ctx, path); err != nil {
		return Backup{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return Backup{}, err
	}
	for _, old := range all[min(keep-1, len(all)):] {
		if err := os.Remove(old.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Backup{}, err
		}
	}
	return Backup{Path: path, Number: number, At: info.ModTime(), Bytes: info.Size()}, nil
}

// BackupTo writes a copy of the database to path, durable and read back. It
// appears whole or not at all.
func (s *Store) BackupTo(ctx context.Context, path string) (err error) {
	temp := path + ".new"
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_RDWR, fileMode)
	if err != nil {
		return classify(err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp) // swept later where that fails
		}
	}()
	err = s.Backup(ctx, file)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return classify(err)
	}
	if err := VerifyBackup(ctx, temp); err != nil {
		return err
	}
	if err := rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// sweepUnfinished deletes what an interrupted backup has left.
func sweepUnfinished(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, backupPrefix+"*.new"))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// Backups lists the backups of the data in dir, the newest first. They were
// sound when they were made; [VerifyBackup] tells whether they still are.
func Backups(dir string) ([]Backup, error) {
	entries, err := os.ReadDir(filepath.Join(dir, backupDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list backups: %w", err)
	}
	var all []Backup
	for _, entry := range entries {
		number, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(entry.Name(), backupPrefix), backupSuffix))
		info, infoErr := entry.Info()
		if err != nil || infoErr != nil || number < 1 || !info.Mode().IsRegular() {
			continue // not ours, or gone meanwhile
		}
		all = append(all, Backup{
			Path: filepath.Join(dir, backupDir, entry.Name()), Number: number, At: info.ModTime(), Bytes: info.Size(),
		})
	}
	slices.SortFunc(all, func(a, b Backup) int { return b.Number - a.Number })
	return all, nil
}

// VerifyBackup reads a whole copy of a database without changing it. It fails
// with [ErrDamaged] or [ErrNewer].
func VerifyBackup(ctx context.Context, path string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	db, err := openToRead(path)
	if err != nil {
		return fmt.Errorf("verify backup: %w", err)
	}
	err = guarded(func() error { return db.View(checkContent) })
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("verify backup %s: %w", path, err)
	}
	return nil
}

// openToRead opens a database without changing it, its pages checked.
func openToRead(path string) (*bbolt.DB, error) {
	if err := checkPages(path); err != nil {
		return nil, err
	}
	db, err := openBolt(path, true)
	if err != nil {
		return nil, err
	}
	if err := guarded(func() error { return db.View(checkSchema) }); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
