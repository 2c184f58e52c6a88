package main

import (
	"context"
	"errors"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// judgedAtOnce bounds how long clearing keeps others from writing.
const judgedAtOnce = 100

// retention is how long originals stay, as far as the settings say so.
func (c *centre) retention() refund.Retention {
	rule := refund.DefaultRetention()
	for days, into := range map[*int]*time.Duration{
		c.settings.Retention.FlaggedDays: &rule.Flagged, c.settings.Retention.PassedDays: &rule.Passed,
	} {
		if days != nil {
			*into = time.Duration(*days) * 24 * time.Hour
		}
	}
	return rule
}

// letGo deletes the original photos whose time is over.
func (c *centre) letGo(ctx context.Context) {
	rule := c.retention()
	if rule == (refund.Retention{}) {
		return
	}
	files, evidence := 0, 0
	after := qc.ItemID("")
	for {
		step, err := c.store.LetGo(ctx, rule, c.now(), after, judgedAtOnce)
		for _, d := range step.Files {
			err = errors.Join(err, c.blobs.Remove(d)) // one that stays costs room, and no more
		}
		files, evidence = files+len(step.Files), evidence+step.Evidence
		if err != nil && ctx.Err() == nil {
			c.log.ErrorContext(ctx, "could not clear old originals away", "error", err)
		}
		if err != nil || step.Next == "" {
			break
		}
		after = step.Next
	}
	if files+evidence > 0 {
		c.log.InfoContext(ctx, "cleared old originals away", "files", files, "evidence", evidence)
	}
}
