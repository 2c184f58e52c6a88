package refund

import "flawmark/app/money"

// Agreement returns what a customer's choice leaves on the balance, where that
// must be agreed to before: it brings nothing, or costs more than it brings, or
// gives the item up. Needed is false for every other.
func (c Case) Agreement(kind Kind) (net money.Amount, needed bool) {
	var decision Decision
	switch kind {
	case Abandoned:
		return money.Fen(0), true
	case ChoseRefund:
		decision = Refund
	case ChoseExchange:
		decision = Exchange
	default:
		return money.Amount{}, false
	}
	sheet, err := c.Sheet()
	if err != nil {
		return money.Amount{}, false
	}
	for _, choice := range sheet {
		if choice.Decision == decision {
			net = choice.Net
		}
	}
	return net, net.Minor() < 0 || kind == ChoseRefund && net.IsZero()
}

// Consent names what a customer agrees to before a choice and returns the sum
// that it costs. The name is the end of a sentence's key; empty: nothing is asked.
func (c Case) Consent(kind Kind) (name string, cost money.Amount) {
	net, needed := c.Agreement(kind)
	cost = money.Fen(-net.Minor())
	switch {
	case !needed:
		return "", money.Amount{}
	case kind == Abandoned:
		return "forfeit", cost
	case kind == ChoseExchange:
		return "exchange", cost
	case net.IsZero():
		return "zero", cost
	}
	return "negative", cost
}
