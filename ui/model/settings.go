package model

import (
	"context"
	"net/url"
	"strings"
	"time"

	"flawmark/app/qc"
)

// Settings are what a person may change about the station.
type Settings struct {
	Name     string  `json:"name"`     // of the station
	Centre   string  `json:"centre"`   // base URL of the refund centre
	Folder   string  `json:"folder"`   // watched for new photos; empty: none
	Language string  `json:"language"` // "en" or "zh"; at the next start
	Scale    float64 `json:"scale"`    // of all texts and controls: 1 is normal
	Dark     bool    `json:"dark"`
	Gloves   bool    `json:"gloves"` // large targets

	// Keys are those that were chosen for commands, by the command's name; one
	// that is not named keeps its own. It is not to be changed in place.
	Keys map[string]string `json:"keys"`
}

// Scales lists the sizes to choose from.
func Scales() []float64 { return []float64{0.9, 1, 1.25, 1.5} }

// EnrolFunc makes the station known at a centre: it begins, calls show with
// the code that an administrator must approve, and returns when that has
// happened or failed.
type EnrolFunc func(ctx context.Context, centre, name string, show func(userCode string)) (qc.Identity, error)

// SettingsModel is the settings in use and the enrolment.
type SettingsModel struct {
	OnChange func()

	parts    Parts
	notices  *Notices
	values   Settings
	identity qc.Identity
	enrolled bool
	code     string
	busy     bool
}

// enrolFor is how long the code of an enrolment is waited for.
const enrolFor = 20 * time.Minute

// Refresh reads the station's identity again.
func (s *SettingsModel) Refresh() {
	s.parts.Work.Do(LaneRead, func(ctx context.Context) func() {
		identity, ok, err := s.parts.Store.Identity(ctx)
		return func() {
			if err != nil {
				s.notices.fail("read identity", err)
				return
			}
			s.identity, s.enrolled = identity, ok
			s.changed()
		}
	})
}

// Values returns the settings in use.
func (s *SettingsModel) Values() Settings { return s.values }

// Identity returns who the station is at its centre, and whether it is known.
func (s *SettingsModel) Identity() (qc.Identity, bool) { return s.identity, s.enrolled }

// Code returns the code to be approved while the station enrols.
func (s *SettingsModel) Code() string { return s.code }

// Enrolling reports whether the station is being enrolled.
func (s *SettingsModel) Enrolling() bool { return s.busy }

// Set checks and keeps settings; it reports whether they were accepted.
func (s *SettingsModel) Set(values Settings) bool {
	values.Name, values.Centre = strings.TrimSpace(values.Name), strings.TrimSpace(values.Centre)
	values.Folder = strings.TrimSpace(values.Folder)
	if values.Centre != "" && !isAddress(values.Centre) {
		s.notices.Warn(Say("station.settings.address_wrong"))
		return false
	}
	if values.Scale < 0.5 || values.Scale > 3 {
		values.Scale = 1
	}
	s.values = values
	s.changed()
	if s.parts.Keep == nil {
		return true
	}
	s.parts.Work.Do(LaneSave, func(ctx context.Context) func() {
		err := s.parts.Keep(ctx, values)
		return func() {
			if err != nil {
				s.notices.fail("keep settings", err)
				return
			}
			s.notices.Tell(Say("station.settings.kept"))
		}
	})
	return true
}

func isAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// Enrol makes the station known at the centre of the settings.
func (s *SettingsModel) Enrol() {
	if s.busy || s.parts.Enrol == nil {
		return
	}
	if s.values.Centre == "" || s.values.Name == "" {
		s.notices.Warn(Say("station.settings.enrol_needs"))
		return
	}
	centre, name := s.values.Centre, s.values.Name
	s.busy, s.code = true, ""
	s.notices.Clear()
	s.changed()
	s.parts.Work.Do(LaneSlow, func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, enrolFor)
		defer cancel()
		identity, err := s.parts.Enrol(ctx, centre, name, func(code string) {
			s.parts.Work.dispatch(func() {
				s.code = code
				s.changed()
			})
		})
		return func() {
			s.busy, s.code = false, ""
			if err != nil {
				s.notices.fail("enrol station", err, "address", centre)
			} else {
				s.identity, s.enrolled = identity, true
				s.notices.Tell(Say("station.settings.enrolled"))
				s.parts.Engine.Kick()
			}
			s.changed()
		}
	})
}

func (s *SettingsModel) changed() {
	if s.OnChange != nil {
		s.OnChange()
	}
}
