package journey

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to look into the centre's database from outside

	"flawmark/app/qc"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the moments at which processes are killed (default: the time)")

// The size of the rig.
const (
	killSaves = 200 // attempts to save
	killEvery = 10  // attempts between two looks at what is there
	killWhole = 7   // one in so many is left to finish
	killSyncs = 8   // deliveries that are killed, too

	killFewest = 60               // attempts that even a slow machine makes
	killFor    = 60 * time.Second // no attempt beyond those begins later
)

// promise is what a save said before it was killed or ended: this is kept.
type promise struct {
	finding qc.FindingID
	item    qc.ItemID
	photo   qc.Digest
}

// TestKill_WhatTheStationAcknowledgedIsThereAfterwards kills the station's
// program, as a power cut would, at random moments of up to 200 saves and a few
// deliveries. Whatever it said is saved must be there, once, with its photos,
// and must arrive at the centre once.
func TestKill_WhatTheStationAcknowledgedIsThereAfterwards(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("to kill at the same moments again: -args -seed %d", seed)
	k := &killer{random: rand.New(rand.NewPCG(seed, 0)), photos: [][]byte{
		samplePhoto(t, "eniko-kis-663725-unsplash.jpg"), samplePhoto(t, "juan-gomez-674574-unsplash.jpg"),
	}}

	centreData := t.TempDir()
	c := startCentre(t, centreData, "", "--demo")
	orders, items := orderFile(t, killSaves)
	admin(t, centreData, "orders", "import", orders)
	k.quiet = enrolQuiet(t, c)
	if code := c.stop(t); code != 0 {
		t.Fatalf("the centre ended with %d", code)
	}

	early := filepath.Join(t.TempDir(), "early")
	saves, begun := 0, time.Now()
	for i, item := range items {
		if i >= killFewest && time.Since(begun) > killFor {
			break
		}
		saves++
		k.save(t, i, item)
		if i%killEvery == killEvery-1 {
			k.check(t)
		}
		if i == killFewest/2 {
			keepCopy(t, k.data, early)
		}
	}
	t.Logf("%d saves: %d killed before they ended, %d acknowledged; a whole one takes %v", saves, k.killed, len(k.promises), k.typical)
	if k.killed < saves/5 || len(k.promises) < saves/5 {
		t.Errorf("%d killed and %d acknowledged of %d: the moments miss the saves", k.killed, len(k.promises), saves)
	}
	k.plantFaults(t, early)

	c = startCentre(t, centreData, c.address())
	k.deliver(t)
	if code := c.stop(t); code != 0 {
		t.Fatalf("the centre ended with %d", code)
	}
	k.checkCentre(t, centreData)
}

// killer saves findings and kills the process that does.
type killer struct {
	quiet
	random   *rand.Rand
	photos   [][]byte
	typical  time.Duration // of a save that was left to finish
	promises []promise
	killed   int // before they had ended by themselves
}

// save tries to record the item with a photo that no other finding has.
func (k *killer) save(t *testing.T, i int, item qc.ItemID) {
	t.Helper()
	data := commented(k.photos[i%len(k.photos)], fmt.Sprintf("save %d", i))
	args := []string{"pass", "--inspector", "u12", "--item", string(item), "--json"}
	if i%3 == 0 {
		args = []string{"flag", "--inspector", "u12", "--item", string(item), "--flaw", "F04", "--mark", "1#rect:100,100,60,40", "--json"}
	}
	args = append(args, "--photo", scratch(t, "photo.jpg", data))
	var after time.Duration // none: the process may finish
	if k.typical > 0 && k.random.IntN(killWhole) > 0 {
		after = 1 + time.Duration(k.random.Int64N(int64(k.typical)*3/2))
	}
	out, killed := k.run(t, after, args...)
	if killed {
		k.killed++
	}
	var saved struct{ ID qc.FindingID }
	if line, _, whole := strings.Cut(out, "\n"); whole {
		if err := json.Unmarshal([]byte(line), &saved); err != nil {
			t.Fatalf("save %d said %q", i, out)
		}
		k.promises = append(k.promises, promise{saved.ID, item, qc.DigestOf(data)})
	}
	if saved.ID == "" && !killed {
		t.Fatalf("save %d of %s ended by itself and saved nothing", i, item)
	}
}

// run runs the program and kills it after a time, unless that is zero, or it
// ends by itself first.
func (k *killer) run(t *testing.T, after time.Duration, args ...string) (out string, killed bool) {
	t.Helper()
	program, err := stationProgram()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, append(slices.Clone(args), "--data", k.data)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if after > 0 {
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended
		defer timer.Stop()
	}
	_ = cmd.Wait() // how it ended is seen in ProcessState
	if killed = cmd.ProcessState.ExitCode() < 0; killed {
		return stdout.String(), true
	}
	if cmd.ProcessState.ExitCode() != 0 {
		t.Fatalf("flawmark %q: exit %d: %s", args, cmd.ProcessState.ExitCode(), &stderr)
	}
	if after == 0 && k.typical == 0 {
		k.typical = time.Since(begun)
	} else if after == 0 {
		k.typical = (3*k.typical + time.Since(begun)) / 4
	}
	return stdout.String(), false
}

// check complains when a promise is not kept.
func (k *killer) check(t *testing.T) []qc.Recorded {
	t.Helper()
	recorded := k.queue(t)
	if broken := brokenPromises(recorded, filepath.Join(k.data, "blobs"), k.promises); len(broken) > 0 {
		t.Fatalf("after %d acknowledged saves:\n%s", len(k.promises), strings.Join(broken, "\n"))
	}
	return recorded
}

// brokenPromises compares what was acknowledged with what the station has, and
// returns a complaint for everything that is lost, doubled or damaged. What is
// there without having been acknowledged must be whole, too.
func brokenPromises(recorded []qc.Recorded, blobs string, promises []promise) []string {
	var complaints []string
	seqs := make(map[uint64]bool)
	there := make(map[qc.FindingID][]qc.Finding)
	var findings []qc.Finding
	for _, r := range recorded {
		if r.Seq < 1 || r.Seq > uint64(len(recorded)) || seqs[r.Seq] {
			complaints = append(complaints, fmt.Sprintf("number %d is doubled or leaves a gap", r.Seq))
		}
		seqs[r.Seq] = true
		if r.Finding == nil {
			complaints = append(complaints, fmt.Sprintf("number %d is no finding", r.Seq))
			continue
		}
		there[r.Finding.ID] = append(there[r.Finding.ID], *r.Finding)
		findings = append(findings, *r.Finding)
	}
	for id, all := range there {
		if len(all) > 1 {
			complaints = append(complaints, fmt.Sprintf("finding %s is there %d times", id, len(all)))
		}
	}
	for _, p := range promises {
		all := there[p.finding]
		switch {
		case len(all) == 0:
			complaints = append(complaints, fmt.Sprintf("finding %s of %s is lost", p.finding, p.item))
		case all[0].Item != p.item || len(all[0].Photos) != 1 || all[0].Photos[0].Digest != p.photo:
			complaints = append(complaints, fmt.Sprintf("finding %s is not what was saved", p.finding))
		}
	}
	return append(complaints, missing(blobs, findings)...)
}

// plantFaults shows that the check above sees losses: on copies of the data
// that are damaged on purpose. early is a copy from the middle of the run.
func (k *killer) plantFaults(t *testing.T, early string) {
	t.Helper()
	first := k.promises[0]
	photo := filepath.Join("blobs", string(first.photo[:2]), string(first.photo))
	for name, damage := range map[string]func(t *testing.T, dir string) error{
		"nothing": func(*testing.T, string) error { return nil },
		"a photo is gone": func(_ *testing.T, dir string) error {
			return os.Remove(filepath.Join(dir, photo))
		},
		"a photo has other bytes": func(_ *testing.T, dir string) error {
			return os.WriteFile(filepath.Join(dir, photo), k.photos[0], 0o600)
		},
		"the last findings are gone": func(_ *testing.T, dir string) error {
			for _, name := range []string{"station.db", "journal"} {
				if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
					return err
				}
			}
			if err := os.CopyFS(filepath.Join(dir, "journal"), os.DirFS(filepath.Join(early, "journal"))); err != nil {
				return err
			}
			data, err := os.ReadFile(filepath.Join(early, "station.db"))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "station.db"), data, 0o600)
		},
	} {
		copied := filepath.Join(t.TempDir(), "copy")
		keepCopy(t, k.data, copied)
		if err := damage(t, copied); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		broken := brokenPromises(quiet{copied}.queue(t), filepath.Join(copied, "blobs"), k.promises)
		if (len(broken) > 0) != (name != "nothing") {
			t.Errorf("%s: the check says %q", name, broken)
		}
	}
	recorded := k.queue(t)
	if len(brokenPromises(append(recorded, recorded[0]), filepath.Join(k.data, "blobs"), k.promises)) == 0 {
		t.Error("the check does not see a doubled finding")
	}
}

func keepCopy(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// deliver sends everything, with a few deliveries killed on the way.
func (k *killer) deliver(t *testing.T) {
	t.Helper()
	for range killSyncs {
		k.run(t, 1+time.Duration(k.random.Int64N(int64(2*k.typical))), "sync", "--once")
		k.check(t)
	}
	k.do(t, "sync", "--once")
	for _, r := range k.check(t) {
		if r.Delivery != qc.Accepted {
			t.Errorf("finding %s of %s is %s: %s", r.Finding.ID, r.Item, r.Delivery, r.Problem)
		}
	}
}

// checkCentre looks into the centre's data, which no centre has open: every
// finding of the station is there once, with its files, and the books hold.
func (k *killer) checkCentre(t *testing.T, data string) {
	t.Helper()
	admin(t, data, "verify")
	recorded := k.queue(t)
	var findings []qc.Finding
	for _, r := range recorded {
		findings = append(findings, *r.Finding)
	}
	if lacking := missing(filepath.Join(data, "blobs"), findings); len(lacking) > 0 {
		t.Errorf("at the centre:\n%s", strings.Join(lacking, "\n"))
	}
	db, err := sql.Open("sqlite", filepath.Join(data, "central.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	counted := func(query string, args ...any) (n int) {
		t.Helper()
		if err := db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, f := range findings {
		if n := counted(`SELECT count(*) FROM finding WHERE id = ? AND item = ?`, f.ID, f.Item); n != 1 {
			t.Errorf("finding %s is at the centre %d times", f.ID, n)
		}
		want := 0
		if f.Verdict == qc.Flag {
			want = 1
		}
		if n := counted(`SELECT count(*) FROM refund_case WHERE item = ?`, f.Item); n != want {
			t.Errorf("%s has %d cases, want %d", f.Item, n, want)
		}
	}
	if n := counted(`SELECT count(*) FROM finding`); n != len(findings) {
		t.Errorf("%d findings at the centre, %d at the station", n, len(findings))
	}
}
