package refund

import (
	"testing"
	"time"
)

func TestRetention_Judge(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return start.Add(time.Duration(n) * 24 * time.Hour) }
	rule := Retention{Flagged: 90 * 24 * time.Hour, Passed: 30 * 24 * time.Hour}
	for name, tt := range map[string]struct {
		rule  Retention
		shown Shown
		day   int
		want  Keeping
	}{
		"passed, young":              {rule, Shown{StockedIn: day(0)}, 29, KeptForNow},
		"passed, old":                {rule, Shown{StockedIn: day(0)}, 30, NotKept},
		"passed, nobody knows when":  {rule, Shown{}, 9999, KeptForNow},
		"passed, for ever":           {Retention{Flagged: time.Hour}, Shown{StockedIn: day(0)}, 9999, KeptForNow},
		"case open for a year":       {rule, Shown{StockedIn: day(0), Cases: 1, Open: true}, 400, KeptForNow},
		"open, money in parts":       {rule, Shown{StockedIn: day(0), Cases: 1, Open: true, Money: true}, 400, KeptForNow},
		"ended, stocked in long ago": {rule, Shown{StockedIn: day(0), Cases: 1, EndedAt: day(50)}, 139, KeptForNow},
		"ended long ago":             {rule, Shown{StockedIn: day(0), Cases: 1, EndedAt: day(50)}, 140, NotKept},
		"its replacement came later": {rule, Shown{StockedIn: day(60), Cases: 1, EndedAt: day(50)}, 149, KeptForNow},
		"ended, for ever":            {Retention{Passed: time.Hour}, Shown{StockedIn: day(0), Cases: 2, EndedAt: day(50)}, 9999, KeptForNow},
		"ended with money":           {rule, Shown{StockedIn: day(0), Cases: 2, EndedAt: day(50), Money: true}, 9999, KeptAsEvidence},
		"ended with money just now":  {rule, Shown{StockedIn: day(0), Cases: 2, EndedAt: day(50), Money: true}, 51, KeptAsEvidence},
	} {
		if got := tt.rule.Judge(tt.shown, day(tt.day)); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
