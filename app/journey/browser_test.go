package journey

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"flawmark/app/journey/chromium"

	"github.com/chromedp/chromedp"
)

// browser is a real Chromium without a window.
type browser struct {
	ctx    context.Context
	folder string
	shots  int
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	ctx, stop, err := chromium.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return &browser{ctx: ctx, folder: *outFlag}
}

// page is one tab with cookies of its own.
type page struct {
	*browser
	tab context.Context
}

// open loads url in a tab as wide as a phone (390) or a desk (1366).
func (b *browser) open(t *testing.T, url string, width, height int64, mobile bool) *page {
	t.Helper()
	tab, stop := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	p := &page{browser: b, tab: tab}
	// The first run starts the tab and must not be under a deadline.
	if err := chromedp.Do(tab, chromium.View(width, height, mobile)); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	p.do(t, "open the page", chromedp.Navigate(url))
	return p
}

func (p *page) do(t *testing.T, what string, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.tab, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.shot(t, "failed")
		t.Fatalf("%s: %v", what, err)
	}
}

// see waits until the page shows an element, without a reload by the test.
func (p *page) see(t *testing.T, what, selector string) {
	t.Helper()
	p.do(t, "see "+what, chromedp.WaitVisible(chromedp.CSS(selector)))
}

// text returns an element's text.
func (p *page) text(t *testing.T, selector string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.tab, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		t.Fatalf("read %s: %v", selector, err)
	}
	return text
}

func (p *page) shot(t *testing.T, name string) {
	t.Helper()
	if p.folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.tab, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Errorf("picture of %s: %v", name, err)
		return
	}
	p.shots++
	path := filepath.Join(p.folder, fmt.Sprintf("page-%02d-%s.png", p.shots, name))
	if err := os.WriteFile(path, png, 0o644); err != nil {
		t.Error(err)
	}
}
