package main

import (
	"context"
	"net/mail"
	"net/url"
	"strings"

	"flawmark/app/qc"
	"flawmark/sync/notify"
)

// pushes reports whether customers are offered to be told in their browsers,
// which allow that to pages with TLS and of their own machine only.
func (c *centre) pushes() bool {
	if p := c.settings.Notices.Push; p != nil {
		return *p
	}
	at, err := url.Parse(c.public())
	return err == nil && (at.Scheme == "https" || at.Hostname() == "localhost" || at.Hostname() == "127.0.0.1")
}

// pushKey is what browsers subscribe with; empty: they are not told.
func (c *centre) pushKey(ctx context.Context) (string, error) {
	if !c.pushes() {
		return "", nil
	}
	secret, err := c.store.Secret(ctx, "web push")
	if err != nil {
		return "", err
	}
	return notify.PushKey(secret)
}

// pusher writes to browsers; nil: nobody does. local is for tests, whose
// browser's maker is on this machine.
func (c *centre) pusher(ctx context.Context, local bool) (*notify.Pusher, error) {
	if !c.pushes() {
		return nil, nil
	}
	secret, err := c.store.Secret(ctx, "web push")
	if err != nil {
		return nil, err
	}
	return notify.NewPusher(secret, c.contact(), local)
}

// contact is where a browser's maker may complain.
func (c *centre) contact() string {
	if from, err := mail.ParseAddress(c.settings.SMTP.From); err == nil {
		return from.Address
	}
	if public := c.public(); strings.HasPrefix(public, "https:") {
		return public
	}
	return "flawmark@localhost"
}

// orderPage is an order's address without a secret: it opens where a link was
// opened before.
func (c *centre) orderPage(order qc.OrderID) string {
	return c.public() + "/o/" + url.PathEscape(string(order))
}
