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
}

type failure struct {
	count int
	until time.Time
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
		return func() {
			if err != nil {
				s.notices.fail("read staff", err)
				return
			}
			staff = slices.DeleteFunc(staff, func(p qc.Staff) bool { return !p.MayInspect() && !p.MayReview() })
			slices.SortFunc(staff, func(a, b qc.Staff) int { return cmp.Compare(a.ID, b.ID) })
			s.people, s.loaded = staff, true
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
			delete(s.failures, badgeTries)
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
	s.wrong(badgeTries)
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
	s.parts.Work.Do(LaneRead, func(context.Context) func() {
		right := qc.VerifySecret(pin, person.PIN)
		return func() {
			s.checking = false
			if right {
				delete(s.failures, person.ID)
				s.in(person)
				return
			}
			s.wrong(person.ID)
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

func (s *SignIn) wrong(id qc.StaffID) {
	f := s.failures[id]
	f.count++
	if over := f.count - freeTries; over >= 0 {
		wait := longestWait
		if over < 5 {
			wait = min(longestWait, firstWait<<over)
		}
		f.until = s.parts.Now().Add(wait)
	}
	s.failures[id] = f
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
