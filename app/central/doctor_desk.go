package main

import (
	"context"
	"strconv"

	"flawmark/app/command"
)

// desk compares the rows that the desk searches and counts by with the cases and
// findings that they are made of, and makes them anew where it is to repair.
// That looks at every finding there ever was.
func (d *doctor) desk(ctx context.Context) error {
	if !d.deep && !d.repair {
		return nil
	}
	if d.unread("desk") {
		return nil
	}
	faults, err := d.store.CheckDesk(ctx)
	if err != nil {
		return err
	}
	pairs := []string{"n", strconv.Itoa(faults.Rows), "cases", strconv.Itoa(len(faults.Cases)), "findings", strconv.Itoa(len(faults.Findings))}
	switch {
	case faults.OK():
		d.Say("desk", command.Sound, "ok", pairs...)
	case !d.repair:
		d.Say("desk", command.Trouble, "wrong", pairs...)
	default:
		if _, err := d.store.MendDesk(ctx); err != nil {
			return err
		}
		d.Say("desk", command.Warning, "mended", pairs...)
	}
	return nil
}
