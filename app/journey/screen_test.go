package journey

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// screen is a virtual display with a window manager that gives every window
// the whole of it, so that window and screen positions are the same.
type screen struct {
	display string
	folder  string // for pictures; "" when none are wanted
	shots   int
}

const managerConfig = `<?xml version="1.0"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <applications><application class="*"><decor>no</decor><maximized>true</maximized><focus>yes</focus></application></applications>
  <keyboard><keybind key="A-F4"><action name="Close"/></keybind></keyboard>
</openbox_config>`

func startScreen(t *testing.T, width, height int) *screen {
	t.Helper()
	s := &screen{display: openDisplay(t, width, height), folder: *outFlag}
	config := filepath.Join(t.TempDir(), "rc.xml")
	if err := os.WriteFile(config, []byte(managerConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, s.env(), "openbox", "--sm-disable", "--config-file", config)
	return s
}

// openDisplay starts a virtual display. It chooses its number itself: two that
// looked for a free one at the same time would find the same.
func openDisplay(t *testing.T, width, height int) (name string) {
	t.Helper()
	display := start(t, nil, "Xvfb", "-displayfd", "1", "-screen", "0", fmt.Sprintf("%dx%dx24", width, height), "-nolisten", "tcp")
	until(t, "the virtual display", func() bool {
		for _, line := range display.said() {
			if _, err := strconv.Atoi(line); err == nil {
				name = ":" + line
			}
		}
		return name != ""
	})
	return name
}

// env makes programs appear on the screen at a scale of one.
func (s *screen) env() []string {
	return []string{"DISPLAY=" + s.display, "WAYLAND_DISPLAY=", "FYNE_SCALE=1", "LANGUAGE=en", "LIBGL_ALWAYS_SOFTWARE=1"}
}

func (s *screen) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), s.env()...)
	return cmd
}

func (s *screen) do(t *testing.T, args ...string) {
	t.Helper()
	if output, err := s.command("xdotool", args...).CombinedOutput(); err != nil {
		t.Fatalf("xdotool %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}

// key presses keys one after another, such as "ctrl+p" or "Return".
func (s *screen) key(t *testing.T, keys ...string) {
	t.Helper()
	s.do(t, append([]string{"key", "--delay", "40"}, keys...)...)
}

// text types as a keyboard, or a scanner, does.
func (s *screen) text(t *testing.T, text string) {
	t.Helper()
	s.do(t, "type", "--delay", "12", "--", text)
}

func (s *screen) click(t *testing.T, x, y int) {
	t.Helper()
	s.do(t, "mousemove", strconv.Itoa(x), strconv.Itoa(y), "sleep", "0.05", "click", "1")
}

// drag presses at the first point, moves in steps and releases at the second.
func (s *screen) drag(t *testing.T, x1, y1, x2, y2 int) {
	t.Helper()
	args := []string{"mousemove", strconv.Itoa(x1), strconv.Itoa(y1), "sleep", "0.05", "mousedown", "1"}
	for step := 1; step <= 8; step++ {
		x, y := x1+(x2-x1)*step/8, y1+(y2-y1)*step/8
		args = append(args, "mousemove", strconv.Itoa(x), strconv.Itoa(y), "sleep", "0.03")
	}
	s.do(t, append(args, "mouseup", "1")...)
}

// shot leaves a picture of the screen, once it has stopped changing.
func (s *screen) shot(t *testing.T, name string) {
	t.Helper()
	if s.folder == "" {
		return
	}
	s.shots++
	path := filepath.Join(s.folder, fmt.Sprintf("%02d-%s.png", s.shots, name))
	time.Sleep(400 * time.Millisecond) // two frames at software rendering; nothing announces the last
	if output, err := s.command("import", "-window", "root", path).CombinedOutput(); err != nil {
		t.Fatalf("import: %v\n%s", err, output)
	}
}
