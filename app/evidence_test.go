package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"flawmark/app/handout"
	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/imaging/photo"
	"flawmark/storage/blob"
	"flawmark/storage/local"
)

// benchFolder is a station's data folder with one item of two photos, recorded with
// flaws and marks, and the same as a draft of another item.
type benchFolder struct {
	folder
	finding qc.Finding
}

func newBenchFolder(t *testing.T) *benchFolder {
	t.Helper()
	f := &benchFolder{folder: folder{t: t, dir: filepath.Join(t.TempDir(), "data")}}
	f.try(os.Mkdir(f.dir, 0o700))
	blobs, err := blob.OpenFolder(f.path("blobs"))
	f.try(err)
	store, err := local.Open(f.dir, local.Options{})
	f.try(err)
	f.finding = qc.Finding{ID: "f1", Revision: 1, Item: "20481-2", Order: "20481", Round: 1, Verdict: qc.Flag, Inspector: "wang", RecordedAt: time.Now()}
	for i, name := range []string{"left: toe?.JPG", "sole.jpg"} {
		id := qc.PhotoID([]string{"p1", "p2"}[i])
		img := image.NewRGBA(image.Rect(0, 0, 2400+200*i, 1800))
		for p := range img.Pix {
			img.Pix[p] = uint8(p>>6 ^ p>>13 | 3)
		}
		var original, preview bytes.Buffer
		f.try(photo.EncodeJPEG(&original, img, 80))
		small, _, err := photo.DecodeFit(original.Bytes(), 1200, 1200, photo.Limits{})
		f.try(err)
		f.try(photo.EncodeJPEG(&preview, small, 80))
		p := qc.Photo{ID: id, Name: name, MediaType: "image/jpeg", Width: img.Rect.Dx(), Height: 1800, Bytes: int64(original.Len())}
		p.Digest, err = blobs.PutBytes(t.Context(), original.Bytes())
		f.try(err)
		p.Preview.Digest, err = blobs.PutBytes(t.Context(), preview.Bytes())
		f.try(err)
		f.finding.Photos = append(f.finding.Photos, p)
	}
	f.finding.Flaws = []qc.Flaw{
		{ID: "a", Code: "H11", Severity: qc.Minor, Zone: qc.ZoneA, Quantity: 1, SizeMM: 6, Note: "the customer, Ana, is angry"},
		{ID: "b", Code: "H02", Severity: qc.Major, Zone: qc.ZoneB, Quantity: 1},
	}
	f.finding.Marks = []qc.Mark{
		{ID: "m1", Photo: "p1", Flaw: "a", Tool: qc.Box, Points: []qc.Point{{X: 300, Y: 300}, {X: 420, Y: 380}}},
		{ID: "m2", Photo: "p2", Flaw: "b", Tool: qc.Arrow, Points: []qc.Point{{X: 1500, Y: 1200}, {X: 1700, Y: 1300}}},
	}
	item := qc.Item{ID: "20481-2", Order: "20481", Quantity: 2, Title: qc.Bilingual{EN: "Shoes"}, UnitPrice: money.Fen(38900), FreightIn: money.Fen(1200), Platform: "1688", PlatformOrder: "18004"}
	other := item
	other.ID = "20481-3"
	f.try(applyItems(t, store, item, other))
	_, err = store.Record(t.Context(), qc.FindingRecorded, "wang", time.Now(), f.finding)
	f.try(err)
	draft := f.finding
	draft.ID, draft.Item, draft.Verdict = "f2", "20481-3", ""
	draft.Flaws, draft.Marks = draft.Flaws[:1], draft.Marks[:1]
	f.try(store.SaveDraft(t.Context(), qc.Draft{Finding: draft, UpdatedAt: time.Now()}))
	f.try(store.Close())
	f.try(blobs.Close())
	return f
}

func (f *benchFolder) out() string { return filepath.Join(f.t.TempDir(), "out") }

// fails expects one clear line that holds some words.
func (f *benchFolder) fails(words string, args ...string) {
	f.t.Helper()
	exit, out, errOut := f.run(args...)
	line := strings.TrimSuffix(errOut, "\n")
	if exit != 1 || !strings.Contains(line, words) || strings.Contains(line, "\n") || strings.Contains(errOut, "cli.") || strings.Contains(errOut, "{") {
		f.t.Errorf("%s: exit %d\n%s%s", strings.Join(args, " "), exit, out, errOut)
	}
}

func (f *benchFolder) succeeds(args ...string) (out, errOut string) {
	f.t.Helper()
	exit, out, errOut := f.run(args...)
	if exit != 0 || strings.Contains(out+errOut, "cli.") {
		f.t.Fatalf("%s: exit %d\n%s%s", strings.Join(args, " "), exit, out, errOut)
	}
	return out, errOut
}

func TestEvidence(t *testing.T) {
	f := newBenchFolder(t)
	dir := f.out()
	said, warned := f.succeeds("evidence", "20481-2", "--out", dir, "--ask", "refund", "--json")
	var m handout.Manifest
	f.try(json.Unmarshal([]byte(said), &m))
	written, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	f.try(err)
	var again handout.Manifest
	f.try(json.Unmarshal(written, &again))
	if again.Text != m.Text || m.Reason.ID != "quality" || m.Goods != money.Fen(77800) || m.PlatformOrder != "18004" || warned != "" {
		t.Errorf("warned %q\nmanifest %s", warned, written)
	}
	if strings.Contains(string(written)+m.Text+m.English, "Ana") || strings.Contains(string(written), "wang") {
		t.Errorf("it names people: %s", written)
	}
	text, err := os.ReadFile(filepath.Join(dir, "text.txt"))
	if err != nil || strings.TrimSpace(string(text)) != m.Text || utf8.RuneCountInString(m.Text) != m.Characters || !strings.Contains(m.Text, "②开胶（2件中1件，严重）") {
		t.Errorf("%v, text %s", err, text)
	}
	if len(m.Files) < 3 || m.Files[0].Name != "1-overview.jpg" {
		t.Errorf("files %+v", m.Files)
	}
	for _, one := range m.Files {
		data, err := os.ReadFile(filepath.Join(dir, one.Name))
		if err != nil || qc.DigestOf(data) != one.Digest || len(data) >= 1_000_000 {
			t.Errorf("%s: %v, %d bytes", one.Name, err, len(data))
		}
	}
	left, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(left) != 1 {
		t.Errorf("beside it: %v, %v", left, err)
	}
	f.fails("is not empty", "evidence", "20481-2", "--out", dir)
	f.try(os.WriteFile(filepath.Join(dir, "mine.txt"), []byte("kept"), 0o600))
	f.succeeds("evidence", "20481-2", "--out", dir, "--force")
	if kept, err := os.ReadFile(filepath.Join(dir, "mine.txt")); err != nil || string(kept) != "kept" {
		t.Errorf("another's file: %q, %v", kept, err)
	}
}

func TestEvidence_Refuses(t *testing.T) {
	f := newBenchFolder(t)
	f.fails("--out", "evidence", "20481-2")
	f.fails("ITEM", "evidence", "--out", f.out())
	f.fails("99999-9", "evidence", "99999-9", "--out", f.out())
	f.fails("Nothing was recorded", "evidence", "20481-3", "--out", f.out())
	f.fails("keep", "evidence", "20481-2", "--out", f.out(), "--ask", "keep")
	f.fails("much", "evidence", "20481-2", "--out", f.out(), "--discount", "much")
	file := filepath.Join(t.TempDir(), "file")
	f.try(os.WriteFile(file, nil, 0o600))
	f.fails("cannot be used", "evidence", "20481-2", "--out", file)
	f.fails("cannot be used", "evidence", "20481-2", "--out", filepath.Join(file, "below"))
	f.try(os.Remove(f.blob(f.finding.Photos[0].Digest)))
	f.try(os.WriteFile(f.blob(f.finding.Photos[1].Digest), []byte("damaged"), 0o600))
	if _, warned := f.succeeds("evidence", "20481-2", "--out", f.out(), "--listing"); !strings.Contains(warned, "are damaged: 2;") || !strings.Contains(warned, "seller's photo") {
		t.Errorf("warned %q", warned)
	}
	for _, p := range f.finding.Photos {
		f.try(os.Remove(f.blob(p.Preview.Digest)))
	}
	dir := f.out()
	f.fails("None of the photos", "evidence", "20481-2", "--out", dir)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("a folder appeared all the same: %v", err)
	}
}

func TestBurn(t *testing.T) {
	f := newBenchFolder(t)
	dir := f.out()
	f.succeeds("burn", "20481-2", "--out", dir, "--legend")
	for i, name := range []string{"1-left_ toe_.jpg", "2-sole.jpg"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		f.try(err)
		img, info, err := photo.Decode(data, photo.Limits{})
		f.try(err)
		if info.Width != 2400+200*i || info.Height <= 1800 {
			t.Errorf("%s has %d×%d pixels", name, info.Width, info.Height)
		}
		if c := img.RGBAAt(5, info.Height-5); c != (color.RGBA{255, 255, 255, 255}) {
			t.Errorf("%s: the legend's ground is %v", name, c)
		}
	}
	f.try(os.Remove(f.blob(f.finding.Photos[0].Digest)))
	f.fails("not on this station any more", "burn", "20481-2", "--out", f.out())
	f.fails("Nothing was recorded", "burn", "20481-3", "--out", f.out())
}

// applyItems gives the store items as the centre's feed does.
func applyItems(t *testing.T, store *local.Store, items ...qc.Item) error {
	t.Helper()
	page := qc.Page{Next: qc.Cursor{Epoch: "e", Seq: int64(len(items))}, UpToDate: true}
	for i, item := range items {
		data, err := json.Marshal(item)
		if err != nil {
			return err
		}
		page.Changes = append(page.Changes, qc.Change{Seq: int64(i + 1), Kind: qc.ItemChanged, Data: data})
	}
	return store.ApplyPage(t.Context(), page)
}
