// Command app is the station, installed as flawmark: the inspector's window
// and, under the same name, commands that do the same without it. See package
// [flawmark/app/qc] for the words of the trade.
package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/signal"
	"syscall"

	"flawmark/app/command"
	_ "flawmark/app/locale" // before the toolkit reads the locale
	"flawmark/app/qc"
	"flawmark/app/settings"
	"flawmark/storage/blob"
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

// program is the command line of the station.
func program() command.Program {
	return command.Program{
		Name: "flawmark", Area: "station",
		Flags: settings.Station{}.Flags,
		Data: func(set *flag.FlagSet, env []string) (string, error) {
			s, err := settings.LoadStation(set, env)
			return s.Data, err
		},
		Language: settings.Language,
		Explain:  explain,
		Commands: []command.Command{
			{Run: openWindow},
			{Name: "enrol", Run: withStation(enrol)},
			{Name: "items", Args: "[NUMBER]", Run: withStation(listItems)},
			{Name: "queue", Run: withStation(listQueue)},
			{Name: "cases", Run: withStation(listCases)},
			{Name: "flag", Args: "[FILE...]", Flags: recordFlags, Run: withStation(record(qc.Flag))},
			{Name: "pass", Args: "[FILE...]", Flags: recordFlags, Run: withStation(record(qc.Pass))},
			{Name: "show", Run: withWindow(showWindow)},
			{Name: "screen", Run: withWindow(describeWindow)},
			{Name: "sync", Flags: syncFlags, Run: withStation(synchronise)},
		},
	}
}

// explain turns what the parts report into a sentence for the person.
func explain(err error) *command.Problem {
	for cause, key := range map[error]string{
		blob.ErrFull:   "error.disk_full",
		qc.ErrWaybill:  "error.waybill_invalid",
		qc.ErrNotFound: "cli.not_found",
	} {
		if errors.Is(err, cause) {
			return command.Fail(key, err)
		}
	}
	return nil
}
