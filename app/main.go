// Command app is the station, installed as flawmark: the inspector's window
// and, under the same name, commands that do the same without it. See package
// [flawmark/app/qc] for the words of the trade.
package main

import (
	"errors"
	"flag"
	"os"
	"syscall"

	"flawmark/app/command"
	"flawmark/app/handout"
	_ "flawmark/app/locale" // before the toolkit reads the locale
	"flawmark/app/qc"
	"flawmark/app/settings"
	"flawmark/storage/blob"
	"flawmark/storage/local"
)

func main() { program().Run() }

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
		Log:      logFailure,
		Commands: []command.Command{
			{Run: openWindow},
			{Name: "enrol", Run: withStation(enrol)},
			{Name: "items", Args: "[NUMBER]", Run: withStation(listItems)},
			{Name: "queue", Flags: queueFlags, Run: withStation(listQueue)},
			{Name: "queue export", Args: "FILE", Run: withStation(exportQueue)},
			{Name: "queue import", Args: "FILE", Run: withStation(importQueue)},
			{Name: "cases", Run: withStation(listCases)},
			{Name: "flag", Args: "[FILE...]", Flags: recordFlags, Run: withStation(record(qc.Flag))},
			{Name: "pass", Args: "[FILE...]", Flags: recordFlags, Run: withStation(record(qc.Pass))},
			{Name: "show", Run: withWindow(showWindow)},
			{Name: "screen", Run: withWindow(describeWindow)},
			{Name: "sync", Flags: syncFlags, Run: withStation(synchronise)},
			{Name: "doctor", Flags: doctorFlags, Run: diagnose},
			{Name: "backup", Args: "FILE", Flags: backupFlags, Run: withStation(backUp)},
			{Name: "restore", Args: "FILE", Flags: restoreFlags, Run: restore, Alone: true},
			{Name: "export", Args: "DIR", Run: withStation(export)},
			{Name: "evidence", Args: "ITEM", Flags: handout.Flags, Run: withStation(packEvidence)},
			{Name: "burn", Args: "ITEM", Flags: burnFlags, Run: withStation(burn)},
			{Name: "marks export", Args: "ITEM", Flags: marksExportFlags, Run: withStation(exportMarks)},
			{Name: "marks import", Args: "FILE", Flags: marksImportFlags, Run: withStation(importMarks)},
		},
	}
}

// explain turns what the parts report into a sentence for the person.
func explain(err error) *command.Problem {
	if invalid, ok := errors.AsType[*settings.Invalid](err); ok {
		return command.Fail(invalid.Key, err, "setting", invalid.Setting, "value", invalid.Value,
			"want", invalid.Want, "file", invalid.File, "folder", invalid.File)
	}
	if isFull(err) {
		return command.Fail("error.disk_full", err)
	}
	for _, known := range []struct {
		cause error
		key   string
	}{
		{qc.ErrWaybill, "error.waybill_invalid"},
		{qc.ErrNotFound, "cli.not_found"},
		{blob.ErrDigest, "error.blob_damaged"},
		{blob.ErrSync, "error.disk_unsure"},
		{local.ErrSync, "error.disk_unsure"},
		{local.ErrDamaged, "error.data_damaged"},
		{local.ErrFork, "error.log_forked"},
	} {
		if errors.Is(err, known.cause) {
			return command.Fail(known.key, err)
		}
	}
	return nil
}

// isFull reports whether a disk has no room.
func isFull(err error) bool {
	return errors.Is(err, blob.ErrFull) || errors.Is(err, local.ErrFull) || errors.Is(err, syscall.ENOSPC)
}

// logFailure writes what lies behind a failed command to the folder's log. A
// folder that is not there, or takes nothing more, stays as it is.
func logFailure(call *command.Call, err error) {
	s, invalid := settings.LoadStation(call.Set, call.Env)
	if invalid != nil {
		return
	}
	if _, missing := os.Stat(s.Data); missing != nil {
		return
	}
	log, file, cannot := openLog(s.Data)
	if cannot != nil {
		return
	}
	defer file.Close()
	log.Error("command failed", "args", call.Args, "error", err)
}
