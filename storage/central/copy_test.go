package central_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/storage/storagetest"

	"github.com/google/uuid"
)

// lived is a centre in which everything has happened that makes rows.
func lived(t *testing.T, open opener) world {
	t.Helper()
	w := newWorld(t, open)
	_, err := w.AddWebhook(t.Context(), refund.Webhook{URL: "https://shop.example.com/"}, noon)
	w.must(err)
	_, err = w.LinkOrder(t.Context(), "20481", "clerk3", noon)
	w.must(err)
	_, err = w.Secret(t.Context(), "tokens")
	w.must(err)
	c := w.visible("20481-2")
	_, err = w.Act(t.Context(), c.ID, 0, refund.Event{Kind: refund.ChoseRefund, Actor: customer, At: noon}, "a key")
	w.must(err)
	w.act(c.ID, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	w.act(c.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(40100), SellerRef: "R-1"})
	dear := w.bench.flag("dear", "20481-3")
	w.bench.applied(noon, qc.FindingRecorded, "u12", dear)
	w.bench.applied(noon, qc.ReviewGiven, "lead7", qc.Review{Finding: "dear", Revision: 1, Outcome: qc.Confirmed, By: "lead7"})
	w.bench.refused("error.case_moved_on", qc.FindingRecorded, "u12", dear)
	_, _, err = w.BeginUpload(t.Context(), central.Upload{
		ID: "u1", Station: w.bench.id, Digest: dear.Photos[0].Digest, Length: 7, MediaType: "image/jpeg", ExpiresAt: noon.Add(time.Hour),
	})
	w.must(err)
	_, err = w.Reserve(t.Context(), reservation(5000), noon)
	w.must(err)
	_, err = w.WriteTicket(t.Context(), asks("What is that stain?", "once", noon))
	w.must(err)
	shop, _, err := w.AddShopKey(t.Context(), "acme", []string{"cases:read"}, true, noon)
	w.must(err)
	_, err = w.BeginShopRequest(t.Context(), shop, "a key", "a print", noon)
	w.must(err)
	w.must(w.Subscribe(t.Context(), browser("20481", 1), noon))
	_, err = w.LinkMails(t.Context(), sampleOrder().Customer.ID, noon)
	w.must(err)
	w.must(w.ChooseMails(t.Context(), "20481", false, noon))
	_, err = w.AskWithdrawal(t.Context(), refund.Withdrawal{
		ID: uuid.NewString(), Customer: "C-1001", Amount: money.Fen(700), To: "Alipay ana@example.com", AskedBy: "clerk:clerk3",
	}, noon)
	w.must(err)
	w.must(w.Assign(t.Context(), c.ID, "clerk3", "clerk3", noon))
	w.must(w.KeepLetter(t.Context(), refund.Letter{ID: "l1", Case: c.ID, Text: "退款", By: "clerk3", At: noon}))
	w.must(w.KeepRun(t.Context(), central.Run{ID: "r1", Kind: "bulk", Staff: "clerk3", At: noon, Request: "{}"}))
	_, err = w.SignIn(t.Context(), "clerk3", "wrong", central.Source{Name: "192.0.2.7"}, noon)
	wantErr(t, err, central.ErrSignIn)
	_, err = w.BeginSession(t.Context(), "clerk3", noon)
	w.must(err)
	key := []byte(strings.Repeat("k", 32))
	_, err = w.BeginEnrolment(t.Context(), "bench 2", key, noon)
	w.must(err)
	w.sound()
	return w
}

// A centre goes from each kind of database to each other, and is the same
// afterwards: the same in every row, and at work.
func TestCopyTo_IsTheSameCentre(t *testing.T) {
	t.Parallel()
	server := storagetest.StartPostgres(t)
	files := func(tb testing.TB) central.Config { return config(tb, tb.TempDir()) }
	rows := func(tb testing.TB) central.Config {
		c := config(tb, tb.TempDir())
		c.URL = server.Database(tb)
		return c
	}
	for name, kinds := range map[string][2]func(testing.TB) central.Config{
		"SQLite to PostgreSQL": {files, rows}, "PostgreSQL to SQLite": {rows, files},
		"SQLite to SQLite": {files, files}, "PostgreSQL to PostgreSQL": {rows, rows},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := kinds[0](t), kinds[1](t)
			w := lived(t, func(tb testing.TB) *central.Store { return opened(tb, from) })
			page, err := w.Changes(t.Context(), qc.Cursor{}, 5)
			w.must(err)
			done, err := w.CopyTo(t.Context(), to)
			w.must(err)
			if !done.Report.OK() || done.Report.Transfers == 0 || done.Rows < 50 {
				t.Errorf("copied %+v", done)
			}
			sameRows(t, rowsOf(t, from), rowsOf(t, to))
			again, err := w.CopyTo(t.Context(), to)
			w.must(err)
			if again.Rows != done.Rows {
				t.Errorf("copied again %+v", again)
			}
			before, err := w.Stats(t.Context())
			w.must(err)

			store, err := central.Open(t.Context(), to)
			w.must(err)
			after := world{Store: store, t: t, bench: w.bench}
			stats, err := after.Stats(t.Context())
			w.must(err)
			if fmt.Sprint(stats) != fmt.Sprint(before) || after.Instance() != w.Instance() {
				t.Errorf("has %+v, not %+v", stats, before)
			}
			if _, err := after.Changes(t.Context(), page.Next, 5); err != nil {
				t.Errorf("a follower of the feed hears %v", err)
			}
			after.bench.w = after
			after.bench.applied(noon, qc.FindingRecorded, "u12", w.bench.pass("later", "20481-1"))
			after.sound()
			w.must(after.Close())
			_, err = w.CopyTo(t.Context(), to) // a centre of its own by now
			wantErr(t, err, central.ErrNotEmpty)
		})
	}
}

// opened opens a store for the rest of the test.
func opened(tb testing.TB, c central.Config) *central.Store {
	tb.Helper()
	store, err := central.Open(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
	})
	return store
}

// No table of the schema is left behind.
func TestCopyTo_KnowsEveryTable(t *testing.T) {
	t.Parallel()
	var declared []string
	files, err := filepath.Glob("migrations/sqlite/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		for _, found := range regexp.MustCompile(`(?im)^CREATE TABLE (?:IF NOT EXISTS )?"?(\w+)`).FindAllStringSubmatch(up, -1) {
			declared = append(declared, found[1])
		}
		for _, found := range regexp.MustCompile(`(?im)^DROP TABLE "?(\w+)`).FindAllStringSubmatch(up, -1) {
			declared = slices.DeleteFunc(declared, func(name string) bool { return name == found[1] })
		}
		for _, found := range regexp.MustCompile(`(?im)^ALTER TABLE "?(\w+)"? RENAME TO "?(\w+)`).FindAllStringSubmatch(up, -1) {
			declared[slices.Index(declared, found[1])] = found[2]
		}
	}
	w := lived(t, openSQLite)
	to := config(t, t.TempDir())
	done, err := w.CopyTo(t.Context(), to)
	w.must(err)
	if done.Tables != len(declared) {
		t.Errorf("%d tables were copied; the schema has %d: %v", done.Tables, len(declared), declared)
	}
	copied := rowsOf(t, to)
	for _, name := range declared {
		if _, there := copied[name]; !there {
			t.Errorf("table %s was not copied", name)
		}
	}
}

// What is not the copy of this centre stays as it is.
func TestCopyTo_RefusesWhatIsNotEmpty(t *testing.T) {
	t.Parallel()
	w := lived(t, openSQLite)
	other := t.TempDir()
	w.must(newWorld(t, reopen(other)).Close())
	_, err := w.CopyTo(t.Context(), config(t, other))
	wantErr(t, err, central.ErrNotEmpty)

	foreign := t.TempDir()
	tamper(t, foreign, `CREATE TABLE accounts (id INTEGER PRIMARY KEY)`)
	_, err = w.CopyTo(t.Context(), config(t, foreign))
	wantErr(t, err, central.ErrNotEmpty)
	db, err := sql.Open("sqlite", filepath.Join(foreign, "central.db"))
	w.must(err)
	defer db.Close()
	var tables int
	w.must(db.QueryRow(`SELECT COUNT(*) FROM sqlite_schema`).Scan(&tables))
	if tables != 1 {
		t.Errorf("the other program's database has %d tables now", tables)
	}
}

func TestOpen_WhatWasMoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, reopen(dir))
	w.must(w.MarkMoved(t.Context()))
	w.must(w.Close())
	_, err := central.Open(t.Context(), config(t, dir))
	wantErr(t, err, central.ErrMoved)
	_, err = central.Inspect(t.Context(), config(t, dir))
	wantErr(t, err, central.ErrMoved)
}

// A copy that differs in one row is not called one.
func TestCopyTo_ComparesRows(t *testing.T) {
	t.Parallel()
	for _, change := range []string{
		`UPDATE balance SET posted = posted + 1 WHERE account = 'customer:C-1001'`,
		`DELETE FROM capability`,
		`UPDATE refund_case SET search = search || ' '`,
	} {
		dir := t.TempDir()
		w := lived(t, openSQLite)
		to := config(t, dir)
		_, err := w.CopyTo(t.Context(), to)
		w.must(err)
		tamper(t, dir, change)
		_, err = w.CopyTo(t.Context(), to)
		wantErr(t, err, central.ErrDiffers)
	}
}

// killedCopy names the folder that the child of TestCopyTo_Killed copies from.
const killedCopy = "FLAWMARK_TEST_KILLED_COPY"

// copyUntilKilled copies a folder's centre and says when.
func copyUntilKilled(dir string) error {
	store, err := central.Inspect(context.Background(), central.Config{Dir: dir})
	if err != nil {
		return err
	}
	fmt.Println("copying")
	if _, err := store.CopyTo(context.Background(), central.Config{Dir: dir + ".copy"}); err != nil {
		return err
	}
	fmt.Println("copied")
	return store.Close()
}

// TestCopyTo_Killed kills a copy at random moments. The source is what it was;
// the copy is whole or refused; the next attempt comes to the end.
func TestCopyTo_Killed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "centre")
	w := lived(t, reopen(dir))
	for i := range 300 {
		w.store(qc.DigestOf(fmt.Appendf(nil, "photo %d", i)))
	}
	w.must(w.Close())
	random := rand.New(rand.NewPCG(1, 2))
	refused, whole, typical := 0, 0, time.Duration(0)
	for try := 0; try < 12 || refused == 0 && try < 60; try++ { // on a busy machine moments swing
		w.must(os.RemoveAll(dir + ".copy"))
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), killedCopy+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		w.must(err)
		w.must(child.Start())
		lines := bufio.NewScanner(out)
		lines.Scan()
		begun := time.Now()
		if typical == 0 { // the first one may finish
			lines.Scan()
			typical = time.Since(begun)
		}
		time.Sleep(time.Duration(random.Int64N(int64(typical))))
		_ = child.Process.Kill() // it may have ended by itself
		_ = child.Wait()
		store, err := central.Open(t.Context(), config(t, dir+".copy"))
		switch {
		case errors.Is(err, central.ErrUnfinished):
			refused++
		case err != nil:
			t.Fatal(err)
		default: // ended, or not begun: then it is a new centre, which nobody takes for a copy
			stats, err := store.Stats(t.Context())
			w.must(errors.Join(err, store.Close()))
			if stats.Blobs > 0 {
				whole++
			}
			w.must(os.RemoveAll(dir + ".copy"))
		}
		from, err := central.Inspect(t.Context(), config(t, dir))
		w.must(err)
		done, err := from.CopyTo(t.Context(), config(t, dir+".copy"))
		w.must(errors.Join(err, from.Close()))
		if !done.Report.OK() {
			t.Fatalf("after a kill: %+v", done)
		}
		again, err := central.Open(t.Context(), config(t, dir))
		w.must(err)
		same := world{Store: again, t: t}
		same.sound()
		w.must(same.Close())
	}
	t.Logf("%d copies were refused as unfinished, %d whole", refused, whole)
	if refused == 0 {
		t.Error("no kill met a copy in its middle: the moments miss it")
	}
}

// A feed that begins anew asks for what was lost, and only for that.
func (open opener) testBeginFeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	a, b := qc.DigestOf([]byte("a")), qc.DigestOf([]byte("b"))
	w.store(a)
	w.store(b)
	w.must(w.BeginFeed(t.Context(), []qc.Digest{a}))
	lacked, err := w.LackedBlobs(t.Context(), []qc.Digest{a, b})
	w.must(err)
	if len(lacked) != 1 || lacked[0] != a {
		t.Errorf("lacked %v", lacked)
	}
	if told := w.feed(qc.PhotoStored); len(told) != 1 || !strings.Contains(string(told[0].Data), string(b)) {
		t.Errorf("told %v", told)
	}
	w.store(a)
	if told := w.feed(qc.PhotoStored); len(told) != 2 {
		t.Errorf("told of %d after it came again", len(told))
	}
	w.sound()
}
