package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strconv"
	"strings"

	"flawmark/app/command"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

func casesFlags(set *flag.FlagSet) {
	set.Bool("all", false, "ended cases, too")
	set.String("status", "", "only cases in this `status`")
}

func listCases(ctx context.Context, call *command.Call, c *centre) error {
	filter := central.CaseFilter{Open: call.Flag("all") != "true", Status: refund.Status(call.Flag("status"))}
	each := func(write func(any) error) error {
		return c.store.EachCase(ctx, filter, func(one refund.Case) error { return write(one) })
	}
	titles := []string{"cli.title.case", "cli.title.item", "cli.title.status", "cli.title.window", "cli.title.credited"}
	return call.Stream(each, titles, func(row any) []string {
		one := row.(refund.Case)
		return []string{
			string(one.ID), string(one.Item), call.Words.Text("status.desk." + one.Standing()),
			command.When(one.WindowEndsAt), one.Credited.String(),
		}
	}, "cli.no_cases")
}

// verify re-derives balances and chains, and fails when one does not hold.
func verify(ctx context.Context, call *command.Call, c *centre) error {
	report, err := c.store.Verify(ctx)
	if err != nil {
		return err
	}
	if call.JSON {
		if err := json.NewEncoder(call.Out).Encode(report); err != nil {
			return err
		}
	}
	if !report.OK() {
		if !call.JSON {
			fmt.Fprintln(call.Out, strings.Join(report.Problems, "\n"))
		}
		return command.Fail("cli.verify_failed", nil)
	}
	if !call.JSON {
		call.Say("cli.verified", "transfers", strconv.Itoa(report.Transfers),
			"balances", strconv.Itoa(report.Accounts), "audit", strconv.Itoa(report.Audit))
	}
	return nil
}
