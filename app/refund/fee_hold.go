package refund

import "flawmark/app/money"

// Fees come off the refund. Where a choice costs more than it brings, the rest
// is set aside on the balance with the choice, and only if the customer agrees:
// no case takes a balance below what its customer knows of.

// setAside notes what of a choice's fees the refund will not cover.
func (c *Case) setAside(choice Choice, e Event) error {
	c.Held = money.Amount{}
	if choice.Net.Minor() >= 0 {
		return nil
	}
	if !e.Consent {
		return ErrConsent
	}
	var err error
	c.Held, err = money.Fen(0).Sub(choice.Net)
	return err
}

// settleFees takes what was set aside for fees when the case ends as the
// customer chose, and frees it when it ends otherwise or nothing is owed any
// more.
func (c *Case) settleFees() error {
	if c.Held.IsZero() {
		return nil
	}
	due := -c.Charged.Minor()
	for _, fee := range c.Fees {
		due += fee.Amount.Minor()
	}
	switch {
	case c.Status == Credited, c.Status == Exchanged:
		taken, err := c.Collected.Add(money.Fen(min(max(due, 0), c.Held.Minor())))
		if err != nil {
			return err
		}
		c.Collected, c.Held = taken, money.Amount{}
	case c.Status.Terminal(), c.Status == AwaitingDecision, len(c.Fees) == 0:
		c.Held = money.Amount{}
	}
	return nil
}

// held moves what a step sets aside for fees, takes of it and frees.
func held(before, after Case, post func(kind string, debit, credit Account, amount money.Amount)) {
	free, aside := CustomerAccount(before.Customer), HoldAccount(before.Customer)
	taken := after.Collected.Minor() - before.Collected.Minor()
	more := after.Held.Minor() + taken - before.Held.Minor()
	post("reserve", free, aside, money.Fen(max(more, 0)))
	post("fee_held", aside, FeeAccount, money.Fen(taken))
	post("release", aside, free, money.Fen(max(-more, 0)))
}
