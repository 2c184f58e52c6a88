package main

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// purpose is what something is needed for.
type purpose uint8

const (
	// toBuild: compiling the station and the centre and opening the window.
	toBuild purpose = 1 << iota
	// toPlay: the journey by itself, on a virtual screen and in a browser.
	toPlay
	// toCompare: the programs that bench measures the product against.
	toCompare
	// toDrill: what makes things go wrong, or tries what only the README says. The
	// test run drills, too.
	toDrill
)

// need is one thing the machine must have.
type need struct {
	name    string
	why     string
	purpose purpose
	present probe
	// remedies says how each family of systems gets it. A system that is not
	// listed has no use for it (Xvfb on Windows) or brings it (git on a Mac).
	remedies map[family]remedy
	// standIn are packages that also do when this one cannot be had, and
	// standsIn finds them. Nil: nothing else will do.
	standIn  map[family]remedy
	standsIn probe
}

// remedy is how to get a thing: packages of the system's own package manager,
// or a sentence where there is no package.
type remedy struct {
	packages []string
	byHand   string
}

func packages(names ...string) remedy { return remedy{packages: names} }
func sentence(text string) remedy     { return remedy{byHand: text} }

// probe looks for the thing itself, not for a package's name.
type probe func(ctx context.Context, h host) bool

// needs is the one table of what the project wants from a machine.
func needs() []need {
	return []need{
		{
			name: "certificates", why: "to check whom modules are downloaded from", purpose: toBuild,
			present:  file("etc/ssl/certs/ca-certificates.crt", "etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/cert.pem", "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
			remedies: everyLinux("ca-certificates"),
		},
		{
			name: "git", why: "to fetch modules that are served from their own repositories", purpose: toBuild,
			present:  program("git"),
			remedies: with(everyLinux("git"), windows, sentence("winget install --id Git.Git")),
		},
		{
			name: "clang", why: "C compiler; the window's OpenGL binding takes it 30 s, gcc 5 min", purpose: toBuild,
			present: program("clang"),
			remedies: with(with(everyLinux("clang"), macos, sentence("xcode-select --install")),
				windows, packages("mingw-w64-ucrt-x86_64-clang")),
			standIn:  map[family]remedy{debian: packages("gcc", "libc6-dev"), ubuntu: packages("gcc", "libc6-dev")},
			standsIn: program("gcc"),
		},
		{
			name: "lld", why: "linker that goes with clang, links the station in a second", purpose: toBuild,
			present:  program("ld.lld"),
			remedies: with(everyLinux("lld"), windows, packages("mingw-w64-ucrt-x86_64-lld")),
			standIn:  map[family]remedy{debian: packages("binutils"), ubuntu: packages("binutils")},
			standsIn: program("ld"),
		},
		{
			name: "pkg-config", why: "tells the compiler where C libraries are", purpose: toBuild,
			present: program("pkg-config"),
			remedies: with(with(map[family]remedy{
				debian: packages("pkg-config"), ubuntu: packages("pkg-config"), fedora: packages("pkgconf-pkg-config"),
				arch: packages("pkgconf"), foreign: packages("pkg-config"),
			}, macos, packages("pkg-config")), windows, packages("mingw-w64-ucrt-x86_64-pkgconf")),
		},
		{
			name: "OpenGL headers", why: "the station's window is drawn with OpenGL", purpose: toBuild,
			present: header("GL/gl.h"),
			remedies: map[family]remedy{
				debian: packages("libgl1-mesa-dev"), ubuntu: packages("libgl1-mesa-dev"), fedora: packages("mesa-libGL-devel"),
				arch: packages("mesa", "libglvnd"), foreign: packages("libgl1-mesa-dev"),
			},
		},
		{
			name: "X headers", why: "the station's window, its keys and its screens", purpose: toBuild,
			present: header("X11/Xlib.h", "X11/Xcursor/Xcursor.h", "X11/extensions/Xrandr.h", "X11/extensions/Xinerama.h",
				"X11/extensions/XInput2.h", "X11/extensions/xf86vmode.h"),
			remedies: map[family]remedy{
				debian: packages("xorg-dev"), ubuntu: packages("xorg-dev"), foreign: packages("xorg-dev"),
				fedora: packages("libX11-devel", "libXcursor-devel", "libXrandr-devel", "libXinerama-devel", "libXi-devel", "libXxf86vm-devel"),
				arch:   packages("libx11", "libxcursor", "libxrandr", "libxinerama", "libxi", "libxxf86vm", "xorgproto"),
			},
		},
		{
			name: "libjpeg-turbo", why: "decodes and writes photos several times faster than Go's own codec", purpose: toBuild,
			present: header("stdio.h", "jpeglib.h"),
			remedies: map[family]remedy{
				debian:  packages("libjpeg62-turbo-dev"),
				ubuntu:  packages("libjpeg-turbo8-dev"),
				foreign: packages("libjpeg62-turbo-dev"),
				fedora:  packages("libjpeg-turbo-devel"), arch: packages("libjpeg-turbo"),
				macos: packages("jpeg-turbo"), windows: packages("mingw-w64-ucrt-x86_64-libjpeg-turbo"),
			},
		},
		{
			name: "fontconfig", why: "finds the system's fonts", purpose: toBuild,
			present: program("fc-list"), remedies: everyLinux("fontconfig"),
		},
		{
			name: "a Chinese font", why: "the window and the pages speak Chinese too", purpose: toBuild,
			present: chineseFont,
			remedies: map[family]remedy{
				debian: packages("fonts-noto-cjk"), ubuntu: packages("fonts-noto-cjk"), foreign: packages("fonts-noto-cjk"),
				fedora: packages("google-noto-sans-cjk-fonts"), arch: packages("noto-fonts-cjk"),
			},
		},
		{
			name: "software OpenGL", why: "draws the window where there is no graphics card", purpose: toPlay,
			present: file("usr/lib/*/dri/swrast_dri.so", "usr/lib64/dri/swrast_dri.so", "usr/lib/dri/swrast_dri.so",
				"usr/lib/*/libgallium-*.so", "usr/lib64/libgallium-*.so", "usr/lib/libgallium-*.so"),
			remedies: map[family]remedy{
				debian: packages("libgl1-mesa-dri"), ubuntu: packages("libgl1-mesa-dri"), foreign: packages("libgl1-mesa-dri"),
				fedora: packages("mesa-dri-drivers"), arch: packages("mesa"),
			},
		},
		{
			name: "Xvfb", why: "the virtual screen", purpose: toPlay,
			present: program("Xvfb"),
			remedies: map[family]remedy{
				debian: packages("xvfb"), ubuntu: packages("xvfb"), foreign: packages("xvfb"),
				fedora: packages("xorg-x11-server-Xvfb"), arch: packages("xorg-server-xvfb"),
			},
		},
		{
			name: "openbox", why: "window manager of the virtual screen: gives the window focus and size", purpose: toPlay,
			present: program("openbox"), remedies: everyLinux("openbox"),
		},
		{
			name: "xdotool", why: "types and clicks in the real window", purpose: toPlay,
			present: program("xdotool"), remedies: everyLinux("xdotool"),
		},
		{
			name: "xwininfo", why: "tells where the window is", purpose: toPlay,
			present: program("xwininfo"),
			remedies: map[family]remedy{
				debian: packages("x11-utils"), ubuntu: packages("x11-utils"), foreign: packages("x11-utils"),
				fedora: packages("xwininfo"), arch: packages("xorg-xwininfo"),
			},
		},
		{
			name: "ImageMagick's import", why: "takes the screenshots", purpose: toPlay,
			present: program("import"),
			remedies: map[family]remedy{
				debian: packages("imagemagick"), ubuntu: packages("imagemagick"), foreign: packages("imagemagick"),
				fedora: packages("ImageMagick"), arch: packages("imagemagick"),
			},
		},
		{
			name: "Chromium", why: "opens the order page and the desk as a customer's browser does", purpose: toPlay,
			present: browser,
			remedies: map[family]remedy{
				debian: packages("chromium"), foreign: packages("chromium"), fedora: packages("chromium"), arch: packages("chromium"),
				// Ubuntu's package chromium-browser is an empty shell that fetches
				// the snap, and snaps cannot run in most containers.
				ubuntu: sentence("install Google Chrome from https://www.google.com/chrome/ (Ubuntu has Chromium only as a snap: sudo snap install chromium)"),
			},
		},
		{
			name: "curl", why: "asks the centre as the README shows it", purpose: toDrill,
			present: program("curl"), remedies: everyLinux("curl"),
		},
		{
			name: "jq", why: "reads the centre's answers as the README shows it", purpose: toDrill,
			present: program("jq"), remedies: everyLinux("jq"),
		},
		{
			name: "Caddy", why: "the example for a proxy in front of the centre is tried with it", purpose: toDrill,
			present: program("caddy"), remedies: everyLinux("caddy"),
		},
		{
			name: "nginx", why: "as Caddy", purpose: toDrill,
			present: file("usr/sbin/nginx", "usr/bin/nginx", "usr/local/sbin/nginx"), remedies: everyLinux("nginx"),
		},
		{
			name: "systemd-analyze", why: "reads the units of the centre's service as systemd does", purpose: toDrill,
			present: program("systemd-analyze"), remedies: everyLinux("systemd"),
		},
		{
			name: "promtool", why: "reads the centre's metrics and the example alerts as Prometheus does", purpose: toDrill,
			present: program("promtool"), remedies: with(everyLinux("prometheus"), fedora, packages("golang-github-prometheus")),
		},
		{
			name: "strace", why: "records a station's system calls for power cuts, and has them fail", purpose: toDrill,
			present: program("strace"), remedies: everyLinux("strace"),
		},
		{
			name: "PostgreSQL", why: "the centre's store is tried on its server, too", purpose: toDrill,
			present: file("usr/lib/postgresql/*/bin/initdb", "usr/bin/initdb", "usr/local/bin/initdb"),
			remedies: map[family]remedy{
				debian: packages("postgresql"), ubuntu: packages("postgresql"), foreign: packages("postgresql"),
				fedora: packages("postgresql-server"), arch: packages("postgresql"),
			},
		},
		{
			name: "libvips", why: "bench compares previews, thumbnails and pyramids with it", purpose: toCompare,
			present: together("vips", "vipsthumbnail"),
			remedies: map[family]remedy{
				debian: packages("libvips-tools"), ubuntu: packages("libvips-tools"), foreign: packages("libvips-tools"),
				fedora: packages("vips-tools"), arch: packages("libvips"),
			},
		},
		{
			name: "libjpeg-turbo's programs", why: "bench compares decoding, burning in and regions with them", purpose: toCompare,
			present: together("djpeg", "cjpeg", "jpegtran"),
			remedies: map[family]remedy{
				debian: packages("libjpeg-turbo-progs"), ubuntu: packages("libjpeg-turbo-progs"), foreign: packages("libjpeg-turbo-progs"),
				fedora: packages("libjpeg-turbo-utils"), arch: packages("libjpeg-turbo"),
			},
		},
		{
			name: "GraphicsMagick", why: "bench compares thumbnails with it", purpose: toCompare,
			present: program("gm"),
			remedies: map[family]remedy{
				debian: packages("graphicsmagick"), ubuntu: packages("graphicsmagick"), foreign: packages("graphicsmagick"),
				fedora: packages("GraphicsMagick"), arch: packages("graphicsmagick"),
			},
		},
		{
			name: "gdk-pixbuf-thumbnailer", why: "bench compares thumbnails with it", purpose: toCompare,
			present: program("gdk-pixbuf-thumbnailer"),
			remedies: map[family]remedy{
				debian: packages("libgdk-pixbuf2.0-bin"), ubuntu: packages("libgdk-pixbuf2.0-bin"), foreign: packages("libgdk-pixbuf2.0-bin"),
				fedora: packages("gdk-pixbuf2"), arch: packages("gdk-pixbuf2"),
			},
		},
	}
}

// everyLinux is for packages that have the same name everywhere.
func everyLinux(name string) map[family]remedy {
	remedies := map[family]remedy{}
	for _, f := range []family{debian, ubuntu, fedora, arch, foreign} {
		remedies[f] = packages(name)
	}
	return remedies
}

func with(remedies map[family]remedy, f family, r remedy) map[family]remedy {
	remedies[f] = r
	return remedies
}

// program finds a command in the PATH.
func program(name string) probe {
	return func(_ context.Context, h host) bool { return h.has(name) }
}

// together finds several commands that come together.
func together(names ...string) probe {
	return func(_ context.Context, h host) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return !h.has(name) })
	}
}

// file finds any of the files, given as patterns of [fs.Glob].
func file(patterns ...string) probe {
	return func(_ context.Context, h host) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			found, err := fs.Glob(h.files, pattern)
			return err == nil && len(found) > 0
		})
	}
}

// header asks the compiler whether it finds all the headers, since only it
// knows where it looks. Before there is a compiler, the usual folders answer.
func header(names ...string) probe {
	return func(ctx context.Context, h host) bool {
		for _, compiler := range []string{"clang", "gcc"} {
			if !h.has(compiler) {
				continue
			}
			var source strings.Builder
			for _, name := range names {
				source.WriteString("#include <" + name + ">\n")
			}
			_, err := h.ask(ctx, source.String(), compiler, append(compilerFlags(h), "-fsyntax-only", "-x", "c", "-")...)
			return err == nil
		}
		for _, name := range names {
			if !file("usr/include/"+name, "usr/include/*/"+name, "usr/local/include/"+name)(ctx, h) {
				return false
			}
		}
		return true
	}
}

// compilerFlags are the folders that Homebrew uses and clang does not know.
func compilerFlags(h host) []string {
	if h.goos == "darwin" {
		return []string{"-I/opt/homebrew/include", "-I/usr/local/include"}
	}
	return nil
}

// chineseFont asks fontconfig, as the station will.
func chineseFont(ctx context.Context, h host) bool {
	if !h.has("fc-list") {
		return file("usr/share/fonts/*/noto/NotoSansCJK*", "usr/share/fonts/noto-cjk/*")(ctx, h)
	}
	fonts, err := h.ask(ctx, "", "fc-list", ":lang=zh-cn", "family")
	return err == nil && strings.TrimSpace(fonts) != ""
}

// browser finds a Chromium or Chrome that answers. Asking it is needed: on
// Ubuntu a command of this name may only say that the snap is missing.
func browser(ctx context.Context, h host) bool {
	for _, name := range []string{"chromium", "google-chrome", "google-chrome-stable", "chromium-browser"} {
		if !h.has(name) {
			continue
		}
		if answer, err := h.ask(ctx, "", name, "--version"); err == nil && strings.Contains(answer, "Chrom") {
			return true
		}
	}
	return false
}

// missingNeeds probes all at once and returns, in the table's order, what the
// purposes need on this family and do not find.
func missingNeeds(ctx context.Context, h host, f family, table []need, wanted purpose) []need {
	found := make([]bool, len(table))
	var probes sync.WaitGroup
	for i, n := range table {
		if _, known := n.remedies[f]; !known || n.purpose&wanted == 0 {
			found[i] = true
			continue
		}
		probes.Go(func() { found[i] = n.present(ctx, h) })
	}
	probes.Wait()
	var missing []need
	for i, n := range table {
		if !found[i] {
			missing = append(missing, n)
		}
	}
	return missing
}

// plan is what to do about missing needs.
type plan struct {
	packages  []string // without repeats, sorted
	sentences []string // what no package brings
}

// planFor collects the remedies; pick chooses which of a need's to use.
func planFor(f family, missing []need, pick func(need) map[family]remedy) plan {
	var p plan
	for _, n := range missing {
		r := pick(n)[f]
		p.packages = append(p.packages, r.packages...)
		if r.byHand != "" {
			p.sentences = append(p.sentences, r.byHand)
		}
	}
	slices.Sort(p.packages)
	p.packages = slices.Compact(p.packages)
	return p
}

func preferred(n need) map[family]remedy { return n.remedies }

// substitute prefers the stand-in, where there is one.
func substitute(n need) map[family]remedy {
	if n.standIn != nil {
		return n.standIn
	}
	return n.remedies
}
