package model_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/tiles"
	"flawmark/ui/model"
	"flawmark/ui/model/modeltest"
)

// gallery is a bench with a cache, and a view with what came into it.
type gallery struct {
	*bench
	derived *modeltest.Derived
	view    *model.View
	level   *image.RGBA
	tiles   []*model.Tiles
	missing int
}

func newGallery(t *testing.T) *gallery {
	t.Helper()
	g := &gallery{derived: &modeltest.Derived{}}
	g.bench = newBenchWith(t, func(p *model.Parts) { p.Derived = g.derived })
	g.view = g.Pictures.NewView()
	g.signIn("B0012")
	g.open("20481-1")
	return g
}

func (g *gallery) show(of qc.Photo, nearby ...qc.Photo) {
	g.level, g.tiles, g.missing = nil, nil, 0
	g.view.Show(of, nearby, model.Sight{
		Level:   func(img *image.RGBA) { g.level = img },
		Tiles:   func(t *model.Tiles) { g.tiles = append(g.tiles, t) },
		Missing: func() { g.missing++ },
	})
}

func (g *gallery) open1(of qc.Photo, nearby ...qc.Photo) *model.Tiles {
	g.t.Helper()
	g.show(of, nearby...)
	g.settle()
	if g.level == nil || len(g.tiles) == 0 {
		g.t.Fatalf("a level %t, %d sources of tiles; %v", g.level != nil, len(g.tiles), g.Notices.Current())
	}
	return g.tiles[len(g.tiles)-1]
}

func (g *gallery) add(name string, data []byte) qc.Photo {
	g.t.Helper()
	g.Inspection.AddPhoto(name, data)
	g.settle()
	p, ok := g.Inspection.Photo()
	if !ok || p.Name != name {
		g.t.Fatalf("%s has not arrived: %v", name, g.Notices.Current())
	}
	return p
}

// scene is larger than a preview, sharp and well lit, and differs by seed.
func scene(seed int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 1984, 520))
	for y := range 520 {
		for x := range 1984 {
			v := uint8(60 + 80*((x/16+y/16)%2) + x/40)
			img.SetRGBA(x, y, color.RGBA{v, v - 20, 200 - v/2, 255})
		}
	}
	draw.Draw(img, image.Rect(200, 100, 240, 120+10*seed), image.White, image.Point{}, draw.Src)
	return img
}

func jpegOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// mustTile returns a tile and fails when its pixels are not the photo's.
func (g *gallery) mustTile(from *model.Tiles, want *image.RGBA, level int) {
	g.t.Helper()
	img, err := from.Tile(context.Background(), level, 0, 0)
	if err != nil {
		g.t.Fatal(err)
	}
	at := image.Pt(40, 40) // the middle of a square of level 0
	if level == 0 {
		a, b := img.RGBAAt(at.X, at.Y), want.RGBAAt(at.X, at.Y)
		if d := int(a.R) - int(b.R); d < -12 || d > 12 {
			g.t.Errorf("the pixel is %v instead of %v", a, b)
		}
	}
}

func TestArrival_StoresTheIndexAndTheLevels(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	data := jpegOf(t, scene(1))
	p := g.add("a.jpg", data)
	if p.Digest != qc.DigestOf(data) || p.Bytes != int64(len(data)) || !bytes.Equal(g.blobs.Files[p.Digest], data) {
		t.Error("the original is not as it came")
	}
	stored := g.derived.Files[string(p.Digest)+".index"]
	if _, err := tiles.Unmarshal(stored, p.Digest, p.Bytes); err != nil {
		t.Error(err)
	}
	levels := g.derived.Files[string(p.Digest)+".levels"]
	pack, err := tiles.OpenPack(bytes.NewReader(levels), int64(len(levels)), p.Digest, p.Bytes)
	if err != nil || pack.First() != 1 {
		t.Errorf("levels: %v", err)
	}
	if g.Inspection.Arriving() != 0 {
		t.Error("it still arrives")
	}
	if id, early := g.Inspection.Early(); early != nil || id != "" {
		t.Error("the early picture stayed")
	}
}

func TestArrival_NothingIsKeptOfWhatIsNoPhoto(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	g.Inspection.AddPhoto("half.jpg", jpegOf(t, scene(1))[:20_000])
	g.settle()
	if len(g.blobs.Files) != 0 || len(g.derived.Files) != 0 {
		t.Errorf("%d files and %d derived are kept", len(g.blobs.Files), len(g.derived.Files))
	}
	g.said("error.photo_truncated")
}

func TestArrival_AFullCacheIsNoReasonToRefuse(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	g.derived.Fail = errors.New("no room")
	p := g.add("a.jpg", jpegOf(t, scene(1)))
	if len(g.Inspection.Finding().Photos) != 1 {
		t.Fatal("the photo was refused")
	}
	g.open1(p)
}

func TestArrival_ShowsEarlyPixelsAndTheProgress(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	seen := 0
	var reading []string
	g.Inspection.OnChange = func() {
		if id, early := g.Inspection.Early(); early != nil && id != "" {
			seen++
			n, of := g.Inspection.Reading()
			reading = append(reading, fmt.Sprint(n, "/", of))
		}
	}
	for n := range 3 {
		g.Inspection.AddPhoto(fmt.Sprintf("%d.jpg", n), jpegOf(t, scene(n)))
	}
	g.settle()
	if got := strings.Join(reading, " "); !strings.Contains(got, "1/3") || !strings.Contains(got, "2/3") || !strings.Contains(got, "3/3") || seen < 3 {
		t.Errorf("early pictures while %s were being read", got)
	}
	if n, of := g.Inspection.Reading(); n != 0 || of != 0 {
		t.Errorf("photo %d of %d is still being read", n, of)
	}
}

func TestArrival_WarnsOfPoorPhotos(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	black := image.NewRGBA(image.Rect(0, 0, 1984, 520))
	draw.Draw(black, black.Rect, image.NewUniform(color.RGBA{5, 5, 5, 255}), image.Point{}, draw.Src)
	good, dark := g.add("good.jpg", jpegOf(t, scene(1))), g.add("dark.jpg", jpegOf(t, black))
	if w := g.Pictures.Warnings(good); len(w) != 0 {
		t.Errorf("a good photo is warned of: %v", w)
	}
	has := func(of *model.Pictures) bool {
		for _, s := range of.Warnings(dark) {
			if s.Key == "photo.dark" {
				return true
			}
		}
		return false
	}
	if !has(g.Pictures) {
		t.Error("a dark photo is not warned of")
	}
	// After a restart it is known again as soon as it is looked at.
	again := newBenchWith(t, func(p *model.Parts) { p.Blobs = g.blobs })
	if has(again.Pictures) {
		t.Error("known before it was seen: this test proves nothing")
	}
	again.Pictures.NewView().Show(dark, nil, model.Sight{Level: func(*image.RGBA) {}, Missing: func() {}})
	again.settle()
	if !has(again.Pictures) {
		t.Error("a dark photo that is looked at again is not warned of")
	}
}

func TestView_OpensEveryKindOfOriginal(t *testing.T) {
	t.Parallel()
	want := scene(1)
	for name, data := range map[string][]byte{"indexed.jpg": jpegOf(t, want), "whole.png": pngOf(t, want)} {
		for _, lost := range []string{"", "index", "levels", "index levels", "nowhere to keep"} {
			t.Run(name+" without "+lost, func(t *testing.T) {
				t.Parallel()
				g := newGallery(t)
				p := g.add(name, data)
				for profile := range strings.FieldsSeq(lost) {
					delete(g.derived.Files, string(p.Digest)+"."+profile)
				}
				if lost == "nowhere to keep" {
					clear(g.derived.Files)
					g.derived.Fail = errors.New("no room")
					if strings.HasSuffix(name, ".png") {
						g.show(p)
						g.settle()
						if g.level == nil || len(g.tiles) > 0 {
							t.Error("without its preview, or with tiles from nowhere")
						}
						return
					}
				}
				opened := g.open1(p)
				if opened.Levels() != 3 {
					t.Errorf("%d levels", opened.Levels())
				}
				for level := range opened.Levels() {
					g.mustTile(opened, want, level)
				}
				if _, made := g.derived.Files[string(p.Digest)+".levels"]; !made && lost != "nowhere to keep" {
					t.Error("the levels were not made again")
				}
				g.view.Close()
				if g.blobs.Opened != 0 || g.derived.Opened != 0 {
					t.Errorf("%d originals and %d derivatives are still open", g.blobs.Opened, g.derived.Opened)
				}
			})
		}
	}
}

func TestView_MissingOriginalsKeepTheirPreview(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	p := g.add("a.jpg", jpegOf(t, scene(1)))
	delete(g.blobs.Files, p.Digest)
	g.show(p)
	g.settle()
	if g.level == nil || len(g.tiles) > 0 || g.missing > 0 {
		t.Errorf("level %t, %d sources, %d times missing", g.level != nil, len(g.tiles), g.missing)
	}
	if !g.Notices.Current().Sentence.IsZero() {
		t.Errorf("it is no reason for a notice: %v", g.Notices.Current())
	}
	elsewhere := p
	elsewhere.Preview.Digest = qc.DigestOf([]byte("elsewhere"))
	g.show(elsewhere)
	g.settle()
	if g.missing != 1 || g.level != nil {
		t.Error("a photo without a preview is not missing")
	}
}

func TestView_DamageIsToldOnceAndThePreviewStays(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	p := g.add("a.jpg", jpegOf(t, scene(1)))
	opened := g.open1(p)
	data := g.blobs.Files[p.Digest]
	for n := range data[len(data)/8:] { // the file is in use, as a disk would change it
		data[len(data)/8+n] ^= 0x55
	}
	failures := 0
	for col := range 3 {
		if _, err := opened.Tile(t.Context(), 0, col, 0); err != nil {
			failures++
			g.view.Problem(err)
		}
	}
	if failures < 2 {
		t.Fatalf("%d of 3 tiles failed", failures)
	}
	g.said("error.blob_damaged")
	g.Notices.Clear()
	g.view.Problem(tiles.ErrMismatch)
	if !g.Notices.Current().Sentence.IsZero() {
		t.Error("it is said twice")
	}
	if g.level == nil {
		t.Error("the preview has gone")
	}
}

func TestView_DamagedDerivativesAreMadeAgain(t *testing.T) {
	t.Parallel()
	want := scene(1)
	for name, damage := range map[string]func([]byte){
		"head":  func(b []byte) { b[0] ^= 1 },
		"table": func(b []byte) { b[len(b)-20] ^= 1 },
		"tiles": func(b []byte) {
			for n := 70; n < len(b)-300; n += 7 {
				b[n] ^= 0x10
			}
		},
	} {
		for _, profile := range []string{"index", "levels"} {
			if name == "tiles" && profile == "index" {
				continue
			}
			for kind, data := range map[string][]byte{"a.jpg": jpegOf(t, want), "a.png": pngOf(t, want)} {
				if profile == "index" && kind == "a.png" {
					continue
				}
				t.Run(kind+" "+profile+" "+name, func(t *testing.T) {
					t.Parallel()
					g := newGalleryAfresh(t, kind, data)
					key := string(g.photo.Digest) + "." + profile
					whole := bytes.Clone(g.derived.Files[key])
					damage(g.derived.Files[key])
					opened := g.open1(g.photo)
					if _, err := opened.Tile(t.Context(), 1, 0, 0); err != nil && kind == "a.jpg" {
						t.Errorf("the original does not stand in: %v", err)
					}
					g.settle()
					g.mustTile(g.tiles[len(g.tiles)-1], want, 1)
					if !bytes.Equal(g.derived.Files[key], whole) {
						t.Error("it was not made again")
					}
				})
			}
		}
	}
}

// afresh is a gallery of a station started anew, with one photo.
type afresh struct {
	*gallery
	photo qc.Photo
}

func newGalleryAfresh(t *testing.T, name string, data []byte) afresh {
	t.Helper()
	before := newGallery(t)
	p := before.add(name, bytes.Clone(data))
	g := &gallery{derived: before.derived}
	g.bench = newBenchWith(t, func(parts *model.Parts) { parts.Derived, parts.Blobs = g.derived, before.blobs })
	g.view = g.Pictures.NewView()
	return afresh{g, p}
}

func TestView_NeighboursAreReady(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	var all []qc.Photo
	for n := range 6 {
		all = append(all, g.add(fmt.Sprintf("%d.jpg", n), jpegOf(t, scene(n))))
	}
	g.Inspection.ShowPhoto(all[2].ID)
	near := g.Inspection.Nearby()
	if len(near) != 2 || near[0].ID != all[3].ID || near[1].ID != all[1].ID {
		t.Fatalf("nearby are %v", near)
	}
	g.show(all[2], near...)
	g.settle()
	for n, want := range []bool{false, true, false, true} { // and back to one that was ready
		of := all[[]int{5, 3, 0, 3}[n]]
		if n == 3 {
			g.show(all[2], near...)
			g.settle()
		}
		g.show(of)
		if got := g.level != nil; got != want {
			t.Errorf("photo %s was ready: %t, want %t", of.Name, got, want)
		}
		if n == 0 {
			g.view.Close()
			g.show(all[2], near...)
			g.settle()
		}
	}
	g.settle()
}

func TestView_MemoryAndFilesAreBounded(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	var all []qc.Photo
	for n := range 7 {
		all = append(all, g.add(fmt.Sprintf("%d.jpg", n), jpegOf(t, scene(n))))
	}
	for _, p := range all {
		g.open1(p, g.Inspection.Nearby()...)
		if g.blobs.Opened != 1 || g.derived.Opened != 1 {
			t.Fatalf("%d originals and %d derivatives are open", g.blobs.Opened, g.derived.Opened)
		}
	}
	ready := 0
	for _, p := range all {
		g.show(p)
		if g.level != nil {
			ready++
		}
		g.view.Close()
	}
	if ready > 3 {
		t.Errorf("%d previews are kept", ready)
	}
}

func TestView_OnlyTheLatestPhotoIsServed(t *testing.T) {
	t.Parallel()
	g := newGalleryAfresh(t, "a.jpg", jpegOf(t, scene(1)))
	first, served := g.photo, 0
	g.view.Show(first, nil, model.Sight{Level: func(*image.RGBA) { served++ }, Tiles: func(*model.Tiles) { served++ }, Missing: func() { served++ }})
	g.open1(first)
	if served != 0 || g.blobs.Opened != 1 {
		t.Errorf("the overtaken one was served %d times, %d files are open", served, g.blobs.Opened)
	}
}

func TestView_InsetsShowTheOriginalWithoutWhatIsHidden(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	want := scene(1)
	draw.Draw(want, image.Rect(1000, 300, 1100, 400), image.NewUniform(color.RGBA{255, 0, 0, 255}), image.Point{}, draw.Src)
	p := g.add("a.jpg", jpegOf(t, want))
	hide := qc.Mark{Photo: p.ID, Tool: qc.Redaction, Points: []qc.Point{{X: 990, Y: 290}, {X: 1110, Y: 410}}}
	if g.view.Source([]qc.Mark{hide}) != nil {
		t.Error("a source of nothing")
	}
	g.open1(p)
	red := func(marks ...qc.Mark) (n int) {
		img := g.view.Source(marks)(image.Rect(900, 220, 1200, 520), 300, 300)
		if img == nil {
			t.Fatal("no pixels")
		}
		for i := 0; i < len(img.Pix); i += 4 {
			if img.Pix[i] > 180 && img.Pix[i+1] < 90 {
				n++
			}
		}
		return n
	}
	if red() < 9000 {
		t.Errorf("%d red pixels without a redaction: this test proves nothing", red())
	}
	if n := red(hide); n > 0 {
		t.Errorf("%d red pixels of what is hidden", n)
	}
	elsewhere := hide
	elsewhere.Photo = "another"
	if red(elsewhere) < 9000 {
		t.Error("another photo's redaction hides")
	}
	source := g.view.Source(nil)
	g.view.Close()
	if source(image.Rect(0, 0, 50, 50), 50, 50) != nil {
		t.Error("pixels of a photo that is no longer in view")
	}
}

func TestView_WorkEndsWithItsContext(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	g.add("a.jpg", jpegOf(t, scene(1)))
	clear(g.derived.Files)
	ctx, cancel := context.WithCancel(t.Context())
	p, _ := g.Inspection.Photo()
	g.show(p)
	cancel()
	g.work.Settle(ctx)
	if len(g.derived.Files) > 1 { // the index may be there
		t.Errorf("%d files were made after the end", len(g.derived.Files))
	}
	if !g.Notices.Current().Sentence.IsZero() {
		t.Errorf("closing is no trouble: %v", g.Notices.Current())
	}
}

func TestCompare_ListingAndEarlierRound(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	listing := picture(t, 99)
	g.store.Goods[0].ListingPhoto, g.store.Goods[0].Round = qc.DigestOf(listing), 2
	old := g.add("old.jpg", jpegOf(t, scene(0)))
	g.store.AllFlags = []qc.Standing{
		{Finding: qc.Finding{ID: "f1", Item: "20481-1", Round: 1, Revision: 1, Photos: []qc.Photo{{ID: "x"}}}},
		{Finding: qc.Finding{ID: "f1", Item: "20481-1", Round: 1, Revision: 2, Photos: []qc.Photo{old}}},
		{Finding: qc.Finding{ID: "f9", Item: "20481-3", Round: 1, Revision: 9, Photos: []qc.Photo{{ID: "y"}}}},
	}
	delete(g.store.Saved, "20481-1")
	g.open("20481-1")
	if got := g.Inspection.Comparables(); len(got) != 0 {
		t.Errorf("without a photo in view: %v", got)
	}
	g.add("new.jpg", jpegOf(t, scene(1)))
	got := g.Inspection.Comparables()
	if len(got) != 2 || got[0].Label.Key != "station.compare.listing" || got[1].Label.Key != "station.compare.round" {
		t.Fatalf("to compare with: %+v", got)
	}
	var size image.Point
	missing := 0
	g.Pictures.Compare(got[1], func(img *image.RGBA) { size = img.Rect.Size() }, func() { missing++ })
	g.settle()
	if size != image.Pt(1920, 503) || missing > 0 {
		t.Errorf("the earlier photo is %v, %d missing", size, missing)
	}
	g.Pictures.Listing(g.store.Goods[0], func(*image.RGBA) { t.Error("from nowhere") }, func() { missing++ })
	g.settle()
	if missing != 1 {
		t.Error("a listing that is not here is not missing")
	}
	g.blobs.Files[qc.DigestOf(listing)] = listing
	g.Pictures.Compare(got[0], func(img *image.RGBA) { size = img.Rect.Size() }, func() { missing++ })
	g.settle()
	if missing != 1 || size == image.Pt(1920, 503) {
		t.Errorf("the listing is %v", size)
	}
	g.add("second.jpg", jpegOf(t, scene(3)))
	if got := g.Inspection.Comparables(); len(got) != 1 && len(g.Inspection.Finding().Photos) == 2 {
		t.Errorf("the second shot has no earlier one: %v", got)
	}
}
