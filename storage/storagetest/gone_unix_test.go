//go:build unix

package storagetest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"flawmark/storage/storagetest"
)

// childServers marks the process that starts servers and is killed.
const childServers = "FLAWMARK_TEST_SERVERS"

func TestServers_EndWithATestThatIsKilled(t *testing.T) {
	if os.Getenv(childServers) != "" {
		fmt.Println("sql", storagetest.StartPostgres(t).Database(t))
		fmt.Println("photos", storagetest.StartS3(t).Bucket(t))
		time.Sleep(time.Minute)
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), childServers+"=start")
	// As when a whole run is ended at once.
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	said, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() error { return syscall.Kill(-child.Process.Pid, syscall.SIGKILL) }
	found := map[string]*url.URL{}
	var words strings.Builder
	for lines := bufio.NewScanner(said); len(found) < 2 && lines.Scan(); {
		fmt.Fprintln(&words, lines.Text())
		kind, address, _ := strings.Cut(lines.Text(), " ")
		if kind != "sql" && kind != "photos" {
			continue
		}
		if found[kind], err = url.Parse(address); err != nil {
			t.Error(errors.Join(err, kill()))
		}
	}
	if len(found) < 2 {
		t.Fatalf("the child did not start its servers: %v\n%s", errors.Join(kill(), child.Wait()), &words)
	}
	folder, gateway := found["sql"].Query().Get("host"), found["photos"].Host
	// A session ends with its server. Asking for the server's process would find
	// also one that has ended and that nobody has waited for.
	session, err := pgx.Connect(t.Context(), found["sql"].String())
	if err != nil {
		t.Fatal(errors.Join(err, kill(), child.Wait()))
	}
	defer session.Close(context.WithoutCancel(t.Context()))
	if !listens(gateway) {
		t.Error("the object store does not run before its test is killed")
	}
	if err := kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // says that it was killed

	const soon = 20 * time.Second
	until := time.Now().Add(soon)
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if _, err := session.Exec(ctx, "SELECT pg_sleep(60)"); ctx.Err() != nil {
		t.Fatalf("PostgreSQL still runs, in %s: %v", folder, err)
	}
	for listens(gateway) || exists(folder) {
		if time.Now().After(until) {
			t.Fatalf("still there: object store %t, PostgreSQL's folder %s %t", listens(gateway), folder, exists(folder))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func listens(address string) bool {
	connection, err := net.Dial("tcp", address)
	return err == nil && connection.Close() == nil
}

func exists(folder string) bool {
	_, err := os.Stat(folder)
	return !errors.Is(err, fs.ErrNotExist)
}
