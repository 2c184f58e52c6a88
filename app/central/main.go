// Command central is the refund service, installed as flawmark-central: it
// takes in what stations record, shows customers their order page and clerks
// their desk, moves cases and keeps the money. It has no screen of its own and
// builds without cgo.
package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/signal"
	"syscall"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/app/settings"
	"flawmark/storage/blob"
	"flawmark/storage/central"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	os.Exit(program().Main(ctx, os.Args[1:], os.Environ(), dir, os.Stdout, os.Stderr))
}

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
		Commands: []command.Command{
			{Name: "serve", Run: serve, Alone: true},
			{Name: "station approve", Args: "CODE", Run: withCentre(approveStation)},
			{Name: "staff add", Args: "ID NAME", Flags: staffFlags, Run: withCentre(addStaff)},
			{Name: "orders import", Args: "FILE", Run: withCentre(importOrders)},
			{Name: "order link", Args: "ORDER", Run: withCentre(linkOrder)},
			{Name: "cases", Flags: casesFlags, Run: withCentre(listCases)},
			{Name: "verify", Run: withCentre(verify)},
		},
	}
}

// explain turns what the parts report into a sentence for the administrator.
func explain(err error) *command.Problem {
	for cause, key := range map[error]string{
		central.ErrCode:    "error.code_wrong",
		central.ErrExpired: "error.code_expired",
		qc.ErrPINFormat:    "error.pin_format",
		blob.ErrFull:       "error.disk_full",
		qc.ErrNotFound:     "cli.not_found",
	} {
		if errors.Is(err, cause) {
			return command.Fail(key, err)
		}
	}
	if broken, ok := errors.AsType[*central.ImportError](err); ok {
		return brokenImport(broken)
	}
	return nil
}
