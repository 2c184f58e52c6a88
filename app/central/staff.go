package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/storage/central"
)

func staffFlags(set *flag.FlagSet) {
	set.String("role", string(qc.Inspector), "`inspector|lead|clerk|admin`")
	set.String("latin", "", "`name` in Latin letters")
	set.String("badge", "", "`number` on the badge, for inspectors and leads")
	set.String("pin", "", "`digits` for stations, 4 to 12")
	set.String("password-file", "", "`file` whose first line is the password for the desk")
}

func addStaff(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) < 2 {
		return command.Fail("cli.args_missing", nil, "args", "ID NAME")
	}
	role := qc.Role(call.Flag("role"))
	if !slices.Contains(qc.Roles(), role) {
		return command.Fail("cli.role_unknown", nil, "role", string(role))
	}
	password, err := firstLine(call, call.Flag("password-file"))
	if err != nil {
		return err
	}
	person := central.NewStaff{
		ID: qc.StaffID(call.Args[0]), Name: strings.Join(call.Args[1:], " "), Latin: call.Flag("latin"),
		Role: role, Badge: call.Flag("badge"), PIN: call.Flag("pin"), Password: password,
	}
	if err := c.store.AddStaff(ctx, person, c.now()); err != nil {
		return err
	}
	call.Say("cli.staff_added", "name", person.Name, "id", string(person.ID))
	return nil
}

// firstLine keeps passwords off command lines, which other users can read.
func firstLine(call *command.Call, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	file, err := os.Open(call.Path(path))
	if err != nil {
		return "", command.Fail("error.file_missing", err, "file", path)
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Scan()
	if err := scanner.Err(); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return strings.TrimRight(scanner.Text(), "\r"), nil
}

func approveStation(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "CODE")
	}
	station, err := c.store.ApproveEnrolment(ctx, call.Args[0], c.now())
	if err != nil {
		return err
	}
	call.Say("cli.station_approved", "name", station.Name, "id", string(station.ID))
	return nil
}
