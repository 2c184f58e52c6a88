package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestParseDrill(t *testing.T) {
	o, err := parseDrill([]string{"kill", "--seed", "7", "months", "--long"})
	if err != nil || !o.long || o.seed != 7 || strings.Join(o.names, " ") != "kill months" {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := parseDrill([]string{"kil"}); err == nil || !strings.Contains(err.Error(), `no rig "kil"`) || !strings.Contains(err.Error(), "kill, powercut") {
		t.Errorf("an unknown rig: %v", err)
	}
}

func TestDrillReader(t *testing.T) {
	line := `{"Action":"output","Test":"TestDrillKill","Output":"drill kill seed=1 tries=300 lost=2 doubled=1 seconds=12.1 worst=1.05\n"}`
	for _, c := range []struct {
		name    string
		counted bool
		lines   []string
		tries   int
		lost    int
		doubled int
	}{
		{"a line", false, []string{line}, 300, 2, 1},
		{"a line in two pieces", false, []string{line[:70] + `"}`, `{"Action":"output","Test":"TestDrillKill","Output":"` + line[70:]}, 300, 2, 1},
		{"tests that are not counted", false, []string{`{"Action":"pass","Test":"TestA"}`}, 0, 0, 0},
		{"tests that are counted", true, []string{`{"Action":"pass","Test":"TestA"}`, `{"Action":"fail","Test":"TestB"}`, `{"Action":"fail"}`}, 2, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newDrillReader(c.counted)
			for _, text := range c.lines {
				r.line(text)
			}
			if r.tries != c.tries || r.lost != c.lost || r.doubled != c.doubled {
				t.Errorf("%d tries, %d lost, %d doubled", r.tries, r.lost, r.doubled)
			}
		})
	}
}

func TestFailedRigs(t *testing.T) {
	got := failedRigs([]drillResult{
		{Name: "sound", Tries: 1},
		{Name: "loses", Tries: 1, Lost: 1},
		{Name: "doubles", Tries: 1, Doubled: 1},
		{Name: "fails", Tries: 1, Failed: true},
		{Name: "does nothing"},
	})
	equal(t, "failed", got, []string{"loses", "doubles", "fails", "does nothing"})
}

// TestRigsAreThere looks into the folders: a rig whose tests were renamed would
// pass by trying nothing.
func TestRigsAreThere(t *testing.T) {
	for _, r := range rigs() {
		if r.about == "" || r.bar == "" || len(r.parts) == 0 {
			t.Errorf("%s says too little of itself", r.name)
		}
		for _, part := range r.parts {
			names, err := filepath.Glob(filepath.Join("..", "..", part.folder, "*_test.go"))
			if err != nil || len(names) == 0 {
				t.Fatalf("%s: no tests in %s, %v", r.name, part.folder, err)
			}
			found, wanted := 0, regexp.MustCompile(part.tests)
			for _, name := range names {
				text, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				for _, match := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(text), -1) {
					if wanted.MatchString(match[1]) {
						found++
					}
				}
			}
			if found == 0 {
				t.Errorf("%s: %s has no test that matches %s", r.name, part.folder, part.tests)
			}
		}
	}
}

// TestDrillContract compares the two sides of the contract.
func TestDrillContract(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("drill", "drill.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{drillSeedEnv, drillSizeEnv, drillLogEnv, `"` + drillMark + `"`} {
		if !strings.Contains(string(text), word) {
			t.Errorf("package drill does not say %s", word)
		}
	}
}
