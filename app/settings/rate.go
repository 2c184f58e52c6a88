package settings

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Rate is how much may be sent, at all times or between two times of day. The
// zero value is no limit.
type Rate struct {
	BytesPerSecond int64
	From, Until    time.Duration // of the day; both zero: all day. Until before From: over midnight
}

// WantRate is what a rate may look like.
const WantRate = "500kB, 2MB, 2MB@09:00-18:00"

var ratePattern = regexp.MustCompile(`^(\d{1,6})\s?(kB|MB)(?:/s)?(?:\s?@\s?(\d{2}):(\d{2})-(\d{2}):(\d{2}))?$`)

// ParseRate reads a rate such as [WantRate] shows; "" is no limit.
func ParseRate(text string) (Rate, error) {
	if text == "" {
		return Rate{}, nil
	}
	parts := ratePattern.FindStringSubmatch(text)
	if parts == nil {
		return Rate{}, fmt.Errorf("%w: rate %q", ErrInvalid, text)
	}
	amount, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || amount == 0 {
		return Rate{}, fmt.Errorf("%w: rate %q", ErrInvalid, text)
	}
	r := Rate{BytesPerSecond: amount * map[string]int64{"kB": 1e3, "MB": 1e6}[parts[2]]}
	if parts[3] == "" {
		return r, nil
	}
	if r.From, err = clock(parts[3], parts[4]); err == nil {
		r.Until, err = clock(parts[5], parts[6])
	}
	if err == nil && r.From == r.Until {
		err = fmt.Errorf("%w: rate %q ends when it begins", ErrInvalid, text)
	}
	return r, err
}

func clock(hours, minutes string) (time.Duration, error) {
	h, errH := strconv.Atoi(hours)
	m, errM := strconv.Atoi(minutes)
	if errH != nil || errM != nil || m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, fmt.Errorf("%w: time of day %s:%s", ErrInvalid, hours, minutes)
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute, nil
}

// At returns the limit at a time of the local day, in bytes per second; 0 is
// none.
func (r Rate) At(at time.Time) int64 {
	if r.From == r.Until {
		return r.BytesPerSecond
	}
	now := time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
	inside := now >= r.From && now < r.Until
	if r.Until < r.From {
		inside = now >= r.From || now < r.Until
	}
	if !inside {
		return 0
	}
	return r.BytesPerSecond
}
