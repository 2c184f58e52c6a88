package main

import (
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// machineFacts are what numbers mean nothing without.
type machineFacts struct {
	system, kernel, processor, memory string
	cores                             int
	date                              string
	versions                          []string
	loadBefore                        string
}

// about asks the machine and the peers who they are. What cannot be asked is
// left out.
func (t *tool) about(ctx context.Context) machineFacts {
	m := machineFacts{
		system: identify(t.host).name, cores: runtime.NumCPU(), date: t.now().UTC().Format("2006-01-02 15:04 MST"),
		kernel: readLine(t.host, "proc/sys/kernel/osrelease"), loadBefore: loadOf(t.host),
		processor: field(t.host, "proc/cpuinfo", "model name"), memory: field(t.host, "proc/meminfo", "MemTotal"),
	}
	m.versions = append(m.versions, runtime.Version())
	for _, ask := range [][]string{{"vips", "--version"}, {"djpeg", "-version"}, {"gm", "-version"}} {
		// djpeg answers on its standard error.
		said, err := exec.CommandContext(ctx, ask[0], ask[1:]...).CombinedOutput()
		if err != nil {
			continue
		}
		m.versions = append(m.versions, shortVersion(string(said)))
	}
	if said, err := t.host.ask(ctx, "", "dpkg-query", "-W", "-f", "gdk-pixbuf ${Version}", "libgdk-pixbuf2.0-bin"); err == nil {
		m.versions = append(m.versions, said)
	}
	return m
}

func (m machineFacts) String() string {
	return fmt.Sprintf("%s\n%s, %d cores, %s, %s, Linux %s\n%s\nload before (1, 5, 15 min): %s",
		m.date, m.processor, m.cores, m.memory, m.system, m.kernel, strings.Join(m.versions, "; "), m.loadBefore)
}

// load tells how busy the machine was; our own work is part of it.
func (m machineFacts) load(h host) string {
	return "load before: " + m.loadBefore + ", after: " + loadOf(h)
}

// shortVersion is the beginning of what a program says of itself.
func shortVersion(said string) string {
	said, _, _ = strings.Cut(strings.TrimSpace(said), "\n")
	said, _, _ = strings.Cut(said, " (build")
	words := strings.Fields(said)
	return strings.Join(words[:min(len(words), 3)], " ")
}

func loadOf(h host) string {
	words := strings.Fields(readLine(h, "proc/loadavg"))
	return strings.Join(words[:min(len(words), 3)], " ")
}

func readLine(h host, name string) string {
	text, err := fs.ReadFile(h.files, filepath.ToSlash(name))
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(first)
}

// field is the value behind the first line of a file in /proc that begins with
// key.
func field(h host, name, key string) string {
	text, err := fs.ReadFile(h.files, name)
	if err != nil {
		return ""
	}
	for l := range strings.Lines(string(text)) {
		if k, v, found := strings.Cut(l, ":"); found && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
