package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func missingNames(t *testing.T, m machine, f family, wanted purpose) []string {
	t.Helper()
	var list []string
	for _, n := range missingNeeds(t.Context(), m.host(), f, needs(), wanted) {
		list = append(list, n.name)
	}
	return list
}

func TestNeedsTableIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range needs() {
		if seen[n.name] {
			t.Errorf("%s is there twice", n.name)
		}
		seen[n.name] = true
		if n.why == "" || n.present == nil || n.purpose == 0 {
			t.Errorf("%s lacks its why, its probe or its purpose", n.name)
		}
		if (n.standIn == nil) != (n.standsIn == nil) {
			t.Errorf("%s has a stand-in without a probe for it, or a probe without one", n.name)
		}
		// All of it is needed on Linux, so each family must say how to get it.
		for _, f := range []family{debian, ubuntu, fedora, arch, foreign} {
			r, known := n.remedies[f]
			if !known || (len(r.packages) == 0) == (r.byHand == "") {
				t.Errorf("%s on %s has neither packages nor a sentence, or both", n.name, f)
			}
		}
		if n.purpose&(toPlay|toCompare) != 0 && (len(n.remedies[macos].packages) > 0 || len(n.remedies[windows].packages) > 0) {
			t.Errorf("%s is for the virtual screen or for bench, which only Linux has", n.name)
		}
	}
}

func TestMissingNeeds(t *testing.T) {
	whole := completeMachine()
	for _, c := range []struct {
		name   string
		change func(m *machine)
		wanted purpose
		want   []string
	}{
		{"nothing missing", func(*machine) {}, toBuild | toPlay, nil},
		{"no clang", func(m *machine) {
			m.programs = append(without(m.programs, "clang"), "gcc")
			m.answers = map[string]string{"gcc -fsyntax-only -x c -": "", "fc-list :lang=zh-cn family": "Noto", "chromium --version": "Chromium 1"}
		}, toBuild | toPlay, []string{"clang"}},
		{"a window does not need the virtual screen", func(m *machine) {
			m.programs = without(without(m.programs, "Xvfb"), "chromium")
			m.files = m.files[:1]
		}, toBuild, nil},
		{"the journey does", func(m *machine) {
			m.programs = without(without(m.programs, "Xvfb"), "chromium")
			m.files = m.files[:1]
		}, toBuild | toPlay, []string{"software OpenGL", "Xvfb", "Chromium"}},
		{"a browser that is only a shell", func(m *machine) {
			m.programs = append(without(m.programs, "chromium"), "chromium-browser")
		}, toPlay, []string{"Chromium"}},
		{"another browser", func(m *machine) {
			m.programs = append(without(m.programs, "chromium"), "google-chrome")
			m.answers["google-chrome --version"] = "Google Chrome 156\n"
		}, toPlay, nil},
		{"fonts without Chinese", func(m *machine) { m.answers["fc-list :lang=zh-cn family"] = "\n" }, toBuild, []string{"a Chinese font"}},
		{"headers missing", func(m *machine) { delete(m.answers, compiles) }, toBuild, []string{"OpenGL headers", "X headers", "libjpeg-turbo"}},
		{"convert does not make an import", func(m *machine) {
			m.programs = append(without(m.programs, "import"), "convert")
		}, toPlay, []string{"ImageMagick's import"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := whole
			m.programs = slices.Clone(whole.programs)
			m.answers = maps.Clone(whole.answers)
			c.change(&m)
			equal(t, "missing", missingNames(t, m, debian, c.wanted), c.want)
		})
	}
}

func TestHeadersBeforeThereIsACompiler(t *testing.T) {
	m := machine{files: []string{"usr/include/GL/gl.h", "usr/include/stdio.h", "usr/include/x86_64-linux-gnu/jpeglib.h"}}
	for _, c := range []struct {
		names []string
		want  bool
	}{
		{[]string{"GL/gl.h"}, true},
		{[]string{"jpeglib.h"}, true},
		{[]string{"jpeglib.h", "GL/glx.h"}, false},
	} {
		if got := header(c.names...)(t.Context(), m.host()); got != c.want {
			t.Errorf("header(%v) = %v, want %v", c.names, got, c.want)
		}
	}
}

func TestBareDebianPlan(t *testing.T) {
	bare := machine{release: debianRelease}
	missing := missingNeeds(t.Context(), bare.host(), debian, needs(), toBuild|toPlay|toCompare|toDrill)
	if len(missing) != len(needs()) {
		t.Errorf("%d missing, want all %d", len(missing), len(needs()))
	}
	p := planFor(debian, missing, preferred)
	if len(p.sentences) > 0 {
		t.Errorf("Debian has packages for everything, yet: %v", p.sentences)
	}
	if !slices.IsSorted(p.packages) || len(slices.Compact(slices.Clone(p.packages))) != len(p.packages) {
		t.Errorf("packages are not sorted or repeat: %v", p.packages)
	}
	for _, name := range []string{"clang", "lld", "xvfb", "chromium", "libjpeg62-turbo-dev", "fonts-noto-cjk", "ca-certificates"} {
		if !slices.Contains(p.packages, name) {
			t.Errorf("%s is not in the plan %v", name, p.packages)
		}
	}
	stand := planFor(debian, missing, substitute).packages
	if slices.Contains(stand, "clang") || !slices.Contains(stand, "gcc") || !slices.Contains(stand, "xvfb") {
		t.Errorf("the plan with stand-ins is %v", stand)
	}
}

func TestFamiliesAreToldWhatToInstall(t *testing.T) {
	bare := machine{}
	for f, want := range map[family][]string{
		ubuntu:  {"libjpeg-turbo8-dev", "Google Chrome"},
		fedora:  {"sudo dnf install -y ", "mesa-libGL-devel"},
		arch:    {"sudo pacman -S --needed ", "libxxf86vm"},
		macos:   {"brew install jpeg-turbo", "xcode-select --install"},
		windows: {"winget install --id MSYS2.MSYS2", "mingw-w64-ucrt-x86_64-clang"},
		foreign: {"Debian's names", "xorg-dev"},
	} {
		text := instructions(f, missingNeeds(t.Context(), bare.host(), f, needs(), toBuild|toPlay))
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s: %q is not in\n%s", f, part, text)
			}
		}
		if f != ubuntu && f != debian && strings.Contains(text, "apt-get") {
			t.Errorf("%s has no apt-get:\n%s", f, text)
		}
	}
}
