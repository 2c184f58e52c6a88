package main

import (
	"context"
	"slices"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/app/settings"
	"flawmark/assets"
	"flawmark/storage/central"
	"flawmark/sync/notify"
)

// noticePolicy is when customers are told, as far as the settings say so.
func noticePolicy(n settings.Notices) *refund.NoticePolicy {
	p := refund.DefaultNoticePolicy()
	for value, into := range map[*int]*int{n.QuietFrom: &p.QuietFrom, n.QuietTo: &p.QuietTo, n.DigestCases: &p.DigestFrom} {
		if value != nil {
			*into = *value
		}
	}
	if n.DigestMinutes != nil {
		p.DigestWithin = time.Duration(*n.DigestMinutes) * time.Minute
	}
	if n.RemindHours != nil {
		p.Reminders = nil
		for _, hours := range n.RemindHours {
			p.Reminders = append(p.Reminders, time.Duration(hours*float64(time.Hour)))
		}
	}
	return &p
}

// sender tells customers and shops what the store's outbox holds. stop ends
// what it listens to.
func (c *centre) sender(ctx context.Context) (sender *notify.Sender, stop func(), err error) {
	words := make(map[string]assets.Words)
	for _, language := range assets.Languages() {
		if words[language], err = assets.LoadWords(language); err != nil {
			return nil, nil, err
		}
	}
	var mailer *notify.Mailer
	if smtp := c.settings.SMTP; smtp.Host != "" {
		mailer, err = notify.NewMailer(notify.Server{
			Host: smtp.Host, Port: smtp.Port, User: smtp.User, Password: smtp.Password, From: smtp.From, TLS: smtp.TLS, Bounces: smtp.Bounces,
		}, c.now)
		if err != nil {
			return nil, nil, err
		}
	}
	pusher, err := c.pusher(ctx, false)
	if err != nil {
		return nil, nil, err
	}
	wake, stop := c.store.WatchNotices()
	return notify.New(notify.Config{
		Outbox: c.store, Subject: c.subject, Link: c.linkInNotice, Stop: c.stopInNotice,
		Words: func(language string) notify.Words {
			if spoken, ok := words[language]; ok {
				return spoken
			}
			return words[assets.Languages()[0]]
		},
		Mail: mailer, Push: pusher, Page: c.orderPage, Hooks: notify.NewPoster(c.now), KeepTrying: refund.DefaultNoticePolicy().KeepTrying,
		Now: c.now, Log: c.log, Wake: wake,
	}), stop, nil
}

func (c *centre) subject(ctx context.Context, about refund.Snapshot) (notify.Subject, error) {
	if about.Case != "" {
		d, err := c.store.Dossier(ctx, about.Case)
		return notify.Subject{Case: d.Case, Item: d.Item, Customer: d.Customer, Found: c.found(d)}, err
	}
	order, err := c.store.Order(ctx, about.Order)
	subject := notify.Subject{Case: refund.Case{Order: order.ID}, Customer: order.Customer}
	for _, item := range order.Items {
		if item.ID == about.Item {
			subject.Item = item
		}
	}
	return subject, err
}

// found names what the case's finding has, without what concerns only ourselves.
func (c *centre) found(d central.Dossier) []qc.Bilingual {
	var names []qc.Bilingual
	i := slices.IndexFunc(d.Findings, func(f qc.Finding) bool { return f.ID == d.Case.Finding })
	if i < 0 {
		return nil
	}
	flaws := slices.Clone(d.Findings[i].Flaws)
	slices.SortStableFunc(flaws, func(a, b qc.Flaw) int {
		return slices.Index(qc.Severities(), a.Severity) - slices.Index(qc.Severities(), b.Severity)
	})
	for _, flaw := range flaws {
		if kind, known := c.flaws.Flaw(flaw.Code); known && !kind.Internal {
			names = append(names, kind.Name())
		}
	}
	return names
}

// linkInNotice returns an address with a secret of its own, which nobody but the
// mail's reader ever sees.
func (c *centre) linkInNotice(ctx context.Context, order qc.OrderID) (string, error) {
	token, err := c.store.LinkOrderInNotice(ctx, order, c.now())
	if err != nil {
		return "", err
	}
	return c.orderLink(order, token), nil
}

// stopInNotice returns an address where a customer ends mails of progress.
func (c *centre) stopInNotice(ctx context.Context, customer qc.CustomerID) (string, error) {
	token, err := c.store.LinkMails(ctx, customer, c.now())
	if err != nil {
		return "", err
	}
	return c.public() + "/mails?t=" + token, nil
}
