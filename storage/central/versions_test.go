package central_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"flawmark/app/money"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

// TestOpen_DataOfAnEarlierVersion opens what the program of schema 3 has left
// behind: a case that was decided, paid and credited, with its mails and events.
// A file is added to testdata when a version is given to people.
func TestOpen_DataOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	c := config(t, t.TempDir())
	unpack(t, "centre-00003.db.gz", filepath.Join(c.Dir, "central.db"))
	store, err := central.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if report, err := store.Verify(t.Context()); err != nil || !report.OK() {
		t.Errorf("verified: %+v, %v", report, err)
	}
	cases, err := store.Cases(t.Context(), central.CaseFilter{})
	if err != nil || len(cases) != 1 || cases[0].Status != refund.Credited || cases[0].Credited != money.Fen(401_00) {
		t.Fatalf("cases %+v, %v", cases, err)
	}
	if funds, err := store.Funds(t.Context(), cases[0].Customer); err != nil || funds.Available != money.Fen(401_00) {
		t.Errorf("funds %+v, %v", funds, err)
	}
	notices, err := store.Notices(t.Context(), central.NoticeFilter{})
	if err != nil || len(notices) != 6 {
		t.Errorf("%d notices, want the 6 there were: %v", len(notices), err)
	}
}

func unpack(t *testing.T, name, to string) {
	t.Helper()
	packed, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	reader, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(reader)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
