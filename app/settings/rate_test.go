package settings

import (
	"errors"
	"testing"
	"time"
)

func TestRate(t *testing.T) {
	t.Parallel()
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 23, hour, minute, 0, 0, time.UTC) }
	for _, tc := range []struct {
		text string
		at   time.Time
		want int64
	}{
		{"", at(12, 0), 0},
		{"500kB", at(3, 0), 500_000},
		{"2 MB/s", at(3, 0), 2_000_000},
		{"2MB@09:00-18:00", at(8, 59), 0},
		{"2MB@09:00-18:00", at(9, 0), 2_000_000},
		{"2MB@09:00-18:00", at(18, 0), 0},
		{"2MB@22:00-06:30", at(23, 0), 2_000_000},
		{"2MB@22:00-06:30", at(6, 29), 2_000_000},
		{"2MB@22:00-06:30", at(7, 0), 0},
		{"2MB@00:00-24:00", at(23, 59), 2_000_000},
	} {
		rate, err := ParseRate(tc.text)
		if got := rate.At(tc.at); err != nil || got != tc.want {
			t.Errorf("%q at %s: %d, %v, want %d", tc.text, tc.at.Format("15:04"), got, err, tc.want)
		}
	}
	for _, text := range []string{"fast", "0MB", "-1MB", "2GB", "2MB@9-18", "2MB@25:00-26:00", "2MB@09:60-10:00", "2MB@09:00-09:00", "99999999MB"} {
		if _, err := ParseRate(text); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
