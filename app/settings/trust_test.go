package settings

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func pin(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func TestTrust(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	good := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	five := strings.Join([]string{pin("1"), pin("2"), pin("3"), pin("4"), pin("5")}, ",")
	for name, tc := range map[string]struct {
		args []string
		key  string // empty: it can be used
		pins []string
		ca   bool
	}{
		"nothing":         {},
		"authorities":     {args: []string{"--ca-file", write("good.pem", good)}, ca: true},
		"two authorities": {args: []string{"--ca-file", write("two.pem", append(bytes.Clone(good), good...))}, ca: true},
		"no file":         {args: []string{"--ca-file", filepath.Join(dir, "none.pem")}, key: "cli.ca_file_broken"},
		"no PEM":          {args: []string{"--ca-file", write("text.pem", []byte("hello"))}, key: "cli.ca_file_broken"},
		"a private key": {
			args: []string{"--ca-file", write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}))},
			key:  "cli.ca_file_broken",
		},
		"torn certificate": {
			args: []string{"--ca-file", write("torn.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw[:99]}))},
			key:  "cli.ca_file_broken",
		},
		"huge file":         {args: []string{"--ca-file", write("huge.pem", make([]byte, largestCAFile+1))}, key: "cli.ca_file_broken"},
		"pins repeated":     {args: []string{"--pin", pin("1"), "--pin", pin("2")}, pins: []string{pin("1"), pin("2")}},
		"pins in a list":    {args: []string{"--pin", pin("1") + ", sha256/" + pin("2")}, pins: []string{pin("1"), pin("2")}},
		"pin too short":     {args: []string{"--pin", "aGVsbG8="}, key: "cli.pin_invalid"},
		"pin of nothing":    {args: []string{"--pin", "hello!"}, key: "cli.pin_invalid"},
		"too many pins":     {args: []string{"--pin", five}, key: "cli.setting_invalid"},
		"pin without TLS":   {args: []string{"--pin", pin("1"), "--central", "http://qc.example.com"}, key: "cli.setting_invalid"},
		"proxy":             {args: []string{"--proxy", "http://me:secret@proxy:3128"}},
		"proxy of nothing":  {args: []string{"--proxy", "proxy:3128"}, key: "cli.setting_invalid"},
		"key store":         {args: []string{"--key-store", "file"}},
		"another key store": {args: []string{"--key-store", "cloud"}, key: "cli.setting_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := flag.NewFlagSet("", flag.ContinueOnError)
			Station{}.Flags(set)
			if err := set.Parse(append(tc.args, "--data", t.TempDir())); err != nil {
				t.Fatal(err)
			}
			s, err := LoadStation(set, nil)
			invalid, _ := errors.AsType[*Invalid](err)
			if tc.key != "" || err != nil {
				if invalid == nil || invalid.Key != tc.key {
					t.Fatalf("got %v, want %q", err, tc.key)
				}
				return
			}
			if !slices.Equal(s.Pins, tc.pins) {
				t.Errorf("pins %q", s.Pins)
			}
			if pool, err := s.Authorities(); err != nil || (pool != nil) != tc.ca {
				t.Errorf("authorities %v, %v", pool, err)
			}
		})
	}
}

// TestPinsOfTheEnvironment also pins that a bad file in settings.json is said.
func TestPinsOfTheEnvironment(t *testing.T) {
	t.Parallel()
	set := flag.NewFlagSet("", flag.ContinueOnError)
	Station{}.Flags(set)
	dir := t.TempDir()
	s, err := LoadStation(set, []string{"FLAWMARK_DATA=" + dir, "FLAWMARK_PIN=" + pin("1") + "," + pin("2")})
	if err != nil || len(s.Pins) != 2 {
		t.Fatalf("%q, %v", s.Pins, err)
	}
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte(`{"pins": ["x"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = LoadStation(set, []string{"FLAWMARK_DATA=" + dir}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a bad pin in the file: %v", err)
	}
}
