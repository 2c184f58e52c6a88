package model

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"flawmark/app/qc"
)

// SignIn is who stands at the bench. It works offline against the verifiers
// that the centre sent.
type SignIn struct {
	OnChange func()

	parts    Parts
	notices  *Notices
	onPerson func(qc.Staff)

	people   []qc.Staff
	loaded   bool
	person   qc.Staff
	asked    qc.Staff // whose PIN is asked for
	checking bool
	failures map[qc.StaffID]failure
	recalled bool // failures of earlier runs are among them
}

type failure struct {
	count int
	until time.Time
}

// triesKeeper is a [Store] that remembers wrong PINs, so that starting the
// program again does not give anybody another five.
type triesKeeper interface {
	Tries(ctx context.Context) (map[qc.StaffID]qc.Tries, error)
	// NoteTries forgets with the zero value.
	NoteTries(ctx context.Context, id qc.StaffID, t qc.Tries) error
}

// The back-off: after the fifth wrong try each further one doubles the wait.
const (
	freeTries   = 5
	firstWait   = 30 * time.Second
	longestWait = 15 * time.Minute
)

// badgeTries counts wrong badges, which name nobody.
const badgeTries qc.StaffID = ""

// Refresh reads the list of people.
func (s *SignIn) Refresh() {
	s.parts.Work.Do(LaneRead, func(ctx context.Context) func() {
		staff, err := s.parts.Store.Staff(ctx)
		var tries map[qc.StaffID]qc.Tries
		if keeper, ok := s.parts.Store.(triesKeeper); ok && err == nil {
			tries, err = keeper.Tries(ctx)
		}
		return func() {
			if err != nil {
				s.notices.fail("read staff", err)
				return
			}
			staff = slices.DeleteFunc(staff, func(p qc.Staff) bool { return !p.MayInspect() && !p.MayReview() })
			slices.SortFunc(staff, func(a, b qc.Staff) int { return cmp.Compare(a.ID, b.ID) })
			s.people, s.loaded = staff, true
			s.recall(tries)
			if s.person.ID != "" && !slices.ContainsFunc(staff, func(p qc.Staff) bool { return p.ID == s.person.ID }) {
				s.Out() // no longer works here
				return
			}
			s.changed()
		}
	})
}

// People returns who may work at a bench, in the order of their numbers.
func (s *SignIn) People() []qc.Staff { return s.people }

// Loaded reports whether the list of people has been read.
func (s *SignIn) Loaded() bool { return s.loaded }

// Person returns who is signed in.
func (s *SignIn) Person() (qc.Staff, bool) { return s.person, s.person.ID != "" }

// Asked returns whose PIN is asked for.
func (s *SignIn) Asked() (qc.Staff, bool) { return s.asked, s.asked.ID != "" }

// Checking reports whether a PIN is being checked.
func (s *SignIn) Checking() bool { return s.checking }

// Enter takes a scanned badge, or a staff number or name, which then asks for
// the PIN.
func (s *SignIn) Enter(text string) {
	text = strings.TrimSpace(text)
	if text == "" || s.locked(badgeTries) {
		return
	}
	hash := qc.HashBadge(text)
	for _, person := range s.people {
		if person.Badge != "" && person.Badge == hash {
			s.forgive(badgeTries)
			s.in(person)
			return
		}
	}
	for _, person := range s.people {
		if strings.EqualFold(string(person.ID), text) || strings.EqualFold(person.Name, text) || person.Latin != "" && strings.EqualFold(person.Latin, text) {
			s.Ask(person.ID)
			return
		}
	}
	wrong := s.oneMore(badgeTries)
	s.failures[badgeTries] = wrong
	s.parts.Work.Do(LaneSave, func(ctx context.Context) func() { return s.note(ctx, badgeTries, wrong) })
	s.notices.Warn(Say("station.signin.unknown"))
	s.changed()
}

// Ask asks for the PIN of a person.
func (s *SignIn) Ask(id qc.StaffID) {
	s.asked = qc.Staff{}
	for _, person := range s.people {
		if person.ID == id {
			s.asked = person
		}
	}
	s.notices.Clear()
	s.changed()
}

// PIN checks the PIN of the person asked.
func (s *SignIn) PIN(pin string) {
	person := s.asked
	if person.ID == "" || s.checking || s.locked(person.ID) {
		return
	}
	s.checking = true
	s.changed()
	next := s.oneMore(person.ID)
	s.parts.Work.Do(LaneRead, func(ctx context.Context) func() {
		right := qc.VerifySecret(pin, person.PIN)
		noted := func() {}
		if !right { // on the disk before anybody hears of it
			noted = s.note(ctx, person.ID, next)
		}
		return func() {
			s.checking = false
			if right {
				s.forgive(person.ID)
				s.in(person)
				return
			}
			s.failures[person.ID] = next
			noted()
			if !s.locked(person.ID) {
				s.notices.Warn(Say("station.signin.wrong_pin", "n", freeTries-s.failures[person.ID].count))
			}
			s.changed()
		}
	})
}

// Out signs the person out; the inspection in progress stays a draft.
func (s *SignIn) Out() {
	s.person, s.asked = qc.Staff{}, qc.Staff{}
	s.onPerson(qc.Staff{})
	s.changed()
}

func (s *SignIn) in(person qc.Staff) {
	s.person, s.asked = person, qc.Staff{}
	s.notices.Clear()
	s.onPerson(person)
	s.changed()
}

// oneMore returns what another wrong try of id makes of it.
func (s *SignIn) oneMore(id qc.StaffID) failure {
	f := s.failures[id]
	f.count++
	if over := f.count - freeTries; over >= 0 {
		wait := longestWait
		if over < 5 {
			wait = min(longestWait, firstWait<<over)
		}
		f.until = s.parts.Now().Add(wait)
	}
	return f
}

// recall takes over, once, what was wrong before the program was started. A
// clock that was turned back since locks nobody out for longer.
func (s *SignIn) recall(tries map[qc.StaffID]qc.Tries) {
	if s.recalled {
		return
	}
	s.recalled = true
	latest := s.parts.Now().Add(longestWait)
	for id, t := range tries {
		f := failure{count: t.Count, until: t.Until}
		if f.until.After(latest) {
			f.until = latest
		}
		if s.failures[id].count < f.count {
			s.failures[id] = f
		}
	}
}

// note keeps a failure for the next start, and returns what is to be said when
// that cannot be done.
func (s *SignIn) note(ctx context.Context, id qc.StaffID, f failure) func() {
	keeper, ok := s.parts.Store.(triesKeeper)
	if !ok {
		return func() {}
	}
	if err := keeper.NoteTries(ctx, id, qc.Tries{Count: f.count, Until: f.until}); err != nil {
		return func() { s.notices.fail("note a wrong PIN", err) }
	}
	return func() {}
}

// forgive forgets the failures of id, who has proved to be themselves.
func (s *SignIn) forgive(id qc.StaffID) {
	if s.failures[id].count == 0 {
		return
	}
	delete(s.failures, id)
	s.parts.Work.Do(LaneSave, func(ctx context.Context) func() { return s.note(ctx, id, failure{}) })
}

// locked reports, and says, that id must wait.
func (s *SignIn) locked(id qc.StaffID) bool {
	f := s.failures[id]
	now := s.parts.Now()
	if !now.Before(f.until) {
		return false
	}
	s.notices.Warn(Say("station.signin.locked", "time", f.until.Local().Format("15:04:05")))
	return true
}

func (s *SignIn) changed() {
	if s.OnChange != nil {
		s.OnChange()
	}
}
