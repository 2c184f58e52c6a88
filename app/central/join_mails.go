package main

import (
	"context"
	"errors"
	"time"

	"flawmark/app/qc"
	"flawmark/storage/central"
	"flawmark/ui/web"
)

func (f forPages) MailsByToken(ctx context.Context, token string, at time.Time) (qc.Customer, bool, error) {
	customer, wanted, err := f.Store.MailsByToken(ctx, token, at)
	return customer, wanted, mailLink(err)
}

func (f forPages) ChooseMailsByToken(ctx context.Context, token string, wanted bool, at time.Time) error {
	return mailLink(f.Store.ChooseMailsByToken(ctx, token, wanted, at))
}

func mailLink(err error) error {
	if errors.Is(err, central.ErrLink) {
		return errors.Join(web.ErrLink, err)
	}
	return err
}
