package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/storage/central"
)

func staffFlags(set *flag.FlagSet) {
	set.Var(&roles{string(qc.Inspector), false}, "role", "`inspector|lead|clerk|approver|auditor|admin`; several times for several")
	set.String("latin", "", "`name` in Latin letters")
	set.String("badge", "", "`number` on the badge, for inspectors and leads")
	set.String("pin", "", "`digits` for stations, 4 to 12")
	set.String("password-file", "", "`file` whose first line is the password for the desk")
}

// roles is a flag that may be given several times; it begins as the usual one.
type roles struct {
	text  string
	given bool
}

func (r *roles) String() string { return r.text }

func (r *roles) Set(value string) error {
	if r.given {
		value = r.text + "," + value
	}
	r.text, r.given = value, true
	return nil
}

// readRoles reads what the flag holds, each role once.
func readRoles(text string) ([]qc.Role, error) {
	var all []qc.Role
	for name := range strings.SplitSeq(text, ",") {
		role := qc.Role(strings.TrimSpace(name))
		if !slices.Contains(qc.Roles(), role) {
			return nil, command.Fail("cli.role_unknown", nil, "role", string(role))
		}
		if !slices.Contains(all, role) {
			all = append(all, role)
		}
	}
	return all, nil
}

// listStaff says who works here, without anything to sign in with.
func listStaff(ctx context.Context, call *command.Call, c *centre) error {
	people, err := c.store.AllStaff(ctx)
	if err != nil {
		return err
	}
	type row struct {
		ID     qc.StaffID `json:"id"`
		Name   string     `json:"name"`
		Latin  string     `json:"name_latin,omitempty"`
		Roles  []qc.Role  `json:"roles"`
		Active bool       `json:"active"`
	}
	rows := make([]any, len(people))
	for i, person := range people {
		rows[i] = row{person.ID, person.Name, person.Latin, person.Roles(), person.Active}
	}
	return call.List(rows, []string{"cli.title.id", "cli.title.name", "cli.title.roles"}, func(listed any) []string {
		one := listed.(row)
		var names []string
		for _, role := range one.Roles {
			names = append(names, call.Words.Text("role."+string(role)))
		}
		if !one.Active {
			names = []string{call.Words.Text("cli.staff_gone")}
		}
		return []string{string(one.ID), one.Name, strings.Join(names, ", ")}
	}, "cli.staff_none")
}

// shortestPassword is how many letters a password for the desk has at least. There
// is no rule for which: some words of one's own are better than a short riddle.
const shortestPassword = 12

func addStaff(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) < 2 {
		return command.Fail("cli.args_missing", nil, "args", "ID NAME")
	}
	held, err := readRoles(call.Flag("role"))
	if err != nil {
		return err
	}
	password, err := firstLine(call, call.Flag("password-file"))
	if err != nil {
		return err
	}
	if file := call.Flag("password-file"); file != "" && utf8.RuneCountInString(password) < shortestPassword {
		return command.Fail("cli.password_short", nil, "file", file, "n", strconv.Itoa(shortestPassword))
	}
	person := central.NewStaff{
		ID: qc.StaffID(call.Args[0]), Name: strings.Join(call.Args[1:], " "), Latin: call.Flag("latin"),
		Role: held[0], More: held[1:], Badge: call.Flag("badge"), PIN: call.Flag("pin"), Password: password,
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
