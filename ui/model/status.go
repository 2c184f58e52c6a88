package model

// Status is the line at the bottom of the window.
type Status struct {
	OnChange func()

	parts Parts
	link  Link
}

// Refresh asks the engine how things stand; it does not wait.
func (s *Status) Refresh() {
	s.link = s.parts.Engine.Link()
	if s.OnChange != nil {
		s.OnChange()
	}
}

// Link returns how the station stands with the centre.
func (s *Status) Link() Link { return s.link }

// Good reports whether sending works.
func (s *Status) Good() bool { return s.link.State == "online" || s.link.State == "degraded" }

// Attention reports whether a person must do something for sending to work.
func (s *Status) Attention() bool {
	switch s.link.State {
	case "not_authorised", "wrong_network", "too_old", "not_enrolled":
		return true
	}
	return false
}

// Parts returns the pieces of the line, to be joined by dots.
func (s *Status) Parts() []Sentence {
	state := s.link.State
	if state == "" {
		state = "probing"
	}
	parts := []Sentence{Say("station.link." + state)}
	if s.link.EventsWaiting > 0 {
		parts = append(parts, Say("station.status.waiting", "n", s.link.EventsWaiting))
	}
	if s.link.PhotosWaiting > 0 {
		sent := max(0, s.link.PhotosTotal-s.link.PhotosWaiting)
		parts = append(parts, Say("station.status.photos", "sent", sent, "all", max(s.link.PhotosTotal, s.link.PhotosWaiting)))
	}
	if s.link.BytesPerSecond >= 1 {
		parts = append(parts, Say("station.status.speed", "speed", byteText(s.link.BytesPerSecond)))
	}
	if s.Good() && s.link.EventsWaiting == 0 && s.link.PhotosWaiting == 0 {
		parts = append(parts, Say("station.status.nothing"))
	}
	switch {
	case s.Attention() || s.link.State == "offline":
		parts = append(parts, Say("station.advice."+s.link.State))
	case s.link.Problem != "" && s.link.State != "probing":
		parts = append(parts, Say(s.link.Problem))
	}
	return parts
}
