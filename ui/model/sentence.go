package model

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/assets"
)

// Sentence is a text to a person: a key of the words and the values of its
// placeholders, as name, value, name, value. A value is a string, an int, a
// [qc.Bilingual] or another Sentence. The zero Sentence is empty.
type Sentence struct {
	Key   string
	Pairs []any
}

// Say makes a sentence.
func Say(key string, pairs ...any) Sentence { return Sentence{Key: key, Pairs: pairs} }

// IsZero reports whether there is nothing to say.
func (s Sentence) IsZero() bool { return s.Key == "" }

// In returns the text in the language of words. A pair named "n" with the
// int 1 chooses the singular where there is one.
func (s Sentence) In(words assets.Words) string {
	if s.Key == "" {
		return ""
	}
	key, pairs := s.Key, make([]string, 0, len(s.Pairs))
	for i := 0; i+1 < len(s.Pairs); i += 2 {
		name, _ := s.Pairs[i].(string)
		var text string
		switch value := s.Pairs[i+1].(type) {
		case string:
			text = value
		case int:
			text = strconv.Itoa(value)
			if name == "n" && value == 1 && words.Has(key+".one") {
				key += ".one"
			}
		case qc.Bilingual:
			text = value.In(words.Language())
		case Sentence:
			text = value.In(words)
		default:
			text = fmt.Sprint(value)
		}
		pairs = append(pairs, name, text)
	}
	return words.Text(key, pairs...)
}

// Join says several sentences in one line, without the empty ones.
func Join(words assets.Words, separator string, sentences ...Sentence) string {
	var texts []string
	for _, s := range sentences {
		if text := s.In(words); text != "" {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, separator)
}

// clockText says a time of today by the clock, and another with its date.
func clockText(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	if at.Year() == now.Year() && at.YearDay() == now.YearDay() {
		return at.Format("15:04")
	}
	return at.Format("01-02 15:04")
}

// Urgency says how near an end is.
type Urgency int

// The urgencies.
const (
	NoClock Urgency = iota // there is no end
	Calm
	Soon   // within two days
	Urgent // within twelve hours
	Passed
)

// Clock is the time left until an end.
type Clock struct {
	Text    Sentence
	Urgency Urgency
	EndsAt  time.Time
}

// clockOf returns what is left at now until end; a zero end has no clock.
func clockOf(end, now time.Time) Clock {
	if end.IsZero() {
		return Clock{}
	}
	left := end.Sub(now)
	if left <= 0 {
		return Clock{Text: Say("station.clock.passed"), Urgency: Passed, EndsAt: end}
	}
	c := Clock{Urgency: Calm, EndsAt: end, Text: Say("station.clock.hours", "n", int(left/time.Hour))}
	switch {
	case left < time.Hour:
		c.Text = Say("station.clock.minutes", "n", max(1, int(left/time.Minute)))
		c.Urgency = Urgent
	case left < 12*time.Hour:
		c.Urgency = Urgent
	case left < 48*time.Hour:
		c.Urgency = Soon
	}
	return c
}

// byteText says a size the way a person reads it.
func byteText(n float64) string {
	switch {
	case n >= 1e6:
		return strconv.FormatFloat(n/1e6, 'f', 1, 64) + " MB"
	case n >= 1e3:
		return strconv.FormatFloat(n/1e3, 'f', 0, 64) + " kB"
	}
	return strconv.FormatFloat(n, 'f', 0, 64) + " B"
}
