package model

import "math"

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

// TimeLeft says how long the photos that wait will still take; known is false
// while none is being sent.
func (s *Status) TimeLeft() (left Sentence, known bool) {
	if s.link.BytesPerSecond < 1 || s.link.BytesWaiting <= 0 {
		return Sentence{}, false
	}
	minutes := float64(s.link.BytesWaiting) / s.link.BytesPerSecond / 60
	switch {
	case minutes < 1:
		return Say("station.status.left_soon"), true
	case minutes < 90:
		return Say("station.status.left_minutes", "n", int(math.Ceil(minutes))), true
	}
	return Say("station.status.left_hours", "n", int(math.Ceil(minutes/60))), true
}

// Remains says what has not been sent yet, for a person who is about to close
// the window; empty when everything has.
func (s *Status) Remains() Sentence {
	if s.link.EventsWaiting == 0 && s.link.PhotosWaiting == 0 {
		return Sentence{}
	}
	return Say("station.close.remains", "n", s.link.EventsWaiting, "photos", s.link.PhotosWaiting,
		"size", byteText(float64(s.link.BytesWaiting)))
}

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
	if s.link.Paused && s.link.PhotosWaiting > 0 {
		parts = append(parts, Say("station.status.paused"))
	}
	if s.link.BytesPerSecond >= 1 {
		parts = append(parts, Say("station.status.speed", "speed", byteText(s.link.BytesPerSecond)))
	}
	if left, known := s.TimeLeft(); known {
		parts = append(parts, left)
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
