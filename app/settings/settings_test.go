package settings

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"flawmark/app/money"
	"flawmark/app/qc"
)

func loadStation(t *testing.T, env []string, args ...string) (Station, error) {
	t.Helper()
	set := flag.NewFlagSet("flawmark", flag.ContinueOnError)
	Station{}.Flags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return LoadStation(set, env)
}

func TestLoadStation_FlagsBeatEnvironmentBeatsFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := `{"central":"https://file.example/","name":"from file","lang":"zh"}`
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"FLAWMARK_CENTRAL=https://env.example", "FLAWMARK_NAME=from env"}
	got, err := loadStation(t, env, "--data", dir, "--name", "from flag")
	if err != nil {
		t.Fatal(err)
	}
	want := Station{Data: dir, Central: "https://env.example", Name: "from flag", Lang: "zh"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestLoadStation_SavedSettingsComeBack(t *testing.T) {
	t.Parallel()
	want := Station{Data: t.TempDir(), Central: "http://127.0.0.1:8480", Lang: "zh", Watch: "/photos", Scale: 1.5}
	if err := want.Save(); err != nil {
		t.Fatal(err)
	}
	got, err := loadStation(t, nil, "--data", want.Data)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

func TestLoadCentre_TrustedProxies(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"trusted_proxies":["127.0.0.1","10.1.2.3/8","::1"]}`: "[127.0.0.1/32 10.0.0.0/8 ::1/128]",
		`{}`:                                    "[]",
		`{"trusted_proxies":["proxy.example"]}`: "trusted_proxies",
		`{"trusted_proxies":["10.0.0.0/99"]}`:   "trusted_proxies",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, FileName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		set := flag.NewFlagSet("central", flag.ContinueOnError)
		Centre{}.Flags(set)
		got, err := LoadCentre(set, []string{"FLAWMARK_DATA=" + dir})
		said := fmt.Sprint(got.Proxies())
		if invalid, ok := errors.AsType[*Invalid](err); ok {
			said = invalid.Setting
		}
		if said != want {
			t.Errorf("%s: %s, %v, want %s", text, said, err, want)
		}
	}
}

func TestLoadCentre_ReviewPolicyFromTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := `{"review":{"critical":false,"value_over":{"minor":50000,"currency":"CNY"},"unsure":true}}`
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	set := flag.NewFlagSet("central", flag.ContinueOnError)
	Centre{}.Flags(set)
	if err := set.Parse([]string{"--data", dir}); err != nil {
		t.Fatal(err)
	}
	got, err := LoadCentre(set, nil)
	want := qc.ReviewPolicy{ValueOver: money.Fen(500_00), Unsure: true}
	if err != nil || got.Review == nil || *got.Review != want {
		t.Errorf("got %+v, %v, want %+v", got.Review, err, want)
	}
}

func TestLoad_RefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, args := range map[string][]string{
		"address without scheme": {"--central", "qc.example.com"},
		"password in an address": {"--central", "https://user:pass@qc.example.com"},
		"unknown language":       {"--lang", "fr"},
		"scale out of range":     {"--scale", "9"},
		"scale not a number":     {"--scale", "big"},
	} {
		if _, err := loadStation(t, nil, append(args, "--data", dir)...); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	for name, args := range map[string][]string{
		"listen without port": {"--listen", "localhost"},
		"certificate alone":   {"--tls-cert", "a.pem"},
		"public not a URL":    {"--public", "qc"},
		"demo for everybody":  {"--demo", "--listen", "0.0.0.0:8480"},
		"demo on all":         {"--demo", "--listen", ":8480"},
		"demo on the network": {"--demo", "--listen", "[2001:db8::1]:8480"},
		"demo under a name":   {"--demo", "--listen", "qc.example.com:8480"},
	} {
		set := flag.NewFlagSet("central", flag.ContinueOnError)
		Centre{}.Flags(set)
		if err := set.Parse(append(args, "--data", dir)); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadCentre(set, nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	for _, listen := range []string{"127.0.0.1:0", "127.1.2.3:8480", "[::1]:8480", "localhost:8480"} {
		set := flag.NewFlagSet("central", flag.ContinueOnError)
		Centre{}.Flags(set)
		if err := set.Parse([]string{"--data", dir, "--demo", "--listen", listen}); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadCentre(set, nil); err != nil {
			t.Errorf("demo on %s: %v", listen, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte(`{"centrall":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadStation(t, nil, "--data", dir); !errors.Is(err, ErrInvalid) {
		t.Errorf("unknown member in the file: %v, want ErrInvalid", err)
	}
}
