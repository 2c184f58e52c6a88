package web

import (
	"image"
	"net/http"
	"strings"
	"testing"

	"flawmark/app/qc"
)

// A listing photo is shown small, so it travels small: whole only until its thumb
// is made, which is kept.
func TestListing_TravelsAsSmallAsItIsShown(t *testing.T) {
	t.Parallel()
	for who, path := range map[string]string{"customer": "/o/20481", "D01": "/desk/cases/K-20481-2"} {
		w := newWorld(t)
		flaggedWorld(t, w)
		_, item := w.itemAndOrder("20481-2")
		b := w.reader(t)
		if who == "customer" {
			b.openLink("20481")
		} else {
			b.signIn(qc.StaffID(who))
		}
		small := path + "/photos/" + string(item.ListingPhoto) + "/thumb"
		if page := b.get(path, http.StatusOK); !strings.Contains(page, `src="`+small+`"`) {
			t.Fatalf("%s: the page does not show %s", who, small)
		}
		whole := b.get(strings.TrimSuffix(small, "thumb")+"full", http.StatusOK)
		if first := b.get(small, http.StatusOK); first != whole {
			t.Errorf("%s: before there is a thumb, %d bytes of %d came", who, len(first), len(whole))
		}
		b.developed()
		got := b.do(http.MethodGet, small, nil)
		size, kind, err := image.DecodeConfig(strings.NewReader(b.body(got, http.StatusOK)))
		if err != nil || kind != "jpeg" || max(size.Width, size.Height) > 256 || len(got.body) > len(whole)/4 {
			t.Errorf("%s: %d bytes of %d, %s %dx%d: %v", who, len(got.body), len(whole), kind, size.Width, size.Height, err)
		}
		if tag := got.header.Get("ETag"); tag == "" || got.header.Get("Cache-Control") != revalidated {
			t.Errorf("%s: cannot be kept: %v", who, got.header)
		}
		stranger := w.reader(t)
		stranger.get("/o/20481/photos/"+string(item.ListingPhoto)+"/thumb", http.StatusNotFound)
	}
}
