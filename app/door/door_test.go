package door

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// open runs a door on a new folder until the test ends.
func open(t *testing.T, handle Handler) string {
	t.Helper()
	dir := t.TempDir()
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx, handle) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if _, err := os.Stat(filepath.Join(dir, fileName)); err == nil {
			t.Error("the door's file outlives the door")
		}
	})
	return dir
}

func TestKnock_RunsTheCallAndCopiesTheAnswer(t *testing.T) {
	t.Parallel()
	dir := open(t, func(_ context.Context, call Call, out, errOut io.Writer) int {
		fmt.Fprintf(out, "%s in %s\n", strings.Join(call.Args, " "), call.Dir)
		fmt.Fprint(errOut, "one warning\n")
		return 3
	})
	var out, errOut bytes.Buffer
	exit, err := Knock(t.Context(), dir, Call{Args: []string{"queue", "--json"}, Dir: "/here"}, &out, &errOut)
	if err != nil || exit != 3 {
		t.Fatalf("exit %d, %v", exit, err)
	}
	if out.String() != "queue --json in /here\n" || errOut.String() != "one warning\n" {
		t.Errorf("out %q, err %q", out.String(), errOut.String())
	}
}

func TestKnock_NobodyThere(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"no file":            "",
		"killed program":     `{"addr":"127.0.0.1:1","token":"x"}`,
		"rubbish":            `]`,
		"not this machine's": `{"addr":"192.0.2.1:80","token":"x"}`,
	} {
		dir := t.TempDir()
		if file != "" {
			if err := os.WriteFile(filepath.Join(dir, fileName), []byte(file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Knock(t.Context(), dir, Call{}, io.Discard, io.Discard); !errors.Is(err, ErrNobody) {
			t.Errorf("%s: %v, want ErrNobody", name, err)
		}
	}
}

func TestDoor_WithoutTheSecretNothingRuns(t *testing.T) {
	t.Parallel()
	ran := false
	dir := open(t, func(context.Context, Call, io.Writer, io.Writer) int { ran = true; return 0 })
	data, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	var where address
	if err := json.Unmarshal(data, &where); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+where.Addr, strings.NewReader(`{"args":["queue"]}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer guessed")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden || ran {
		t.Errorf("status %d, ran %t", response.StatusCode, ran)
	}
	if info, err := os.Stat(filepath.Join(dir, fileName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file has mode %v, %v", info.Mode(), err)
	}
}
