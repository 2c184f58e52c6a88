package central

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// Where a customer says which mails they want, for the audit.
const (
	inMail      = "mail"
	onOrderPage = "order page"
)

// LinkMails returns a new secret by which a customer chooses whether they want
// mails of progress, and which opens nothing. Only its hash is stored.
func (s *Store) LinkMails(ctx context.Context, id qc.CustomerID, at time.Time) (string, error) {
	token := base64.RawURLEncoding.EncodeToString(randomBytes(32))
	err := s.write(ctx, at, func(t *tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO mail_link (token_hash, customer, expires_at) VALUES ($1, $2, $3)`,
			secretHash(token), string(id), micros(at.Add(linkLife)))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("link mails of customer %.80q: %w", id, err)
	}
	return token, nil
}

// MailsByToken returns whose mails a secret of [Store.LinkMails] is about, and
// whether they want those of progress; [ErrLink] where it is none.
func (s *Store) MailsByToken(ctx context.Context, token string, at time.Time) (customer qc.Customer, wanted bool, err error) {
	err = s.read(ctx, func(q querier) error {
		if customer, err = customerByMail(ctx, q, token, at); err != nil {
			return err
		}
		wanted, err = wantsProgress(ctx, q, customer.ID)
		return err
	})
	if err != nil {
		return qc.Customer{}, false, fmt.Errorf("read wish by mail: %w", err)
	}
	return customer, wanted, nil
}

func customerByMail(ctx context.Context, q querier, token string, at time.Time) (qc.Customer, error) {
	customer, err := body[qc.Customer](q.QueryRowContext(ctx, `SELECT c.body FROM mail_link l JOIN customer c ON c.id = l.customer
		WHERE l.token_hash = $1 AND l.expires_at > $2`, secretHash(token), micros(at)))
	if errors.Is(found(err), qc.ErrNotFound) {
		return customer, ErrLink
	}
	return customer, err
}

// ChooseMailsByToken has the customer whom a secret of [Store.LinkMails] is for
// mailed of progress, or not. Said again it changes nothing.
func (s *Store) ChooseMailsByToken(ctx context.Context, token string, wanted bool, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		customer, err := customerByMail(ctx, t, token, at)
		if err != nil {
			return err
		}
		return t.chooseMails(ctx, customer.ID, wanted, inMail)
	})
	if err != nil {
		return fmt.Errorf("choose mails by mail: %w", err)
	}
	return nil
}

// WantsProgress returns whether an order's customer is mailed of progress.
func (s *Store) WantsProgress(ctx context.Context, order qc.OrderID) (bool, error) {
	var wanted bool
	err := s.read(ctx, func(q querier) error {
		customer, err := customerOf(ctx, q, order)
		if err == nil {
			wanted, err = wantsProgress(ctx, q, customer.ID)
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("read wish for mails: %w", err)
	}
	return wanted, nil
}

// ChooseMails has an order's customer mailed of progress, or not.
func (s *Store) ChooseMails(ctx context.Context, order qc.OrderID, wanted bool, at time.Time) error {
	err := s.write(ctx, at, func(t *tx) error {
		customer, err := customerOf(ctx, t, order)
		if err != nil {
			return err
		}
		return t.chooseMails(ctx, customer.ID, wanted, onOrderPage)
	})
	if err != nil {
		return fmt.Errorf("choose mails for order %.80q: %w", order, err)
	}
	return nil
}

// chooseMails keeps a customer's wish. What waits to be mailed against it is not.
func (t *tx) chooseMails(ctx context.Context, id qc.CustomerID, wanted bool, where string) error {
	n, was, err := lastWish(ctx, t, id)
	if err != nil || was == wanted {
		return err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO mail_wish (customer, n, progress, at) VALUES ($1, $2, $3, $4)`,
		string(id), n+1, flag(wanted), micros(t.at)); err != nil {
		return err
	}
	if !wanted {
		if err := t.withdrawProgress(ctx, id); err != nil {
			return err
		}
	}
	t.told = true
	return t.audit(ctx, "customer", "customer.mails", "customer:"+string(id), map[string]any{"progress": wanted, "where": where})
}

// withdrawProgress calls off what waits to be mailed. A mail that is being sent
// this moment counts as sent if it is, and is not tried again if it is not.
func (t *tx) withdrawProgress(ctx context.Context, id qc.CustomerID) error {
	for _, kind := range refund.NoticeKinds() {
		if !kind.Progress() {
			continue
		}
		if _, err := t.ExecContext(ctx, `UPDATE notice SET state = 'unwanted', lease_until = 0, problem = '', code = ''
			WHERE customer = $1 AND kind = $2 AND medium = 'mail' AND state IN ('waiting', 'failed')`, string(id), string(kind)); err != nil {
			return fmt.Errorf("call off mails: %w", err)
		}
	}
	return nil
}

func wantsProgress(ctx context.Context, q querier, id qc.CustomerID) (bool, error) {
	_, wanted, err := lastWish(ctx, q, id)
	return wanted, err
}

// lastWish returns a customer's last wish and its number; who never said one
// wants all mails.
func lastWish(ctx context.Context, q querier, id qc.CustomerID) (n int, wanted bool, err error) {
	progress := 1
	err = q.QueryRowContext(ctx, `SELECT n, progress FROM mail_wish WHERE customer = $1 ORDER BY n DESC LIMIT 1`, string(id)).Scan(&n, &progress)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return n, progress == 1, err
}

// wished returns in what state a new notice to a customer begins: waiting to be
// sent, unless they want no mail of its kind.
func (t *tx) wished(ctx context.Context, n refund.Notice, id qc.CustomerID) (refund.NoticeState, error) {
	if n.Medium != refund.ByMail || !n.Kind.Progress() {
		return refund.NoticeWaiting, nil
	}
	wanted, err := wantsProgress(ctx, t, id)
	if err != nil {
		return "", fmt.Errorf("read wish for mails of customer %s: %w", id, err)
	}
	if !wanted {
		return refund.NoticeUnwanted, nil
	}
	return refund.NoticeWaiting, nil
}
