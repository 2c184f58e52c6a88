package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"flawmark/app/command"
	"flawmark/app/door"
	"flawmark/app/qc"
	"flawmark/assets"
	"flawmark/ui/bench"
	"flawmark/ui/model"
	"flawmark/ui/model/modeltest"
)

// While the window shows an item its draft is the window's: marks that come
// from a file would be lost under the next stroke, or take one away.
func TestMarks_ImportLeavesTheItemInTheWindowAlone(t *testing.T) {
	f := newBenchFolder(t)
	sheet := filepath.Join(f.out(), "2-sole.jpg.qc.json")
	f.succeeds("marks", "export", "20481-2", "--out", filepath.Dir(sheet))
	before := f.draft()

	s := f.opened(time.Now)
	catalogue, err := qc.ParseCatalogue(assets.FlawCatalogue())
	f.try(err)
	words, err := assets.LoadWords("en")
	f.try(err)
	s.flaws = catalogue
	work := model.NewWork(func(do func()) { do() })
	models := model.New(model.Parts{
		Store: s.store, Blobs: s.shelf().Blobs, Engine: &modeltest.Engine{}, Catalogue: catalogue, Work: work, Now: time.Now,
		Settings: model.Settings{Language: "en", Scale: 1},
	})
	s.window = bench.New(bench.Config{App: test.NewTempApp(t), Station: models, Words: words, Now: time.Now})

	take := func() (status int, said string) {
		var out, complaint bytes.Buffer
		status = program().Answer(command.Holding(t.Context(), s), door.Call{
			Args: []string{"marks", "import", sheet, "--item", "20481-3"},
		}, nil, &out, &complaint)
		return status, out.String() + complaint.String()
	}
	models.Inspection.Scan("20481-3")
	work.Settle(context.Background())
	if shown := s.window.Describe().Item; shown != "20481-3" {
		t.Fatalf("the window shows %q", shown)
	}
	if status, said := take(); status == 0 || !strings.Contains(said, "open in the window") {
		t.Errorf("with the item in the window: %d, %s", status, said)
	}
	draft, err := s.store.Draft(t.Context(), "20481-3")
	f.try(err)
	if len(draft.Finding.Marks) != len(before.Finding.Marks) {
		t.Errorf("the draft has got %d marks", len(draft.Finding.Marks))
	}

	models.Inspection.Scan("20481-2")
	work.Settle(context.Background())
	if status, said := take(); status != 0 {
		t.Errorf("with another item in the window: %d, %s", status, said)
	}
}
