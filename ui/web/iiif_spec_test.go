package web

import (
	"encoding/json"
	"fmt"
	"image"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"flawmark/ui/web/iiif"
)

var linkOf = regexp.MustCompile(`<([^>]+)>;\s*rel="(\w+)"`)

// links are an answer's links by their relation.
func links(h http.Header) map[string]string {
	all := map[string]string{}
	for _, link := range linkOf.FindAllStringSubmatch(h.Get("Link"), -1) {
		all[link[2]] = link[1]
	}
	return all
}

// What the Image API 3.0 demands of a server of level 2, a line each, of an image
// of 1088×700 pixels: what is asked, the status, the size of what comes, and its
// canonical address. Of what is optional, upscaling is not offered.
func TestIIIF_KeepsTheSpecification(t *testing.T) {
	t.Parallel()
	w, p := secretWorld(t, encodedSecret(t), true)
	b := w.reader(t)
	b.openLink("20481")
	base := "/o/20481/iiif/" + string(p.Digest)
	b.get(base+"/info.json", http.StatusOK)
	b.developed()
	for _, row := range []struct {
		ask           string
		status        int
		width, height int
		canonical     string
	}{
		// 4.1 Region
		{"full/max/0/default.jpg", 200, 1088, 700, "full/max/0/default.jpg"},
		{"square/max/0/default.jpg", 200, 700, 700, "194,0,700,700/max/0/default.jpg"},
		{"100,200,300,400/max/0/default.jpg", 200, 300, 400, "100,200,300,400/max/0/default.jpg"},
		{"0,0,1088,700/max/0/default.jpg", 200, 1088, 700, "full/max/0/default.jpg"},
		{"988,600,300,300/max/0/default.jpg", 200, 100, 100, "988,600,100,100/max/0/default.jpg"},
		{"pct:50,50,25,25/max/0/default.jpg", 200, 272, 175, "544,350,272,175/max/0/default.jpg"},
		{"pct:0.5,0,99.5,100/max/0/default.jpg", 200, 1083, 700, "5,0,1083,700/max/0/default.jpg"},
		{"0,0,0,10/max/0/default.jpg", 400, 0, 0, ""},
		{"1088,0,10,10/max/0/default.jpg", 400, 0, 0, ""},
		{"pct:100,0,10,10/max/0/default.jpg", 400, 0, 0, ""},
		{"pct:+1,0,10,10/max/0/default.jpg", 400, 0, 0, ""},
		{"-1,0,10,10/max/0/default.jpg", 400, 0, 0, ""},
		{"nonsense/max/0/default.jpg", 400, 0, 0, ""},
		// 4.2 Size
		{"full/544,/0/default.jpg", 200, 544, 350, "full/544,350/0/default.jpg"},
		{"full/,350/0/default.jpg", 200, 544, 350, "full/544,350/0/default.jpg"},
		{"full/pct:50/0/default.jpg", 200, 544, 350, "full/544,350/0/default.jpg"},
		{"full/pct:100/0/default.jpg", 200, 1088, 700, "full/max/0/default.jpg"},
		{"full/200,600/0/default.jpg", 200, 200, 600, "full/200,600/0/default.jpg"},
		{"full/!400,400/0/default.jpg", 200, 400, 257, "full/400,257/0/default.jpg"},
		{"full/!9000,350/0/default.jpg", 200, 544, 350, "full/544,350/0/default.jpg"},
		{"full/!9000,9000/0/default.jpg", 200, 1088, 700, "full/max/0/default.jpg"},
		{"full/1088,700/0/default.jpg", 200, 1088, 700, "full/max/0/default.jpg"},
		{"full/^544,/0/default.jpg", 200, 544, 350, "full/544,350/0/default.jpg"},
		{"full/^!400,400/0/default.jpg", 200, 400, 257, "full/400,257/0/default.jpg"},
		{"full/%5E544,350/0/default.jpg", 200, 544, 350, "full/544,350/0/default.jpg"},
		{"full/1089,/0/default.jpg", 400, 0, 0, ""},
		{"full/,701/0/default.jpg", 400, 0, 0, ""},
		{"full/100,701/0/default.jpg", 400, 0, 0, ""},
		{"full/pct:100.1/0/default.jpg", 400, 0, 0, ""},
		{"full/pct:0/0/default.jpg", 400, 0, 0, ""},
		{"full/pct:0.01/0/default.jpg", 400, 0, 0, ""},
		{"full/0,/0/default.jpg", 400, 0, 0, ""},
		{"full/,/0/default.jpg", 400, 0, 0, ""},
		{"full/full/0/default.jpg", 400, 0, 0, ""}, // of version 2
		{"full/^1089,/0/default.jpg", 501, 0, 0, ""},
		{"full/^pct:120/0/default.jpg", 501, 0, 0, ""},
		{"full/^max/0/default.jpg", 501, 0, 0, ""},
		{"full/^nonsense/0/default.jpg", 400, 0, 0, ""},
		// 4.3 Rotation
		{"full/544,/90/default.jpg", 200, 350, 544, "full/544,350/90/default.jpg"},
		{"full/544,/180/default.jpg", 200, 544, 350, "full/544,350/180/default.jpg"},
		{"full/544,/270/default.jpg", 200, 350, 544, "full/544,350/270/default.jpg"},
		{"full/544,/360/default.jpg", 200, 544, 350, "full/544,350/0/default.jpg"},
		{"full/544,/90.0/default.jpg", 200, 350, 544, "full/544,350/90/default.jpg"},
		{"full/544,/!0/default.jpg", 200, 544, 350, "full/544,350/!0/default.jpg"},
		{"full/544,/%2190/default.jpg", 200, 350, 544, "full/544,350/!90/default.jpg"},
		{"full/max/45/default.jpg", 400, 0, 0, ""},
		{"full/max/361/default.jpg", 400, 0, 0, ""},
		{"full/max/-90/default.jpg", 400, 0, 0, ""},
		{"full/max/+90/default.jpg", 400, 0, 0, ""},
		// 4.4 Quality and 4.5 Format
		{"full/544,/0/color.jpg", 200, 544, 350, "full/544,350/0/default.jpg"},
		{"full/544,/0/gray.jpg", 200, 544, 350, "full/544,350/0/gray.jpg"},
		{"full/544,/0/default.png", 200, 544, 350, "full/544,350/0/default.png"},
		{"full/max/0/bitonal.jpg", 400, 0, 0, ""},
		{"full/max/0/native.jpg", 400, 0, 0, ""},
		{"full/max/0/default.tif", 400, 0, 0, ""},
		{"full/max/0/default.xyz", 400, 0, 0, ""},
		{"full/max/0/default", 400, 0, 0, ""},
	} {
		got := b.do(http.MethodGet, base+"/"+row.ask, nil)
		if got.status != row.status || got.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: status %d, want %d; CORS %q", row.ask, got.status, row.status, got.header.Get("Access-Control-Allow-Origin"))
			continue
		}
		if row.status != 200 {
			var problem struct {
				Title, Detail string
				Status        int
			}
			err := json.Unmarshal([]byte(got.body), &problem)
			if err != nil || problem.Status != row.status || len(problem.Detail) < 20 || got.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: refused with %q", row.ask, got.body)
			}
			continue
		}
		size, kind, err := image.DecodeConfig(strings.NewReader(got.body))
		if err != nil || size.Width != row.width || size.Height != row.height || got.header.Get("Content-Type") != "image/"+kind {
			t.Errorf("%s: %s of %d×%d, %v", row.ask, kind, size.Width, size.Height, err)
		}
		link := links(got.header)
		if want := "http://centre.test" + base + "/" + row.canonical; link["canonical"] != want || link["profile"] != iiif.Profile {
			t.Errorf("%s: links %q, want %s", row.ask, link, want)
		}
		same := b.do(http.MethodGet, base+"/"+row.canonical, nil)
		if same.status != 200 || same.body != got.body || links(same.header)["canonical"] != link["canonical"] {
			t.Errorf("%s: at its canonical address is something else (%d)", row.ask, same.status)
		}
	}
	if got := b.do(http.MethodGet, "/o/20481/iiif/"+strings.Repeat("0", 64)+"/info.json", nil); got.status != http.StatusNotFound {
		t.Errorf("an image that is not there: %d", got.status)
	}
	if got := b.do(http.MethodGet, base, nil); got.status != http.StatusSeeOther || got.header.Get("Location") != base+"/info.json" {
		t.Errorf("the base: %d to %s", got.status, got.header.Get("Location"))
	}
}

// Every size and every tile that an image's information names is there as it says.
func TestIIIF_InformationIsTrue(t *testing.T) {
	t.Parallel()
	w, p := secretWorld(t, encodedSecret(t), true)
	b := w.reader(t)
	b.openLink("20481")
	base := "/o/20481/iiif/" + string(p.Digest)
	b.get(base+"/info.json", http.StatusOK)
	b.developed()
	var info iiif.Info
	if err := json.Unmarshal([]byte(b.get(base+"/info.json", http.StatusOK)), &info); err != nil {
		t.Fatal(err)
	}
	if info.Context != iiif.Context || info.Type != "ImageService3" || info.Protocol != "http://iiif.io/api/image" || info.Profile != "level2" ||
		info.ID != "http://centre.test"+base || fmt.Sprint(info.ExtraQualities) != "[color gray]" ||
		info.MaxWidth < info.Width || info.MaxHeight < info.Height || info.MaxArea < info.Width*info.Height {
		t.Errorf("information %+v", info)
	}
	sized := func(ask string, width, height int) {
		t.Helper()
		size, _, err := image.DecodeConfig(strings.NewReader(b.get(base+"/"+ask, http.StatusOK)))
		if err != nil || size.Width != width || size.Height != height {
			t.Errorf("%s: %d×%d, %v; want %d×%d", ask, size.Width, size.Height, err, width, height)
		}
	}
	for _, size := range info.Sizes {
		sized(fmt.Sprintf("full/%d,%d/0/default.jpg", size.Width, size.Height), size.Width, size.Height)
	}
	tiles := 0
	for _, factor := range info.Tiles[0].ScaleFactors {
		side := info.Tiles[0].Width * factor
		for y := 0; y < info.Height; y += side {
			for x := 0; x < info.Width; x += side {
				rw, rh := min(side, info.Width-x), min(side, info.Height-y)
				tw, th := (rw+factor-1)/factor, (rh+factor-1)/factor
				sized(fmt.Sprintf("%d,%d,%d,%d/%d,%d/0/default.jpg", x, y, rw, rh, tw, th), tw, th)
				tiles++
			}
		}
	}
	if len(info.Sizes) < 2 || tiles < 8 {
		t.Errorf("only %d sizes and %d tiles", len(info.Sizes), tiles)
	}
	r := httptest.NewRequest(http.MethodGet, "http://centre.test"+base+"/info.json", nil)
	r.Header.Set("Accept", "application/ld+json")
	for _, cookie := range b.jar {
		r.AddCookie(cookie)
	}
	linked := serve(t, b.handler, r)
	if kind := linked.header.Get("Content-Type"); kind != `application/ld+json;profile="`+iiif.Context+`"` || linked.header.Get("Vary") != "Accept" {
		t.Errorf("as linked data: %q", kind)
	}
}
