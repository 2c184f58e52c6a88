package storagetest

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// Postgres is a PostgreSQL server of its own, on a socket in a folder that
// nobody else uses. It keeps nothing and ends with the test, also with one that is
// killed.
type Postgres struct {
	dir       string
	bin       string
	databases atomic.Int64
}

// StartPostgres starts a server, or says what is missing. fsync is off: what a
// power cut does to PostgreSQL is not what is tried here.
func StartPostgres(tb testing.TB) *Postgres {
	tb.Helper()
	p := &Postgres{}
	var err error
	// A socket's path may have about a hundred characters.
	if p.dir, err = os.MkdirTemp("", "fm-pg-"); err != nil { //nolint:usetesting // a test's own folder has too long a name
		tb.Fatal(err)
	}
	if p.bin, err = postgresPrograms(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(p.dir); err != nil {
			tb.Error(err)
		}
	})
	p.endWithTest(tb)
	p.run(tb, "initdb", "--pgdata", p.data(), "--auth", "trust", "--username", "flawmark", "--encoding", "UTF8", "--no-sync")
	p.Start(tb)
	tb.Cleanup(func() { p.Stop(tb) })
	return p
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

// endWithTest has the server ended and its folder removed when the test's process
// is gone, since one that is killed cleans up nothing by itself.
func (p *Postgres) endWithTest(tb testing.TB) {
	tb.Helper()
	heir := exec.Command("sh", "-c", `read -r _
"$1" --pgdata "$2/data" --mode immediate stop
rm -rf "$2"`, "sh", filepath.Join(p.bin, "pg_ctl"), p.dir)
	heir.Dir, heir.Env = "/", append(os.Environ(), "LC_ALL=C")
	if err := asServer(heir, p.dir); err != nil {
		tb.Fatal(err)
	}
	gone, err := untilGone(heir)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = gone() }) // there is nothing left to end
}

// Start starts the server, again after [Postgres.Stop].
func (p *Postgres) Start(tb testing.TB) {
	tb.Helper()
	options := fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories='%s' -c fsync=off -c max_connections=400", p.dir)
	p.run(tb, "pg_ctl", "--pgdata", p.data(), "--wait", "--log", filepath.Join(p.dir, "log"), "--options", options, "start")
}

// Stop ends the server without a word to who is connected.
func (p *Postgres) Stop(tb testing.TB) {
	tb.Helper()
	p.run(tb, "pg_ctl", "--pgdata", p.data(), "--wait", "--mode", "immediate", "stop")
}

func (p *Postgres) run(tb testing.TB, program string, args ...string) {
	tb.Helper()
	cmd := exec.Command(filepath.Join(p.bin, program), args...)
	cmd.Dir, cmd.Env = p.dir, append(os.Environ(), "LC_ALL=C")
	if err := asServer(cmd, p.dir); err != nil {
		tb.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		log, _ := os.ReadFile(filepath.Join(p.dir, "log")) // there is none before the server starts
		tb.Fatalf("%s: %v\n%s%s", program, err, said.Bytes(), log)
	}
}

// Database makes an empty database and returns its address.
func (p *Postgres) Database(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprintf("centre%d", p.databases.Add(1))
	cmd := exec.Command(filepath.Join(p.bin, "createdb"), "--host", p.dir, "--username", "flawmark", name)
	if said, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("createdb: %v\n%s", err, said)
	}
	query := url.Values{"host": {p.dir}}
	return "postgres://flawmark@/" + name + "?" + query.Encode()
}

// postgresPrograms returns the folder of the newest server's programs.
func postgresPrograms() (string, error) {
	// Debian keeps them apart by version, and puts some on the path.
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, lookErr := exec.LookPath("initdb"); len(found) == 0 && lookErr == nil {
		return filepath.Dir(path), nil
	}
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("PostgreSQL's server is not installed (%w): install the package postgresql", os.ErrNotExist)
	}
	newest := found[0]
	for _, path := range found {
		if len(path) > len(newest) || len(path) == len(newest) && strings.Compare(path, newest) > 0 {
			newest = path
		}
	}
	return filepath.Dir(newest), nil
}
