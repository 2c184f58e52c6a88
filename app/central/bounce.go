package main

import (
	"context"
	"errors"

	"flawmark/app/command"
	"flawmark/storage/central"
	"flawmark/sync/notify"
)

// exTempFail tells the mail server that hands over a message to keep it and to
// try again. Whatever goes wrong here does not lie in the message.
const exTempFail = 75

// takeBounce reads a message that came back from standard input. One that is
// none is taken, too: it would come back for ever. Only a service takes it: who
// starts the command for a mail server knows neither its database nor its log.
func takeBounce(ctx context.Context, call *command.Call) error {
	c, serving := command.Held[*centre](ctx)
	if !serving {
		return command.Fail("cli.not_serving", nil)
	}
	bounce, is := notify.ReadBounce(call.Input)
	switch {
	case !is || bounce.Mail == "":
		c.log.InfoContext(ctx, "a message came back that is of no mail of ours", "bounce", is, "status", bounce.Status)
		call.Say("cli.bounce_none")
		return nil
	case !bounce.Failed:
		c.log.InfoContext(ctx, "a mail is on its way yet", "mail", bounce.Mail, "status", bounce.Status)
		call.Say("cli.bounce_later")
		return nil
	}
	n, err := c.store.Bounced(ctx, bounce.Mail, bounce.Status, c.now())
	if errors.Is(err, central.ErrSending) {
		return command.Fail("cli.bounce_early", err)
	}
	if err != nil {
		return err
	}
	if n == 0 {
		c.log.InfoContext(ctx, "a mail came back that is not known, or known to have failed", "mail", bounce.Mail, "status", bounce.Status)
		call.Say("cli.bounce_none")
		return nil
	}
	c.log.WarnContext(ctx, "a mail was not delivered", "mail", bounce.Mail, "status", bounce.Status, "notices", n)
	call.Say("cli.bounce_noted")
	return nil
}
