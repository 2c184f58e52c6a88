package web

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flawmark/app/refund"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// line is how a tab's network is: gone, or as it was.
func (b *tab) line(gone bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Offline: gone, DownloadThroughput: -1, UploadThroughput: -1}},
		})
		return err
	})
}

// Whoever sends something while the line is gone loses nothing of what they
// wrote, and sends it once as soon as the line is back.
func TestSubmit_WithoutALineKeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flaggedWorld(t, w)
	b := browse(t, w, "customer")
	words, send := chromedp.CSS("#ask-photos-reason"), chromedp.CSS("#confirm-ask-photos")
	b.do(t, chromedp.Click(chromedp.CSS("#ask-photos")), chromedp.WaitVisible(words), chromedp.SendKeys(words, "the sole"),
		b.line(true), chromedp.Click(send), chromedp.WaitVisible(chromedp.CSS(".not-sent")))
	if kept := ask[string](t, b, `document.getElementById("ask-photos-reason").value + location.pathname`); kept != "the sole/o/20481" {
		t.Errorf("kept %q", kept)
	}
	b.do(t, b.line(false))
	ask[bool](t, b, `(() => { const send = document.getElementById("confirm-ask-photos"); send.click(); send.click(); return true })()`)
	b.do(t, chromedp.WaitVisible(chromedp.CSS(`[data-status="photos_requested"]`)))
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.cases["K-20481-2"]
	if last := c.Timeline[len(c.Timeline)-1]; last.Event != refund.AskedPhotos || last.Note != "the sole" || len(c.Timeline) != 2 {
		t.Errorf("timeline %+v", c.Timeline)
	}
}

// A flaw as large as the photo is shown with all of the photo, not with less than
// the window holds.
func TestViewer_ShowsFlawsAsLargeAsThePhoto(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flaggedWorld(t, w)
	f := w.findings["F-20481-2"]
	photo := f.Photos[0]
	f.Marks[0].Points[0].X, f.Marks[0].Points[0].Y = 0, 0
	f.Marks[0].Points[1].X, f.Marks[0].Points[1].Y = float64(photo.Width), float64(photo.Height)
	b := browse(t, w, "customer")
	b.look(t, sights[0])
	b.do(t, chromedp.Navigate(b.site+"/o/20481/photos/"+string(photo.Digest)+"#flaw-1"), chromedp.WaitVisible(chromedp.CSS(`.viewer-flaws [aria-current="true"]`)))
	const off = `new Promise((done) => setTimeout(() => { const v = OpenSeadragon.getViewer(document.querySelector(".deep")).viewport;
		done(Math.abs(Math.log(v.getZoom() / v.getHomeZoom()))) }, 600))`
	if zoom := ask[float64](t, b, off); zoom > 0.05 {
		t.Errorf("the zoom is off the whole photo by %.2f", zoom)
	}
}

// A photo that is too large is told of before it travels.
func TestWrite_ALargePhotoIsToldAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flaggedWorld(t, w)
	b := browse(t, w, "customer")
	large := filepath.Join(t.TempDir(), "large.jpg")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, refund.DefaultTicketPolicy().PictureBytes+1); err != nil {
		t.Fatal(err)
	}
	photo := chromedp.CSS("#photo-new")
	b.do(t, chromedp.Navigate(b.site+"/o/20481/tickets"), chromedp.WaitVisible(photo), chromedp.SetUploadFiles(photo, []string{large}))
	const said = `document.querySelector(".not-sent").textContent + document.getElementById("photo-new").files.length`
	if got := ask[string](t, b, said); !strings.Contains(got, "too large") || !strings.HasSuffix(got, "0") {
		t.Errorf("said %q", got)
	}
	if err := os.WriteFile(large, snapshot(t, 320), 0o600); err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.SetUploadFiles(photo, []string{large}), chromedp.Click(chromedp.CSS("#send-new")), chromedp.WaitVisible(chromedp.CSS("#thread")))
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.tickets) != 1 || len(w.tickets[0].Messages[0].Pictures) != 1 {
		t.Errorf("tickets %+v", w.tickets)
	}
}

// Whose link is taken back while the page is open sees the order no more.
func TestLive_ARevokedLinkClosesThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flaggedWorld(t, w)
	b := browse(t, w, "customer")
	b.do(t, chromedp.WaitVisible(chromedp.CSS(`[data-status="awaiting_decision"]`)))
	w.mu.Lock()
	w.tokens["20481"] = "another"
	w.mu.Unlock()
	b.server.CloseClientConnections()
	b.do(t, chromedp.WaitVisible(chromedp.CSS(".sorry")))
	if ask[bool](t, b, `document.body.innerText.includes("White high-tops")`) {
		t.Error("the order is still seen")
	}
}
