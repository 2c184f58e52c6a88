// Command central is the refund service, installed as flawmark-central: it
// takes in what stations record, shows customers their order page and clerks
// their desk, moves cases and keeps the money. It has no screen of its own and
// builds without cgo.
package main

import (
	"errors"
	"flag"
	"io"
	"os"
	"syscall"

	"flawmark/app/command"
	"flawmark/app/handout"
	"flawmark/app/qc"
	"flawmark/app/settings"
	"flawmark/storage/blob"
	"flawmark/storage/central"
	"flawmark/sync/notify"
)

func main() { program().Run() }

// program is the command line of the centre.
func program() command.Program {
	return command.Program{
		Name: "flawmark-central", Area: "central",
		Flags: settings.Centre{}.Flags,
		Data: func(set *flag.FlagSet, env []string) (string, error) {
			s, err := settings.LoadCentre(set, env)
			return s.Data, err
		},
		Language: settings.Language,
		Explain:  explain,
		Log:      logFailure,
		Commands: []command.Command{
			{Name: "serve", Run: serve, Alone: true},
			{Name: "station approve", Args: "CODE", Run: withCentre(approveStation)},
			{Name: "station revoke", Args: "ID", Run: withCentre(revokeStation)},
			{Name: "staff add", Args: "ID NAME", Flags: staffFlags, Run: withCentre(addStaff)},
			{Name: "staff list", Run: withCentre(listStaff)},
			{Name: "staff dismiss", Args: "ID", Run: withCentre(dismissStaff)},
			{Name: "orders import", Args: "FILE", Run: withCentre(importOrders)},
			{Name: "order link", Args: "ORDER", Run: withCentre(linkOrder)},
			{Name: "order unlink", Args: "ORDER", Run: withCentre(unlinkOrder)},
			{Name: "cases", Flags: casesFlags, Run: withCentre(listCases)},
			{Name: "refunds match", Args: "FILE", Flags: matchFlags, Run: withCentre(matchRefunds)},
			{Name: "balance", Args: "CUSTOMER", Run: withCentre(showBalance)},
			{Name: "withdrawals", Flags: withdrawalsFlags, Run: withCentre(listWithdrawals)},
			{Name: "withdrawal ask", Args: "CUSTOMER AMOUNT TO", Flags: byFlag, Run: withCentre(askWithdrawal)},
			{Name: "withdrawal approve", Args: "ID", Flags: byFlag, Run: withCentre(approveWithdrawal)},
			{Name: "withdrawal pay", Args: "ID REFERENCE", Flags: byFlag, Run: withCentre(payWithdrawal)},
			{Name: "withdrawal refuse", Args: "ID REASON", Flags: byFlag, Run: withCentre(refuseWithdrawal)},
			{Name: "evidence", Args: "CASE", Flags: handout.Flags, Run: withCentre(packEvidence)},
			{Name: "notices", Flags: noticesFlags, Run: withCentre(listNotices)},
			{Name: "notices retry", Args: "[ID]", Run: withCentre(retryNotices)},
			{Name: "notices bounce", Input: notify.MaxBounce, Failure: exTempFail, Run: takeBounce},
			{Name: "webhook add", Args: "URL", Flags: webhookFlags, Run: withCentre(addWebhook)},
			{Name: "webhook list", Run: withCentre(listWebhooks)},
			{Name: "webhook remove", Args: "ID", Run: withCentre(removeWebhook)},
			{Name: "webhook test", Args: "ID", Run: withCentre(testWebhook)},
			{Name: "shop add", Args: "NAME", Flags: shopFlags, Run: withCentre(addShop)},
			{Name: "shop list", Run: withCentre(listShops)},
			{Name: "shop revoke", Args: "ID", Run: withCentre(revokeShop)},
			{Name: "webhook replay", Args: "ID", Flags: replayFlags, Run: withCentre(replayWebhook)},
			{Name: "verify", Run: withCentre(verify)},
			{Name: "ready", Run: askReady},
			{Name: "doctor", Flags: doctorFlags, Run: diagnose},
			{Name: "backup", Args: "FILE", Flags: backupFlags, Run: withCentre(backUp)},
			{Name: "restore", Args: "FILE", Flags: restoreFlags, Run: restore},
			{Name: "migrate", Flags: migrateFlags, Run: migrate},
		},
	}
}

// explain turns what the parts report into a sentence for the administrator.
func explain(err error) *command.Problem {
	if invalid, ok := errors.AsType[*settings.Invalid](err); ok {
		return command.Fail(invalid.Key, err, "setting", invalid.Setting, "value", invalid.Value,
			"want", invalid.Want, "file", invalid.File, "folder", invalid.File)
	}
	if broken, ok := errors.AsType[*central.ImportError](err); ok {
		return brokenImport(broken)
	}
	for _, refused := range refusedMoney() {
		if errors.Is(err, refused) {
			return command.Fail("error."+refused.Error(), err)
		}
	}
	for _, known := range []struct {
		cause error
		key   string
	}{
		{blob.ErrFull, "error.disk_full"},
		{central.ErrFull, "error.disk_full"},
		{syscall.ENOSPC, "error.disk_full"},
		{blob.ErrSync, "error.disk_unsure"},
		{blob.ErrBucket, "cli.objects_unusable"},
		{blob.ErrAway, "cli.objects_away"},
		{central.ErrCode, "error.code_wrong"},
		{central.ErrExpired, "error.code_expired"},
		{central.ErrRevoked, "cli.station_shut_out"},
		{central.ErrStaff, "cli.staff_incomplete"},
		{central.ErrOrder, "cli.order_conflict"},
		{qc.ErrPINFormat, "error.pin_format"},
		{qc.ErrNotFound, "cli.not_found"},
	} {
		if errors.Is(err, known.cause) {
			return command.Fail(known.key, err)
		}
	}
	return nil
}

func isFull(err error) bool {
	return errors.Is(err, blob.ErrFull) || errors.Is(err, central.ErrFull) || errors.Is(err, syscall.ENOSPC)
}

// logFailure writes what lies behind a failed command to the folder's log. A
// folder that is not there, or takes nothing more, stays as it is.
func logFailure(call *command.Call, err error) {
	s, invalid := settings.LoadCentre(call.Set, call.Env)
	if invalid != nil {
		return
	}
	if _, missing := os.Stat(s.Data); missing != nil {
		return
	}
	log, file, cannot := openLog(s.Data, io.Discard)
	if cannot != nil {
		return
	}
	defer file.Close()
	// Not what was typed: the address of a webhook may hold the shop's secret.
	log.Error("command failed", "args", len(call.Args), "error", err)
}
