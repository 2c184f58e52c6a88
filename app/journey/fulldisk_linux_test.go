package journey

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"flawmark/app/qc"
	"flawmark/assets"
	"flawmark/storage/storagetest"
)

// roomsLeft are how many bytes a disk still has: the program must meet the end
// of it in each of its writes, not only in the first.
var roomsLeft = []int{0, 4 << 10, 16 << 10, 64 << 10, 128 << 10, 192 << 10, 256 << 10, 512 << 10}

// smallDisk returns a folder on a disk of its own with so many MB, or false
// when the test has been run in a child that may have one.
func smallDisk(t *testing.T, megabytes int) (string, bool) {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+strconv.Itoa(megabytes)+"m")
	if err == nil {
		t.Cleanup(func() {
			if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
		return dir, true
	}
	const inside = "FLAWMARK_IN_NAMESPACE"
	if !errors.Is(err, syscall.EPERM) || os.Getenv(inside) != "" {
		t.Fatalf("mount a small disk: %v", err)
	}
	if exec.Command("unshare", "-rm", "true").Run() != nil {
		t.Fatal("this test needs a small disk to fill: run it as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)")
	}
	args := append([]string{"-rm", os.Args[0], "-test.run=^" + t.Name() + "$", "-test.v"}, programFlags(t)...)
	child := exec.CommandContext(t.Context(), "unshare", args...)
	child.Env = append(os.Environ(), inside+"=1")
	output, err := child.CombinedOutput()
	t.Logf("in a namespace of its own:\n%s", output)
	if err != nil {
		t.Fatal(err)
	}
	return "", false
}

// programFlags name the programs, so that a child does not build them again.
func programFlags(t *testing.T) []string {
	t.Helper()
	station, err := stationProgram()
	if err != nil {
		t.Fatal(err)
	}
	central, err := centralProgram()
	if err != nil {
		t.Fatal(err)
	}
	return []string{"-station", station, "-central", central}
}

// fill leaves room for so many bytes on the disk of dir, and returns what frees
// the rest again.
func fill(t *testing.T, dir string, room int) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(file, endless{}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill the disk: %v", err)
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		err = file.Truncate(max(0, size-int64(room)))
	}
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

// endless is a source that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// fullDisk is the sentence about a full disk in a language.
func fullDisk(t *testing.T, lang string) string {
	t.Helper()
	words, err := assets.LoadWords(lang)
	if err != nil {
		t.Fatal(err)
	}
	return words.Text("error.disk_full")
}

func TestFullDisk_AtTheStation(t *testing.T) {
	disk, ok := smallDisk(t, 24)
	if !ok {
		return
	}
	c := startCentre(t, t.TempDir(), "", "--demo")
	q := quiet{data: filepath.Join(disk, "station")}
	enrolled := enrolQuiet(t, c)
	keepCopy(t, enrolled.data, q.data)
	photo := samplePhoto(t, "eniko-kis-663725-unsplash.jpg")

	saved, refused := 0, 0
	for i, room := range roomsLeft {
		lang := assets.Languages()[i%len(assets.Languages())]
		before := q.queue(t)
		free := fill(t, disk, room)
		path := scratch(t, "photo.jpg", commented(photo, strconv.Itoa(i)))
		got := q.try(t, "flag", "--inspector", "u12", "--item", string(anaItem), "--photo", path, "--flaw", "F04", "--lang", lang)
		free()
		after := q.queue(t)
		switch {
		case got.exit == 0 && len(after) == len(before)+1:
			saved++
		case got.exit == 1 && got.err == "flawmark: "+fullDisk(t, lang)+"\n" && got.out == "" && len(after) == len(before):
			refused++
		default:
			t.Errorf("%d bytes left: exit %d, %q; %d findings before, %d after", room, got.exit, got.err, len(before), len(after))
		}
	}
	t.Logf("%d saved, %d refused", saved, refused)
	if refused < 3 {
		t.Errorf("the disk was full %d times only", refused)
	}
	// With room again everything goes on.
	path := scratch(t, "photo.jpg", commented(photo, "room again"))
	q.do(t, "pass", "--inspector", "u12", "--item", "20482-2", "--photo", path)
	q.do(t, "sync", "--once")
	list := q.queue(t)
	var findings []qc.Finding
	for _, r := range list {
		if r.Delivery != qc.Accepted {
			t.Errorf("%s is %s: %s", r.Item, r.Delivery, r.Problem)
		}
		findings = append(findings, *r.Finding)
	}
	if len(list) != saved+1 {
		t.Errorf("%d findings, want %d", len(list), saved+1)
	}
	if lacking := missing(filepath.Join(q.data, "blobs"), findings); len(lacking) > 0 {
		t.Error(strings.Join(lacking, "\n"))
	}
}

func TestFullDisk_AtTheCentre(t *testing.T) {
	disk, ok := smallDisk(t, 48)
	if !ok {
		return
	}
	data := filepath.Join(disk, "central")
	c := startCentre(t, data, "", "--demo")
	q := enrolQuiet(t, c)
	orders, items := orderFile(t, 300)
	admin(t, data, "verify") // the file of orders is read before the disk is full

	refused := 0
	for i, room := range []int{0, 4 << 10, 16 << 10, 64 << 10} {
		lang := assets.Languages()[i%len(assets.Languages())]
		before := contents(t, data)
		free := fill(t, disk, room)
		got := run(t, centralProgram, "orders", "import", orders, "--data", data, "--lang", lang)
		free()
		switch {
		case got.exit == 1 && got.err == "flawmark-central: "+fullDisk(t, lang)+"\n" && contents(t, data) == before:
			refused++
		case got.exit != 0:
			t.Errorf("%d bytes left: exit %d, %q\nbefore %s\nafter %s", room, got.exit, got.err, before, contents(t, data))
		}
	}
	if refused < 2 {
		t.Errorf("the disk was full %d times only", refused)
	}

	// A finding that the centre has no room for stays at the station and says
	// why.
	photo := scratch(t, "photo.jpg", samplePhoto(t, "max-tarkhov-737999-unsplash.jpg"))
	q.do(t, "flag", "--inspector", "u12", "--item", string(anaItem), "--photo", photo, "--flaw", "F04")
	free := func() {}
	for room, lang := range map[int]string{0: "zh", 64 << 10: "en"} {
		free()
		free = fill(t, disk, room)
		words, err := assets.LoadWords(lang)
		if err != nil {
			t.Fatal(err)
		}
		got := q.try(t, "sync", "--once", "--lang", lang)
		if got.exit != 1 || strings.Count(got.err, "\n") != 1 || !strings.HasSuffix(got.err, words.Text("error.centre_full")+"\n") {
			t.Errorf("delivery to a full centre, %s: exit %d, %q", lang, got.exit, got.err)
		}
		t.Log(got.err)
	}

	// A centre cannot start without room, and says so.
	if code := c.stop(t); code != 0 {
		t.Errorf("the full centre ended with %d", code)
	}
	other := filepath.Join(disk, "other")
	for _, lang := range assets.Languages() {
		got := run(t, centralProgram, "serve", "--data", other, "--listen", storagetest.FreeAddress(t), "--lang", lang)
		if got.exit != 1 || got.err != "flawmark-central: "+fullDisk(t, lang)+"\n" {
			t.Errorf("start on a full disk, %s: exit %d, %q", lang, got.exit, got.err)
		}
	}

	// With room again everything goes on.
	free()
	startCentre(t, data, c.address())
	admin(t, data, "orders", "import", orders)
	q.do(t, "sync", "--once")
	for _, r := range q.queue(t) {
		if r.Delivery != qc.Accepted {
			t.Errorf("%s is %s: %s", r.Item, r.Delivery, r.Problem)
		}
	}
	if got := rows[qc.Item](t, stationProgram, "items", "--data", q.data); len(got) < len(items) {
		t.Errorf("%d items at the station, want %d more", len(got), len(items))
	}
	admin(t, data, "verify")
}
