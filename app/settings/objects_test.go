package settings

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoadCentre_Objects(t *testing.T) {
	t.Parallel()
	secrets := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(secrets, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keys := []string{"FLAWMARK_S3_ACCESS_KEY=centre", "FLAWMARK_S3_SECRET_KEY=s3cret"}
	for name, test := range map[string]struct {
		url     string
		env     []string
		problem string // key of the sentence; empty: it is right
	}{
		"keys in the environment": {"s3://photos?endpoint=https://store.example.com", keys, ""},
		"keys in files": {"https://store.example.com/photos", []string{
			"FLAWMARK_S3_ACCESS_KEY_FILE=" + file("access", "centre\n"), "FLAWMARK_S3_SECRET_KEY_FILE=" + file("secret", " s3cret\r\n"),
		}, ""},
		"no keys":                {"s3://photos", nil, "cli.objects_keys"},
		"half of the keys":       {"s3://photos", keys[:1], "cli.objects_keys"},
		"keys in the address":    {"https://centre:s3cret@store.example.com/photos", keys, "cli.objects_invalid"},
		"something else":         {"file:///photos", keys, "cli.objects_invalid"},
		"a folder":               {"/var/lib/photos", keys, "cli.objects_invalid"},
		"a file that is missing": {"s3://photos", []string{keys[0], "FLAWMARK_S3_SECRET_KEY_FILE=" + secrets + "/none"}, "cli.key_file_unusable"},
		"a file without a key":   {"s3://photos", []string{keys[0], "FLAWMARK_S3_SECRET_KEY_FILE=" + file("empty", "\n")}, "cli.key_file_unusable"},
		"a file of other things": {"s3://photos", []string{keys[0], "FLAWMARK_S3_SECRET_KEY_FILE=" + file("two", "a\nb")}, "cli.key_file_unusable"},
		"a file without an end":  {"s3://photos", []string{keys[0], "FLAWMARK_S3_SECRET_KEY_FILE=" + file("long", strings.Repeat("a", maxKeyFile+1))}, "cli.key_file_unusable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := flag.NewFlagSet("", flag.ContinueOnError)
			Centre{}.Flags(set)
			if err := set.Parse([]string{"--data", t.TempDir(), "--objects", test.url}); err != nil {
				t.Fatal(err)
			}
			c, err := LoadCentre(set, test.env)
			invalid, _ := err.(*Invalid) //nolint:errorlint // it is never wrapped
			switch {
			case test.problem == "" && (err != nil || c.Objects != test.url || c.S3 != S3Keys{"centre", "s3cret"}):
				t.Errorf("got %q with %+v, %v", c.Objects, c.S3, err)
			case test.problem != "" && (invalid == nil || invalid.Key != test.problem):
				t.Errorf("got %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%v holds the secret", err)
			}
		})
	}
}
