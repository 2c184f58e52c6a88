package qc

import (
	"errors"
	"strings"
)

// ErrWaybill reports a number that no carrier would print.
var ErrWaybill = errors.New("not a waybill number")

// Waybill is a carrier's parcel number as it is printed and scanned: 8 to 30
// letters and digits, upper case, perhaps with hyphens.
type Waybill string

// ParseWaybill cleans a scanned or typed number (blanks at the ends, lower
// case) and fails with [ErrWaybill] when it cannot be one.
func ParseWaybill(text string) (Waybill, error) {
	text = strings.ToUpper(strings.TrimSpace(HalfWidth(text)))
	if len(text) < 8 || len(text) > 30 {
		return "", ErrWaybill
	}
	digits := 0
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r >= 'A' && r <= 'Z' || r == '-':
		default:
			return "", ErrWaybill
		}
	}
	if digits < 6 {
		return "", ErrWaybill
	}
	return Waybill(text), nil
}
