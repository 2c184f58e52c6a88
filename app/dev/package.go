package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// bundle is one program for one system, packed for people to install.
type bundle struct {
	product
	goos, goarch string
	// contents are the files beside the program and the licences.
	contents func(made built) ([]packed, error)
}

// built is a program that is ready to be packed.
type built struct {
	source  source
	binary  []byte
	version string
	at      time.Time
}

// source is where the programs of a release are built from.
type source struct {
	root string
	// committed: it is what is committed and nothing else, and Go writes into the
	// program which commit that was. Otherwise the program is "devel", which is for
	// trying out what is packed, out of what other builds have compiled.
	committed bool
}

func bundles() []bundle {
	station, centre := station(), centre()
	station.flags = []string{"-tags=release,migrated_fynedo"}
	var all []bundle
	for _, system := range []string{"linux/amd64", "linux/arm64", "windows/amd64", "darwin/arm64"} {
		goos, goarch, _ := strings.Cut(system, "/")
		all = append(all,
			bundle{product: centre, goos: goos, goarch: goarch, contents: centreContents},
			bundle{product: station, goos: goos, goarch: goarch, contents: stationContents})
	}
	return all
}

func (b bundle) String() string { return b.name + "-" + b.goos + "-" + b.goarch }

// pure tells whether the program builds without C, and so for every system on
// every system.
func (b bundle) pure() bool { return b.name == centre().name }

// refusal says why b cannot be made on a machine, and what to do instead; ""
// where it can.
func (b bundle) refusal(goos, goarch string) string {
	switch {
	case b.pure() || b.goos == "linux" && goos == b.goos && goarch == b.goarch:
		return ""
	case b.goos == "linux":
		return fmt.Sprintf("%s is compiled with C against the system's own libraries: run this on %s/%s", b, b.goos, b.goarch)
	}
	return fmt.Sprintf("%s is compiled with C against the system's own libraries: run this there: go build -trimpath %s -ldflags='-s -w' -o %s %s",
		b, strings.Join(b.flags, " "), b.program(), b.path)
}

// program is the file's name on the system it is for.
func (b bundle) program() string {
	if b.goos == "windows" {
		return b.file + ".exe"
	}
	return b.file
}

type packageOptions struct {
	only []string
	out  string
	list bool
}

func parsePackage(args []string) (packageOptions, error) {
	var o packageOptions
	var only string
	flags := flag.NewFlagSet("package", flag.ContinueOnError)
	flags.StringVar(&only, "only", "", "these packages alone, separated by commas")
	flags.StringVar(&o.out, "out", filepath.Join(os.TempDir(), "flawmark-packages"), "folder for the packages")
	flags.BoolVar(&o.list, "list", false, "list what can be made here")
	if err := parseFlags(flags, args); err != nil {
		return packageOptions{}, err
	}
	o.only = strings.FieldsFunc(only, func(r rune) bool { return r == ',' })
	for _, name := range o.only {
		if !slices.ContainsFunc(bundles(), func(b bundle) bool { return b.String() == name }) {
			return packageOptions{}, fmt.Errorf("%w: there is no package %q, --list names them", errUsage, name)
		}
	}
	return o, nil
}

func runPackage(ctx context.Context, t *tool, args []string) error {
	o, err := parsePackage(args)
	if err != nil {
		return err
	}
	var wanted []bundle
	for _, b := range bundles() {
		refusal := b.refusal(t.host.goos, runtime.GOARCH)
		named := slices.Contains(o.only, b.String())
		switch {
		case len(o.only) > 0 && !named:
		case refusal != "" && named:
			return errors.New(refusal)
		case refusal != "":
			t.say("not here: %s", refusal)
		case o.list:
			t.say("%s", b)
		default:
			wanted = append(wanted, b)
		}
	}
	if o.list {
		return nil
	}
	if slices.ContainsFunc(wanted, func(b bundle) bool { return !b.pure() }) {
		if err := t.setUp(ctx, toBuild); err != nil {
			return err
		}
	}
	scratch, err := os.MkdirTemp("", "flawmark-package-")
	if err != nil {
		return fmt.Errorf("make a scratch folder: %w", err)
	}
	defer os.RemoveAll(scratch)
	from, err := t.checkOut(ctx, filepath.Join(scratch, "source"))
	if err != nil {
		return err
	}
	return t.packAll(ctx, wanted, from, scratch, o.out)
}

// checkOut copies what is committed into dir, to build from that alone: what
// somebody is in the middle of changing is in no release. A clone, because Go
// writes the commit into a program only where .git is a folder.
func (t *tool) checkOut(ctx context.Context, dir string) (source, error) {
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = t.root
		var complaint bytes.Buffer
		cmd.Stderr = &complaint
		said, err := cmd.Output()
		if err != nil {
			return "", fmt.Errorf("packages are made of a commit: git %s: %w\n%s", args[0], err, bytes.TrimSpace(complaint.Bytes()))
		}
		return strings.TrimSpace(string(said)), nil
	}
	changed, err := git("status", "--porcelain")
	if err != nil {
		return source{}, err
	}
	if changed != "" {
		t.say("what is not committed stays out of the packages:\n%s", changed)
	}
	if _, err := git("clone", "--quiet", "--shared", ".", dir); err != nil {
		return source{}, err
	}
	return source{root: dir, committed: true}, nil
}

// packAll makes the packages in the folder out, with a file of their checksums
// beside them.
func (t *tool) packAll(ctx context.Context, wanted []bundle, from source, scratch, out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("make the folder for packages: %w", err)
	}
	var sums []string
	for _, b := range wanted {
		name, archive, err := t.pack(ctx, b, from, scratch)
		if err != nil {
			return fmt.Errorf("pack %s: %w", b, err)
		}
		if err := os.WriteFile(filepath.Join(out, name), archive, 0o644); err != nil {
			return fmt.Errorf("write the package: %w", err)
		}
		sums = append(sums, fmt.Sprintf("%x  %s\n", sha256.Sum256(archive), name))
		t.say("%s  %.1f MB", filepath.Join(out, name), float64(len(archive))/1e6)
	}
	slices.SortFunc(sums, func(a, b string) int { return strings.Compare(a[2*sha256.Size:], b[2*sha256.Size:]) })
	if err := os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(strings.Join(sums, "")), 0o644); err != nil {
		return fmt.Errorf("write the checksums: %w", err)
	}
	t.say("check them with: cd %s && sha256sum -c SHA256SUMS", out)
	return nil
}

// pack builds one program and returns its archive. The same commit gives the
// same bytes with the same compilers.
func (t *tool) pack(ctx context.Context, b bundle, from source, scratch string) (name string, archive []byte, err error) {
	there := *t
	there.root = from.root
	b.flags = append(slices.Clone(b.flags), "-ldflags=-s -w")
	env := []string{"GOOS=" + b.goos, "GOARCH=" + b.goarch}
	if from.committed {
		b.flags = append(b.flags, "-trimpath", "-buildvcs=true")
		// Not what the person has set for other builds.
		env = append(env, "GOFLAGS=", "GOWORK=off", "GOAMD64=v1", "GOARM64=v8.0")
	}
	if b.pure() {
		env = append(env, "CGO_ENABLED=0")
	}
	p := b.product
	p.name = b.String()
	path, err := there.build(ctx, p, scratch, env...)
	if err != nil {
		return "", nil, err
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return "", nil, fmt.Errorf("read what was built: %w", err)
	}
	made := built{source: from}
	if made.version, made.at, err = versionOf(info, from.root); err != nil {
		return "", nil, err
	}
	if made.binary, err = os.ReadFile(path); err != nil {
		return "", nil, fmt.Errorf("read what was built: %w", err)
	}
	files, err := b.contents(made)
	if err != nil {
		return "", nil, err
	}
	licences, err := there.licences(ctx, b, info, env)
	if err != nil {
		return "", nil, err
	}
	files = slices.Concat(files, licences, []packed{{b.program(), 0o755, made.binary}})
	name = b.file + "-" + made.version + "-" + b.goos + "-" + b.goarch
	if b.goos == "windows" {
		archive, err = zipped(name, files, made.at)
		return name + ".zip", archive, err
	}
	archive, err = tarred(name, files, made.at)
	return name + ".tar.gz", archive, err
}

// versionOf returns what Go has written into a program: the version of its tag,
// or one made of the commit's time and hash. A tag must say what FyneApp.toml
// says.
func versionOf(info *buildinfo.BuildInfo, root string) (version string, at time.Time, err error) {
	at = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) // no zip file can hold an earlier one
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			if at, err = time.Parse(time.RFC3339, s.Value); err != nil {
				return "", time.Time{}, fmt.Errorf("read the commit's time: %w", err)
			}
		}
	}
	version, tagged := strings.CutPrefix(info.Main.Version, "v")
	if !tagged {
		return "devel", at, nil
	}
	if strings.Contains(version, "-") { // between two releases
		return version, at, nil
	}
	app, err := readFyneApp(root)
	if err != nil {
		return "", time.Time{}, err
	}
	if said := app.text("Details", "Version"); said != version {
		return "", time.Time{}, fmt.Errorf("the tag says v%s and FyneApp.toml %s: make them the same, app/metadata.go too", version, said)
	}
	return version, at, nil
}
