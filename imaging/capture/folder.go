// Package capture is where photos come from: a folder that a camera's software, a scanner or a
// phone's sync writes to, and files that a person picks or drops.
//
// Its promise: a photo is reported once, when it is complete, and never while it is still being
// copied; what stays broken is reported as broken, not silently left.
//
// The words: a file settles when its size and time stayed the same for two polls; a photo arrives
// when it has settled and photo.Inspect finds its end; it is broken when it has settled but stays
// without an end, or is no photo, for the patience of five seconds.
package capture

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"flawmark/imaging/photo"
)

// Arrival is one complete photo file that came in.
type Arrival struct {
	Path    string // Folder.Dir joined with Name
	Name    string
	Size    int64 // bytes
	ModTime time.Time
}

// Folder watches one folder, not those below it. Events of the system wake it early, but it does
// not depend on them: network shares give none, so it also looks every Poll.
// A photo is reported two polls after its last change.
//
// Hidden files and the names that copying programs use meanwhile (.tmp, .part, ~ and the like) are
// ignored until they are renamed. A file that is replaced by another one of the same name is a new
// arrival. A folder that vanishes (a share that is cut off) is looked for until it comes back; what
// was already reported is then not reported again.
type Folder struct {
	Dir      string
	Poll     time.Duration // 0 means one second
	Existing bool          // report the files that are there at the start, too

	// Arrived and Broken are called one at a time from Run, in the order of the files' times; they
	// should return soon. Broken gets photo's error. Either may be nil.
	Arrived func(Arrival)
	Broken  func(path string, err error)
}

const (
	defaultPoll = time.Second
	patience    = 5 * time.Second // for a settled file without an end
)

// Run watches until ctx ends, and then returns its error. A folder that cannot be read is not an
// error, it is tried again.
func (f *Folder) Run(ctx context.Context) error {
	w := newWatch(f, time.Now())
	// Without events (no more inotify watches, a network share) polling alone does the work.
	if n, err := fsnotify.NewWatcher(); err == nil {
		defer n.Close()
		w.notify = n
	}
	for ctx.Err() == nil {
		w.subscribe()
		w.wait(ctx, w.look(ctx, time.Now()))
	}
	return ctx.Err()
}

// watch is the state of one Run.
type watch struct {
	folder  *Folder
	poll    time.Duration
	started time.Time
	notify  *fsnotify.Watcher // nil without events
	opened  bool              // the folder has been read once
	late    bool              // … but could not be at the start
	files   map[string]*seen  // by name; reported ones stay, though the folder vanishes
}

// seen is what is known of one file.
type seen struct {
	size    int64
	modTime time.Time
	since   time.Time // when this size and time were first seen
	looks   int       // how often
	done    bool      // reported, or old
}

func newWatch(f *Folder, started time.Time) *watch {
	w := &watch{folder: f, poll: f.Poll, started: started, files: map[string]*seen{}}
	if w.poll <= 0 {
		w.poll = defaultPoll
	}
	return w
}

// subscribe asks for events; again each time, because a watch is lost with its folder.
func (w *watch) subscribe() {
	if w.notify != nil && !slices.Contains(w.notify.WatchList(), w.folder.Dir) {
		_ = w.notify.Add(w.folder.Dir) // an error means polling only
	}
}

// wait returns after pause, or earlier when something has happened in the folder.
func (w *watch) wait(ctx context.Context, pause time.Duration) {
	var events <-chan fsnotify.Event
	var failures <-chan error
	if w.notify != nil {
		events, failures = w.notify.Events, w.notify.Errors
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	hurried := false
	for {
		happened := false
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case err := <-failures:
			happened = err != nil // an overflow, most likely: more came than could be told
		case e := <-events:
			happened = !ignored(filepath.Base(e.Name))
		}
		// A copy gives hundreds of events; one look a quarter poll serves them all.
		if happened && !hurried {
			hurried = true
			timer.Reset(min(pause, w.poll/4))
		}
	}
}

// look reads the folder once, reports what has become ready, and tells when to look again.
func (w *watch) look(ctx context.Context, at time.Time) (pause time.Duration) {
	entries, err := os.ReadDir(w.folder.Dir)
	if err != nil {
		w.late = w.late || !w.opened
		return w.poll // gone for now; what is known stays known
	}
	first := !w.opened
	w.opened = true
	pause = w.poll
	present := make(map[string]bool, len(entries))
	var ready []Arrival
	for _, e := range entries {
		name := e.Name()
		if ignored(name) {
			continue
		}
		st, err := os.Stat(filepath.Join(w.folder.Dir, name)) // follows links
		if err != nil || !st.Mode().IsRegular() {
			continue
		}
		present[name] = true
		s := w.files[name]
		if s == nil || s.size != st.Size() || !s.modTime.Equal(st.ModTime()) {
			s = &seen{size: st.Size(), modTime: st.ModTime(), since: at, done: first && w.old(st.ModTime())}
			w.files[name] = s
		}
		s.looks++
		if s.done {
			continue
		}
		if rest := s.since.Add(2 * w.poll).Sub(at); rest > 0 || s.looks < 3 {
			pause = min(pause, max(rest, w.poll/4))
			continue
		}
		ready = append(ready, Arrival{Path: filepath.Join(w.folder.Dir, name), Name: name, Size: st.Size(), ModTime: st.ModTime()})
	}
	for name, s := range w.files {
		// A share that is cut off may look like an empty folder, so what was reported is remembered.
		if !present[name] && !s.done {
			delete(w.files, name)
		}
	}
	slices.SortStableFunc(ready, func(a, b Arrival) int { return a.ModTime.Compare(b.ModTime) })
	for _, a := range ready {
		if ctx.Err() != nil {
			break
		}
		w.report(a, w.files[a.Name], at)
	}
	return pause
}

// old tells whether a file found by the first look was there at the start. When the folder itself
// came later, the file's own time decides.
func (w *watch) old(modTime time.Time) bool {
	return !w.folder.Existing && (!w.late || !modTime.After(w.started))
}

// report inspects a settled file, and says what it is unless it may still become whole.
func (w *watch) report(a Arrival, s *seen, at time.Time) {
	err := inspect(a)
	if err == nil {
		s.done = true
		if w.folder.Arrived != nil {
			w.folder.Arrived(a)
		}
		return
	}
	if at.Sub(s.since) < 2*w.poll+patience {
		return
	}
	s.done = true
	if w.folder.Broken != nil {
		w.folder.Broken(a.Path, fmt.Errorf("photo %s: %w", a.Name, err))
	}
}

// inspect looks whether the file is a whole photo.
func inspect(a Arrival) error {
	f, err := os.Open(a.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = photo.Inspect(f, a.Size, photo.DefaultLimits())
	return err
}

// ignored tells whether a name is hidden or one that programs use while they write.
func ignored(name string) bool {
	lower := strings.ToLower(name)
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") || strings.HasSuffix(name, "~") {
		return true
	}
	switch filepath.Ext(lower) {
	case ".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".filepart":
		return true
	}
	return lower == "thumbs.db" || lower == "desktop.ini"
}
