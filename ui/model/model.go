// Package model holds the station's decisions: what the screens show and what
// may be done next, without any toolkit.
//
// The promise: every method of a model is called on one goroutine (the
// window's), returns at once, and never touches a disk, a network or a
// picture's pixels; such work goes to [Work], whose answers come back through
// the one injected dispatch function. An answer that has been overtaken (the
// inspector opened another item meanwhile) is dropped. Whatever a person must
// read is a [Sentence], a key with values, so that the models speak no
// language. A model tells its screen that something changed by OnChange.
//
// The words: an [Inspection] is the item on the bench; [Queue] is what was
// recorded here and how far it has travelled; [Reviews] are the flags that a
// shift lead looks at; [Cases] are what happens to flagged items afterwards;
// [Status] is the line at the bottom; a [Notice] is the one sentence in the
// banner. A photo is taken in to a [Shelf], once, and is looked at in a [View]:
// its preview at once, then its original in tiles, which nobody holds whole.
package model

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/imaging/capture"
	"flawmark/imaging/photo"

	"github.com/google/uuid"
)

// Store is what the models need of the station's store. Record returns only
// when the event is durable; Watch ticks after every change.
type Store interface {
	Identity(ctx context.Context) (qc.Identity, bool, error)
	Item(ctx context.Context, id qc.ItemID) (qc.Item, error)
	FindItems(ctx context.Context, query string) ([]qc.Item, error)
	Staff(ctx context.Context) ([]qc.Staff, error)
	SaveDraft(ctx context.Context, draft qc.Draft) error
	Draft(ctx context.Context, id qc.ItemID) (qc.Draft, error)
	Drafts(ctx context.Context) ([]qc.Draft, error)
	DropDraft(ctx context.Context, id qc.ItemID) error
	Record(ctx context.Context, kind qc.EventKind, by qc.StaffID, at time.Time, data any) (qc.Event, error)
	Recorded(ctx context.Context, limit int) ([]qc.Recorded, error)
	Cases(ctx context.Context) ([]refund.Case, error)
	Standings(ctx context.Context) ([]qc.Standing, error)
	Watch() (<-chan struct{}, func())
}

// Link is how the station stands with the centre. State is one of "offline",
// "probing", "online", "degraded", "not_authorised", "wrong_network",
// "too_old" and "not_enrolled".
type Link struct {
	State          string
	Since          time.Time
	EventsWaiting  int
	PhotosWaiting  int
	PhotosTotal    int
	BytesPerSecond float64
	BytesWaiting   int64  // of photo files of every kind
	Paused         bool   // photos are held back by a person
	Problem        string // key of a sentence, or empty
}

// Engine is what the models need of the outbox.
type Engine interface {
	Link() Link
	Watch() (<-chan struct{}, func())
	Kick()
	// Retry is Kick that also tries files again which were left alone.
	Retry()
	// Pause holds photo files back until Resume; events still go.
	Pause()
	Resume()
}

// Parts is what a [Station] is made of. Store, Blobs, Engine, Catalogue, Work
// and Now are needed; the rest has defaults.
type Parts struct {
	Store     Store
	Blobs     Blobs
	Engine    Engine
	Catalogue qc.Catalogue
	Work      *Work
	Now       func() time.Time
	NewID     func() string
	Log       *slog.Logger
	// Derived keeps what is made of originals for the next time; nil: nothing is.
	Derived Derived
	// Budget is the memory that decoders share; nil: as much as they want.
	Budget *photo.Budget
	// Fetch gets a file from the centre when it is not here; nil: never.
	Fetch func(ctx context.Context, d qc.Digest) ([]byte, error)
	// Explain gives the key of the sentence for an error of the parts, such as
	// "error.disk_full"; nil or "" means error.unexpected.
	Explain func(err error) string
	// Settings to begin with, how they are kept, and how the station enrols.
	Settings Settings
	Keep     func(ctx context.Context, s Settings) error
	Enrol    EnrolFunc
}

func (p Parts) withDefaults() Parts {
	if p.NewID == nil {
		p.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.Explain == nil {
		p.Explain = func(error) string { return "" }
	}
	return p
}

// Station is the whole of the models, made once.
type Station struct {
	Notices    *Notices
	SignIn     *SignIn
	Inspection *Inspection
	Pictures   *Pictures
	Queue      *Queue
	Reviews    *Reviews
	Cases      *Cases
	Status     *Status
	Settings   *SettingsModel

	parts Parts
}

// New connects the models. It reads nothing yet; see [Station.Run].
func New(parts Parts) *Station {
	parts = parts.withDefaults()
	n := &Notices{parts: parts}
	s := &Station{Notices: n, parts: parts}
	s.Pictures = newPictures(parts, n)
	s.SignIn = &SignIn{parts: parts, notices: n, failures: make(map[qc.StaffID]failure)}
	s.Inspection = &Inspection{parts: parts, notices: n, pictures: s.Pictures}
	s.Queue = &Queue{parts: parts, notices: n}
	s.Reviews = &Reviews{parts: parts, notices: n, given: make(map[qc.FindingID]int)}
	s.Cases = &Cases{parts: parts, notices: n, done: make(map[qc.CaseID]int)}
	s.Status = &Status{parts: parts}
	s.Settings = &SettingsModel{parts: parts, notices: n, values: parts.Settings}
	s.SignIn.onPerson = func(person qc.Staff) {
		s.Inspection.person, s.Reviews.person, s.Cases.person = person, person, person
		if person.ID != "" {
			s.Inspection.Restore()
		}
		s.Refresh()
	}
	return s
}

// Saving reports whether drafts or records are still on their way to the disk.
func (s *Station) Saving() bool { return s.parts.Work.Saving() }

// Refresh reads the lists again. The answers come later.
func (s *Station) Refresh() {
	s.SignIn.Refresh()
	s.Queue.Refresh()
	s.Reviews.Refresh()
	s.Cases.Refresh()
	s.Status.Refresh()
	s.Settings.Refresh()
}

// clockEvery is how often texts that count down are said anew.
const clockEvery = 30 * time.Second

// Run does the models' work and follows the store and the engine until ctx
// ends. Saves that were asked for before the end are still made.
func (s *Station) Run(ctx context.Context) error {
	stored, stopStore := s.parts.Store.Watch()
	defer stopStore()
	linked, stopEngine := s.parts.Engine.Watch()
	defer stopEngine()
	ticker := time.NewTicker(clockEvery)
	defer ticker.Stop()
	done := make(chan error, 1)
	go func() { done <- s.parts.Work.Run(ctx) }()
	s.parts.Work.dispatch(s.Refresh)
	for {
		select {
		case <-ctx.Done():
			return <-done
		case <-stored:
			s.parts.Work.dispatch(s.Refresh)
		case <-linked:
			s.parts.Work.dispatch(s.Status.Refresh)
		case <-ticker.C:
			s.parts.Work.dispatch(func() {
				s.Notices.fade()
				s.Inspection.changed()
				s.Queue.Refresh()
			})
		}
	}
}

// AddFiles reads photo files from a disk and adds them to the open item.
func (s *Station) AddFiles(paths ...string) {
	for _, path := range paths {
		s.Inspection.AddPhotoFrom(filepath.Base(path), func() (io.ReadCloser, error) {
			file, _, err := capture.Open(path, photo.Limits{})
			if err != nil {
				return nil, err // not the file: a nil *os.File would not be a nil reader
			}
			return file, nil
		})
	}
}
