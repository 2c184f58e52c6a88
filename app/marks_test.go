package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flawmark/app/qc"
	"flawmark/storage/local"
)

// draft reads the inspection in progress.
func (f *benchFolder) draft() qc.Draft {
	f.t.Helper()
	store, err := local.Open(f.dir, local.Options{})
	f.try(err)
	d, err := store.Draft(f.t.Context(), "20481-3")
	f.try(err)
	f.try(store.Close())
	return d
}

func TestMarks_ThereAndBack(t *testing.T) {
	for form, name := range map[string]string{"sheet": "2-sole.jpg.qc.json", "w3c": "2-sole.w3c.json", "labelme": "2-sole.json"} {
		t.Run(form, func(t *testing.T) {
			f := newBenchFolder(t)
			dir := f.out()
			f.succeeds("marks", "export", "20481-2", "--format", form, "--out", dir)
			recorded := f.finding
			said, _ := f.succeeds("marks", "import", filepath.Join(dir, name), "--item", "20481-3")
			if !strings.Contains(said, "marks 1, flaws 1; left out: 0") {
				t.Errorf("said %s", said)
			}
			d := f.draft()
			if len(d.Finding.Marks) != 2 || len(d.Finding.Flaws) != 2 || d.Finding.Flaws[1] != recorded.Flaws[1] || d.Finding.Marks[1].Tool != qc.Arrow ||
				!slices.Equal(d.Finding.Marks[1].Points, recorded.Marks[1].Points) || d.Finding.Marks[1].Photo != "p2" {
				t.Errorf("draft %+v", d.Finding)
			}
			if past, _ := d.History.Unfold(d.Finding); len(past) != 1 || len(past[0].Marks) != 1 {
				t.Errorf("undo leads to %+v", past)
			}
			f.succeeds("marks", "import", filepath.Join(dir, name), "--item", "20481-3")
			if again := f.draft(); len(again.Finding.Marks) != 2 || len(again.Finding.Flaws) != 2 {
				t.Errorf("twice: %+v", again.Finding)
			}
		})
	}
}

func TestMarks_ExportSaysWhatIsLeftOut(t *testing.T) {
	f := newBenchFolder(t)
	dir := f.out()
	said, warned := f.succeeds("marks", "export", "20481-2", "--format", "coco", "--out", dir)
	if !strings.Contains(warned, "Left out: 2 Arrow. It encloses nothing") || !strings.Contains(said, ": 1; marks in them: 1.") {
		t.Errorf("said %s%s", said, warned)
	}
	data, err := os.ReadFile(filepath.Join(dir, "coco.json"))
	if err != nil || !json.Valid(data) {
		t.Error(err)
	}
	f.fails("not empty", "marks", "export", "20481-2", "--out", dir)
	f.fails("xml", "marks", "export", "20481-2", "--format", "xml", "--out", f.out())
	f.succeeds("marks", "export", "20481-3", "--draft", "--out", f.out())
	f.fails("No inspection", "marks", "export", "20481-2", "--draft", "--out", f.out())
}

func TestMarks_ImportRefuses(t *testing.T) {
	f := newBenchFolder(t)
	dir := f.out()
	f.succeeds("marks", "export", "20481-2", "--out", dir)
	sheet, err := os.ReadFile(filepath.Join(dir, "1-left_ toe_.JPG.qc.json"))
	if err != nil {
		sheet, err = os.ReadFile(filepath.Join(dir, "1-left_ toe_.jpg.qc.json"))
	}
	f.try(err)
	before := f.draft()
	other := string(qc.DigestOf([]byte("other")))
	path := filepath.Join(t.TempDir(), "marks.json")
	for words, data := range map[string]string{
		"line 2, column 3":          "{\n  x}",
		"another photo":             strings.Replace(string(sheet), string(f.finding.Photos[0].Digest), other, 1),
		"newer version":             strings.Replace(string(sheet), "flawmark.marks/1", "flawmark.marks/9", 1),
		"outside of the photo":      strings.Replace(string(sheet), `"x":300,`, `"x":1e300,`, 1),
		"in another way":            strings.Replace(string(sheet), "origin top left", "origin at the centre", 1),
		"not a file of marks":       `{"schema":"something else"}`,
		"holds more":                `{"shapes":[` + strings.Repeat(" ", 17<<20) + `]}`,
		"of several shapes":         `[{"id":"a","type":"Annotation","target":{"selector":[{"type":"SvgSelector"},{"type":"SvgSelector"}]}}]`,
		"cannot be drawn here":      `[{"id":"a","type":"Annotation","target":"x"}]`,
		"which photo it belongs":    `[{"id":"a","type":"Annotation","target":"x#xywh=1,2,3,4"}]`,
		"line 1, column 1: nothing": "",
	} {
		words, _, _ = strings.Cut(words, ": nothing")
		f.try(os.WriteFile(path, []byte(data), 0o600))
		f.fails(words, "marks", "import", path, "--item", "20481-3")
	}
	f.try(os.WriteFile(path, sheet, 0o600))
	f.fails("No item 99999-9", "marks", "import", path, "--item", "99999-9")
	f.fails("No inspection", "marks", "import", path, "--item", "20481-2")
	f.fails("--item", "marks", "import", path)
	f.fails("no photo 7", "marks", "import", path, "--item", "20481-3", "--photo", "7")
	f.fails("another photo", "marks", "import", path, "--item", "20481-3", "--photo", "2")
	f.fails("gone.json", "marks", "import", "gone.json", "--item", "20481-3")
	f.fails("coco", "marks", "import", path, "--item", "20481-3", "--format", "coco")
	if after := f.draft(); len(after.Finding.Marks) != len(before.Finding.Marks) || !after.UpdatedAt.Equal(before.UpdatedAt) {
		t.Errorf("the draft changed: %+v", after.Finding)
	}
}

// What cannot be recorded is left out and named; the rest is taken.
func TestMarks_ImportLeavesOut(t *testing.T) {
	f := newBenchFolder(t)
	path := filepath.Join(t.TempDir(), "marks.json")
	f.try(os.WriteFile(path, []byte(`{"imageWidth":2400,"imageHeight":1800,"shapes":[
		{"label":"Z99","shape_type":"rectangle","points":[[1,2],[30,40]]},
		{"label":"T01","shape_type":"polygon","points":[[1,2],[30,40],[5,90]]},
		{"label":"mark","shape_type":"point","points":[[9,9]],"flawmark":{"mark":"x","type":"text"}}]}`), 0o600))
	said, warned := f.succeeds("marks", "import", path, "--item", "20481-3")
	if !strings.Contains(said, "marks 2, flaws 1; left out: 2") || !strings.Contains(warned, "Z99") || strings.Count(warned, "\n") != 2 {
		t.Errorf("said %s%s", said, warned)
	}
	if d := f.draft().Finding; d.Flaws[1].Code != "T01" || d.Flaws[1].Severity != qc.Minor || d.Flaws[1].Quantity != 1 || d.Marks[1].Flaw != "" {
		t.Errorf("draft %+v", d)
	}
}

// A redaction that is taken hides on the derivatives at once.
func TestMarks_ImportRedacts(t *testing.T) {
	f := newBenchFolder(t)
	path := filepath.Join(t.TempDir(), "marks.json")
	f.try(os.WriteFile(path, []byte(`{"imageWidth":2400,"imageHeight":1800,"shapes":[
		{"label":"redaction","shape_type":"rectangle","points":[[100,200],[300,400]],"flawmark":{"mark":"r","type":"redact"}}]}`), 0o600))
	f.succeeds("marks", "import", path, "--item", "20481-3")
	d := f.draft().Finding
	if p := d.Photos[0]; p.Redactions == "" || p.Redactions != d.Redactions("p1") || p.Preview == f.finding.Photos[0].Preview {
		t.Errorf("photo %+v", p)
	}
}

func TestExport_HasTheMarksBesideTheOriginals(t *testing.T) {
	f := newBenchFolder(t)
	dir := f.out()
	f.succeeds("export", dir)
	found, err := filepath.Glob(filepath.Join(dir, "20481-2", "*", "*.qc.json"))
	if err != nil || len(found) != 2 {
		t.Fatalf("%v, %v", found, err)
	}
	for _, name := range found {
		if _, err := os.Stat(strings.TrimSuffix(name, ".qc.json")); err != nil {
			t.Error(err)
		}
	}
	f.succeeds("marks", "import", found[0], "--item", "20481-3")
}
