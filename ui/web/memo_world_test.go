package web

import (
	"context"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// memo writes down what a step has brought, as the centre does.
func (w *world) memo(before, after refund.Case, e refund.Event) (refund.MemoNumber, error) {
	m, ok, err := after.Memo(before, e)
	if err != nil || !ok {
		return 0, err
	}
	order, item := w.itemAndOrder(after.Item)
	m.Number, m.Title, m.Name = refund.MemoNumber(len(w.memos)+1), item.Title, order.Customer.Name
	w.memos = append(w.memos, m)
	return m.Number, nil
}

func (w *world) memosOf(id qc.CaseID) []refund.Memo {
	var mine []refund.Memo
	for _, m := range w.memos {
		if m.Case == id {
			mine = append(mine, m)
		}
	}
	return mine
}

func (w *world) Memo(_ context.Context, n refund.MemoNumber) (refund.Memo, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n < 1 || int(n) > len(w.memos) {
		return refund.Memo{}, qc.ErrNotFound
	}
	return w.memos[n-1], nil
}
