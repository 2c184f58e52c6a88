package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/assets"
)

// speech is how a page speaks: its words, its time zone and its now.
type speech struct {
	assets.Words
	zone  *time.Location
	now   time.Time
	staff map[qc.StaffID]qc.Staff // our people, where the page may name them
}

// languageCookie remembers the language somebody chose on the page.
const languageCookie = "flawmark_lang"

// speechFor returns the language somebody chose, else preferred, else the
// browser's. An unknown time zone is UTC, which the page says.
func (p *Pages) speechFor(r *http.Request, preferred, zone string) speech {
	if preferred == "" {
		preferred = "en"
		first, _, _ := strings.Cut(r.Header.Get("Accept-Language"), ",")
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(first)), "zh") {
			preferred = "zh"
		}
	}
	if cookie, err := r.Cookie(languageCookie); err == nil {
		preferred = cookie.Value
	}
	if chosen := r.URL.Query().Get("lang"); chosen != "" {
		preferred = chosen
	}
	words, ok := p.Words[preferred]
	if !ok {
		words = p.Words["en"]
	}
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		location = time.UTC
	}
	return speech{Words: words, zone: location, now: p.Now()}
}

// languageChosen remembers a language chosen by ?lang= for the pages under
// within, and sends the reader to the address without it.
func (p *Pages) languageChosen(w http.ResponseWriter, r *http.Request, within string) bool {
	query := r.URL.Query()
	chosen := query.Get("lang")
	if chosen == "" || query.Has("t") {
		return false
	}
	if _, ok := p.Words[chosen]; ok {
		http.SetCookie(w, p.cookie(r, languageCookie, chosen, within, 365*24*time.Hour))
	}
	query.Del("lang")
	onward(w, r, r.URL.EscapedPath(), query)
	return true
}

// T returns the words of key; templates call it.
func (s speech) T(key string, pairs ...string) string { return s.Text(key, pairs...) }

// moment is a point in time in a reader's words.
type moment struct {
	ISO  string // for machines
	Text string // in the reader's time zone
}

// at returns t as the reader writes it, without the year where it is this one.
func (s speech) at(t time.Time) moment {
	local := t.In(s.zone)
	layout := "2 Jan 15:04"
	if s.Language() == "zh" {
		layout = "1月2日 15:04"
	}
	if local.Year() != s.now.In(s.zone).Year() {
		layout = strings.NewReplacer("Jan", "Jan 2006", "1月", "2006年1月").Replace(layout)
	}
	return moment{ISO: t.UTC().Format(time.RFC3339), Text: local.Format(layout)}
}

// Zone names the reader's time zone beside clock times.
func (s speech) Zone() string { return qc.Offset(s.now.In(s.zone)) }

// span returns a length of time in whole minutes, rounded down so that nobody
// counts on a minute that is not there.
func (s speech) span(d time.Duration) string {
	minutes := int(d / time.Minute)
	switch {
	case minutes < 60:
		return s.Count("time.minutes", max(minutes, 0))
	case minutes%60 == 0 || minutes >= 72*60:
		return s.Count("time.hours", minutes/60)
	}
	return s.T("time.hours_minutes", "h", strconv.Itoa(minutes/60), "m", strconv.Itoa(minutes%60))
}

// clock is a time that runs out.
type clock struct {
	speech
	Label   string
	End     moment
	Left    string // in words; empty when over
	Over    string // the sentence when it has run out
	Urgency string // "calm", "soon", "now" or "over"
	Share   int    // per cent of the whole that is left
}

// clock describes the time until end out of whole. Its colour changes together
// with its shape.
func (s speech) clock(label, over string, end time.Time, whole time.Duration) *clock {
	if end.IsZero() {
		return nil
	}
	left := end.Sub(s.now)
	c := &clock{speech: s, Label: s.T(label), Over: s.T(over), End: s.at(end), Urgency: "calm"}
	switch {
	case left <= 0:
		c.Urgency = "over"
		return c
	case left <= 12*time.Hour:
		c.Urgency = "now"
	case left <= 36*time.Hour:
		c.Urgency = "soon"
	}
	c.Left = s.span(left)
	c.Share = int(min(100, 100*left/whole))
	return c
}

// Now is the server's clock for the page's countdowns.
func (s speech) Now() string { return s.now.UTC().Format(time.RFC3339) }
