package main

import (
	"encoding/json"
	"fmt"
	"io"
)

// rig is one way of making things go wrong on purpose.
type rig struct {
	name  string
	about string
	bar   string // when it has passed; the long form in brackets
	parts []rigPart
}

// rigPart is one run of go test. Its tests print their own line, or are counted.
type rigPart struct {
	folder  string
	tests   string
	counted bool
}

// rigs is the one table of what `drill` runs, in its order: the last one
// searches what the others logged.
func rigs() []rig {
	return []rig{
		{
			name: "kill", about: "SIGKILL a station that saves findings, at random moments",
			bar:   "300 kills (10,000): nothing acknowledged is lost or doubled",
			parts: []rigPart{{folder: "./storage/storagetest", tests: "^TestDrillKill"}},
		},
		{
			name: "powercut", about: "replay a station's system calls and lose any part of what was not synced",
			bar:   "300 power cuts (5,000): nothing acknowledged is lost, every folder opens",
			parts: []rigPart{{folder: "./storage/storagetest", tests: "^TestDrillPowercut"}},
		},
		{
			name: "damage", about: "damage a station's database in every way a disk knows",
			bar:   "every kind of damage: no finding is lost",
			parts: []rigPart{{folder: "./storage/local", tests: "Damage|EveryDamagedPage|MisplacedPage|AlteredEvent|Salvaged", counted: true}},
		},
		{
			name: "months", about: "simulated networks: 3 of 10 requests and answers lost, doubled, late, refused; clocks jump; both ends restart",
			bar:   "300 seeds (10,000): nothing missing, nothing doubled",
			parts: []rigPart{{folder: "./sync/outbox", tests: "^TestDrillMonths"}},
		},
		{
			name: "proxy", about: "real sockets that are cut every 2.5 MB, and networks that are parted again and again",
			bar:   "10 schedules (200): at most 1.15 times a photo on the wire, drained within 60 s of the healing, no part sent twice by itself",
			parts: []rigPart{{folder: "./sync/outbox", tests: "^TestDrillProxy"}},
		},
		{
			name: "offline", about: "a station that comes back after a week without a network",
			bar:   "300 findings with 1,500 photos (3,000 with 15,000): usable within 2 s, all findings accepted within 30 s",
			parts: []rigPart{{folder: "./app/journey", tests: "^TestDrillOffline"}},
		},
		{
			name: "diskfull", about: "a disk that is full, or fails, at every single write of either end",
			bar: "nothing acknowledged is lost, a failed sync is never repeated, everything goes on when there is room",
			parts: []rigPart{
				{folder: "./storage/storagetest", tests: "^TestDrillDiskfull"},
				{folder: "./storage/local", tests: "^TestFullDisk", counted: true},
				{folder: "./storage/blob", tests: "^TestFullDisk", counted: true},
				{folder: "./app/journey", tests: "^TestFullDisk", counted: true},
			},
		},
		{
			name: "upgrade", about: "open the data of earlier versions, and kill the change to this one at every step",
			bar:   "nothing is lost",
			parts: []rigPart{{folder: "./storage/local", tests: "StoresOfEveryVersion|Migration|NewerData", counted: true}},
		},
		{
			name: "growth", about: "one run that records and sends findings without an end",
			bar:   "1,000 findings (10,000): goroutines, open files and memory do not grow",
			parts: []rigPart{{folder: "./app/journey", tests: "^TestDrillGrowth"}},
		},
		{
			name: "load", about: "a centre on one machine in the busiest hour of 20,000 items a day: 28 findings and 66 MB of photos a second from 35 stations",
			bar:   "ten minutes (an hour): nothing lost or doubled, 99 of 100 findings acknowledged within 300 ms, memory below 1 GiB",
			parts: []rigPart{{folder: "./app/journey", tests: "^TestDrillLoad"}},
		},
		{
			name: "restore", about: "destroy the centre's data and restore it from a backup that is behind its stations",
			bar:   "2 centres (10): stations refill what the backup lacks; no finding is lost or doubled, the books hold",
			parts: []rigPart{{folder: "./app/journey", tests: "^TestDrillRestore"}},
		},
		{
			name: "centres", about: "three centres on one PostgreSQL and one S3 server behind a balancer, one of them killed again and again",
			bar:   "8 kills (60, one a minute): nothing acknowledged is lost, doubled or taken back; replacing all of them loses no request",
			parts: []rigPart{{folder: "./app/journey", tests: "^TestDrillCentres"}},
		},
		{
			name: "proxies", about: "the same three centres behind Caddy and nginx, set up as the examples say, replaced one by one under uploads, decisions and pages",
			bar:   "each of them 3 times behind both (20): no request comes to nothing",
			parts: []rigPart{{folder: "./app/journey", tests: "^TestDrillProxies"}},
		},
		{
			name: "lives", about: "anything happens to cases, legal or not, twice and out of order, and the centre is closed, killed and opened again",
			bar: "100,000 events against the rules (1,000,000), 18,000 through SQLite (1,000,000), 1,200 through PostgreSQL (18,000), 60 SIGKILLs (1,000), 20 more amid a crowd (200): nothing lost, nothing doubled, every fen accounted for after each, and an order that explains what all were told",
			parts: []rigPart{
				{folder: "./app/refund", tests: "^TestDrillLives"},
				{folder: "./storage/central", tests: "^TestDrillLives"},
			},
		},
		{
			name: "secrets", about: "search all logs of these rigs for keys, tokens, PINs and customers' links",
			bar:   "none is there",
			parts: []rigPart{{folder: "./app/journey", tests: "^TestDrillSecrets"}},
		},
	}
}

func rigNames() []string {
	var names []string
	for _, r := range rigs() {
		names = append(names, r.name)
	}
	return names
}

// listRigs says what each rig does and when it has passed.
func listRigs(w io.Writer, list []rig, asJSON bool) error {
	for _, r := range list {
		if asJSON {
			if err := json.NewEncoder(w).Encode(map[string]string{"name": r.name, "about": r.about, "bar": r.bar}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(w, "%-9s %s\n          %s\n", r.name, r.about, r.bar)
	}
	return nil
}
