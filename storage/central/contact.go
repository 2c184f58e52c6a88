package central

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// ErrContactMoved says that a customer's address or language is not what somebody
// saw who wanted to correct it.
var ErrContactMoved = errors.New("contact has been changed meanwhile")

// CorrectContact corrects where and in which language the customer of a case is
// written to, for all orders of theirs. seen is the version of the
// [qc.Correction] that the person had before them: where it is another by now, it
// fails with [ErrContactMoved], unless it is corrected so already. Who may correct
// it is who may hand out links, since the next mail brings one to that address.
// What then holds against an import, says [qc.Customer.Imported]. The shop is not
// told.
func (s *Store) CorrectContact(ctx context.Context, id qc.CaseID, seen int, to qc.Contact, by qc.StaffID, at time.Time) error {
	to, err := qc.ReadContact(to.Email, to.Language)
	if err != nil {
		return fmt.Errorf("correct the contact of case %.80q: %w", id, err)
	}
	err = s.write(ctx, at, func(t *tx) error {
		if err := t.holds(ctx, by, refund.ErrNotYours, qc.Clerk, qc.Administrator); err != nil {
			return err
		}
		c, err := readCase(ctx, t, id)
		if err != nil {
			return err
		}
		customer, err := customerOf(ctx, t, c.Order)
		switch {
		case err != nil:
			return err
		case customer.Contact() == to:
			return nil
		case customer.Correction.Version != seen:
			return ErrContactMoved
		}
		corrected := customer.Corrected(to, by, t.at)
		if err := t.keepCustomer(ctx, corrected); err != nil {
			return err
		}
		t.told = true
		return t.audit(ctx, "staff:"+string(by), "customer.contact", "customer:"+string(customer.ID), map[string]any{
			"case": id, "version": corrected.Correction.Version,
			"from": hinted(customer.Contact()), "to": hinted(to),
		})
	})
	if err != nil {
		return fmt.Errorf("correct the contact of case %.80q: %w", id, err)
	}
	return nil
}

// hinted leaves of an address what tells it apart: the audit trail is never
// shortened, and so is no place for addresses of people.
func hinted(c qc.Contact) qc.Contact {
	if name, host, ok := strings.Cut(c.Email, "@"); ok && name != "" {
		c.Email = string([]rune(name)[:1]) + "…@" + host
	}
	return c
}
