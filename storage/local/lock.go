package local

import (
	"fmt"
	"os"
	"time"
)

// How the last run ended, as the lock file says.
const (
	stateOpen   = "open\n"
	stateClosed = "closed\n"
)

// lockFile keeps other processes out of a directory as long as it is held, and
// remembers whether the last holder ended in order. The system releases it
// when the process dies.
//
// It is apart from the database (which bbolt locks as well), because the
// database is renamed and made anew while it is being repaired.
type lockFile struct {
	file *os.File
}

// acquire takes the lock or fails with [ErrInUse] when somebody else still has
// it after wait.
func acquire(path string, wait time.Duration) (*lockFile, error) {
	const pause = 50 * time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		file, err := lockExclusively(path)
		if err != nil {
			return nil, err
		}
		if file != nil {
			return &lockFile{file: file}, nil
		}
		if waited >= wait {
			return nil, ErrInUse
		}
		time.Sleep(pause)
	}
}

// unclean reports whether the last holder was stopped without ending in order.
func (l *lockFile) unclean() (bool, error) {
	state := make([]byte, len(stateClosed))
	n, err := l.file.ReadAt(state, 0)
	if n == 0 {
		return false, nil // new
	}
	if n < len(stateOpen) {
		return false, err
	}
	return string(state[:n]) != stateClosed, nil
}

// mark notes a state durably. An old, longer state may stand behind it.
func (l *lockFile) mark(state string) error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("mark %s: %w", l.file.Name(), err)
	}
	if _, err := l.file.WriteAt([]byte(state), 0); err != nil {
		return fmt.Errorf("mark %s: %w", l.file.Name(), err)
	}
	return l.file.Sync()
}

func (l *lockFile) release() error { return l.file.Close() }
