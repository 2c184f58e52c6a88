package main

import (
	"context"
	"errors"

	"flawmark/app/command"
	"flawmark/app/qc"
)

// revokeStation shuts a station out that was lost or replaced.
func revokeStation(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "ID")
	}
	id := qc.StationID(call.Args[0])
	if err := c.store.RevokeStation(ctx, id, c.now()); err != nil {
		return err
	}
	call.Say("cli.station_revoked", "id", string(id))
	return nil
}

// unlinkOrder makes every address of an order's page useless, as when one was
// sent to the wrong person.
func unlinkOrder(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "ORDER")
	}
	order := qc.OrderID(call.Args[0])
	err := c.store.RevokeLinks(ctx, order, c.now())
	if errors.Is(err, qc.ErrNotFound) {
		return command.Fail("error.order_unknown", err, "order", string(order))
	}
	if err != nil {
		return err
	}
	call.Say("cli.order_unlinked", "order", string(order))
	return nil
}

// dismissStaff ends a person's rights at the desk and at every station.
func dismissStaff(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "ID")
	}
	id := qc.StaffID(call.Args[0])
	if err := c.store.DismissStaff(ctx, id, c.now()); err != nil {
		return err
	}
	call.Say("cli.staff_dismissed", "id", string(id))
	return nil
}
