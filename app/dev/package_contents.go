package main

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// centreContents are what a server needs besides the program: how to deploy it,
// and the files that the README copies.
func centreContents(made built) ([]packed, error) {
	files, err := collect(made.source.root, map[string]string{"README.md": "README.md"})
	if err != nil {
		return nil, err
	}
	const examples = "app/central/deploy"
	entries, err := os.ReadDir(filepath.Join(made.source.root, filepath.FromSlash(examples)))
	if err != nil {
		return nil, fmt.Errorf("collect the examples: %w", err)
	}
	for _, e := range entries {
		if e.Name() == "Dockerfile" || e.Name() == "compose.yaml" { // they build from the source
			continue
		}
		// Under the names that the README knows.
		example, err := collect(made.source.root, map[string]string{path.Join(examples, e.Name()): path.Join(examples, e.Name())})
		if err != nil {
			return nil, err
		}
		files = append(files, example...)
	}
	return files, nil
}

// stationContents are what a desktop needs besides the program, as FyneApp.toml
// describes it.
func stationContents(made built) ([]packed, error) {
	app, err := readFyneApp(made.source.root)
	if err != nil {
		return nil, err
	}
	id := app.text("Details", "ID")
	files, err := collect(made.source.root, map[string]string{"README.md": "README.md", app.text("Details", "Icon"): id + ".png"})
	if err != nil {
		return nil, err
	}
	needed, err := librariesOf(made.binary)
	if err != nil {
		return nil, err
	}
	return append(files,
		packed{id + ".desktop", 0o644, desktopEntry(app)},
		packed{"install.sh", 0o755, installer(id)},
		packed{"INSTALL.txt", 0o644, installation(made.version, needed)},
	), nil
}

// desktopEntry is how the station appears in a desktop's menu.
func desktopEntry(app fyneApp) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "[Desktop Entry]\nType=Application\nName=%s\n", app.text("Details", "Name"))
	fmt.Fprintf(&out, "GenericName=%s\nComment=%s\n", app.text("LinuxAndBSD", "GenericName"), app.text("LinuxAndBSD", "Comment"))
	fmt.Fprintf(&out, "Exec=%s\nIcon=%s\nTerminal=false\n", station().file, app.text("Details", "ID"))
	fmt.Fprintf(&out, "Categories=%s;\nKeywords=%s;\n",
		strings.Join(app.list("LinuxAndBSD", "Categories"), ";"), strings.Join(app.list("LinuxAndBSD", "Keywords"), ";"))
	return out.Bytes()
}

func installer(id string) []byte {
	return fmt.Appendf(nil, `#!/bin/sh
# Installs the station below a folder: sh install.sh [FOLDER], /usr/local without one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-/usr/local}
install -D -m 755 "$here/%[1]s" "$to/bin/%[1]s"
install -D -m 644 "$here/%[2]s.desktop" "$to/share/applications/%[2]s.desktop"
install -D -m 644 "$here/%[2]s.png" "$to/share/icons/hicolor/512x512/apps/%[2]s.png"
mkdir -p "$to/share/doc/%[1]s"
cp -R "$here/LICENSES" "$here/README.md" "$to/share/doc/%[1]s/"
`, station().file, id)
}

func installation(version string, needed libraries) []byte {
	return fmt.Appendf(nil, `Flawmark station %s

As root:            sh install.sh
Without being root: sh install.sh ~/.local
Or start it here:   ./%s

It wants glibc %s or newer, and these libraries of the system:
  %s
(“ldd %[2]s” says which of them are missing).
README.md says how a station is enrolled; LICENSES holds the licences of what it is made of.
`, version, station().file, needed.glibc, strings.Join(needed.names, "\n  "))
}

// libraries are what a program for Linux loads when it starts.
type libraries struct {
	names []string
	glibc string // the oldest that has all it calls, such as "2.34"
}

func librariesOf(binary []byte) (libraries, error) {
	program, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return libraries{}, fmt.Errorf("read the program's libraries: %w", err)
	}
	defer program.Close()
	names, err := program.ImportedLibraries()
	if err != nil {
		return libraries{}, fmt.Errorf("read the program's libraries: %w", err)
	}
	symbols, err := program.ImportedSymbols()
	if err != nil {
		return libraries{}, fmt.Errorf("read what the program calls: %w", err)
	}
	newest := 0
	for _, s := range symbols {
		minor, ok := strings.CutPrefix(s.Version, "GLIBC_2.")
		minor, _, _ = strings.Cut(minor, ".")
		if n, err := strconv.Atoi(minor); ok && err == nil {
			newest = max(newest, n)
		}
	}
	slices.Sort(names)
	return libraries{names, fmt.Sprintf("2.%d", newest)}, nil
}

// collect reads files of the repository; names says what they are called in the
// archive.
func collect(root string, names map[string]string) ([]packed, error) {
	var files []packed
	for from, to := range names {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(from)))
		if err != nil {
			return nil, fmt.Errorf("collect %s: %w", from, err)
		}
		files = append(files, packed{to, 0o644, data})
	}
	return files, nil
}

// fyneApp is FyneApp.toml: its values, as written, by section and key.
type fyneApp map[string]map[string]string

// readFyneApp reads as much of TOML as that file uses: sections, and keys with a
// value on the same line.
func readFyneApp(root string) (fyneApp, error) {
	data, err := os.ReadFile(filepath.Join(root, "FyneApp.toml"))
	if err != nil {
		return nil, fmt.Errorf("read what the station is called: %w", err)
	}
	app, section := fyneApp{}, ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(name, "]")
			app[section] = map[string]string{}
			continue
		}
		if key, value, found := strings.Cut(line, "="); found && app[section] != nil {
			app[section][strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	for section, keys := range map[string][]string{
		"Details": {"Icon", "Name", "ID", "Version"}, "LinuxAndBSD": {"GenericName", "Comment", "Categories", "Keywords"},
	} {
		for _, key := range keys {
			if app.text(section, key) == "" && len(app.list(section, key)) == 0 {
				return nil, fmt.Errorf("FyneApp.toml does not say %s in [%s]", key, section)
			}
		}
	}
	return app, nil
}

// text returns a string; TOML writes these as JSON does.
func (a fyneApp) text(section, key string) string {
	var text string
	if json.Unmarshal([]byte(a[section][key]), &text) != nil {
		return ""
	}
	return text
}

func (a fyneApp) list(section, key string) []string {
	var list []string
	if json.Unmarshal([]byte(a[section][key]), &list) != nil {
		return nil
	}
	return list
}
