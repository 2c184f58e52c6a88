package qc

import (
	"strconv"
	"time"
)

// Offset names the zone that t is told in beside its hours, by its distance from
// UTC, such as "UTC+5:30": the letters that some zones have mean several zones.
func Offset(t time.Time) string {
	_, seconds := t.Zone()
	if seconds == 0 {
		return "UTC"
	}
	sign := "+"
	if seconds < 0 {
		sign, seconds = "−", -seconds
	}
	text := "UTC" + sign + strconv.Itoa(seconds/3600)
	if minutes := seconds % 3600 / 60; minutes != 0 {
		text += ":" + strconv.Itoa(minutes)
	}
	return text
}
