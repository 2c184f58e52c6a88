package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	"flawmark/app/qc"
)

// Customer is somebody who has an order's page open.
type Customer struct {
	order  qc.OrderID
	page   string // the page's address, without the secret
	client *http.Client
}

// Visit opens an order's page by the link that its customer was sent.
func (c *Centre) Visit(ctx context.Context, order qc.OrderID) (*Customer, error) {
	link, err := c.Admin(ctx, "order", "link", string(order))
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("visit order %s: %w", order, err)
	}
	visitor := &Customer{order: order, page: c.URL + "/o/" + url.PathEscape(string(order)), client: &http.Client{Jar: jar}}
	if _, err := visitor.get(ctx, link); err != nil {
		return nil, fmt.Errorf("visit order %s: %w", order, err)
	}
	return visitor, nil
}

// longestPage bounds what is read of a page or a picture.
const longestPage = 8 << 20

func (v *Customer) get(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	return fetch(v.client, request)
}

// fetch asks for a page, which must be there.
func fetch(client *http.Client, request *http.Request) (string, error) {
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, longestPage))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s", request.URL.Path, response.Status)
	}
	return string(body), err
}

// picture finds the address of a photo on the page.
var picture = regexp.MustCompile(`<img src="(/o/[^"]+/photos/[^"]+)"`)

// SeesFlaw waits, as the browser does by the page's events, until the page shows
// an item's flaw and its photo has come.
func (v *Customer) SeesFlaw(ctx context.Context) error {
	return v.follow(ctx, func() (bool, error) {
		page, err := v.get(ctx, v.page)
		if err != nil || !strings.Contains(page, `data-status="awaiting_decision"`) || !strings.Contains(page, `data-flaw="1"`) {
			return false, err
		}
		found := picture.FindStringSubmatch(page)
		if found == nil {
			return false, nil
		}
		base, err := url.Parse(v.page)
		if err != nil {
			return false, err
		}
		_, err = v.get(ctx, base.Scheme+"://"+base.Host+found[1])
		return err == nil, err
	})
}

// follow calls look at the start and after each event of the page until it says
// that it has seen enough.
func (v *Customer) follow(ctx context.Context, look func() (bool, error)) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.page+"/events", nil)
	if err != nil {
		return fmt.Errorf("follow order %s: %w", v.order, err)
	}
	response, err := v.client.Do(request)
	if err != nil {
		return fmt.Errorf("follow order %s: %w", v.order, err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "data: ") {
			continue
		}
		if enough, err := look(); err != nil || enough {
			return err
		}
	}
	return errors.Join(fmt.Errorf("follow order %s: the events ended", v.order), lines.Err())
}

// form finds where the page sends the choice of a refund.
var form = regexp.MustCompile(`<form method="post" action="(/o/[^"]+/decision)"><input type="hidden" name="event" value="choose_refund"><input type="hidden" name="version" value="(\d+)">`)

// ChooseRefund sends the form that the page shows for it.
func (v *Customer) ChooseRefund(ctx context.Context) error {
	page, err := v.get(ctx, v.page)
	if err != nil {
		return fmt.Errorf("choose a refund: %w", err)
	}
	found := form.FindStringSubmatch(page)
	if found == nil {
		return fmt.Errorf("choose a refund: the page of order %s does not offer it", v.order)
	}
	base, err := url.Parse(v.page)
	if err != nil {
		return fmt.Errorf("choose a refund: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base.Scheme+"://"+base.Host+found[1],
		strings.NewReader(url.Values{"event": {"choose_refund"}, "version": {found[2]}}.Encode()))
	if err != nil {
		return fmt.Errorf("choose a refund: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", base.Scheme+"://"+base.Host)
	if _, err := fetch(v.client, request); err != nil {
		return fmt.Errorf("choose a refund: %w", err)
	}
	return nil
}
