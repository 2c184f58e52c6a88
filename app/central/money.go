package main

import (
	"context"
	"errors"
	"flag"
	"strconv"
	"strings"

	"flawmark/app/command"
	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"

	"github.com/google/uuid"
)

func matchFlags(set *flag.FlagSet) {
	set.Bool("book", false, "book what is sure; without it nothing is changed")
	byFlag(set)
}

func byFlag(set *flag.FlagSet) {
	set.String("by", "", "staff `id` of who does it")
}

// matchRefunds shows which cases the payments of a marketplace's file belong
// to, and books those that are sure when it is told to.
func matchRefunds(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "FILE")
	}
	data, err := readLimited(call.Path(call.Args[0]))
	if err != nil {
		return err
	}
	rows, err := central.ParseRefunds(data)
	if broken, ok := errors.AsType[*central.RefundFileError](err); ok {
		return command.Fail("error.refund_file."+string(broken.Problem), broken, "line", strconv.Itoa(broken.Line),
			"column", call.Words.Text("refund_column."+broken.Column), "names", call.Words.Quoted(broken.Names), "like", call.Words.Quoted(broken.Like))
	}
	if err != nil {
		return err
	}
	matches, err := c.store.MatchRefunds(ctx, rows)
	if err != nil {
		return err
	}
	if call.Flag("book") == "true" {
		by, err := c.clerk(ctx, call)
		if err != nil {
			return err
		}
		if matches, err = c.store.BookRefunds(ctx, matches, refund.Actor{Party: refund.ByClerk, ID: string(by)}, c.now()); err != nil {
			return err
		}
	}
	list := make([]any, len(matches))
	for i := range matches {
		list[i] = matches[i]
	}
	titles := []string{
		"cli.title.line", "cli.title.refund", "cli.title.amount", "cli.title.match", "cli.title.item", "cli.title.waits", "cli.title.case",
	}
	return call.List(list, titles, func(row any) []string {
		m := row.(central.RefundMatch)
		says := call.Words.Text("match." + string(m.State))
		if m.Short {
			says += ", " + call.Words.Text("match.short")
		}
		if m.Problem != "" {
			says = call.Words.Text(m.Problem)
		}
		if m.Fault != "" {
			says = call.Words.Text("refund_fault."+string(m.Fault), "column", m.Heading, "said", m.Said)
		}
		waits := ""
		if !m.Waits.IsZero() {
			waits = m.Waits.String()
		}
		return []string{strconv.Itoa(m.Line), m.Ref, m.Amount.String(), says, string(m.Item), waits, string(m.Case)}
	}, "cli.no_cases")
}

// clerk returns who acts, as the flag says: somebody who may handle money.
func (c *centre) clerk(ctx context.Context, call *command.Call) (qc.StaffID, error) {
	id := qc.StaffID(call.Flag("by"))
	if id == "" {
		return "", command.Fail("cli.args_missing", nil, "args", "--by STAFF")
	}
	person, err := c.store.Staff(ctx, id)
	if err != nil {
		return "", err
	}
	if !person.Holds(qc.Clerk, qc.Administrator) {
		return "", command.Fail("error.not_allowed", nil)
	}
	return id, nil
}

// showBalance prints what a customer has with us.
func showBalance(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "CUSTOMER")
	}
	funds, err := c.store.Funds(ctx, qc.CustomerID(call.Args[0]))
	if err != nil {
		return err
	}
	return call.List([]any{funds}, []string{"cli.title.available", "cli.title.held", "cli.title.posted"}, func(any) []string {
		return []string{funds.Available.String(), funds.Held.String(), funds.Posted.String()}
	}, "")
}

func withdrawalsFlags(set *flag.FlagSet) {
	set.String("state", "", "only those in this `state`: asked, approved, paid, refused")
}

func listWithdrawals(ctx context.Context, call *command.Call, c *centre) error {
	all, err := c.store.Withdrawals(ctx, central.WithdrawalFilter{State: refund.WithdrawalState(call.Flag("state"))})
	if err != nil {
		return err
	}
	rows := make([]any, len(all))
	for i := range all {
		rows[i] = all[i]
	}
	titles := []string{
		"cli.title.withdrawal", "cli.title.customer", "cli.title.amount", "cli.title.to", "cli.title.status", "cli.title.asked_by", "cli.title.reference",
	}
	return call.List(rows, titles, func(row any) []string {
		w := row.(refund.Withdrawal)
		return []string{
			w.ID, string(w.Customer), w.Amount.String(), w.To, call.Words.Text("withdrawal." + string(w.State)), w.AskedBy, w.Ref + w.Reason,
		}
	}, "cli.no_withdrawals")
}

// askWithdrawal sets money aside for being paid out, as a customer wishes who
// has written to the desk.
func askWithdrawal(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) < 3 {
		return command.Fail("cli.args_missing", nil, "args", "CUSTOMER AMOUNT TO")
	}
	amount, err := money.Parse(call.Args[1], money.CNY)
	if err != nil {
		return command.Fail("cli.amount_unclear", err, "amount", call.Args[1])
	}
	by, err := c.clerk(ctx, call)
	if err != nil {
		return err
	}
	w, err := c.store.AskWithdrawal(ctx, refund.Withdrawal{
		ID: uuid.NewString(), Customer: qc.CustomerID(call.Args[0]), Amount: amount, To: strings.Join(call.Args[2:], " "),
		AskedBy: string(refund.ByClerk) + ":" + string(by),
	}, c.now())
	return sayWithdrawal(call, w, err)
}

func approveWithdrawal(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "ID")
	}
	w, err := c.store.ApproveWithdrawal(ctx, call.Args[0], qc.StaffID(call.Flag("by")), c.now())
	return sayWithdrawal(call, w, err)
}

func payWithdrawal(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 2 {
		return command.Fail("cli.args_missing", nil, "args", "ID REFERENCE")
	}
	w, err := c.store.PayWithdrawal(ctx, call.Args[0], call.Args[1], qc.StaffID(call.Flag("by")), c.now())
	return sayWithdrawal(call, w, err)
}

func refuseWithdrawal(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) < 2 {
		return command.Fail("cli.args_missing", nil, "args", "ID REASON")
	}
	w, err := c.store.RefuseWithdrawal(ctx, call.Args[0], strings.Join(call.Args[1:], " "), qc.StaffID(call.Flag("by")), c.now())
	return sayWithdrawal(call, w, err)
}

func sayWithdrawal(call *command.Call, w refund.Withdrawal, err error) error {
	if err != nil {
		return err
	}
	if call.JSON {
		return call.List([]any{w}, nil, nil, "")
	}
	call.Say("cli.withdrawal", "id", w.ID, "amount", w.Amount.String(), "customer", string(w.Customer),
		"state", call.Words.Text("withdrawal."+string(w.State)))
	return nil
}

// refusedMoney are the refusals of the ledger that a person is told in words.
func refusedMoney() []error {
	return []error{
		refund.ErrFunds, refund.ErrHoldBroken, refund.ErrHoldChanged, refund.ErrHoldOver, refund.ErrHoldAmount, refund.ErrCurrency,
		refund.ErrWithdrawalOver, refund.ErrUnapproved, refund.ErrSamePerson, refund.ErrApprover, refund.ErrNotYours, refund.ErrMissing,
	}
}
