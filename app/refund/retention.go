package refund

import "time"

// Retention says how long original photos stay at the centre. Previews and
// thumbnails stay in any case; so do the originals of what money moved for.
type Retention struct {
	Flagged time.Duration // after the end of the item's last case; 0: for ever
	Passed  time.Duration // after the item was stocked in; 0: for ever
}

// DefaultRetention is 90 days, as long as warehouses store for nothing.
func DefaultRetention() Retention {
	return Retention{Flagged: 90 * 24 * time.Hour, Passed: 90 * 24 * time.Hour}
}

// Keeping is what becomes of an item's originals.
type Keeping string

const (
	// KeptForNow: their time is not over, or somebody still needs them.
	KeptForNow Keeping = "now"
	// KeptAsEvidence: money moved because of what they show.
	KeptAsEvidence Keeping = "evidence"
	// NotKept: nobody needs them any more.
	NotKept Keeping = "gone"
)

// Shown is what an item's originals were needed for.
type Shown struct {
	StockedIn time.Time // or when they arrived, where that is not known
	Cases     int       // of the item, ended or not
	Open      bool      // a case, or a question of the customer, waits
	Money     bool      // was booked for a case
	EndedAt   time.Time // of the last case
}

// Judge decides at a time. An open case stops it, whatever its age.
func (r Retention) Judge(s Shown, at time.Time) Keeping {
	after, since := r.Passed, s.StockedIn
	if s.Cases > 0 {
		after, since = r.Flagged, s.EndedAt
		if s.StockedIn.After(since) {
			since = s.StockedIn // of the replacement
		}
	}
	switch {
	case s.Open:
		return KeptForNow
	case s.Money:
		return KeptAsEvidence
	case after <= 0 || since.IsZero() || at.Before(since.Add(after)):
		return KeptForNow
	}
	return NotKept
}
