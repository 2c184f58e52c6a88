package central_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/storage/storagetest"
)

// gone has originals go at a time and returns their files.
func (w world) gone(at time.Time) (files []qc.Digest, evidence int) {
	w.t.Helper()
	after := qc.ItemID("")
	for {
		step, err := w.LetGo(w.t.Context(), refund.DefaultRetention(), at, after, 1)
		w.must(err)
		files, evidence = append(files, step.Files...), evidence+step.Evidence
		if after = step.Next; after == "" {
			return files, evidence
		}
	}
}

func later(days int) time.Time { return noon.Add(time.Duration(days) * 24 * time.Hour) }

func (open opener) testOriginalsOfPassedItemsGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	f := w.bench.pass("good", "20481-1")
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	photo := f.Photos[0]
	for _, d := range []qc.Digest{photo.Digest, photo.Preview.Digest, photo.Thumb.Digest} {
		w.store(d)
	}
	if files, _ := w.gone(later(89)); len(files) > 0 {
		t.Errorf("went after 89 days: %v", files)
	}
	if files, _ := w.gone(later(91)); !slices.Equal(files, []qc.Digest{photo.Digest}) {
		t.Errorf("went after 91 days: %v, want the original alone", files)
	}
	if files, _ := w.gone(later(92)); len(files) > 0 {
		t.Errorf("went again: %v", files)
	}
	lacked, err := w.LackedBlobs(t.Context(), []qc.Digest{photo.Digest, photo.Preview.Digest, photo.Thumb.Digest})
	w.must(err)
	if !slices.Equal(lacked, []qc.Digest{photo.Digest}) {
		t.Errorf("lacks %v", lacked)
	}
	w.sound()
}

func (open opener) testOriginalsOfCasesStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	original := w.bench.flag("f-20481-2", "20481-2").Photos[0].Digest
	w.store(original)
	if files, evidence := w.gone(later(400)); len(files)+evidence > 0 {
		t.Fatalf("of an open case went %v, %d", files, evidence)
	}
	w.act(c.ID, refund.Event{Kind: refund.ChoseRefund, Actor: customer})
	w.act(c.ID, refund.Event{Kind: refund.AgreedRefund, Actor: clerk})
	w.act(c.ID, refund.Event{Kind: refund.SellerPaid, Actor: clerk, Amount: money.Fen(40100), SellerRef: "R-1"})
	if files, evidence := w.gone(later(4000)); len(files) > 0 || evidence != 1 {
		t.Errorf("of a case with money went %v, %d kept", files, evidence)
	}
	if o, err := w.Originals(t.Context()); err != nil || o.Evidence != 1 || o.Waiting != 0 {
		t.Errorf("originals %+v, %v", o, err)
	}
	w.sound()
}

// What a customer asks about is looked at before it goes.
func (open opener) testOriginalsWhileAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	f := w.bench.pass("good", "20481-2")
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	ticket, err := w.WriteTicket(t.Context(), asks("What is that stain?", "once", noon))
	w.must(err)
	if files, _ := w.gone(later(91)); len(files) > 0 {
		t.Errorf("unanswered, went %v", files)
	}
	_, err = w.WriteTicket(t.Context(), answers(ticket.ID, 1, "twice", later(91)))
	w.must(err)
	if files, _ := w.gone(later(92)); len(files) != 1 {
		t.Errorf("answered, went %v", files)
	}
}

// One file may show several items; it goes with the last that needs it.
func (open opener) testOriginalsOfSeveralItems(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	flagged := w.bench.flag("f-20481-2", "20481-2")
	w.bench.applied(noon, qc.FindingRecorded, "u12", flagged)
	w.store(flagged.Photos[0].Preview.Digest)
	good := w.bench.pass("good", "20481-1")
	shared := flagged.Photos[0].Digest
	good.Photos[0].Digest = shared
	w.bench.applied(noon, qc.FindingRecorded, "u12", good)
	w.store(shared)
	if files, _ := w.gone(later(91)); len(files) > 0 {
		t.Errorf("of an open case went %v", files)
	}
	w.act(w.only().ID, refund.Event{Kind: refund.ChoseKeep, Actor: customer}) // at noon
	if files, _ := w.gone(later(91)); !slices.Equal(files, []qc.Digest{shared}) {
		t.Errorf("afterwards went %v", files)
	}
	again := w.bench.pass("again", "20481-1") // inspected once more with the same file
	again.Photos[0].Digest = shared
	w.bench.applied(later(91), qc.FindingRecorded, "u12", again)
	w.store(shared)
	if files, _ := w.gone(later(92)); len(files) > 0 {
		t.Errorf("as soon as it came again went %v", files)
	}
	w.sound()
}

// What was recorded before the centre knew of this is found.
func TestMigration_FindsOriginals(t *testing.T) {
	t.Parallel()
	server := storagetest.StartPostgres(t)
	for name, address := range map[string]string{"sqlite": "", "pgx": server.Database(t)} {
		c := config(t, t.TempDir())
		c.URL = address
		store, err := central.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, func(testing.TB) *central.Store { return store })
		w.bench.applied(noon, qc.FindingRecorded, "u12", w.bench.pass("good", "20481-1"))
		w.visible("20481-2")
		w.must(w.Close())
		if address == "" {
			address = filepath.Join(c.Dir, "central.db")
		}
		db, err := sql.Open(name, address)
		w.must(err)
		for _, statement := range []string{`DROP TABLE original`, `DELETE FROM goose_db_version WHERE version_id = 8`} {
			_, err := db.ExecContext(t.Context(), statement)
			w.must(err)
		}
		w.must(db.Close())
		w.Store, err = central.Open(t.Context(), c)
		w.must(err)
		if o, err := w.Originals(t.Context()); err != nil || o.Waiting != 2 {
			t.Errorf("%s: originals %+v, %v", name, o, err)
		}
		if files, _ := w.gone(later(91)); len(files) != 1 {
			t.Errorf("%s: went %v", name, files)
		}
		w.must(w.Close())
	}
}
