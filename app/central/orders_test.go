package main

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/storage/central"
)

// Whatever kind of picture a listing photo is, the pages show it.
func TestTakeOrders_ListingPhotosAreShown(t *testing.T) {
	t.Parallel()
	picture := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	for x := range 20 {
		for y := range 30 {
			picture.Set(x, y, color.NRGBA{R: 200, A: 255}) // the rest stays transparent
		}
	}
	encode := func(write func(*bytes.Buffer) error) *fstest.MapFile {
		var file bytes.Buffer
		if err := write(&file); err != nil {
			t.Fatal(err)
		}
		return &fstest.MapFile{Data: file.Bytes()}
	}
	folder := fstest.MapFS{
		"a.jpg": encode(func(f *bytes.Buffer) error { return jpeg.Encode(f, picture, nil) }),
		"a.png": encode(func(f *bytes.Buffer) error { return png.Encode(f, picture) }),
		"a.gif": encode(func(f *bytes.Buffer) error { return gif.Encode(f, picture, nil) }),
	}
	for name, want := range map[string]bool{"a.jpg": true, "a.png": true, "a.gif": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			item := qc.Item{ID: "2-1", Order: "2", Quantity: 1, UnitPrice: money.Fen(100), FreightIn: money.Fen(1)}
			order := qc.Order{ID: "2", Customer: qc.Customer{ID: "C-2", Name: "Bo"}, Items: []qc.Item{item}}
			file := central.OrderFile{Orders: []qc.Order{order}, ListingPhotos: map[qc.ItemID]string{"2-1": name}}
			_, err := h.c.takeOrders(t.Context(), file, folder)
			if (err == nil) != want {
				t.Fatalf("imported: %v, want %v", err, want)
			}
			if !want {
				return
			}
			taken, err := h.c.store.Item(t.Context(), "2-1")
			h.must(err)
			if name == "a.jpg" && taken.ListingPhoto != qc.DigestOf(folder[name].Data) {
				t.Error("a JPEG was made anew")
			}
			token, err := h.c.store.LinkOrder(t.Context(), "2", "", h.now)
			h.must(err)
			opener := httptest.NewRecorder()
			h.pages.ServeHTTP(opener, httptest.NewRequest(http.MethodGet, "http://centre.test/o/2?t="+token, nil))
			r := httptest.NewRequest(http.MethodGet, "http://centre.test/o/2/photos/"+string(taken.ListingPhoto)+"/full", nil)
			for _, cookie := range opener.Result().Cookies() {
				r.AddCookie(cookie)
			}
			answer := httptest.NewRecorder()
			h.pages.ServeHTTP(answer, r)
			shown, err := jpeg.Decode(answer.Body)
			if err != nil {
				t.Fatalf("status %d: %v", answer.Code, err)
			}
			if r, g, b, _ := shown.At(35, 15).RGBA(); name == "a.png" && min(r, g, b) < 0xf000 {
				t.Errorf("what is transparent is shown as %x %x %x, want white", r, g, b)
			}
		})
	}
}
