package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/storage/blob"
	"flawmark/storage/local"
)

// folder is a station's data folder under test: three findings that wait, a
// draft, a backup and a cache.
type folder struct {
	t    *testing.T
	dir  string
	sent qc.Digest // an original that waits
	left qc.Digest // the draft's
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	f := &folder{t: t, dir: filepath.Join(t.TempDir(), "data")}
	f.try(os.Mkdir(f.dir, 0o700))
	blobs, err := blob.OpenFolder(filepath.Join(f.dir, "blobs"))
	f.try(err)
	store, err := local.Open(f.dir, local.Options{})
	f.try(err)
	for n := range 3 {
		finding := f.finding(blobs, n)
		_, err := store.Record(t.Context(), qc.FindingRecorded, "wang", time.Now(), finding)
		f.try(err)
		f.sent = finding.Photos[0].Digest
	}
	draft := f.finding(blobs, 9)
	f.left = draft.Photos[0].Digest
	f.try(store.SaveDraft(t.Context(), qc.Draft{Finding: draft, UpdatedAt: time.Now()}))
	_, err = store.KeepBackup(t.Context(), keepBackups)
	f.try(errors.Join(err, store.Close(), blobs.Close()))
	cache, err := blob.OpenDerived(filepath.Join(f.dir, "derived"), 1<<20)
	f.try(err)
	err = cache.Put(t.Context(), f.sent, "index", func(w io.Writer) error {
		_, err := w.Write(make([]byte, 1000))
		return err
	})
	f.try(errors.Join(err, cache.Close()))
	return f
}

func (f *folder) try(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *folder) finding(blobs *blob.Folder, n int) qc.Finding {
	f.t.Helper()
	data := fmt.Appendf(nil, "photo %d", n)
	d, err := blobs.PutBytes(f.t.Context(), data)
	f.try(err)
	return qc.Finding{
		ID: qc.FindingID(fmt.Sprintf("f%d", n)), Revision: 1, Item: qc.ItemID(fmt.Sprintf("20481-%d", n)), Verdict: qc.Flag,
		RecordedAt: time.Now(),
		Photos:     []qc.Photo{{ID: "p", Name: "left: toe?.JPG", Digest: d, Bytes: int64(len(data)), MediaType: "image/jpeg"}},
	}
}

func (f *folder) path(name ...string) string {
	return filepath.Join(append([]string{f.dir}, name...)...)
}

func (f *folder) blob(d qc.Digest) string { return f.path("blobs", string(d[:2]), string(d)) }

// run gives a command on the folder.
func (f *folder) run(args ...string) (exit int, out, errOut string) {
	f.t.Helper()
	var stdout, stderr bytes.Buffer
	args = append(args, "--data", f.dir, "--lang", "en")
	exit = program().Main(f.t.Context(), args, nil, f.t.TempDir(), &stdout, &stderr)
	return exit, stdout.String(), stderr.String()
}

// states runs the doctor and returns the state of each check.
func (f *folder) states(args ...string) (int, map[string]string) {
	f.t.Helper()
	exit, out, errOut := f.run(append([]string{"doctor", "--json"}, args...)...)
	states := make(map[string]string)
	for lines := bufio.NewScanner(strings.NewReader(out)); lines.Scan(); {
		var one command.Diagnosis
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			f.t.Fatalf("%q: %v", lines.Text(), err)
		}
		if strings.Contains(one.Text, "{") || strings.HasPrefix(one.Text, "cli.") || strings.HasPrefix(one.Text, "station.") {
			f.t.Errorf("%s says %q", one.Name, one.Text)
		}
		states[one.Name] = one.State
	}
	// A slow machine is told how far the photos are.
	complaint := strings.Join(slices.DeleteFunc(strings.Split(errOut, "\n"), func(line string) bool { return strings.HasSuffix(line, "photos read …") }), "\n")
	if (exit != 0) != (complaint != "") {
		f.t.Errorf("exit %d, says %q", exit, errOut)
	}
	return exit, states
}

func (f *folder) overwrite(name string, change func([]byte) []byte) {
	f.t.Helper()
	data, err := os.ReadFile(name)
	f.try(err)
	f.try(os.WriteFile(name, change(data), 0o600))
}

func flip(data []byte) []byte {
	data[len(data)/2] ^= 1
	return data
}

func settle(settings string) func(*folder) {
	return func(f *folder) { f.try(os.WriteFile(f.path("settings.json"), []byte(settings), 0o600)) }
}

func TestDoctorFindsPlantedDamage(t *testing.T) {
	quick := []string{"--quick"}
	for name, c := range map[string]struct {
		plant func(*folder)
		args  []string
		want  map[string]string // what is not ok
		exit  int
	}{
		"nothing": {plant: func(*folder) {}},
		"database damaged": {
			plant: func(f *folder) {
				f.overwrite(f.path("station.db"), func(d []byte) []byte { clear(d[2*4096 : 12*4096]); return d })
			},
			want: map[string]string{"database": command.Trouble, "schema": command.Skipped, "unsent": command.Skipped, "drafts": command.Skipped}, exit: 1,
		},
		"database gone": {
			plant: func(f *folder) { f.try(os.Remove(f.path("station.db"))) },
			want:  map[string]string{"database": command.Trouble, "schema": command.Skipped, "unsent": command.Skipped, "drafts": command.Skipped}, exit: 1,
		},
		"journal altered": {
			plant: func(f *folder) { f.overwrite(f.path("journal", "000001.qcj"), flip) },
			want:  map[string]string{"journal": command.Trouble}, exit: 1,
		},
		"journal torn": {
			plant: func(f *folder) {
				f.overwrite(f.path("journal", "000001.qcj"), func(d []byte) []byte { return append(d, 9, 9, 9) })
			},
			want: map[string]string{"journal": command.Warning},
		},
		"photo altered": {
			plant: func(f *folder) { f.overwrite(f.blob(f.sent), flip) },
			want:  map[string]string{"photos": command.Trouble}, exit: 1,
		},
		"photo altered, quick": {
			plant: func(f *folder) { f.overwrite(f.blob(f.sent), flip) }, args: quick,
			want: map[string]string{"photos": command.Skipped, "derived": command.Skipped},
		},
		"unsent photo gone": {
			plant: func(f *folder) { f.try(os.Remove(f.blob(f.sent))) },
			want:  map[string]string{"unsent": command.Trouble}, exit: 1,
		},
		"draft's photo gone": {
			plant: func(f *folder) { f.try(os.Remove(f.blob(f.left))) },
			want:  map[string]string{"drafts": command.Trouble}, exit: 1,
		},
		"little room": {
			plant: settle(`{"warn_free_gb": 900000, "min_free_gb": 0.000001}`),
			want:  map[string]string{"space": command.Warning},
		},
		"no room": {
			plant: settle(`{"min_free_gb": 900000}`),
			want:  map[string]string{"space": command.Trouble}, exit: 1,
		},
		"clock behind": {
			plant: func(f *folder) {
				store, err := local.Open(f.dir, local.Options{})
				f.try(err)
				_, err = store.Record(t.Context(), qc.ReviewGiven, "chen", time.Now().Add(48*time.Hour), map[string]string{"finding": "f1"})
				f.try(errors.Join(err, store.Close()))
			},
			want: map[string]string{"clock": command.Trouble}, exit: 1,
		},
		"cache torn": {
			plant: func(f *folder) {
				f.overwrite(f.path("derived", string(f.sent[:2]), string(f.sent)+".index"), flip)
			},
			want: map[string]string{"derived": command.Warning},
		},
		"no backup": {
			plant: func(f *folder) { f.try(os.RemoveAll(f.path("backup"))) },
			want:  map[string]string{"backups": command.Warning},
		},
		"backup damaged": {
			plant: func(f *folder) {
				f.overwrite(f.path("backup", "station-000001.db"), func(d []byte) []byte { clear(d[8192:]); return d })
			},
			want: map[string]string{"backups": command.Trouble}, exit: 1,
		},
		"backup old": {
			plant: func(f *folder) {
				old := time.Now().Add(-72 * time.Hour)
				f.try(os.Chtimes(f.path("backup", "station-000001.db"), old, old))
			},
			want: map[string]string{"backups": command.Warning},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			if _, set := c.want["space"]; !set {
				settle(`{"warn_free_gb": 0.000001, "min_free_gb": 0.000001}`)(f) // whatever disk this is
			}
			c.plant(f)
			exit, states := f.states(c.args...)
			if exit != c.exit || len(states) != 11 {
				t.Errorf("exit %d, %d checks", exit, len(states))
			}
			for check, state := range states {
				want := c.want[check]
				if want == "" {
					want = command.Sound
				}
				if state != want {
					t.Errorf("%s is %s, not %s", check, state, want)
				}
			}
		})
	}
}

func TestDoctorRepairsTheDatabase(t *testing.T) {
	f := newFolder(t)
	settle(`{"warn_free_gb": 0.000001}`)(f)
	f.overwrite(f.path("station.db"), func(d []byte) []byte { clear(d[2*4096 : 12*4096]); return d })
	if exit, states := f.states("--repair"); exit != 0 || states["database"] != command.Sound || states["repair"] != command.Warning || states["drafts"] != command.Sound {
		t.Errorf("exit %d, %v", exit, states)
	}
	if exit, states := f.states(); exit != 0 || states["database"] != command.Sound || states["repair"] != "" {
		t.Errorf("afterwards: exit %d, %v", exit, states)
	}
	if exit, _, errOut := f.run("doctor", "extra"); exit != 1 || !strings.Contains(errOut, "extra") {
		t.Errorf("exit %d, %s", exit, errOut)
	}
}

// tree returns the content of a folder but for logs and locks.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || slices.Contains([]string{"station.log", "station.lock"}, entry.Name()) {
			return err
		}
		data, err := os.ReadFile(name)
		all[strings.TrimPrefix(name, dir)] = string(qc.DigestOf(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (f *folder) waiting() (events int, epoch string) {
	f.t.Helper()
	store, err := local.Inspect(f.dir, local.Options{})
	f.try(err)
	defer store.Close()
	counts, err := store.Counts(context.Background())
	f.try(err)
	return counts.EventsWaiting, store.Epoch()
}

func TestBackupIsRestoredUnderANewLog(t *testing.T) {
	for _, photos := range []bool{false, true} {
		t.Run(fmt.Sprintf("photos %t", photos), func(t *testing.T) {
			f := newFolder(t)
			file := filepath.Join(t.TempDir(), "bench.zip")
			args := []string{"backup", file}
			if photos {
				args = append(args, "--photos")
			}
			if exit, _, errOut := f.run(args...); exit != 0 {
				t.Fatal(errOut)
			}
			if exit, _, errOut := f.run(args...); exit != 1 || !strings.Contains(errOut, "there already") {
				t.Errorf("written over: exit %d, %s", exit, errOut)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			_, epoch := f.waiting()
			before := tree(t, f.dir)
			if exit, _, errOut := f.run("restore", file); exit != 1 || !strings.Contains(errOut, "not been sent") {
				t.Errorf("over unsent work: exit %d, %s", exit, errOut)
			}
			if after := tree(t, f.dir); len(after) != len(before) {
				t.Errorf("the refused folder has changed: %d files, had %d", len(after), len(before))
			}

			fresh := &folder{t: t, dir: filepath.Join(t.TempDir(), "new", "data")}
			exit, out, errOut := fresh.run("restore", file)
			if exit != 0 || strings.Contains(out, "photo files that were never sent") == photos {
				t.Fatalf("exit %d, %s%s", exit, out, errOut)
			}
			if events, now := fresh.waiting(); events != 3 || now == epoch {
				t.Errorf("%d events, epoch %s was %s", events, now, epoch)
			}
			if exit, states := fresh.states(); states["database"] != command.Sound || (exit == 0) != photos && states["space"] == command.Sound {
				t.Errorf("exit %d, %v", exit, states)
			}

			// By force: the folder moves aside whole, its photos come along.
			exit, out, errOut = f.run("restore", file, "--force")
			if exit != 0 || strings.Contains(out, "never sent") {
				t.Fatalf("exit %d, %s%s", exit, out, errOut)
			}
			aside, _ := filepath.Glob(f.dir + ".before-restore-*")
			if len(aside) != 1 || len(tree(t, aside[0])) != len(before) {
				t.Errorf("the old folder: %v", aside)
			}
			if events, now := f.waiting(); events != 3 || now == epoch {
				t.Errorf("%d events, epoch %s was %s", events, now, epoch)
			}
			if _, states := f.states(); states["unsent"] != command.Sound || states["drafts"] != command.Sound || states["photos"] != command.Sound {
				t.Errorf("%v", states)
			}
		})
	}
}

func TestDamagedBackupRestoresNothing(t *testing.T) {
	f := newFolder(t)
	file := filepath.Join(t.TempDir(), "bench.zip")
	if exit, _, errOut := f.run("backup", file, "--photos"); exit != 0 {
		t.Fatal(errOut)
	}
	whole, err := os.ReadFile(file)
	f.try(err)
	altered := bytes.Clone(whole)
	altered[300] ^= 1 // within the database, which is first; not all of a zip's own bytes mean something
	for name, data := range map[string][]byte{
		"cut":     whole[:len(whole)/2],
		"altered": altered,
		"empty":   {},
		"other":   []byte("not a zip"),
	} {
		bad := filepath.Join(t.TempDir(), "bad.zip")
		f.try(os.WriteFile(bad, data, 0o600))
		fresh := &folder{t: t, dir: filepath.Join(t.TempDir(), "data")}
		if exit, _, errOut := fresh.run("restore", bad); exit != 1 || !strings.Contains(errOut, "nothing was changed") {
			t.Errorf("%s: exit %d, %s", name, exit, errOut)
		}
		if left, _ := filepath.Glob(fresh.dir + "*"); len(left) > 0 {
			t.Errorf("%s: left behind %v", name, left)
		}
	}
}

func TestArchiveNamesStayInside(t *testing.T) {
	d := string(qc.DigestOf(nil))
	for name, want := range map[string]bool{
		"station.db": true, "journal/000001.qcj": true, "blobs/" + d[:2] + "/" + d: true,
		"../station.db": false, "/station.db": false, "journal/../station.db": false, `journal\x.qcj`: false,
		"blobs/zz/" + d: false, "manifest.json": false, "journal/x/y.qcj": false, "C:station.db": false, "": false, "door.json": false,
	} {
		if stationArchive().MayHold(name) != want {
			t.Errorf("%q may be inside: %t", name, !want)
		}
	}
}

func TestExportHoldsOriginalsUnderReadableNames(t *testing.T) {
	f := newFolder(t)
	dir := filepath.Join(t.TempDir(), "evidence")
	if exit, _, errOut := f.run("export", dir); exit != 0 {
		t.Fatal(errOut)
	}
	photos, _ := filepath.Glob(filepath.Join(dir, "20481-0", "*", "1-left_ toe_.jpg"))
	if len(photos) != 1 {
		t.Fatalf("%v", tree(t, dir))
	}
	if data, err := os.ReadFile(photos[0]); err != nil || string(data) != "photo 0" {
		t.Errorf("%q, %v", data, err)
	}
	if got := len(tree(t, dir)); got != 3*2+2 {
		t.Errorf("%d files", got)
	}
	if exit, _, errOut := f.run("export", dir); exit != 1 || !strings.Contains(errOut, "not empty") {
		t.Errorf("exit %d, %s", exit, errOut)
	}
	f.overwrite(f.blob(f.sent), flip)
	if exit, _, errOut := f.run("export", dir+"2"); exit != 1 || !strings.HasPrefix(errOut, "flawmark: 1 ") {
		t.Errorf("exit %d, %s", exit, errOut)
	}
}
