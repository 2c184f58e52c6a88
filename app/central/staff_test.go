package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is typed may hold a secret, such as a webhook's address: no log keeps it.
func TestLog_KeepsNothingThatWasTyped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var out bytes.Buffer
	args := []string{"webhook", "add", "http://shop.example.com/hook?key=the-shops-secret", "--data", dir, "--lang", "en"}
	must(t, os.WriteFile(filepath.Join(dir, logName), nil, 0o600))
	if code := program().Main(t.Context(), args, nil, dir, &out, &out); code == 0 {
		t.Fatal("an address without TLS was taken")
	}
	log, err := os.ReadFile(filepath.Join(dir, logName))
	must(t, err)
	if len(log) == 0 || bytes.Contains(log, []byte("the-shops-secret")) || strings.Contains(out.String(), "the-shops-secret") {
		t.Errorf("the log says %s, the command %s", log, &out)
	}
}

func TestStaff_SeveralRolesAndTheList(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "secret.txt"), []byte("a password of words\n"), 0o600))
	run := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		args = append(args, "--data", dir, "--lang", "en")
		if code := program().Main(t.Context(), args, nil, dir, &out, &out); code != want {
			t.Fatalf("%q: code %d, want %d: %s", args, code, want, &out)
		}
		return out.String()
	}
	if said := run(0, "staff", "list"); !strings.Contains(said, "Nobody is registered") {
		t.Errorf("an empty list says %q", said)
	}
	run(0, "staff", "add", "u12", "Wang", "--pin", "2580")
	run(0, "staff", "add", "boss1", "Zhao", "--role", "approver", "--role", "lead", "--role", "lead", "--password-file", "secret.txt")
	must(t, os.WriteFile(filepath.Join(dir, "short.txt"), []byte("short\nand a second line that is long\n"), 0o600))
	if said := run(1, "staff", "add", "x", "X", "--role", "clerk", "--password-file", "short.txt"); !strings.Contains(said, "at least 12") {
		t.Errorf("a short password is answered with %q", said)
	}
	if said := run(1, "staff", "add", "x", "X", "--role", "clerk", "--role", "king"); !strings.Contains(said, "king") || !strings.Contains(said, "auditor") {
		t.Errorf("an unknown role is answered with %q", said)
	}
	run(0, "staff", "add", "gone1", "Zhou", "--role", "clerk")
	run(0, "staff", "dismiss", "gone1")
	said := run(0, "staff", "list")
	for _, want := range []string{"Inspector", "Approver, Shift lead", "dismissed"} {
		if !strings.Contains(said, want) {
			t.Errorf("the list lacks %q:\n%s", want, said)
		}
	}
	said = run(0, "staff", "list", "--json")
	if !strings.Contains(said, `"roles":["approver","lead"],"active":true`) || strings.Contains(said, "argon2") {
		t.Errorf("the list in JSON is %s", said)
	}
}
