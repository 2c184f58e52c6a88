package journey

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
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
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	)
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stopAllocator)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
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
	if err := chromedp.Run(tab, emulation.SetDeviceMetricsOverride(width, height, 1, mobile)); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	p.do(t, "open the page", chromedp.Navigate(url))
	return p
}

func (p *page) do(t *testing.T, what string, actions ...chromedp.Action) {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.tab, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		p.shot(t, "failed")
		t.Fatalf("%s: %v", what, err)
	}
}

// see waits until the page shows an element, without a reload by the test.
func (p *page) see(t *testing.T, what, selector string) {
	t.Helper()
	p.do(t, "see "+what, chromedp.WaitVisible(selector, chromedp.ByQuery))
}

// text returns an element's text.
func (p *page) text(t *testing.T, selector string) string {
	t.Helper()
	var text string
	p.do(t, "read "+selector, chromedp.Text(selector, &text, chromedp.ByQuery))
	return text
}

func (p *page) shot(t *testing.T, name string) {
	t.Helper()
	if p.folder == "" {
		return
	}
	var png []byte
	ctx, cancel := context.WithTimeout(p.tab, patience)
	defer cancel()
	if err := chromedp.Run(ctx, chromedp.Sleep(200*time.Millisecond), chromedp.FullScreenshot(&png, 100)); err != nil {
		t.Errorf("picture of %s: %v", name, err)
		return
	}
	p.shots++
	path := filepath.Join(p.folder, fmt.Sprintf("page-%02d-%s.png", p.browser.shots, name))
	p.browser.shots++
	if err := os.WriteFile(path, png, 0o644); err != nil {
		t.Error(err)
	}
}
