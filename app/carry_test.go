package main

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flawmark/app/archive"
	"flawmark/app/qc"
	"flawmark/storage/local"
	"flawmark/sync/intake"
	"flawmark/sync/intake/intaketest"
)

// known enrols a folder's station without a centre that would have to approve.
func (f *folder) known(id qc.StationID, centre, instance string) ed25519.PublicKey {
	f.t.Helper()
	if exit, _, errOut := f.run("queue", "--key-store", "file"); exit != 0 {
		f.t.Fatal(errOut)
	}
	key, err := readKeyFile(f.dir)
	f.try(err)
	store, err := local.Open(f.dir, local.Options{})
	f.try(err)
	identity := qc.Identity{Station: id, Name: "Bench " + string(id), Centre: centre, Instance: instance}
	f.try(errors.Join(store.SetIdentity(f.t.Context(), identity), store.Close()))
	return key.Public().(ed25519.PublicKey)
}

func (f *folder) must(args ...string) string {
	f.t.Helper()
	exit, out, errOut := f.run(append(args, "--key-store", "file")...)
	if exit != 0 {
		f.t.Fatalf("%q: exit %d: %s", args, exit, errOut)
	}
	return out
}

func emptyFolder(t *testing.T) *folder {
	t.Helper()
	f := &folder{t: t, dir: filepath.Join(t.TempDir(), "data")}
	f.try(os.Mkdir(f.dir, 0o700))
	return f
}

// TestCarriedArrivesOnce takes a queue to the centre by another station's
// hands, twice, and then by its own station. Nothing happens twice.
func TestCarriedArrivesOnce(t *testing.T) {
	centre := intaketest.New("s1", nil)
	handler, err := intake.New(centre.Config())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	origin, carrier := newFolder(t), emptyFolder(t)
	centre.Stations["s1"] = intake.Station{ID: "s1", Key: origin.known("s1", server.URL, "centre-1")}
	centre.Stations["s2"] = intake.Station{ID: "s2", Key: carrier.known("s2", server.URL, "centre-1")}
	stick := filepath.Join(t.TempDir(), "bench.queue")

	var told carriedManifest
	origin.try(json.Unmarshal([]byte(origin.must("queue", "export", stick, "--json")), &told))
	if told.Events != 3 || told.Photos != 3 || told.Missing != 0 || told.Station != "s1" {
		t.Errorf("exported %+v", told)
	}
	if exit, _, _ := origin.run("queue", "export", stick); exit == 0 {
		t.Error("an existing file was replaced")
	}
	if exit, _, _ := origin.run("queue", "import", stick); exit == 0 {
		t.Error("a station took its own queue")
	}
	carrier.must("queue", "import", stick)
	carrier.must("queue", "import", stick)
	if len(centre.Applied) != 0 {
		t.Error("it was sent before anybody asked")
	}
	carrier.must("sync", "--once")
	wholeOnce := func(when string) {
		t.Helper()
		centre.Lock()
		defer centre.Unlock()
		if len(centre.Applied) != 3 || len(centre.Files) != 3 {
			t.Errorf("%s: %d events, %d photos", when, len(centre.Applied), len(centre.Files))
		}
		for id, times := range centre.Effects {
			if times != 1 {
				t.Errorf("%s: %s happened %d times", when, id, times)
			}
		}
	}
	wholeOnce("carried")
	if out := origin.must("queue", "--json"); strings.Count(out, `"delivery":"here"`) != 3 {
		t.Errorf("the origin's queue was touched: %s", out)
	}
	carrier.must("queue", "import", stick)
	carrier.must("sync", "--once")
	origin.must("sync", "--once")
	wholeOnce("in the end")
	if out := origin.must("queue", "--json"); strings.Count(out, `"delivery":"accepted"`) != 3 {
		t.Errorf("the origin did not learn of it: %s", out)
	}
	if out := origin.must("queue", "--photos", "--json"); strings.Count(out, `"state":"accepted"`) != 3 {
		t.Errorf("photos: %s", out)
	}
	if exit, _, errOut := origin.run("queue", "export", stick+"2"); exit == 0 || strings.Contains(errOut, "cli.") {
		t.Errorf("nothing to export: exit %d, %s", exit, errOut)
	}
}

// rezip writes a zip anew with some of its files changed.
func rezip(t *testing.T, from string, change func(name string, data []byte) []byte) string {
	t.Helper()
	reader, err := zip.OpenReader(from)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, file := range reader.File {
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		if data = change(file.Name, data); data == nil {
			continue
		}
		to, err := w.Create(file.Name)
		if err == nil {
			_, err = to.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	to := filepath.Join(t.TempDir(), "altered")
	if err := errors.Join(w.Close(), os.WriteFile(to, out.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestAlteredQueueIsRefused(t *testing.T) {
	origin, carrier := newFolder(t), emptyFolder(t)
	origin.known("s1", "http://127.0.0.1:1", "centre-1")
	carrier.known("s2", "http://127.0.0.1:1", "centre-1")
	stick := filepath.Join(t.TempDir(), "bench.queue")
	origin.must("queue", "export", stick)
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(stick)
	if err != nil {
		t.Fatal(err)
	}
	replace := func(in, old, with string) func(string, []byte) []byte {
		return func(name string, data []byte) []byte {
			if strings.HasPrefix(name, in) {
				return bytes.ReplaceAll(data, []byte(old), []byte(with))
			}
			return data
		}
	}
	flipped := func(prefix string) func(string, []byte) []byte {
		return func(name string, data []byte) []byte {
			if strings.HasPrefix(name, prefix) {
				return flip(data)
			}
			return data
		}
	}
	without := func(prefix string) func(string, []byte) []byte {
		return func(name string, data []byte) []byte {
			if strings.HasPrefix(name, prefix) {
				return nil
			}
			return data
		}
	}
	for name, file := range map[string]string{
		"an event altered":     rezip(t, stick, flipped("batches/")),
		"another station":      rezip(t, stick, replace("manifest.json", `"s1"`, `"s9"`)),
		"another centre":       rezip(t, stick, replace("manifest.json", `centre-1`, `centre-2`)),
		"a photo replaced":     rezip(t, stick, flipped("blobs/")),
		"a photo gone":         rezip(t, stick, without("blobs/")),
		"events gone":          rezip(t, stick, without("batches/")),
		"no signature":         rezip(t, stick, without("manifest.sig")),
		"a stranger signed it": rezip(t, stick, resign(t, stick, stranger)),
		"cut short":            written(t, whole[:len(whole)-100]),
		"no zip":               written(t, []byte("hello")),
		"empty":                written(t, nil),
	} {
		t.Run(name, func(t *testing.T) {
			exit, out, errOut := carrier.run("queue", "import", file, "--key-store", "file")
			if exit == 0 || strings.Contains(errOut, "cli.") || errOut == "" {
				t.Errorf("exit %d, %s%s", exit, out, errOut)
			}
		})
	}
	store, err := local.Inspect(carrier.dir, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if carried, err := store.Carried(t.Context(), 10); err != nil || len(carried) != 0 {
		t.Errorf("%d batches were taken, %v", len(carried), err)
	}
}

// resign signs the manifest with another key that it names.
func resign(t *testing.T, stick string, key ed25519.PrivateKey) func(string, []byte) []byte {
	t.Helper()
	var signature []byte
	rezip(t, stick, func(name string, data []byte) []byte {
		if name == archive.ManifestName {
			signature = ed25519.Sign(key, manifestMessage(withKey(t, data, key)))
		}
		return data
	})
	return func(name string, data []byte) []byte {
		switch name {
		case archive.ManifestName:
			return withKey(t, data, key)
		case carriedSignature:
			return signature
		}
		return data
	}
}

func withKey(t *testing.T, data []byte, key ed25519.PrivateKey) []byte {
	t.Helper()
	var m carriedManifest
	err := json.Unmarshal(data, &m)
	m.Key = key.Public().(ed25519.PublicKey)
	altered, marshal := json.Marshal(m)
	if err = errors.Join(err, marshal); err != nil {
		t.Fatal(err)
	}
	return altered
}

func written(t *testing.T, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestQueueTellsOfEachPhoto plants damage in one that waits.
func TestQueueTellsOfEachPhoto(t *testing.T) {
	f := newFolder(t)
	f.overwrite(f.blob(f.sent), flip)
	var states []string
	decoder := json.NewDecoder(strings.NewReader(f.must("queue", "--photos", "--json")))
	for {
		var row photoRow
		if err := decoder.Decode(&row); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		states = append(states, string(row.State)+row.Problem)
	}
	slices.Sort(states)
	if !slices.Equal(states, []string{"attentionerror.blob_damaged", "here", "here"}) {
		t.Errorf("%q", states)
	}
	if out := f.must("queue", "--photos"); strings.Contains(out, "delivery.") || strings.Contains(out, "cli.") {
		t.Errorf("says %s", out)
	}
}

func FuzzCarriedQueue(f *testing.F) {
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := openCarried(t.Context(), written(t, data))
		if err == nil {
			_ = file.Close()
			t.Error("a file that nobody signed was taken")
		}
	})
}
