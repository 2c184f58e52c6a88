package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// A repository with a centre that says which version it is.
func tinyRepository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"go.mod":    "module flawmark\n\ngo 1.26.0\n",
		"README.md": "# Flawmark\n",
		"FyneApp.toml": "[Details]\nIcon = \"assets/icon.png\"\nName = \"Flawmark\"\nID = \"io.flawmark.station\"\nVersion = \"0.1.0\"\n" +
			"[LinuxAndBSD]\nGenericName = \"a\"\nComment = \"b\"\nCategories = [\"c\"]\nKeywords = [\"d\"]\n",
		"app/central/main.go":                         "package main\n\nimport \"runtime/debug\"\n\nfunc main() {\n\tinfo, _ := debug.ReadBuildInfo()\n\tprintln(info.Main.Version)\n}\n",
		"app/central/deploy/flawmark-central.service": "[Unit]\n",
		"app/central/deploy/Dockerfile":               "FROM scratch\n",
	}
	for from := range adopted() {
		name, _ := strings.CutSuffix(from, noticeOf)
		files[name] = "/*! Copyright (C) of somebody */\n"
	}
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	git(t, root, "init", "--quiet")
	commit(t, root)
	return root
}

func git(t *testing.T, root string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=dev", "-c", "user.email=dev@example.com", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"}, args...)...)
	cmd.Dir = root
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", args[0], err, said)
	}
}

func commit(t *testing.T, root string) {
	t.Helper()
	git(t, root, "add", ".")
	git(t, root, "commit", "--quiet", "--message", "all")
}

// packaged runs the command on a repository and returns what is in its folder
// and what it said.
func packaged(t *testing.T, root string) (out map[string][]byte, said string, err error) {
	t.Helper()
	var words strings.Builder
	dir := filepath.Join(t.TempDir(), "out")
	tool := &tool{host: thisHost(), root: root, out: &words, now: time.Now}
	err = runPackage(t.Context(), tool, []string{"--only", here(), "--out", dir})
	out = map[string][]byte{}
	entries, _ := os.ReadDir(dir) // there is none after a refusal
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = data
	}
	return out, words.String(), err
}

func here() string { return "centre-" + runtime.GOOS + "-" + runtime.GOARCH }

func TestPackage_IsMadeOfTheCommitAlone(t *testing.T) {
	t.Parallel()
	root := tinyRepository(t)
	git(t, root, "tag", "v0.1.0")
	first, said, err := packaged(t, root)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	name := "flawmark-central-0.1.0-" + runtime.GOOS + "-" + runtime.GOARCH
	archive := name + ".tar.gz"
	if runtime.GOOS == "windows" {
		archive = name + ".zip"
	}
	if len(first) != 2 || !strings.HasSuffix(string(first["SHA256SUMS"]), "  "+archive+"\n") {
		t.Fatalf("made %q, checksums %q", namesOf(first), first["SHA256SUMS"])
	}
	files := unpack(t, archive, first[archive])
	for _, want := range []string{
		"README.md", "app/central/deploy/flawmark-central.service", "LICENSES/" + runtime.Version() + "/LICENSE",
		"LICENSES/heif/LICENSE.libheif", "LICENSES/openseadragon/LICENSE.txt",
	} {
		if len(files[name+"/"+want]) == 0 {
			t.Errorf("%s is not in the package, or empty", want)
		}
	}
	if _, there := files[name+"/app/central/deploy/Dockerfile"]; there {
		t.Error("the Dockerfile is in the package, which builds from a source that is not")
	}
	b := bundle{product: centre(), goos: runtime.GOOS}
	program := filepath.Join(t.TempDir(), b.program())
	if err := os.WriteFile(program, files[name+"/"+b.program()], 0o700); err != nil {
		t.Fatal(err)
	}
	if version, err := exec.Command(program).CombinedOutput(); err != nil || string(version) != "v0.1.0\n" {
		t.Errorf("the packed program says %q, %v", version, err)
	}

	// What somebody is in the middle of stays out.
	if err := os.WriteFile(filepath.Join(root, "README.md"), []byte("half a thought"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "app", "central", "broken.go"), []byte("package"), 0o600); err != nil {
		t.Fatal(err)
	}
	second, said, err := packaged(t, root)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if !strings.Contains(said, "README.md") {
		t.Errorf("it does not say what stays out:\n%s", said)
	}
	if !bytes.Equal(first["SHA256SUMS"], second["SHA256SUMS"]) || !bytes.Equal(first[archive], second[archive]) {
		t.Errorf("the same commit made two packages:\n%s%s", first["SHA256SUMS"], second["SHA256SUMS"])
	}

	git(t, root, "checkout", "--quiet", "README.md")
	if err := os.Remove(filepath.Join(root, "app", "central", "broken.go")); err != nil {
		t.Fatal(err)
	}
	git(t, root, "commit", "--quiet", "--allow-empty", "--message", "more")
	between, _, err := packaged(t, root)
	if err != nil || !slices.ContainsFunc(namesOf(between), func(n string) bool { return strings.HasPrefix(n, "flawmark-central-0.1.1-0.20") }) {
		t.Errorf("between two releases: made %q, %v", namesOf(between), err)
	}
	git(t, root, "tag", "v0.2.0")
	if made, _, err := packaged(t, root); err == nil || !strings.Contains(err.Error(), "the tag says v0.2.0 and FyneApp.toml 0.1.0") || len(made) > 0 {
		t.Errorf("a tag that says something else: made %q, %v", namesOf(made), err)
	}
}

func TestPackage_WantsACommit(t *testing.T) {
	root := t.TempDir()
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(root))
	if made, _, err := packaged(t, root); err == nil || !strings.Contains(err.Error(), "made of a commit") {
		t.Errorf("made %q, %v", namesOf(made), err)
	}
}

func namesOf(files map[string][]byte) []string {
	var list []string
	for name := range files {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func TestPackage_RefusesWhatCannotBeMadeHere(t *testing.T) {
	t.Parallel()
	for _, b := range bundles() {
		refusal := b.refusal("linux", "amd64")
		makes := b.pure() || b.String() == "station-linux-amd64"
		if makes != (refusal == "") {
			t.Errorf("%s: refusal %q", b, refusal)
		}
		if refusal != "" && !strings.Contains(refusal, "run this") {
			t.Errorf("%s: %q does not say what to do", b, refusal)
		}
	}
	if _, err := parsePackage([]string{"--only", "station-plan9-mips"}); !errors.Is(err, errUsage) {
		t.Errorf("an unknown package: %v", err)
	}
}

// unpack reads an archive and looks at what must not differ from run to run.
func unpack(t *testing.T, name string, data []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	last := ""
	keep := func(name string, content io.Reader, err error) {
		t.Helper()
		data, readErr := io.ReadAll(content)
		if err := errors.Join(err, readErr); err != nil {
			t.Fatal(err)
		}
		if name <= last {
			t.Errorf("%s comes after %s", name, last)
		}
		last, files[name] = name, data
	}
	if strings.HasSuffix(name, ".zip") {
		archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.File {
			content, err := f.Open()
			keep(f.Name, content, err)
		}
		return files
	}
	plain, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(plain)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Uid != 0 || header.Uname != "" {
			t.Errorf("%s belongs to %d %q", header.Name, header.Uid, header.Uname)
		}
		keep(header.Name, archive, nil)
	}
}

func TestArchives_HoldTheSameInOrder(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 28, 21, 0, 0, 0, time.UTC)
	files := []packed{{"b/é.txt", 0o644, []byte("two")}, {"a", 0o755, []byte("one")}}
	turned := []packed{files[1], files[0]}
	for name, write := range map[string]func(string, []packed, time.Time) ([]byte, error){"x.tar.gz": tarred, "x.zip": zipped} {
		data, err := write("x", files, at)
		again, errAgain := write("x", turned, at)
		if err != nil || errAgain != nil || !bytes.Equal(data, again) {
			t.Errorf("%s: two archives of the same files, %v, %v", name, err, errAgain)
		}
		if got := unpack(t, name, data); len(got) != 2 || string(got["x/a"]) != "one" || string(got["x/b/é.txt"]) != "two" {
			t.Errorf("%s holds %q", name, got)
		}
	}
}

func TestLicences_AreFoundWhereverThingsLie(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{
		"LICENSE", "license.go", "deep/NOTICE", "deep/used/used.go", "deep/used/COPYING", "deep/used/fonts/OFL.txt",
		"deep/used/testdata/LICENSE", "deep/used/other/other.go", "deep/used/other/LICENSE", "unused/LICENSE",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(name), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	found, err := licenceFiles(dir, []string{filepath.Join(dir, "deep", "used")})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "licences", namesOf(found), []string{"LICENSE", "deep/NOTICE", "deep/used/COPYING", "deep/used/fonts/OFL.txt"})
}

// Whoever brings somebody else's work into the repository has its licence shipped.
func TestAdopted_IsAllThatLiesInTheRepository(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	for from := range adopted() {
		name, notice := strings.CutSuffix(from, noticeOf)
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err == nil && notice {
			_, err = firstComment(data)
		}
		if err != nil {
			t.Error(err)
		}
	}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (e.Name() == ".git" || e.Name() == "testdata") {
			return filepath.SkipDir
		}
		name, err := filepath.Rel(root, path)
		_, known := adopted()[filepath.ToSlash(name)]
		if e.Type().IsRegular() && (isLicence(e.Name()) || strings.HasPrefix(e.Name(), "CREDITS")) && !known {
			t.Errorf("%s is in no package: name it in adopted", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStationContents_AreWhatFyneAppSays(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the station is packed on Linux only")
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(shell) // any program that loads libraries
	if err != nil {
		t.Fatal(err)
	}
	files, err := stationContents(built{source: source{root: filepath.Join("..", "..")}, binary: binary, version: "0.1.0"})
	if err != nil {
		t.Fatal(err)
	}
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "prefix")
	got := map[string][]byte{}
	for _, f := range append(files, packed{"flawmark", 0o755, binary}, packed{"LICENSES/x", 0o644, nil}) {
		got[f.name] = f.data
		path := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.data, fs.FileMode(f.mode))); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"io.flawmark.station.desktop": "\nExec=flawmark\nIcon=io.flawmark.station\nTerminal=false\nCategories=Office;Graphics;\n",
		"INSTALL.txt":                 "libc.so.6",
	} {
		if !strings.Contains(string(got[name]), want) {
			t.Errorf("%q is not in %s:\n%s", want, name, got[name])
		}
	}
	if said, err := exec.Command("sh", filepath.Join(dir, "install.sh"), to).CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, said)
	}
	for _, name := range []string{
		"bin/flawmark", "share/applications/io.flawmark.station.desktop", "share/icons/hicolor/512x512/apps/io.flawmark.station.png",
		"share/doc/flawmark/LICENSES/x",
	} {
		if _, err := os.Stat(filepath.Join(to, name)); err != nil {
			t.Error(err)
		}
	}
}
