package evidence

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	xdraw "golang.org/x/image/draw"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/imaging/annotate"
	"flawmark/imaging/photo"
)

var large = flag.Bool("large", false, "also make packs of 100 megapixels of noise")

// album is files by their digests.
type album map[qc.Digest][]byte

func (a album) file(_ context.Context, d qc.Digest) ([]byte, error) {
	if data, ok := a[d]; ok {
		return data, nil
	}
	return nil, fmt.Errorf("file %s: %w", d, fs.ErrNotExist)
}

// add keeps a photo with its preview.
func (a album) add(tb testing.TB, id qc.PhotoID, data []byte) qc.Photo {
	tb.Helper()
	img, info, err := photo.DecodeFit(data, photo.PreviewSide, photo.PreviewSide, photo.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	p := qc.Photo{
		ID: id, Digest: qc.DigestOf(data), Bytes: int64(len(data)), MediaType: "image/jpeg",
		Width: info.Width, Height: info.Height, Name: string(id) + ".jpg",
	}
	preview := jpegOf(tb, img, 88)
	p.Preview = qc.Derivative{Digest: qc.DigestOf(preview), Bytes: int64(len(preview)), Width: img.Rect.Dx(), Height: img.Rect.Dy()}
	a[p.Digest], a[p.Preview.Digest] = data, preview
	return p
}

func jpegOf(tb testing.TB, img image.Image, quality int) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := photo.EncodeJPEG(&b, img, quality); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// realPhoto is one of the sample photos, so many times enlarged.
func realPhoto(tb testing.TB, name string, times int) []byte {
	tb.Helper()
	files, err := filepath.Glob("../../assets/photos/" + name + "*.jpg")
	if err != nil || len(files) != 1 {
		tb.Fatal(err, files)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		tb.Fatal(err)
	}
	img, _, err := photo.Decode(data, photo.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	large := image.NewRGBA(image.Rect(0, 0, img.Rect.Dx()*times, img.Rect.Dy()*times))
	xdraw.CatmullRom.Scale(large, large.Rect, img, img.Rect, xdraw.Src, nil)
	return jpegOf(tb, large, 92)
}

func at(x, y float64) qc.Point { return qc.Point{X: x, Y: y} }

// marked is a mark of a flaw.
func marked(p qc.Photo, flaw qc.FlawID, tool qc.Tool, points ...qc.Point) qc.Mark {
	return qc.Mark{ID: qc.MarkID(fmt.Sprint(flaw, tool, points)), Photo: p.ID, Flaw: flaw, Tool: tool, Points: points}
}

func numbered(codes ...qc.FlawCode) []qc.Flaw {
	var list []qc.Flaw
	severities := []qc.Severity{qc.Minor, qc.Major, qc.Critical, qc.Observation}
	for i, code := range codes {
		list = append(list, qc.Flaw{
			ID: qc.FlawID(fmt.Sprint("f", i+1)), Code: code, Severity: severities[i%4], Zone: qc.ZoneA, Quantity: 1, SizeMM: float64(3 + i),
		})
	}
	return list
}

// checked is a pack that a form takes.
func checked(tb testing.TB, p Pack) Pack {
	tb.Helper()
	if len(p.Files) < 1 || len(p.Files) > MostFiles {
		tb.Errorf("%d files", len(p.Files))
	}
	if n := utf8.RuneCountInString(p.Text); n < LeastText || n > MostText {
		tb.Errorf("%d characters: %s", n, p.Text)
	}
	for i, f := range p.Files {
		_, info, err := photo.Decode(f.JPEG, photo.Limits{})
		if err != nil || info.Kind != photo.JPEG || info.Width != f.Width || info.Height != f.Height {
			tb.Errorf("%s: %v, %+v", f.Name, err, info)
		}
		if len(f.JPEG) >= 1_000_000 {
			tb.Errorf("%s has %d bytes", f.Name, len(f.JPEG))
		}
		if !strings.HasPrefix(f.Name, fmt.Sprint(i+1, "-")) || !strings.HasSuffix(f.Name, ".jpg") {
			tb.Errorf("file %d is called %s", i, f.Name)
		}
		if bytes.Contains(f.JPEG, []byte("Exif")) || bytes.Contains(f.JPEG, []byte("GPS")) {
			tb.Errorf("%s has metadata", f.Name)
		}
	}
	return p
}

// show leaves the files where a person looks at them.
func show(tb testing.TB, name string, p Pack) {
	tb.Helper()
	dir := os.Getenv("EVIDENCE_OUT")
	if dir == "" {
		return
	}
	for _, f := range p.Files {
		if err := os.WriteFile(filepath.Join(dir, name+"-"+f.Name), f.JPEG, 0o600); err != nil {
			tb.Fatal(err)
		}
		tb.Logf("%s %d×%d %d bytes %v", f.Name, f.Width, f.Height, len(f.JPEG), f.Flaws)
	}
	tb.Log(p.Text, p.English, p.Previews, p.Missing, p.Unshown)
}

func TestForSeller_RealPhotos(t *testing.T) {
	t.Parallel()
	a := album{}
	left := a.add(t, "left", realPhoto(t, "mitch", 2))
	right := a.add(t, "right", realPhoto(t, "juan", 2))
	label := a.add(t, "label", realPhoto(t, "xavier", 1))
	f := qc.Finding{ID: "f", Item: "20481-2", Verdict: qc.Flag, Photos: []qc.Photo{label, left, right}, Flaws: numbered("H11", "H02", "F04", "T01")}
	f.Photos[1].Scale = qc.Scale{MMPerPixel: 0.08, Error: 0.01, Source: qc.ScaleRuler}
	f.Marks = []qc.Mark{
		marked(left, "f1", qc.Box, at(600, 1000), at(750, 1100)),
		marked(left, "f1", qc.Measure, at(600, 1130), at(750, 1130)),
		marked(left, "f2", qc.Ellipse, at(870, 930), at(1000, 1040)),
		marked(right, "f3", qc.Arrow, at(1500, 600), at(1800, 860)),
		marked(right, "f4", qc.Freehand, at(2600, 1470), at(2660, 1530), at(2760, 1500), at(2800, 1600)),
		marked(left, "", qc.Redaction, at(2400, 200), at(3000, 600)),
	}
	p, err := ForSeller(t.Context(), a.file, f, qc.Item{Quantity: 2}, realCatalogue(t), PackOptions{
		Ask: Ask{Decision: refund.Refund}, Listing: realPhoto(t, "eniko", 1),
	})
	if err != nil {
		t.Fatal(err)
	}
	show(t, "real", checked(t, p))
	var views []View
	for _, file := range p.Files {
		views = append(views, file.View)
	}
	if !slices.Equal(views, []View{Overview, Overview, Detail, Detail, Comparison}) {
		t.Errorf("files are %v", views)
	}
	if got := p.Files[0]; got.Photo != "right" || !slices.Equal(got.Flaws, []int{3, 4}) {
		t.Errorf("the first shows %s, %v", got.Photo, got.Flaws)
	}
	if len(p.Unshown)+len(p.Missing)+len(p.Previews) != 0 {
		t.Errorf("unshown %v, missing %v, previews %v", p.Unshown, p.Missing, p.Previews)
	}
}

// noise is what compresses worst.
func noise(seed int64, w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	rand.New(rand.NewSource(seed)).Read(img.Pix)
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	return img
}

// one is a finding with a scuff and a hole on one photo.
func one(p qc.Photo) qc.Finding {
	w, h := float64(p.Width), float64(p.Height)
	return qc.Finding{
		ID: "f", Verdict: qc.Flag, Photos: []qc.Photo{p}, Flaws: numbered("H11", "F01"),
		Marks: []qc.Mark{
			marked(p, "f1", qc.Box, at(w*0.1, h*0.1), at(w*0.1+w/20, h*0.1+h/20)),
			marked(p, "f2", qc.Ellipse, at(w*0.8, h*0.8), at(w*0.9, h*0.95)),
		},
	}
}

func packOf(t *testing.T, a album, f qc.Finding) Pack {
	t.Helper()
	p, err := ForSeller(t.Context(), a.file, f, qc.Item{Quantity: 1}, realCatalogue(t), PackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return checked(t, p)
}

func TestForSeller_NoiseIsSmallEnough(t *testing.T) {
	t.Parallel()
	w, h := 3000, 2000
	if *large {
		w, h = 12_000, 8400
	}
	a := album{}
	data := jpegOf(t, noise(1, w, h), 88)
	p := qc.Photo{ID: "p", Digest: qc.DigestOf(data), Bytes: int64(len(data)), Width: w, Height: h}
	a[p.Digest] = data
	out := packOf(t, a, one(p))
	show(t, "noise", out)
	if len(out.Files) != 3 {
		t.Errorf("%d files", len(out.Files))
	}
	for _, f := range out.Files {
		if max(f.Width, f.Height) < LeastSide {
			t.Errorf("%s has %d×%d pixels", f.Name, f.Width, f.Height)
		}
	}
}

// A number is read in what the renderer makes, not in what was reckoned.
func TestUnitFor_NumbersAreLegible(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ side, number int }{{LeastSide, 1}, {LeastSide, 12}, {LeastSide, 188}, {640, 7}, {300, 24}, {1600, 3}, {2048, 60}} {
		img := image.NewRGBA(image.Rect(0, 0, tt.side, tt.side))
		for i := range img.Pix {
			img.Pix[i] = 0xff
		}
		m := qc.Mark{ID: "m", Tool: qc.Badge, Points: []qc.Point{at(float64(tt.side)/2, float64(tt.side)/2)}}
		annotate.Render(img, []annotate.Shape{{Mark: m, Number: tt.number, Severity: qc.Minor}}, annotate.View{Scale: 1},
			annotate.Options{Unit: unitFor(image.Pt(tt.side, tt.side), tt.number), Photo: true})
		top, bottom := tt.side, 0
		for y := range tt.side {
			for x := range tt.side {
				if c := img.RGBAAt(x, y); max(c.R, c.G, c.B) < 0x60 { // the ink; the casing's shadow is lighter
					top, bottom = min(top, y), max(bottom, y+1)
				}
			}
		}
		if height := float64(bottom - top); height < LeastNumber-1 { // a pixel's edge is paler
			t.Errorf("%d on %d pixels is %g high", tt.number, tt.side, height)
		}
	}
}

// What is redacted leaves no trace in any file, whatever it was.
func TestForSeller_RedactionsHide(t *testing.T) {
	t.Parallel()
	base := realPhotoImage(t, "mitch")
	make1 := func(hidden color.Color, preview bool) Pack {
		img := image.NewRGBA(base.Rect)
		copy(img.Pix, base.Pix)
		for y := 240; y < 304; y++ { // inside of the redaction and on its blocks
			for x := 160; x < 320; x++ {
				img.Set(x, y, hidden)
			}
		}
		a := album{}
		p := a.add(t, "p", jpegOf(t, img, 100))
		f := one(p)
		f.Marks = append(f.Marks, marked(p, "", qc.Redaction, at(150, 230), at(330, 310)))
		if preview {
			small, _, err := photo.DecodeFit(a[p.Digest], 800, 800, photo.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			annotate.Redact(small, f.Marks, annotate.View{Scale: 0.5})
			data := jpegOf(t, small, 88)
			delete(a, p.Digest)
			f.Photos[0].Preview.Digest = qc.DigestOf(data)
			a[f.Photos[0].Preview.Digest] = data
		}
		return packOf(t, a, f)
	}
	for _, preview := range []bool{false, true} {
		black, white := make1(color.Black, preview), make1(color.White, preview)
		if len(black.Files) != len(white.Files) {
			t.Fatalf("%d and %d files", len(black.Files), len(white.Files))
		}
		for i := range black.Files {
			if !bytes.Equal(black.Files[i].JPEG, white.Files[i].JPEG) {
				t.Errorf("%s tells what is redacted (preview %t)", black.Files[i].Name, preview)
			}
		}
	}
}

func realPhotoImage(tb testing.TB, name string) *image.RGBA {
	tb.Helper()
	img, _, err := photo.Decode(realPhoto(tb, name, 1), photo.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	return img
}

func TestForSeller_FilesThatAreNotThere(t *testing.T) {
	t.Parallel()
	full := album{}
	p := full.add(t, "p", realPhoto(t, "mitch", 2))
	for name, tt := range map[string]struct {
		change           func(album)
		previews, missed int
		want             error
	}{
		"all there":                  {func(album) {}, 0, 0, nil},
		"no original":                {func(a album) { delete(a, p.Digest) }, 1, 0, nil},
		"damaged original":           {func(a album) { a[p.Digest] = a[p.Digest][:2000] }, 1, 0, nil},
		"original is a text":         {func(a album) { a[p.Digest] = []byte("nothing") }, 1, 0, nil},
		"nothing":                    {func(a album) { clear(a) }, 0, 1, ErrNoPhotos},
		"damaged original, no other": {func(a album) { a[p.Digest] = nil; delete(a, p.Preview.Digest) }, 0, 1, ErrNoPhotos},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := album{}
			for d, data := range full {
				a[d] = data
			}
			tt.change(a)
			got, err := ForSeller(t.Context(), a.file, one(p), qc.Item{Quantity: 1}, realCatalogue(t), PackOptions{})
			if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Fatal(err)
			}
			if err == nil {
				checked(t, got)
				if len(got.Previews) != tt.previews || len(got.Missing) != tt.missed || len(got.Files) == 0 {
					t.Errorf("previews %v, missing %v, %d files", got.Previews, got.Missing, len(got.Files))
				}
			}
		})
	}
	broken := errors.New("disk broken")
	_, err := ForSeller(t.Context(), func(context.Context, qc.Digest) ([]byte, error) { return nil, broken }, one(p), qc.Item{}, realCatalogue(t), PackOptions{})
	if !errors.Is(err, broken) {
		t.Errorf("a broken disk: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ForSeller(ctx, full.file, one(p), qc.Item{}, realCatalogue(t), PackOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	passed := qc.Finding{ID: "f", Verdict: qc.Pass, Photos: []qc.Photo{p}}
	if _, err := ForSeller(t.Context(), full.file, passed, qc.Item{}, realCatalogue(t), PackOptions{}); !errors.Is(err, ErrNothing) {
		t.Errorf("nothing to claim: %v", err)
	}
}

// Our own flaws are drawn on no file; the others keep their numbers.
func TestForSeller_OursIsNotShown(t *testing.T) {
	t.Parallel()
	a := album{}
	p := a.add(t, "p", realPhoto(t, "mitch", 1))
	f := one(p)
	f.Flaws[0].Code = "N01"
	with := packOf(t, a, f)
	f.Marks = f.Marks[1:]
	without := packOf(t, a, f)
	if len(with.Files) != len(without.Files) || !slices.Equal(with.Files[0].Flaws, []int{2}) {
		t.Fatalf("%d files, %+v", len(with.Files), with.Files[0].Flaws)
	}
	for i := range with.Files {
		if !bytes.Equal(with.Files[i].JPEG, without.Files[i].JPEG) {
			t.Errorf("%s shows a flaw of ours", with.Files[i].Name)
		}
	}
}

func TestForSeller_OddPhotos(t *testing.T) {
	t.Parallel()
	var alpha bytes.Buffer
	if err := png.Encode(&alpha, noise(3, 700, 500)); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"tiny":           jpegOf(t, noise(2, 8, 9), 90),
		"PNG":            alpha.Bytes(),
		"on its side":    camera(t, realPhotoImage(t, "xavier"), 6),
		"very slim":      jpegOf(t, noise(4, 3000, 12), 90),
		"grey, no marks": jpegOf(t, image.NewRGBA(image.Rect(0, 0, 900, 900)), 90),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := album{}
			p := a.add(t, "p", data)
			f := one(p)
			if strings.Contains(name, "no marks") {
				f.Marks = nil
			}
			out := packOf(t, a, f)
			if want := f.Marks == nil; (len(out.Unshown) == 2) != want {
				t.Errorf("unshown: %v", out.Unshown)
			}
		})
	}
}

// Many photos and flaws: the gravest are shown, each once.
func TestForSeller_Many(t *testing.T) {
	t.Parallel()
	a := album{}
	var f qc.Finding
	f.Flaws = numbered("H11", "F01", "H02", "T01", "H11", "F01", "H02", "T01", "H11", "F01", "H02", "T01")
	for i := range 6 {
		p := a.add(t, qc.PhotoID(fmt.Sprint("p", i)), jpegOf(t, noise(int64(i), 1800+i, 1400), 40))
		f.Photos = append(f.Photos, p)
		f.Marks = append(f.Marks,
			marked(p, f.Flaws[i].ID, qc.Box, at(100, 100), at(300, 240)),
			marked(p, f.Flaws[11-i].ID, qc.Box, at(1500, 1100), at(1600, 1300)))
	}
	out := packOf(t, a, f)
	if len(out.Files) != MostFiles {
		t.Fatalf("%d files", len(out.Files))
	}
	for i, c := range claims(f, realCatalogue(t)) {
		if i < 3 && slices.Contains(out.Unshown, c.number) {
			t.Errorf("%d, critical, is not shown; %v are not", c.number, out.Unshown)
		}
	}
}
