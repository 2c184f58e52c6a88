package qc

import (
	"testing"
	"time"
)

func TestOffset_IsToldByItsDistance(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for seconds, want := range map[int]string{
		0: "UTC", 3600: "UTC+1", 8 * 3600: "UTC+8", 5*3600 + 1800: "UTC+5:30", -(3*3600 + 1800): "UTC−3:30", -8 * 3600: "UTC−8",
	} {
		if got := Offset(at.In(time.FixedZone("XYZ", seconds))); got != want {
			t.Errorf("%d seconds: %q, want %q", seconds, got, want)
		}
	}
}
