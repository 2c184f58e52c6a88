package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"flawmark/app/qc"
	"flawmark/imaging/photo"
	"flawmark/ui/web/darkroom"
)

// The secret is magenta in a picture of green and grey noise: no other pixel,
// however it is scaled, turned or coded, is redder and bluer than green.
var secretAt = image.Rect(560, 400, 660, 460)

const secretWidth, secretHeight = 1088, 700

func secretPicture() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, secretWidth, secretHeight))
	rng := rand.New(rand.NewPCG(1, 2))
	for y := range secretHeight {
		for x := range secretWidth {
			c := color.RGBA{uint8(60 + rng.IntN(30)), uint8(120 + rng.IntN(60)), uint8(60 + rng.IntN(30)), 255}
			if image.Pt(x, y).In(secretAt) {
				c = color.RGBA{250, 0, 250, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// secretive reports whether anything of the secret is left in a picture.
func secretive(img image.Image) bool {
	flat := image.NewRGBA(img.Bounds())
	draw.Draw(flat, flat.Rect, img, flat.Rect.Min, draw.Src)
	for i := 0; i < len(flat.Pix); i += 4 {
		if r, g, b := int(flat.Pix[i]), int(flat.Pix[i+1]), int(flat.Pix[i+2]); r > g+24 && b > g+24 {
			return true
		}
	}
	return false
}

// secretWorld holds a photo whose secret is redacted; the station's preview and
// thumb are as given.
func secretWorld(t *testing.T, encoded []byte, honest bool) (*world, qc.Photo) {
	t.Helper()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	f := w.findings["F-20481-2"]
	put := func(data []byte) qc.Digest {
		w.blobs[qc.DigestOf(data)] = data
		return qc.DigestOf(data)
	}
	p := &f.Photos[0]
	p.Digest, p.Bytes, p.Width, p.Height = put(encoded), int64(len(encoded)), secretWidth, secretHeight
	thumb, preview, err := photo.Renditions(encoded, photo.Limits{})
	f.Marks = []qc.Mark{{ID: "r", Photo: p.ID, Tool: qc.Redaction, Points: []qc.Point{
		{X: float64(secretAt.Max.X) + .5, Y: float64(secretAt.Min.Y) - .5}, {X: float64(secretAt.Min.X) - .5, Y: float64(secretAt.Max.Y) + .5},
	}}}
	if honest {
		thumb, preview, err = photo.Redacted(encoded, []image.Rectangle{secretAt.Inset(-1)}, nil, photo.Limits{})
		p.Redactions = f.Redactions(p.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.Preview = qc.Derivative{Digest: put(preview.Data), Width: preview.Width, Height: preview.Height}
	p.Thumb = qc.Derivative{Digest: put(thumb.Data), Width: thumb.Width, Height: thumb.Height}
	w.findings[f.ID] = f
	return w, *p
}

// madeSecret is the picture as a JPEG, made once and never changed.
var madeSecret = sync.OnceValues(func() ([]byte, error) {
	var out bytes.Buffer
	err := photo.EncodeJPEG(&out, secretPicture(), 92)
	return out.Bytes(), err
})

func encodedSecret(t *testing.T) []byte {
	t.Helper()
	data, err := madeSecret()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// photoRoutes are all addresses that give pixels of a photo, below an order or a case.
func photoRoutes(digest qc.Digest) []string {
	at, iiif := "/photos/"+string(digest), "/iiif/"+string(digest)
	routes := []string{at + "/full", at + "/preview", at + "/thumb"}
	for _, level := range []int{1, 2, 4} {
		for y := 0; y < secretHeight; y += 512 * level {
			for x := 0; x < secretWidth; x += 512 * level {
				w, h := min(512*level, secretWidth-x), min(512*level, secretHeight-y)
				routes = append(routes, fmt.Sprintf("%s/%d,%d,%d,%d/%d,%d/0/default.jpg", iiif, x, y, w, h, (w+level-1)/level, (h+level-1)/level))
			}
		}
	}
	for _, rest := range []string{
		"full/max/0/default.jpg", "full/max/0/default.png", "square/max/90/color.jpg", "560,400,100,60/max/0/default.png",
		"550,390,120,80/max/!0/default.jpg", "558,398,104,64/!90,90/180/default.png", "pct:45,50,20,20/pct:50/270/default.png",
		"full/100,/!90/default.png", "full/,33/0/default.jpg", "full/1,1/0/default.png", "0,0,1088,500/544,250/0/default.jpg",
		"565,405,10,10/max/0/default.png", "full/max/0/gray.png",
	} {
		routes = append(routes, iiif+"/"+rest)
	}
	return routes
}

func TestRedacted_NothingOfASecretGetsOut(t *testing.T) {
	t.Parallel()
	encoded := encodedSecret(t)
	if img, err := jpeg.Decode(bytes.NewReader(encoded)); err != nil || !secretive(img) {
		t.Fatalf("the original has no secret: %v", err)
	}
	unindexed := asPNG(t, encoded)
	for name, tt := range map[string]struct {
		original []byte
		honest   bool
	}{"honest station": {encoded, true}, "station that did not redact": {encoded, false}, "not indexable": {unindexed, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, p := secretWorld(t, tt.original, tt.honest)
			b := w.reader(t)
			b.openLink("20481")
			b.signIn("D01")
			for _, developed := range []bool{false, true} {
				if developed {
					b.developed()
				}
				shown := 0
				for _, base := range []string{"/o/20481", "/desk/cases/K-20481-2"} {
					routes := photoRoutes(p.Digest)
					if base != "/o/20481" {
						routes = routes[:6]
					}
					for _, route := range routes {
						answer := b.do(http.MethodGet, base+route, nil)
						if !developed && (answer.status == http.StatusServiceUnavailable || answer.status == http.StatusNotFound) && !tt.honest {
							continue // nothing is safe to show yet
						}
						if answer.status != http.StatusOK {
							t.Errorf("developed %t: %s: status %d: %.200s", developed, route, answer.status, answer.body)
							continue
						}
						if strings.Contains(answer.header.Get("Cache-Control"), "immutable") || answer.header.Get("ETag") == "" {
							t.Errorf("%s: headers %v", route, answer.header)
						}
						img, _, err := image.Decode(strings.NewReader(answer.body))
						if err != nil {
							t.Errorf("%s: %v", route, err)
							continue
						}
						if secretive(img) {
							t.Errorf("developed %t: the secret is in %s%s", developed, base, route)
						}
						shown++
					}
				}
				if developed && shown < 30 {
					t.Errorf("only %d pictures were looked at", shown)
				}
			}
		})
	}
}

// asPNG makes a PNG of a JPEG: a photo that has no index.
func asPNG(t *testing.T, encoded []byte) []byte {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	return encodePNG(t, img)
}

// A photo of two findings hides what either hides.
func TestRedacted_WhatOneFindingHidesIsHiddenInAll(t *testing.T) {
	t.Parallel()
	w, p := secretWorld(t, encodedSecret(t), true)
	first := w.findings["F-20481-2"]
	other := first
	other.ID, other.Item, other.Marks, other.Verdict = "F-20481-1", "20481-1", nil, qc.Pass
	other.Photos = []qc.Photo{p}
	other.Photos[0].Redactions = ""
	bare, err := jpegPreview(encodedSecret(t))
	if err != nil {
		t.Fatal(err)
	}
	w.blobs[qc.DigestOf(bare)] = bare
	other.Photos[0].Preview.Digest = qc.DigestOf(bare)
	w.findings[other.ID] = other
	b := w.reader(t)
	b.openLink("20481")
	look := func() {
		t.Helper()
		for _, route := range photoRoutes(p.Digest) {
			answer := b.do(http.MethodGet, "/o/20481"+route, nil)
			if answer.status != http.StatusOK {
				continue
			}
			if img, _, err := image.Decode(strings.NewReader(answer.body)); err != nil || secretive(img) {
				t.Errorf("the secret is in %s, %v", route, err)
			}
		}
	}
	look()
	b.developed()
	look()

	// The station gave the redacted finding the bare preview.
	first.Photos[0].Preview.Digest = qc.DigestOf(bare)
	w.findings[first.ID] = first
	pic, ok := evidence{shown: []qc.Finding{first, other}, all: []qc.Finding{first, other}}.picture(p.Digest)
	if !ok || pic.Preview != "" || pic.Thumb != "" {
		t.Errorf("a preview that an unredacted finding has, too, is served: %+v", pic)
	}
	look()
}

func jpegPreview(encoded []byte) ([]byte, error) {
	_, preview, err := photo.Renditions(encoded, photo.Limits{})
	return preview.Data, err
}

func TestRedacted_ChangedRedactionsChangeTagsAndFiles(t *testing.T) {
	t.Parallel()
	w, p := secretWorld(t, encodedSecret(t), true)
	b := w.reader(t)
	b.openLink("20481")
	tags := func() map[string]string {
		t.Helper()
		b.do(http.MethodGet, "/o/20481/photos/"+string(p.Digest)+"/full", nil)
		b.developed()
		found := map[string]string{}
		for _, route := range photoRoutes(p.Digest) {
			found[route] = b.do(http.MethodGet, "/o/20481"+route, nil).header.Get("ETag")
		}
		return found
	}
	before := tags()
	f := w.findings["F-20481-2"]
	f.Marks[0].Points = []qc.Point{{X: 100, Y: 100}, {X: 800, Y: 600}}
	w.findings[f.ID] = f
	for route, tag := range tags() {
		if tag == "" || tag == before[route] {
			t.Errorf("%s keeps its tag %q", route, tag)
		}
	}
}

func TestRedacted_AMalformedRedactionHidesEverything(t *testing.T) {
	t.Parallel()
	w, p := secretWorld(t, encodedSecret(t), true)
	f := w.findings["F-20481-2"]
	f.Marks[0].Points = f.Marks[0].Points[:1]
	w.findings[f.ID] = f
	b := w.reader(t)
	b.openLink("20481")
	b.do(http.MethodGet, "/o/20481/photos/"+string(p.Digest)+"/full", nil)
	b.developed()
	for _, route := range photoRoutes(p.Digest) {
		answer := b.do(http.MethodGet, "/o/20481"+route, nil)
		img, _, err := image.Decode(strings.NewReader(answer.body))
		if err != nil {
			t.Errorf("%s: %v", route, err)
			continue
		}
		r, g, bl, _ := img.At(0, 0).RGBA()
		if secretive(img) || g > r+8<<8 && g > bl+8<<8 {
			t.Errorf("%s shows something", route)
		}
	}
}

func TestPhotoRoutes_AreForWhoMaySeeThem(t *testing.T) {
	t.Parallel()
	w, p := secretWorld(t, encodedSecret(t), true)
	w.flagged(t, "20481-3", true)
	w.flagged(t, "20482-1", false)
	foreign := w.findings["F-20482-1"].Photos[0].Digest
	waiting := w.findings["F-20481-3"].Photos[0].Digest
	owner, other, nobody := w.reader(t), w.reader(t), w.reader(t)
	owner.openLink("20481")
	other.openLink("20482")
	for name, tt := range map[string]struct {
		who    *reader
		base   string
		digest qc.Digest
	}{
		"another customer":              {other, "/o/20481", p.Digest},
		"another customer, own order":   {other, "/o/20482", p.Digest},
		"nobody":                        {nobody, "/o/20481", p.Digest},
		"nobody at the desk":            {nobody, "/desk/cases/K-20481-2", p.Digest},
		"a customer at the desk":        {owner, "/desk/cases/K-20481-2", p.Digest},
		"a photo of another order":      {owner, "/o/20481", foreign},
		"a photo that is not shown yet": {owner, "/o/20481", waiting},
		"a preview as an original":      {owner, "/o/20481", p.Preview.Digest},
		"no such photo":                 {owner, "/o/20481", qc.DigestOf(nil)},
	} {
		routes := append(photoRoutes(tt.digest), "/photos/"+string(tt.digest), "/iiif/"+string(tt.digest), "/iiif/"+string(tt.digest)+"/info.json")
		for _, route := range routes {
			got := tt.who.do(http.MethodGet, tt.base+route, nil)
			signIn := got.status == http.StatusSeeOther && got.header.Get("Location") == "/desk/sign-in"
			if got.status != http.StatusNotFound && got.status != http.StatusForbidden && !signIn {
				t.Errorf("%s: %s%s: status %d", name, tt.base, route, got.status)
			}
			if strings.HasPrefix(got.header.Get("Content-Type"), "image/") {
				t.Errorf("%s: %s%s: a picture", name, tt.base, route)
			}
		}
	}
}

func TestIIIF_SpeaksAsLevelTwoDemands(t *testing.T) {
	t.Parallel()
	w, p := secretWorld(t, encodedSecret(t), true)
	b := w.reader(t)
	b.openLink("20481")
	base := "/o/20481/iiif/" + string(p.Digest)
	if got := b.do(http.MethodGet, base, nil); got.status != http.StatusSeeOther || got.header.Get("Location") != base+"/info.json" {
		t.Errorf("base: %d to %q", got.status, got.header.Get("Location"))
	}
	early := b.do(http.MethodGet, base+"/info.json", nil)
	if early.header.Get("Retry-After") == "" {
		t.Error("the info of a preview does not say that more is to come")
	}
	b.developed()
	answer := b.do(http.MethodGet, base+"/info.json", nil)
	var info struct {
		Context       string `json:"@context"`
		ID, Profile   string
		Width, Height int
		Tiles         []struct {
			Width        int
			ScaleFactors []int
		}
	}
	if err := json.Unmarshal([]byte(b.body(answer, 200)), &info); err != nil {
		t.Fatal(err)
	}
	h := answer.header
	if h.Get("Retry-After") != "" || h.Get("Content-Type") != "application/json" || h.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("headers %v", h)
	}
	if info.Width != secretWidth || info.Height != secretHeight || info.ID != "http://centre.test"+base || info.Profile != "level2" ||
		len(info.Tiles) != 1 || fmt.Sprint(info.Tiles[0].ScaleFactors) != "[1 2 4]" || info.Tiles[0].Width != 512 {
		t.Errorf("info %+v", info)
	}
	for rest, want := range map[string][3]int{ // status, width, height
		"full/max/0/default.jpg": {200, 1088, 700}, "full/!400,400/90/default.jpg": {200, 257, 400},
		"512,0,512,512/512,512/0/default.jpg": {200, 512, 512}, "1024,512,64,188/64,188/0/default.jpg": {200, 64, 188},
		"0,0,1024,700/512,350/0/gray.png": {200, 512, 350}, "988,600,400,400/max/!90/default.png": {200, 100, 100},
		"full/^max/0/default.jpg": {501}, "full/max/45/default.jpg": {400}, "full/1089,/0/default.jpg": {400},
		"1088,0,10,10/max/0/default.jpg": {400}, "x/max/0/default.jpg": {400}, "full/max/0/default.xyz": {400},
		"full/max/0/default.webp": {400}, "full/max/0/nice.jpg": {400},
	} {
		got := b.do(http.MethodGet, base+"/"+rest, nil)
		if got.status != want[0] {
			t.Errorf("%s: status %d, want %d", rest, got.status, want[0])
			continue
		}
		if got.status != 200 {
			var problem struct{ Detail string }
			if err := json.Unmarshal([]byte(got.body), &problem); err != nil || problem.Detail == "" ||
				got.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %q, %v", rest, got.body, err)
			}
			continue
		}
		size, kind, err := image.DecodeConfig(strings.NewReader(got.body))
		if err != nil || size.Width != want[1] || size.Height != want[2] || got.header.Get("Content-Type") != "image/"+kind {
			t.Errorf("%s: %s of %d×%d, %v", rest, kind, size.Width, size.Height, err)
		}
		if !strings.Contains(got.header.Get("Link"), `rel="canonical"`) || !strings.Contains(got.header.Get("Link"), "level2.json") {
			t.Errorf("%s: links %q", rest, got.header.Get("Link"))
		}
	}
}

func TestIIIF_TurnsAwayWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	w, p := secretWorld(t, encodedSecret(t), true)
	b := w.reader(t)
	b.openLink("20481")
	region := "/o/20481/iiif/" + string(p.Digest) + "/full/9,/0/default.jpg"
	for range atOnce {
		b.pages.drawing <- struct{}{}
	}
	if got := b.do(http.MethodGet, region, nil); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("while %d draw: status %d, %v", atOnce, got.status, got.header)
	}
	<-b.pages.drawing
	if got := b.do(http.MethodGet, region, nil); got.status != http.StatusOK {
		t.Errorf("after one has ended: status %d", got.status)
	}
	last := 0
	for range tilesPerMinute + 10 {
		if last = b.do(http.MethodGet, "/o/20481/iiif/"+string(p.Digest)+"/x/x/x/x", nil).status; last == http.StatusTooManyRequests {
			break
		}
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("%d requests are not too many: %d", tilesPerMinute, last)
	}
}

func TestIIIF_AnswersWhoHasItAlready(t *testing.T) {
	t.Parallel()
	for _, rest := range []string{"/iiif/PHOTO/full/90,/0/default.jpg", "/photos/PHOTO/full"} {
		w, p := secretWorld(t, encodedSecret(t), true)
		b := w.reader(t)
		b.openLink("20481")
		address := "/o/20481" + strings.ReplaceAll(rest, "PHOTO", string(p.Digest))
		first := b.do(http.MethodGet, address, nil)
		again := func(tag string) int {
			r := httptest.NewRequest(http.MethodGet, "http://centre.test"+address, nil)
			r.Header.Set("If-None-Match", tag)
			for _, cookie := range b.jar {
				r.AddCookie(cookie)
			}
			return serve(t, b.handler, r).status
		}
		if got := again(first.header.Get("ETag")); got != http.StatusNotModified {
			t.Errorf("%s: the same again: %d", address, got)
		}
		b.developed()
		if got := again(first.header.Get("ETag")); got != http.StatusOK {
			t.Errorf("%s: the original has come, but: %d", address, got)
		}
	}
}

func TestDarkroom_FailsToThePreview(t *testing.T) {
	t.Parallel()
	w, p := secretWorld(t, encodedSecret(t), true)
	w.blobs[p.Digest] = w.blobs[p.Digest][:5000] // damaged
	b := w.reader(t)
	b.openLink("20481")
	for range 2 {
		for _, route := range photoRoutes(p.Digest) {
			if answer := b.do(http.MethodGet, "/o/20481"+route, nil); answer.status != http.StatusOK {
				t.Errorf("%s: status %d", route, answer.status)
			}
		}
		b.developed()
	}
	if _, err := b.pages.darkroom.Rendition(t.Context(), darkroom.Subject{Digest: p.Digest}, darkroom.Full); err == nil {
		t.Error("a full rendition of what hides nothing")
	}
}

func encodePNG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
