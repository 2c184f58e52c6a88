package journey

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var (
	outFlag     = flag.String("out", "", "folder for a PNG of every screen and page")
	stationFlag = flag.String("station", "", "station program (default: built from the source)")
	centralFlag = flag.String("central", "", "centre program (default: built from the source)")
)

// built is where programs go that no flag names.
var built = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "flawmark-journey-") })

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if dir, err := built(); err == nil {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

var stationProgram = sync.OnceValues(func() (string, error) {
	return program(*stationFlag, "flawmark", "flawmark/app", "-tags=migrated_fynedo")
})

var centralProgram = sync.OnceValues(func() (string, error) {
	return program(*centralFlag, "flawmark-central", "flawmark/app/central")
})

// program returns the named program, or builds it.
func program(named, file, pkg string, flags ...string) (string, error) {
	if named != "" {
		return filepath.Abs(named)
	}
	dir, err := built()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, file)
	args := append([]string{"build", "-o", path}, append(flags, pkg)...)
	if output, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, output)
	}
	return path, nil
}
