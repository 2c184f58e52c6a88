package web

import (
	"context"
	"testing"
	"time"

	"flawmark/app/qc"
)

// mailSecret is what the world's customer of order 20481 chooses their mails by.
const mailSecret = "a-secret-in-a-mail"

// mailed gives the customer of order 20481 an address to write to.
func (w *world) mailed() {
	order := w.orders["20481"]
	order.Customer.Email = "ana@example.com"
	w.orders["20481"] = order
}

// stoppedWorld is one in which they want no mails of progress.
func stoppedWorld(t *testing.T, w *world) {
	t.Helper()
	flaggedWorld(t, w)
	w.mailed()
	w.noProgress = true
}

func (w *world) WantsProgress(context.Context, qc.OrderID) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.noProgress, nil
}

func (w *world) ChooseMails(_ context.Context, _ qc.OrderID, wanted bool, _ time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noProgress = !wanted
	return nil
}

func (w *world) MailsByToken(ctx context.Context, token string, _ time.Time) (qc.Customer, bool, error) {
	if token != mailSecret {
		return qc.Customer{}, false, ErrLink
	}
	order, err := w.Order(ctx, "20481")
	if err != nil {
		return qc.Customer{}, false, err
	}
	wanted, err := w.WantsProgress(ctx, "20481")
	return order.Customer, wanted, err
}

func (w *world) ChooseMailsByToken(ctx context.Context, token string, wanted bool, at time.Time) error {
	if token != mailSecret {
		return ErrLink
	}
	return w.ChooseMails(ctx, "20481", wanted, at)
}
