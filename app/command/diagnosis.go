package command

import (
	"encoding/json"
	"fmt"
	"strconv"
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

// Report prints what a doctor found, one line a check, and fails when one of
// them is [Trouble].
func (c *Call) Report(found []Diagnosis) error {
	bad := 0
	for _, one := range found {
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
