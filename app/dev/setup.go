package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// setUp makes sure that everything the purpose wants is there: it names what is
// missing, installs it where the tool may, and otherwise prints what to do.
// When nothing is missing it is quick and says nothing.
func (t *tool) setUp(ctx context.Context, wanted purpose) error {
	sys := identify(t.host)
	missing := missingNeeds(ctx, t.host, sys.family, needs(), wanted)
	if len(missing) == 0 {
		return nil
	}
	t.say("set-up on %s: %d missing", sys.name, len(missing))
	for _, n := range missing {
		t.say("  %s: %s", n.name, n.why)
	}
	if sys.family.installs() {
		if err := t.install(ctx, sys.family, missing); err != nil {
			return err
		}
		missing = missingNeeds(ctx, t.host, sys.family, needs(), wanted)
	}
	missing = slices.DeleteFunc(missing, func(n need) bool {
		stoodIn := n.standsIn != nil && n.standsIn(ctx, t.host)
		if stoodIn {
			t.say("set-up: going on without %s, slower", n.name)
		}
		return stoodIn
	})
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("set-up: %s still missing.\n%s", names(missing), instructions(sys.family, missing))
}

func names(missing []need) string {
	var list []string
	for _, n := range missing {
		list = append(list, n.name)
	}
	return strings.Join(list, ", ")
}

// instructions are the exact steps for what the tool does not install itself.
func instructions(f family, missing []need) string {
	p := planFor(f, missing, preferred)
	var lines []string
	if len(p.packages) > 0 {
		lines = append(lines, "  "+f.byHand(p.packages))
	}
	for _, s := range p.sentences {
		lines = append(lines, "  "+s)
	}
	return strings.Join(lines, "\n")
}

// install brings the packages of the missing needs with apt-get: one update,
// one install, and a second install with the stand-ins if the first fails for
// the sake of something that can be done without.
func (t *tool) install(ctx context.Context, f family, missing []need) error {
	first, second := planFor(f, missing, preferred), planFor(f, missing, substitute)
	if len(first.packages) == 0 {
		return nil
	}
	root, err := t.rootPrefix(ctx)
	if err != nil {
		// Nothing is lost when all that is missing can be done without.
		if !slices.ContainsFunc(missing, func(n need) bool { return n.standsIn == nil || !n.standsIn(ctx, t.host) }) {
			return nil
		}
		return fmt.Errorf("set-up: %w; run this, then start again:\n%s", err, instructions(f, missing))
	}
	t.say("set-up: apt-get update")
	if err := t.apt(ctx, root, "update"); err != nil {
		// One unreachable third-party source must not stop us; if Debian's own
		// is unreachable, the install says so.
		t.say("set-up: apt-get update failed (%v), going on with the lists at hand", err)
	}
	t.say("set-up: apt-get install %s", strings.Join(first.packages, " "))
	err = t.apt(ctx, root, append([]string{"install", "-y", "--no-install-recommends"}, first.packages...)...)
	if err != nil && ctx.Err() == nil && !slices.Equal(first.packages, second.packages) {
		t.say("set-up: that failed (%v); once more with stand-ins: %s", err, strings.Join(second.packages, " "))
		err = t.apt(ctx, root, append([]string{"install", "-y", "--no-install-recommends"}, second.packages...)...)
	}
	if err != nil {
		return fmt.Errorf("set-up: install packages: %w", err)
	}
	return nil
}

// rootPrefix is what to put before a command that needs root.
func (t *tool) rootPrefix(ctx context.Context) ([]string, error) {
	switch {
	case t.host.uid == 0:
		return nil, nil
	case !t.host.has("sudo"):
		return nil, errors.New("installing needs root, and there is no sudo")
	}
	if _, err := t.host.ask(ctx, "", "sudo", "-n", "true"); err == nil {
		return []string{"sudo", "-n"}, nil
	}
	if t.host.terminal() {
		return []string{"sudo"}, nil
	}
	return nil, errors.New("installing needs root, and sudo wants a password")
}

// apt runs apt-get and shows how far it is.
func (t *tool) apt(ctx context.Context, root []string, args ...string) error {
	line := slices.Concat(root, []string{
		// sudo drops the environment, so it is set on its far side.
		"env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C",
		"apt-get", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0",
	}, args)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Dir = t.root
	if len(root) == 1 {
		cmd.Stdin = os.Stdin // sudo asks for the password
	}
	return t.watch(cmd, &aptProgress{})
}
