package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// tryPackage packs the centre for this machine, unpacks it elsewhere and has it
// serve from there.
func tryPackage(ctx context.Context, r *testRun) error {
	here := bundles()[slices.IndexFunc(bundles(), bundle.pure)]
	here.goos, here.goarch = runtime.GOOS, runtime.GOARCH
	scratch := filepath.Join(r.scratch, "package")
	unpacked, data := filepath.Join(scratch, "unpacked"), filepath.Join(scratch, "data")
	for _, folder := range []string{unpacked, data} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("make a scratch folder: %w", err)
		}
	}
	name, archive, err := r.pack(ctx, here, source{root: r.root}, scratch)
	if err != nil {
		return err
	}
	file := filepath.Join(scratch, name)
	if err := os.WriteFile(file, archive, 0o600); err != nil {
		return fmt.Errorf("write the package: %w", err)
	}
	if said, err := exec.CommandContext(ctx, "tar", "-xf", file, "-C", unpacked).CombinedOutput(); err != nil {
		return fmt.Errorf("unpack %s: %w\n%s", name, err, said)
	}
	found, err := filepath.Glob(filepath.Join(unpacked, "*", here.program()))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("%s holds the programs %q, not one %s", name, found, here.program())
	}
	return r.serveFrom(ctx, found[0], data)
}

// serveFrom asks an unpacked centre for its version, and has it start with an
// empty folder.
func (t *tool) serveFrom(ctx context.Context, program, data string) error {
	said, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return fmt.Errorf("ask the packed centre for its version: %w", err)
	}
	if !strings.HasPrefix(string(said), centre().file+" devel (") {
		return fmt.Errorf("the packed centre says it is %q", said)
	}
	listen, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	// In a folder where nothing of the repository is.
	served, err := startChild("packed centre", nil, data+".log", data, program, "serve", "--data", data, "--listen", listen)
	if err != nil {
		return err
	}
	defer served.stop(t.force)
	if err := awaitHealthy(ctx, "http://"+listen+"/healthz", served.done); err != nil {
		return fmt.Errorf("start the packed centre: %w\n%s", err, served.lastWords())
	}
	t.say("the packed centre serves: %s", strings.TrimSpace(string(said)))
	return nil
}
