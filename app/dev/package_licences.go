package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// licencesDir is the folder of an archive for the licences of what is in it.
const licencesDir = "LICENSES"

// adopted are the words about works of others that lie in this repository and
// are baked into both programs, by what they are called in an archive.
func adopted() map[string]string {
	return map[string]string{
		"assets/fonts/OFL.txt":                   "fonts/OFL.txt",
		"assets/fonts/README.md":                 "fonts/README.md",
		"assets/photos/CREDITS.md":               "photos/CREDITS.md",
		"imaging/photo/heif/LICENSE.libheif":     "heif/LICENSE.libheif",
		"imaging/photo/heif/LICENSE.libde265":    "heif/LICENSE.libde265",
		"imaging/photo/heif/README.md":           "heif/README.md",
		"assets/web/openseadragon.js" + noticeOf: "openseadragon/LICENSE.txt",
	}
}

// noticeOf marks a source file whose licence is the comment that it begins with.
const noticeOf = "#notice"

// licences returns the licences of all that is in a program: Go itself, every
// module of which a package is linked, and what the repository has adopted. It
// fails rather than leave one out.
func (t *tool) licences(ctx context.Context, b bundle, info *buildinfo.BuildInfo, env []string) ([]packed, error) {
	var files []packed
	add := func(folder string, from map[string][]byte) {
		for name, data := range from {
			files = append(files, packed{path.Join(licencesDir, folder, name), 0o644, data})
		}
	}
	for from, to := range adopted() {
		source, notice := strings.CutSuffix(from, noticeOf)
		data, err := os.ReadFile(filepath.Join(t.root, filepath.FromSlash(source)))
		if err != nil {
			return nil, fmt.Errorf("collect licences: %w", err)
		}
		if notice {
			if data, err = firstComment(data); err != nil {
				return nil, fmt.Errorf("collect the licence in %s: %w", source, err)
			}
		}
		add("", map[string][]byte{to: data})
	}
	root, err := t.goSays(ctx, env, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	own, err := licenceFiles(root[0], nil)
	if err != nil {
		return nil, err
	}
	if len(own) == 0 {
		return nil, fmt.Errorf("the licence of Go itself is not in %s: package with Go from https://go.dev/dl/", root[0])
	}
	add(info.GoVersion, own)
	modules, err := t.linkedModules(ctx, b, env)
	if err != nil {
		return nil, err
	}
	for _, dep := range info.Deps {
		if _, known := modules[dep.Path]; !known {
			return nil, fmt.Errorf("%s is linked, and not among the packages listed", dep.Path)
		}
	}
	for name, m := range modules {
		found, err := licenceFiles(m.dir, m.packages)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s has no licence in %s", name, m.dir)
		}
		add(name+"@"+m.version, found)
	}
	return files, nil
}

// module is a module of others with the folders of those of its packages that
// are linked.
type module struct {
	version, dir string
	packages     []string
}

func (t *tool) linkedModules(ctx context.Context, b bundle, env []string) (map[string]module, error) {
	const row = "{{if .Module}}{{if not .Module.Main}}{{.Module.Path}}\t{{.Module.Version}}\t{{.Module.Dir}}\t{{.Dir}}{{end}}{{end}}"
	lines, err := t.goSays(ctx, env, slices.Concat([]string{"list", "-deps", "-f", row}, b.flags, []string{b.path})...)
	if err != nil {
		return nil, err
	}
	modules := map[string]module{}
	for _, line := range lines {
		cells := strings.Split(line, "\t")
		if len(cells) != 4 {
			continue
		}
		m := modules[cells[0]]
		m.version, m.dir, m.packages = cells[1], cells[2], append(m.packages, cells[3])
		modules[cells[0]] = m
	}
	return modules, nil
}

// goSays returns the lines that a go command prints.
func (t *tool) goSays(ctx context.Context, env []string, args ...string) ([]string, error) {
	cmd := t.goCommand(ctx, args...)
	cmd.Env = append(cmd.Env, env...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, complaint.Bytes())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n"), nil
}

// licenceFiles finds the licences of a module: in its own folder, in those of its
// packages and those between, and in what lies below a package without being one
// (fonts, sources in C).
func licenceFiles(dir string, packages []string) (map[string][]byte, error) {
	found := map[string][]byte{}
	read := func(folder string) error {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return fmt.Errorf("look for licences: %w", err)
		}
		for _, e := range entries {
			if !e.Type().IsRegular() || !isLicence(e.Name()) {
				continue
			}
			file := filepath.Join(folder, e.Name())
			name, err := filepath.Rel(dir, file)
			if err != nil {
				return fmt.Errorf("look for licences: %w", err)
			}
			if found[filepath.ToSlash(name)], err = os.ReadFile(file); err != nil {
				return fmt.Errorf("read a licence: %w", err)
			}
		}
		return nil
	}
	if err := read(dir); err != nil {
		return nil, err
	}
	for _, p := range packages {
		for above := filepath.Dir(p); len(above) > len(dir); above = filepath.Dir(above) {
			if err := read(above); err != nil {
				return nil, err
			}
		}
		err := filepath.WalkDir(p, func(folder string, e fs.DirEntry, err error) error {
			switch {
			case err != nil || !e.IsDir():
				return err
			case folder != p && (e.Name() == "testdata" || isPackage(folder)):
				return filepath.SkipDir
			}
			return read(folder)
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func isPackage(folder string) bool {
	sources, err := filepath.Glob(filepath.Join(folder, "*.go"))
	return err == nil && len(sources) > 0
}

// isLicence knows a licence by its file's name.
func isLicence(name string) bool {
	name = strings.ToLower(name)
	if slices.Contains([]string{".go", ".js", ".json", ".py"}, path.Ext(name)) {
		return false
	}
	for _, word := range []string{"license", "licence", "copying", "copyright", "notice", "patents", "unlicense", "ofl"} {
		if strings.HasPrefix(name, word) {
			return true
		}
	}
	return false
}

// firstComment returns the comment that a script begins with.
func firstComment(script []byte) ([]byte, error) {
	text, begins := bytes.CutPrefix(script, []byte("/*!"))
	text, _, ends := bytes.Cut(text, []byte("*/"))
	if !begins || !ends || !bytes.Contains(text, []byte("Copyright")) {
		return nil, errors.New("it does not begin with one")
	}
	return append(bytes.TrimSpace(text), '\n'), nil
}
