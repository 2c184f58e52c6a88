package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The house in one table: what a room may import besides itself, the standard
// library and the words of the trade. The rooms meet in the two mains only.
var mayImport = map[string][]string{
	"ui":             {"imaging", "assets"},
	"imaging":        {"assets"},
	"sync":           {},
	"storage":        {},
	"assets":         {},
	"app/qc":         {"app/money"},
	"app/refund":     {"app/qc", "app/money"},
	"app/money":      {},
	"app/settings":   {"app/durable"},
	"app/durable":    {},
	"app/door":       {"app/durable"},
	"app/logbook":    {},
	"app/locale":     {},
	"app/command":    {"app/door", "assets"},
	"app/dev":        {},
	"app/archive":    {},
	"app/handout":    {"app/command", "imaging/evidence"},
	"app/load":       {"sync/client", "sync/outbox", "storage/blob", "storage/local"},
	"app/measure":    {"app/load", "ui/widgets", "imaging", "storage", "assets"},
	"app":            {"app/archive", "app/command", "app/door", "app/durable", "app/handout", "app/locale", "app/logbook", "app/settings", "ui", "imaging", "sync", "storage", "assets"},
	"app/central":    {"app/archive", "app/command", "app/door", "app/handout", "app/logbook", "app/settings", "ui/web", "imaging/photo", "sync/intake", "sync/notify", "sync/shops", "sync/wire", "storage/blob", "storage/central", "assets"},
	"app/journey":    {"app", "ui", "imaging", "sync", "storage", "assets"},
	"words of trade": {"app/qc", "app/refund", "app/money"},
}

// Third-party modules have one home each.
var homes = map[string][]string{
	"fyne.io/fyne/v2/app":                   {"app", "app/measure/frames"},
	"fyne.io/fyne/v2":                       {"app", "app/measure/frames", "ui/bench", "ui/widgets", "ui/look"},
	"go.etcd.io/bbolt":                      {"storage/local", "storage/storagetest"},
	"github.com/hashicorp/go-retryablehttp": {"sync/client"},
	"github.com/disintegration/imaging":     {"imaging/photo"},
	"modernc.org/sqlite":                    {"storage/central"},
	"github.com/fogleman/gg":                {"imaging/annotate"},
	"github.com/danielgtaylor/huma/v2":      {"sync/intake", "sync/openapi", "sync/shops"},
	"github.com/chromedp/chromedp":          {"app/journey/chromium"},
	"github.com/fsnotify/fsnotify":          {"imaging/capture"},
	"github.com/pressly/goose/v3":           {"storage/central"},
	"github.com/zalando/go-keyring":         {"app"},
	"github.com/anishathalye/porcupine":     {"storage/central"},
	"github.com/minio/minio-go/v7":          {"storage/blob"},
	"github.com/wneessen/go-mail":           {"sync/notify"},
	"github.com/coreos/go-oidc/v3":          {"ui/web/signon"},
	"github.com/SherClockHolmes/webpush-go": {"sync/notify"},
	"golang.org/x/oauth2":                   {"ui/web/signon"},
	"github.com/prometheus/client_golang":   {"app/central"},
	"golang.org/x/text":                     {"storage/central"},
	"github.com/go-pdf/fpdf":                {"ui/web"},
}

// file is a Go file of the house with what it imports.
type file struct {
	path    string // slash-separated, from the root
	test    bool
	imports []string
}

func TestHouse_RoomsKnowOnlyWhomTheyMay(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t, "..") {
		for _, imported := range f.imports {
			if complaint := crosses(f, imported); complaint != "" {
				t.Errorf("%s imports %s: %s", f.path, imported, complaint)
			}
		}
	}
}

func TestHouse_FoldersOfRoomsHoldNoFiles(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t, "..") {
		if slices.Contains([]string{"ui", "imaging", "sync", "storage"}, path.Dir(f.path)) {
			t.Errorf("%s: this folder holds packages, not a package", f.path)
		}
	}
}

func TestHouse_ACrossedWallIsSeen(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in, imported string
		crossed      bool
	}{
		"sync to storage":          {"sync/outbox/a.go", "flawmark/storage/local", true},
		"within a room":            {"sync/outbox/a.go", "flawmark/sync/wire", false},
		"words of the trade":       {"storage/local/a.go", "flawmark/app/qc", false},
		"ui to imaging":            {"ui/model/a.go", "flawmark/imaging/photo", false},
		"imaging to ui":            {"imaging/photo/a.go", "flawmark/ui/look", true},
		"domain to room":           {"app/qc/a.go", "flawmark/ui/model", true},
		"bbolt away from home":     {"sync/client/a.go", "go.etcd.io/bbolt", true},
		"driver outside the main":  {"ui/bench/a.go", "fyne.io/fyne/v2/app", true},
		"toolkit in a view model":  {"ui/model/a.go", "fyne.io/fyne/v2/widget", true},
		"centre with a screen":     {"app/central/a.go", "flawmark/ui/bench", true},
		"set-up with a dependency": {"app/dev/a.go", "golang.org/x/sync/errgroup", true},
		"wire with a dependency":   {"sync/wire/a.go", "github.com/google/uuid", true},
		"money with a dependency":  {"app/money/a.go", "github.com/google/uuid", true},
	} {
		if got := crosses(file{path: tt.in}, tt.imported) != ""; got != tt.crossed {
			t.Errorf("%s: crossed %t, want %t", name, got, tt.crossed)
		}
	}
}

// crosses says which wall the import crosses, or "".
func crosses(f file, imported string) string {
	dir := path.Dir(f.path)
	if inside, ok := strings.CutPrefix(imported, "flawmark/"); ok {
		room := roomOf(dir)
		allowed := append(slices.Clone(mayImport[room]), mayImport["words of trade"]...)
		if strings.HasPrefix(room, "app/") && slices.Contains(mayImport["words of trade"], room) || room == "assets" {
			allowed = mayImport[room]
		}
		if within(inside, []string{room}) && room != "app" || within(inside, allowed) || f.test && within(inside, []string{"app", "assets"}) {
			return ""
		}
		if f.test && room == "app/central" && inside == "storage/storagetest" { // servers to talk to
			return ""
		}
		return "not allowed for " + room
	}
	external := strings.Contains(strings.Split(imported, "/")[0], ".")
	if !external || f.test {
		return ""
	}
	if slices.Contains([]string{"app/dev", "sync/wire", "app/money", "app/settings", "app/door", "app/durable", "app/archive", "app/logbook", "assets"}, dir) {
		return "this package uses the standard library only"
	}
	home, longest := []string(nil), 0
	for module, places := range homes {
		if within(imported, []string{module}) && len(module) > longest {
			home, longest = places, len(module)
		}
	}
	if longest > 0 && !slices.Contains(home, dir) {
		return "its home is " + strings.Join(home, ", ")
	}
	return ""
}

// roomOf returns the room that a folder belongs to.
func roomOf(dir string) string {
	parts := strings.Split(dir, "/")
	if parts[0] == "app" && len(parts) > 1 {
		return "app/" + parts[1]
	}
	return parts[0]
}

func within(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool {
		return name == prefix || strings.HasPrefix(name, prefix+"/")
	})
}

func goFiles(t *testing.T, root string) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && name != root {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		f, err := read(root, name)
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("only %d files found: looked in the wrong place", len(files))
	}
	return files
}

func read(root, name string) (file, error) {
	source, err := os.ReadFile(name)
	if err != nil {
		return file{}, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		return file{}, err
	}
	relative, err := filepath.Rel(root, name)
	if err != nil {
		return file{}, err
	}
	f := file{path: filepath.ToSlash(relative), test: strings.HasSuffix(name, "_test.go")}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return file{}, err
		}
		f.imports = append(f.imports, imported)
	}
	return f, nil
}
