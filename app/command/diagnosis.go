package command

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"flawmark/app/qc"
)

// What a check of a doctor ends with.
const (
	Sound   = "ok"
	Warning = "warning"
	Trouble = "problem"
	Skipped = "skipped"
)

// Diagnosis is what one check has found, as --json prints it.
type Diagnosis struct {
	Name  string   `json:"name"`
	State string   `json:"state"`
	Text  string   `json:"text"`            // what it is, and what to do
	Files []string `json:"files,omitempty"` // the first of those that are meant
}

// Examination is what a doctor of either program has found so far.
type Examination struct {
	call  *Call
	found []Diagnosis
}

// Examine begins one.
func (c *Call) Examine() *Examination { return &Examination{call: c} }

// Say adds what a check has found: the sentence at cli.doctor.<name>.<outcome>.
func (e *Examination) Say(name, state, outcome string, pairs ...string) {
	e.Add(name, state, "cli.doctor."+name+"."+outcome, pairs...)
}

// Add adds what a check has found in the words of any key.
func (e *Examination) Add(name, state, key string, pairs ...string) {
	e.found = append(e.found, Diagnosis{Name: name, State: state, Text: e.call.Words.Text(key, pairs...)})
}

// Skip notes that a check needs what cannot be read.
func (e *Examination) Skip(name string) { e.Add(name, Skipped, "cli.doctor.not_checked") }

// Name adds the first few of the files that the last check means.
func (e *Examination) Name(files []qc.Digest) {
	const most = 10
	last := &e.found[len(e.found)-1]
	for _, file := range files[:min(most, len(files))] {
		last.Files = append(last.Files, string(file))
	}
}

// clockSlack is how far ahead of the clock an entry may be.
const clockSlack = 5 * time.Minute

// Clock says whether the clock can be right: not before there was this program,
// nor before what was recorded last.
func (e *Examination) Clock(now, newest time.Time) {
	built := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	switch {
	case now.Before(built):
		e.Say("clock", Trouble, "wrong", "time", When(now))
	case newest.After(now.Add(clockSlack)):
		e.Say("clock", Trouble, "behind", "time", When(now), "newest", When(newest))
	default:
		e.Say("clock", Sound, "ok", "time", When(now))
	}
}

// When writes a time as lists and doctors do.
func When(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.Local().Format("2006-01-02 15:04")
}

// Gigabytes writes a size of disks.
func Gigabytes(n int64) string { return strconv.FormatFloat(float64(n)/1e9, 'f', 1, 64) + " GB" }

// Report prints what was found, one line a check, and fails when one of them is
// [Trouble].
func (e *Examination) Report() error {
	c, bad := e.call, 0
	for _, one := range e.found {
		if one.State == Trouble {
			bad++
		}
		if c.JSON {
			if err := json.NewEncoder(c.Out).Encode(one); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(c.Out, "%s\t%s: %s\n", c.Words.Text("cli.doctor.state."+one.State), c.Words.Text("cli.doctor.name."+one.Name), one.Text)
	}
	if bad > 0 {
		return Fail("cli.doctor.problems", nil, "n", strconv.Itoa(bad))
	}
	return nil
}
