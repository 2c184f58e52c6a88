// Package logbook keeps a program's log in files of bounded size.
//
// The newest lines are in the file that has the log's name. When it is full it is
// set aside under that name and the time, and the oldest of those that were set
// aside goes. Any number of processes may write to one log: every line goes out in
// one piece to the file's end, and whoever finds another file under the log's name
// than before goes on in that one. No step leaves anything half done that the next
// line, or the next start, would have to mend.
package logbook

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// largest is the size at which a file is full.
	largest = 20 << 20
	// asides is how many full files stay.
	asides = 4
	// stamp is the time behind the name of a file that was set aside. Sorted by
	// name, they are sorted by age.
	stamp = "20060102T150405.000000000Z"
)

// Book is an open log.
type Book struct {
	path    string
	largest int64
	asides  int
	// What the tests have fail.
	write  func(*os.File, []byte) (int, error)
	rename func(from, to string) error

	mu   sync.Mutex // guards what follows
	file *os.File
	torn bool  // the file may end in the middle of a line
	wait int64 // below this size a file that could not be set aside is not tried again
}

// Open opens the log at path, in a folder that is there. A new file is readable
// by its owner only.
func Open(path string) (*Book, error) {
	b := &Book{path: path, largest: largest, asides: asides, write: (*os.File).Write, rename: os.Rename}
	if err := b.open(0o600); err != nil {
		return nil, err
	}
	return b, nil
}

// Holds reports whether a file called name belongs to the log that is called log.
func Holds(name, log string) bool { return name == log || strings.HasPrefix(name, log+".") }

// Write adds one line, or several, that end in a line break. What does not go in
// whole, since the disk is full, is taken back.
func (b *Book) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	size, err := b.follow()
	if err != nil {
		return 0, err
	}
	if full := max(b.largest, b.wait); size > 0 && size+int64(len(line)) > full {
		if size, err = b.turn(size, int64(len(line))); err != nil {
			return 0, err
		}
	}
	piece := line
	if b.torn {
		piece = slices.Concat([]byte("\n"), line)
	}
	n, err := b.write(b.file, piece)
	if err == nil {
		b.torn = false
		return len(line), nil
	}
	if n > 0 {
		info, unknown := b.file.Stat()
		untouched := unknown == nil && info.Size() == size+int64(n) // nobody has written behind it
		b.torn = !untouched || b.file.Truncate(size) != nil
	}
	return 0, fmt.Errorf("write to the log: %w", err)
}

// Close closes the log.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == nil {
		return nil
	}
	return b.file.Close()
}

// open goes on with the file that has the log's name, or a new one of this mode.
// When it cannot, everything stays as it was.
func (b *Book) open(mode fs.FileMode) error {
	_, missing := os.Stat(b.path)
	file, err := os.OpenFile(b.path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	if errors.Is(missing, fs.ErrNotExist) && mode != 0o600 {
		_ = file.Chmod(mode) // not every file system has modes; without it only the owner reads on
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("open the log: %w", err), file.Close())
	}
	if b.file != nil {
		_ = b.file.Close() // every line of it has been written
	}
	b.file, b.torn, b.wait = file, endsTorn(file, info.Size()), 0
	return nil
}

// endsTorn tells whether a file ends in the middle of a line, as after a power cut.
func endsTorn(file *os.File, size int64) bool {
	last := []byte{0}
	if size == 0 {
		return false
	}
	_, err := file.ReadAt(last, size-1)
	return err == nil && last[0] != '\n'
}

// follow makes sure that the open file is the one that has the log's name, and
// returns its size.
func (b *Book) follow() (int64, error) {
	named, err := os.Stat(b.path)
	if b.file != nil {
		if open, openErr := b.file.Stat(); openErr == nil && err == nil && os.SameFile(named, open) {
			return open.Size(), nil
		}
	}
	if err := b.open(0o600); err != nil && b.file == nil {
		return 0, err
	}
	info, err := b.file.Stat() // the old one where there is no new one: better there than nowhere
	if err != nil {
		return 0, fmt.Errorf("look at the log: %w", err)
	}
	return info.Size(), nil
}

// turn sets the file aside, which has size bytes and has no room for more, and
// goes on in a new one. It returns the new one's size.
func (b *Book) turn(size, more int64) (int64, error) {
	mode := fs.FileMode(0o600)
	_ = b.file.Close() // Windows renames no open file
	b.file = nil
	info, err := os.Stat(b.path)
	if err == nil && info.Size()+more > b.largest { // else another process has just done it
		mode = info.Mode().Perm()
		err = b.rename(b.path, b.path+"."+time.Now().UTC().Format(stamp))
	}
	if opened := b.open(mode); opened != nil {
		return 0, opened
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.wait = size + b.largest/16 // to go on is more important than to be small
		return b.follow()
	}
	b.clear()
	return b.follow()
}

// clear removes the oldest of the files that were set aside. What cannot be
// removed now is at the next turn.
func (b *Book) clear() {
	folder, log := filepath.Split(b.path)
	found, err := os.ReadDir(filepath.Clean(folder))
	if err != nil {
		return
	}
	var aside []string // in order, as the folder is read
	for _, entry := range found {
		at, named := strings.CutPrefix(entry.Name(), log+".")
		if _, err := time.Parse(stamp, at); named && err == nil {
			aside = append(aside, entry.Name())
		}
	}
	for _, name := range aside[:max(0, len(aside)-b.asides)] {
		_ = os.Remove(filepath.Join(folder, name))
	}
}
