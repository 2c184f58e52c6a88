package main

import (
	"testing"
	"testing/fstest"
)

const debianRelease = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
# a comment=with an equals sign
ID=debian
`

func TestParseOSRelease(t *testing.T) {
	got := parseOSRelease(debianRelease + "SINGLE='a b'\nEMPTY=\nESCAPED=\"say \\\"hi\\\"\"\nBROKEN=\"open\nno equals\n")
	want := map[string]string{
		"PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)", "NAME": "Debian GNU/Linux", "ID": "debian",
		"SINGLE": "a b", "EMPTY": "", "ESCAPED": `say "hi"`, "BROKEN": `"open`,
	}
	if len(got) != len(want) {
		t.Errorf("got %d values %v, want %d", len(got), got, len(want))
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s = %q, want %q", key, got[key], value)
		}
	}
}

func TestIdentify(t *testing.T) {
	for _, c := range []struct {
		name, goos, release string
		want                system
	}{
		{"debian", "linux", debianRelease, system{debian, "Debian GNU/Linux 12 (bookworm)"}},
		{"mint is like ubuntu", "linux", "ID=linuxmint\nNAME=Mint\nID_LIKE=\"ubuntu debian\"", system{ubuntu, "Mint"}},
		{"rocky", "linux", "ID=rocky\nID_LIKE=\"rhel centos fedora\"", system{fedora, "rocky"}},
		{"arch", "linux", "ID=arch\nNAME=\"Arch Linux\"", system{arch, "Arch Linux"}},
		{"alpine", "linux", "ID=alpine", system{foreign, "alpine"}},
		{"no release file", "linux", "", system{foreign, "Linux without /etc/os-release"}},
		{"mac", "darwin", "", system{macos, "macOS"}},
		{"windows", "windows", "", system{windows, "Windows"}},
		{"bsd", "openbsd", "", system{foreign, "openbsd"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := fstest.MapFS{}
			if c.release != "" {
				files["etc/os-release"] = &fstest.MapFile{Data: []byte(c.release)}
			}
			if got := identify(host{goos: c.goos, files: files}); got != c.want {
				t.Errorf("identify = %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestHasDisplay(t *testing.T) {
	for _, c := range []struct {
		name, goos string
		env        map[string]string
		want       bool
	}{
		{"linux with X", "linux", map[string]string{"DISPLAY": ":0"}, true},
		{"linux with Wayland", "linux", map[string]string{"WAYLAND_DISPLAY": "wayland-0"}, true},
		{"linux without", "linux", nil, false},
		{"mac", "darwin", nil, true},
		{"windows", "windows", nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := host{goos: c.goos, getenv: func(key string) string { return c.env[key] }}
			if got := h.hasDisplay(); got != c.want {
				t.Errorf("hasDisplay = %v, want %v", got, c.want)
			}
		})
	}
}
