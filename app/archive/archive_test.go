package archive

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
)

// boxes are archives for tests.
func boxes() Kind {
	return Kind{Program: "box", Version: 2, Database: "box.db", Others: func(name string) bool { return name == "settings.json" || strings.HasPrefix(name, "log/") }}
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// box writes an archive; change alters its manifest.
func box(tb testing.TB, change func(*Manifest)) []byte {
	tb.Helper()
	var file bytes.Buffer
	a := NewWriter(&file, noon)
	photo := qc.DigestOf([]byte("photo"))
	for name, content := range map[string]string{"box.db": "database", "log/1": strings.Repeat("line\n", 1000), BlobName(photo): "photo"} {
		if err := a.Add(tb.Context(), name, strings.NewReader(content)); err != nil {
			tb.Fatal(err)
		}
	}
	m := Manifest{Version: 1, Program: "box", MadeAt: noon, Files: a.Files()}
	if change != nil {
		change(&m)
	}
	if err := a.Finish(m); err != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

func open(tb testing.TB, data []byte) (*Archive, error) {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), "box.zip")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		tb.Fatal(err)
	}
	return boxes().Open(tb.Context(), name)
}

func TestOpen_ExtractsWhatWasWritten(t *testing.T) {
	t.Parallel()
	a, err := open(t, box(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	dir := t.TempDir()
	if err := a.Extract(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"box.db": "database", BlobName(qc.DigestOf([]byte("photo"))): "photo"} {
		if data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))); err != nil || string(data) != want {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	var own struct{ Program string }
	if err := a.Read(&own); err != nil || own.Program != "box" || !a.MadeAt.Equal(noon) {
		t.Errorf("manifest %+v, %v", own, err)
	}
}

func TestOpen_RefusesWhatIsNotAsWritten(t *testing.T) {
	t.Parallel()
	whole := box(t, nil)
	hostile := func(names ...string) []byte {
		var file bytes.Buffer
		w := zip.NewWriter(&file)
		m := Manifest{Version: 1, Program: "box"}
		for _, name := range append([]string{"box.db"}, names...) {
			f, err := w.Create(name)
			if err == nil {
				_, err = f.Write([]byte("x"))
			}
			if err != nil {
				t.Fatal(err)
			}
			m.Files = append(m.Files, File{Name: name, Bytes: 1, Hash: qc.DigestOf([]byte("x"))})
		}
		f, err := w.Create(ManifestName)
		if err == nil {
			err = json.NewEncoder(f).Encode(m)
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return file.Bytes()
	}
	if a, err := open(t, hostile()); err != nil {
		t.Fatalf("the pattern of the others: %v", err)
	} else if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		data []byte
		want error
	}{
		"empty":              {nil, ErrDamaged},
		"torn":               {whole[:len(whole)-50], ErrDamaged},
		"another program":    {box(t, func(m *Manifest) { m.Program = "crate" }), ErrDamaged},
		"a later version":    {box(t, func(m *Manifest) { m.Version = 3 }), ErrNewer},
		"another hash":       {box(t, func(m *Manifest) { m.Files[0].Hash = qc.DigestOf(nil) }), ErrDamaged},
		"longer than it is":  {box(t, func(m *Manifest) { m.Files[0].Bytes++ }), ErrDamaged},
		"shorter than it is": {box(t, func(m *Manifest) { m.Files[0].Bytes-- }), ErrDamaged},
		"one not listed":     {box(t, func(m *Manifest) { m.Files = m.Files[1:] }), ErrDamaged},
		"one twice":          {hostile("box.db"), ErrDamaged},
		"out of the folder":  {hostile("../x"), ErrDamaged},
		"from the root":      {hostile("/etc/x"), ErrDamaged},
		"a backslash":        {hostile(`log\x`), ErrDamaged},
		"a drive":            {hostile("C:x"), ErrDamaged},
		"a photo elsewhere":  {hostile("blobs/00/" + string(qc.DigestOf(nil))), ErrDamaged},
		"what no kind holds": {hostile("door.json"), ErrDamaged},
	} {
		if a, err := open(t, tt.data); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %v, want %v", name, a, err, tt.want)
		}
	}
}

func TestCreate_LeavesNothingUnfinished(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "box.zip")
	write := func(text string) func(string) error {
		return func(temp string) error {
			return WriteNew(temp, func(w io.Writer) error {
				_, err := io.WriteString(w, text)
				return err
			})
		}
	}
	sound := func(string) error { return nil }
	broken := errors.New("broken")
	if err := Create(name, write("a"), func(string) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("read back: %v", err)
	}
	if err := Create(name, write("a"), func(string) error { return os.WriteFile(name, []byte("theirs"), 0o600) }); !errors.Is(err, ErrExists) {
		t.Errorf("somebody was faster: %v", err)
	}
	if err := Create(name, write("a"), sound); !errors.Is(err, ErrExists) {
		t.Errorf("there already: %v", err)
	}
	other := filepath.Join(dir, "other.zip")
	if err := Create(other, write("b"), sound); err != nil {
		t.Error(err)
	}
	for path, want := range map[string]string{name: "theirs", other: "b"} {
		if data, err := os.ReadFile(path); err != nil || string(data) != want {
			t.Errorf("%s: %q, %v", path, data, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 2 {
		t.Errorf("left behind %v", left)
	}
}

// Whatever a file holds, it is refused or it is whole; nothing else happens.
func FuzzOpen(f *testing.F) {
	whole := box(f, nil)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := open(t, data)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
				t.Error(err)
			}
			return
		}
		if err := errors.Join(a.Extract(t.Context(), t.TempDir()), a.Close()); err != nil {
			t.Error(err)
		}
	})
}
