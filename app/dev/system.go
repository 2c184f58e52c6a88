package main

import (
	"bufio"
	"io/fs"
	"strconv"
	"strings"
)

// family is a group of systems whose packages bear the same names.
type family string

const (
	debian  family = "debian"
	ubuntu  family = "ubuntu"
	fedora  family = "fedora"
	arch    family = "arch"
	macos   family = "macos"
	windows family = "windows"
	// foreign is a system this tool knows no package names for.
	foreign family = "foreign"
)

// installs tells whether the tool may install packages there by itself.
func (f family) installs() bool { return f == debian || f == ubuntu }

// byHand is the command that installs packages where the tool leaves it to the
// user.
func (f family) byHand(packages []string) string {
	list := strings.Join(packages, " ")
	switch f {
	case debian, ubuntu:
		return "sudo apt-get update && sudo apt-get install -y --no-install-recommends " + list
	case fedora:
		return "sudo dnf install -y " + list
	case arch:
		return "sudo pacman -S --needed " + list
	case macos:
		return "brew install " + list
	case windows:
		return "winget install --id MSYS2.MSYS2, then in its UCRT64 window: pacman -S --needed " + list
	default:
		return "install with your package manager (Debian's names): " + list
	}
}

// system is the computer's operating system as far as packages are concerned.
type system struct {
	family family
	name   string // for people, such as "Debian GNU/Linux 12 (bookworm)"
}

// identify reads which system this is.
func identify(h host) system {
	switch h.goos {
	case "darwin":
		return system{macos, "macOS"}
	case "windows":
		return system{windows, "Windows"}
	case "linux":
	default:
		return system{foreign, h.goos}
	}
	text, err := fs.ReadFile(h.files, "etc/os-release")
	if err != nil {
		if text, err = fs.ReadFile(h.files, "usr/lib/os-release"); err != nil {
			return system{foreign, "Linux without /etc/os-release"}
		}
	}
	release := parseOSRelease(string(text))
	return system{familyOf(release["ID"], release["ID_LIKE"]), osName(release)}
}

// familyOf maps an os-release ID to a family; a derivative names what it is
// like, nearest first.
func familyOf(id, like string) family {
	for _, name := range append([]string{id}, strings.Fields(like)...) {
		switch name {
		case "debian", "raspbian":
			return debian
		case "ubuntu":
			return ubuntu
		case "fedora", "rhel", "centos":
			return fedora
		case "arch":
			return arch
		}
	}
	return foreign
}

func osName(release map[string]string) string {
	for _, key := range []string{"PRETTY_NAME", "NAME", "ID"} {
		if release[key] != "" {
			return release[key]
		}
	}
	return "Linux"
}

// parseOSRelease reads the KEY=value lines of os-release(5): values may be in
// double or single quotes, # begins a comment line.
func parseOSRelease(text string) map[string]string {
	values := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		key, value, found := strings.Cut(line, "=")
		if !found || strings.HasPrefix(line, "#") {
			continue
		}
		if plain, err := strconv.Unquote(value); err == nil && strings.HasPrefix(value, `"`) {
			value = plain
		} else if len(value) > 1 && value[0] == '\'' && value[len(value)-1] == '\'' {
			value = value[1 : len(value)-1]
		}
		values[key] = value
	}
	return values
}
