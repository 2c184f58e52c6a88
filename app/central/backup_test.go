package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flawmark/app/archive"
	"flawmark/app/command"
	"flawmark/app/door"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/storage/storagetest"
)

// site is a centre's folder with a case and its photos, worked by commands.
type site struct {
	*house
	dir      string
	original qc.Digest
	preview  qc.Digest
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{house: newHouse(t)}
	s.dir = s.c.settings.Data
	f := s.finding("f1", 1, flaw("a", "H11", ""))
	for part, into := range map[string]*qc.Digest{"original": &f.Photos[0].Digest, "preview": &f.Photos[0].Preview.Digest} {
		d, err := s.c.blobs.PutBytes(t.Context(), []byte(part))
		s.must(err)
		*into = d
		s.must(s.c.store.BlobStored(t.Context(), d, int64(len(part)), "image/jpeg", s.now))
	}
	s.original, s.preview = f.Photos[0].Digest, f.Photos[0].Preview.Digest
	s.say(qc.FindingRecorded, f)
	return s
}

func (s *site) blob(dir string, d qc.Digest) string {
	return filepath.Join(dir, "blobs", string(d[:2]), string(d))
}

// ask gives a command to the service that runs, as through its door.
func (s *site) ask(args ...string) (exit int, out, errOut string) {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	call := door.Call{Args: append(args, "--lang", "en", "--data", s.dir), Dir: s.t.TempDir()}
	exit = program().Answer(command.Holding(s.t.Context(), s.c), call, nil, &stdout, &stderr)
	return exit, stdout.String(), stderr.String()
}

// run gives a command while no service runs.
func run(t *testing.T, dir string, args ...string) (exit int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	exit = program().Main(t.Context(), append(args, "--lang", "en", "--data", dir), nil, t.TempDir(), &stdout, &stderr)
	return exit, stdout.String(), stderr.String()
}

// leave frees the folder, as the end of the service does.
func (s *site) leave() {
	s.t.Helper()
	s.must(s.c.store.Close())
	store, err := central.Open(s.t.Context(), central.Config{Dir: s.t.TempDir()}) // for the house to close
	s.must(err)
	s.c.store = store
}

// backup makes one through the service.
func (s *site) backup(flags ...string) string {
	s.t.Helper()
	name := filepath.Join(s.t.TempDir(), "centre.zip")
	if exit, _, errOut := s.ask(append([]string{"backup", name}, flags...)...); exit != 0 {
		s.t.Fatal(errOut)
	}
	return name
}

func TestBackup_IsRestored(t *testing.T) {
	t.Parallel()
	for _, photos := range []bool{false, true} {
		t.Run(fmt.Sprint("photos ", photos), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			var flags []string
			if photos {
				flags = append(flags, "--photos")
			}
			file := s.backup(flags...)
			if exit, _, errOut := s.ask("backup", file); exit != 1 || !strings.Contains(errOut, "there already") {
				t.Errorf("a second one: exit %d, %s", exit, errOut)
			}
			s.act(refund.Event{Kind: refund.ChoseKeep, Actor: refund.Actor{Party: refund.ByCustomer, ID: "C-1"}}) // after the backup

			to := filepath.Join(t.TempDir(), "restored")
			exit, out, errOut := run(t, to, "restore", file, "--json")
			var said struct {
				File, Folder, Aside string
				Missing             int
			}
			if err := json.Unmarshal([]byte(out), &said); exit != 0 || err != nil {
				t.Fatalf("exit %d, %s%s, %v", exit, out, errOut, err)
			}
			if want := map[bool]int{false: 5, true: 0}[photos]; said.Missing != want || said.Folder != to || said.Aside != "" {
				t.Errorf("said %s, want %d files to be missing", out, want)
			}
			store, err := central.Open(t.Context(), central.Config{Dir: to})
			s.must(err)
			defer store.Close()
			if health, err := store.Health(t.Context(), s.now, s.now); err != nil || !health.LastBackup.Equal(s.now) {
				t.Errorf("its newest backup is said to be of %s, %v", health.LastBackup, err)
			}
			cases, err := store.Cases(t.Context(), central.CaseFilter{})
			s.must(err)
			if len(cases) != 1 || cases[0].Status != refund.AwaitingDecision || store.Instance() != s.c.store.Instance() {
				t.Errorf("has %+v", cases)
			}
			before, err := s.c.store.Changes(t.Context(), qc.Cursor{}, 2)
			s.must(err)
			if _, err := store.Changes(t.Context(), before.Next, 2); !errors.Is(err, central.ErrCursorGone) {
				t.Errorf("a follower of the feed from before hears %v", err)
			}
			lacked, err := store.LackedBlobs(t.Context(), []qc.Digest{s.original, s.preview})
			s.must(err)
			if len(lacked) != min(2, said.Missing) {
				t.Errorf("lacks %d files, said %d", len(lacked), said.Missing)
			}
			_, err = os.Stat(s.blob(to, s.original))
			if (err == nil) != photos {
				t.Errorf("the photo: %v", err)
			}
		})
	}
}

func TestRestore_LosesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	file := s.backup()
	whole, err := os.ReadFile(file)
	s.must(err)
	damaged := func(name string, change func([]byte) []byte) string {
		name = filepath.Join(t.TempDir(), name)
		s.must(os.WriteFile(name, change(bytes.Clone(whole)), 0o600))
		return name
	}
	full := t.TempDir()
	s.must(os.WriteFile(filepath.Join(full, "settings.json"), []byte("{}"), 0o600))
	for name, tt := range map[string]struct {
		dir, file, says string
		flags           []string
	}{
		"folder in use":      {dir: s.dir, file: file, flags: []string{"--force"}, says: "already uses the folder"},
		"folder not empty":   {dir: full, file: file, says: "is not empty"},
		"no file":            {file: file + "x", says: "not"},
		"a torn file":        {file: damaged("torn.zip", func(b []byte) []byte { return b[:len(b)-100] }), says: "nothing was changed"},
		"a flipped bit":      {file: damaged("flipped.zip", func(b []byte) []byte { b[len(b)/3] ^= 4; return b }), says: "nothing was changed"},
		"something else":     {file: damaged("else.zip", func([]byte) []byte { return []byte("not a zip") }), says: "nothing was changed"},
		"a station's backup": {file: otherArchive(t, archive.Manifest{Program: "flawmark", Version: 1}), says: "nothing was changed"},
		"a newer version":    {file: otherArchive(t, archive.Manifest{Program: "flawmark-central", Version: 2}), says: "newer Flawmark"},
	} {
		dir := tt.dir
		if dir == "" {
			dir = filepath.Join(t.TempDir(), "new")
		}
		exit, _, errOut := run(t, dir, append([]string{"restore", tt.file}, tt.flags...)...)
		if exit != 1 || !strings.Contains(errOut, tt.says) {
			t.Errorf("%s: exit %d, %s", name, exit, errOut)
		}
		if left, _ := filepath.Glob(dir + ".*"); len(left) > 0 {
			t.Errorf("%s: left behind %v", name, left)
		}
	}
	if exit, _, errOut := s.ask("restore", file, "--force"); exit != 1 || !strings.Contains(errOut, "already uses the folder") {
		t.Errorf("through the door: exit %d, %s", exit, errOut)
	}
}

// otherArchive is a whole one that is not for this program.
func otherArchive(t *testing.T, manifest archive.Manifest) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "other.zip")
	err := archive.WriteNew(name, func(w io.Writer) error {
		a := archive.NewWriter(w, morning)
		if err := a.Add(t.Context(), archiveDatabase, strings.NewReader("a database")); err != nil {
			return err
		}
		manifest.Files = a.Files()
		return a.Finish(manifest)
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// --force moves what is there aside and takes over its photo files.
func TestRestore_Force(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	file := s.backup()
	s.leave()
	link := filepath.Join(t.TempDir(), "link")
	s.must(os.Symlink(s.dir, link))
	exit, out, errOut := run(t, link, "restore", file, "--force")
	if to, err := os.Readlink(link); err != nil || to != s.dir {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if exit != 0 || !strings.Contains(out, "What was there before is in") || strings.Contains(out, "asked for") {
		t.Fatalf("exit %d, %s%s", exit, out, errOut)
	}
	aside, _ := filepath.Glob(s.dir + ".before-restore-*")
	if len(aside) != 1 {
		t.Fatalf("aside: %v", aside)
	}
	for _, dir := range []string{s.dir, aside[0]} {
		if data, err := os.ReadFile(s.blob(dir, s.original)); err != nil || string(data) != "original" {
			t.Errorf("%s has %q, %v", dir, data, err)
		}
	}
	if exit, out, _ := run(t, s.dir, "doctor"); exit != 0 || strings.Contains(out, "cli.") {
		t.Errorf("doctor: exit %d\n%s", exit, out)
	}
}

// A centre on PostgreSQL is backed up into the same file, and restored onto an
// empty database.
func TestBackup_OfPostgreSQL(t *testing.T) {
	t.Parallel()
	server := storagetest.StartPostgres(t)
	s := newSite(t)
	first, second := server.Database(t), server.Database(t)
	s.leave()

	if exit, out, errOut := run(t, s.dir, "migrate", "--to", first); exit != 0 || !strings.Contains(out, "settings.json") {
		t.Fatalf("exit %d, %s%s", exit, out, errOut)
	}
	if exit, _, errOut := run(t, s.dir, "cases"); exit != 1 || !strings.Contains(errOut, "was moved to another database") {
		t.Errorf("the old one: exit %d, %s", exit, errOut)
	}
	if exit, _, errOut := run(t, s.dir, "migrate", "--to", second); exit != 1 || !strings.Contains(errOut, "was moved") {
		t.Errorf("moved twice: exit %d, %s", exit, errOut)
	}
	if exit, out, errOut := run(t, s.dir, "cases", "--database", first); exit != 0 || !strings.Contains(out, "1-1") {
		t.Fatalf("the new one: exit %d, %s%s", exit, out, errOut)
	}
	file := filepath.Join(t.TempDir(), "centre.zip")
	if exit, _, errOut := run(t, s.dir, "backup", file, "--photos", "--database", first); exit != 0 {
		t.Fatal(errOut)
	}
	to := filepath.Join(t.TempDir(), "restored")
	if exit, _, errOut := run(t, to, "restore", file, "--database", first); exit != 1 || !strings.Contains(errOut, "is not empty") {
		t.Errorf("onto the old database: exit %d, %s", exit, errOut)
	}
	if exit, _, errOut := run(t, to, "restore", file, "--database", second); exit != 0 {
		t.Fatal(errOut)
	}
	if exit, out, errOut := run(t, to, "doctor", "--deep", "--database", second); exit != 0 || !strings.Contains(out, "5 files are there") {
		t.Errorf("exit %d, %s%s", exit, out, errOut)
	}
	back := filepath.Join(t.TempDir(), "back")
	if exit, _, errOut := run(t, to, "migrate", "--to", "file://"+back, "--database", second); exit != 0 {
		t.Fatal(errOut)
	}
	if exit, out, errOut := run(t, back, "cases"); exit != 0 || !strings.Contains(out, "1-1") {
		t.Errorf("back: exit %d, %s%s", exit, out, errOut)
	}
	for _, wrong := range []string{"", "mysql://x/y", "file://" + to, "postgres:"} {
		if exit, _, errOut := run(t, to, "migrate", "--to", wrong); exit != 1 || !strings.HasPrefix(errOut, "flawmark-central: ") {
			t.Errorf("%q: exit %d, %s", wrong, exit, errOut)
		}
	}
}

// states runs the doctor and returns the state of each check.
func states(t *testing.T, out, errOut string, exit int) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for lines := bufio.NewScanner(strings.NewReader(out)); lines.Scan(); {
		var one command.Diagnosis
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		if strings.Contains(one.Text, "{") || strings.HasPrefix(one.Text, "cli.") {
			t.Errorf("%s says %q", one.Name, one.Text)
		}
		found[one.Name] = one.State
	}
	if (exit != 0) != (errOut != "") {
		t.Errorf("exit %d, says %q", exit, errOut)
	}
	return found
}

func TestDoctor_OfTheService(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	look := func(flags ...string) (int, map[string]string) {
		exit, out, errOut := s.ask(append([]string{"doctor", "--json"}, flags...)...)
		return exit, states(t, out, errOut, exit)
	}
	exit, found := look()
	for name, want := range map[string]string{
		"books": "ok", "photos_here": "ok", "photos": "ok", "notices": "ok", "timers": "ok", "uploads": "ok", "backup": "warning", "clock": "ok",
		"certificate": "ok", "mail": "ok",
	} {
		if found[name] != want {
			t.Errorf("%s is %q, want %s", name, found[name], want)
		}
	}
	if exit != 0 && found["space"] != "problem" {
		t.Errorf("exit %d: %v", exit, found)
	}
	s.backup()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	defer silent.Close()
	go func() {
		for {
			conn, err := silent.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("SSH-2.0-OpenSSH\r\n"))
			_ = conn.Close()
		}
	}()
	port := silent.Addr().(*net.TCPAddr).Port
	s.c.settings.SMTP.Host, s.c.settings.SMTP.Port = "127.0.0.1", port
	s.c.settings.TLSCert, s.c.settings.TLSKey = certificateUntil(t, s.now.Add(3*24*time.Hour))
	if exit, found := look(); exit != 1 || found["backup"] != "ok" || found["mail"] != "problem" || found["certificate"] != "warning" {
		t.Errorf("exit %d: %v", exit, found)
	}
	s.c.settings.TLSCert, s.c.settings.TLSKey = certificateUntil(t, s.now.Add(-time.Hour))
	s.must(os.Remove(s.blob(s.dir, s.original)))
	s.must(os.WriteFile(s.blob(s.dir, s.preview), []byte("PREVIEW"), 0o600))
	s.now = s.now.Add(30 * time.Hour)
	if exit, found := look("--deep"); exit != 1 || found["photos_here"] != "problem" || found["photos"] != "problem" ||
		found["certificate"] != "problem" || found["backup"] != "warning" {
		t.Errorf("exit %d: %v", exit, found)
	}
	s.now = s.now.Add(30 * 24 * time.Hour) // nobody looked at cases meanwhile
	if _, found := look(); found["timers"] != "warning" {
		t.Errorf("timers: %v", found)
	}
	s.now = s.now.Add(-32 * 24 * time.Hour)
	if _, found := look(); found["clock"] != "problem" {
		t.Errorf("clock: %v", found)
	}
	if exit, _, errOut := s.ask("doctor", "--repair"); exit != 1 || !strings.Contains(errOut, "stop that one first") {
		t.Errorf("repair under a running service: exit %d, %s", exit, errOut)
	}
}

// The doctor has the stations send again what is lost.
func TestDoctor_Repair(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.leave()
	s.must(os.Remove(s.blob(s.dir, s.original)))
	s.must(os.WriteFile(s.blob(s.dir, s.preview), []byte("PREVIEW"), 0o600))
	exit, out, errOut := run(t, s.dir, "doctor", "--deep", "--repair", "--json")
	if found := states(t, out, errOut, exit); exit != 1 || found["repair"] != "warning" {
		t.Errorf("exit %d: %v", exit, found)
	}
	exit, out, errOut = run(t, s.dir, "doctor", "--deep", "--json")
	if found := states(t, out, errOut, exit); exit != 0 || found["photos_here"] != "ok" || found["photos"] != "ok" {
		t.Errorf("afterwards: exit %d: %v %s", exit, found, errOut)
	}
	store, err := central.Open(t.Context(), central.Config{Dir: s.dir})
	s.must(err)
	defer store.Close()
	lacked, err := store.LackedBlobs(t.Context(), []qc.Digest{s.original, s.preview})
	if err != nil || len(lacked) != 2 {
		t.Errorf("lacks %v, %v", lacked, err)
	}
}

// The desk's rows are compared with what they are made of, and made anew.
func TestDoctor_Desk(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.leave()
	db, err := sql.Open("sqlite", filepath.Join(s.dir, "central.db"))
	s.must(err)
	_, err = db.Exec(`UPDATE desk_case SET search = 'nothing'`)
	s.must(errors.Join(err, db.Close()))
	for _, look := range []struct {
		flag, desk string
		exit       int
	}{{"--json", "", 0}, {"--deep", "problem", 1}, {"--repair", "warning", 0}, {"--deep", "ok", 0}} {
		exit, out, errOut := run(t, s.dir, "doctor", "--json", look.flag)
		if found := states(t, out, errOut, exit); found["desk"] != look.desk || exit != look.exit {
			t.Errorf("%s: exit %d: %v", look.flag, exit, found)
		}
	}
}

// What cannot be opened is said, not failed on.
func TestDoctor_OfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "central.db"), bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	moved := t.TempDir()
	store, err := central.Open(t.Context(), central.Config{Dir: moved})
	if err == nil {
		err = errors.Join(store.MarkMoved(t.Context()), store.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	for dir, says := range map[string]string{damaged: "restore the newest backup", moved: "moved to another database"} {
		exit, out, errOut := run(t, dir, "doctor")
		if exit != 1 || !strings.Contains(out, says) || !strings.Contains(errOut, "problem: 1;") {
			t.Errorf("exit %d, %s%s", exit, out, errOut)
		}
	}
	if exit, _, errOut := run(t, filepath.Join(damaged, "none"), "doctor"); exit != 1 || !strings.Contains(errOut, "no centre's data") {
		t.Errorf("no folder: exit %d, %s", exit, errOut)
	}
}

// certificateUntil writes one with its key.
func certificateUntil(t *testing.T, ends time.Time) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: ends.Add(-90 * 24 * time.Hour), NotAfter: ends,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: encoded},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

// Photo files go to a bucket and come back from a backup of it.
func TestMigrate_PhotosToABucket(t *testing.T) {
	t.Parallel()
	server := storagetest.StartS3(t)
	env := []string{"FLAWMARK_S3_ACCESS_KEY=" + server.AccessKey, "FLAWMARK_S3_SECRET_KEY=" + server.SecretKey}
	with := func(dir string, args ...string) (int, string, string) {
		t.Helper()
		var out, errOut bytes.Buffer
		exit := program().Main(t.Context(), append(args, "--lang", "en", "--data", dir), env, t.TempDir(), &out, &errOut)
		return exit, out.String(), errOut.String()
	}
	s := newSite(t)
	s.leave()
	bucket := server.Bucket(t)
	s.must(os.WriteFile(s.blob(s.dir, s.preview), []byte("PREVIEW"), 0o600)) // of the right length
	for range 2 {
		exit, out, errOut := with(s.dir, "migrate", "--objects", bucket, "--json")
		if exit != 1 || !strings.Contains(errOut, "1 photo file is missing or damaged") || !strings.Contains(out, `"lost":1`) {
			t.Fatalf("exit %d, %s%s", exit, out, errOut)
		}
	}
	s.must(os.WriteFile(s.blob(s.dir, s.preview), []byte("preview"), 0o600))
	if exit, out, errOut := with(s.dir, "migrate", "--objects", bucket); exit != 0 || !strings.Contains(out, "1 photo file was copied, 4 were there already") {
		t.Fatalf("exit %d, %s%s", exit, out, errOut)
	}
	if exit, out, errOut := with(s.dir, "doctor", "--deep", "--objects", bucket); exit != 0 || !strings.Contains(out, "5 files are as they were stored") {
		t.Errorf("exit %d, %s%s", exit, out, errOut)
	}
	file := filepath.Join(t.TempDir(), "centre.zip")
	if exit, _, errOut := with(s.dir, "backup", file, "--photos", "--objects", bucket); exit != 0 {
		t.Fatal(errOut)
	}
	to, other := filepath.Join(t.TempDir(), "restored"), server.Bucket(t)
	exit, out, errOut := with(to, "restore", file, "--objects", other)
	if _, err := os.Stat(filepath.Join(to, "blobs")); exit != 0 || strings.Contains(out, "asked for") || err == nil {
		t.Fatalf("exit %d, %s%s, %v", exit, out, errOut, err)
	}
	if exit, out, errOut := with(to, "doctor", "--deep", "--objects", other); exit != 0 || !strings.Contains(out, "5 files are as they were stored") {
		t.Errorf("exit %d, %s%s", exit, out, errOut)
	}
}
