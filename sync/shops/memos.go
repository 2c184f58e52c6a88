package shops

import (
	"context"
	"net/http"
	"strings"
	"time"

	"flawmark/app/refund"
	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
)

// MemoView is a credit memo.
type MemoView struct {
	Number   int64      `json:"number" doc:"Numbers have no gaps" example:"17" minimum:"1"`
	Printed  string     `json:"printed" doc:"The number as it is printed" example:"CM-000017"`
	At       time.Time  `json:"at" doc:"When"`
	Case     string     `json:"case" doc:"The case that it is of"`
	Version  int        `json:"version" doc:"The version of the case that the step made" minimum:"1"`
	Order    string     `json:"order" doc:"Its order"`
	Item     string     `json:"item" doc:"Its item"`
	Title    Text       `json:"title" doc:"The item as it was listed"`
	Quantity int        `json:"quantity" doc:"Pieces"`
	Customer string     `json:"customer" doc:"Onto whose balance"`
	Rules    int        `json:"rules" doc:"The version of the rules that the fees follow" minimum:"1"`
	Lines    []MemoLine `json:"lines" doc:"What it brings and what is taken off; their sum is net"`
	Net      Money      `json:"net" doc:"Onto the balance"`
}

// MemoLine is what a memo gives for one thing, or takes off.
type MemoLine struct {
	What   string `json:"what" doc:"goods, freight, part, goodwill, claim, fee_back, or fee. and a kind of fee; new ones may be added" example:"goods"`
	Words  Text   `json:"words" doc:"The same for people"`
	Amount Money  `json:"amount" doc:"Below zero: taken off"`
	By     string `json:"by" doc:"Whose money it is: seller, clerk (the centre's own) or customer" example:"seller"`
	Why    *Text  `json:"why,omitempty" doc:"Of a fee: why the customer bears it"`
}

func (d *Door) describeMemos(with scopedTo) {
	_, read := with(BalanceRead)
	openapi.Register(read, operation(huma.Operation{
		OperationID: "shop-memo", Method: http.MethodGet, Path: "/v1/shop/memos/{number}", Summary: "Read a credit memo",
		Description: "What one step of a case has brought onto the balance, to be added up again. It never changes. Its number is in the statement and in the step's event.",
	}, BalanceRead), refusals(wire.NotFound), func(ctx context.Context, in *struct {
		Number int64 `path:"number" minimum:"1" maximum:"9007199254740991" doc:"The memo's number" example:"17"`
	},
	) (*document[MemoView], error) {
		m, err := d.Centre.ShopMemo(ctx, caller(ctx), refund.MemoNumber(in.Number))
		if err != nil {
			return nil, d.problem(err)
		}
		return &document[MemoView]{d.memoView(m)}, nil
	})
}

func (d *Door) memoView(m refund.Memo) MemoView {
	view := MemoView{
		Number: int64(m.Number), Printed: m.Number.String(), At: m.At, Case: string(m.Case), Version: m.Version, Order: string(m.Order),
		Item: string(m.Item), Title: textOf(m.Title), Quantity: m.Quantity, Customer: string(m.Customer), Rules: m.Policy,
		Lines: []MemoLine{}, Net: moneyOf(m.Net),
	}
	for _, line := range m.Lines {
		one := MemoLine{What: line.What, Words: *d.said(lineWords(line.What)), Amount: moneyOf(line.Amount), By: string(line.By)}
		if line.Why != "" {
			one.Why = d.said("memo.why." + string(line.Why))
		}
		view.Lines = append(view.Lines, one)
	}
	return view
}

// lineWords is the key of what a line of a memo is for: fees are called as they
// were when the customer chose.
func lineWords(what string) string {
	if strings.HasPrefix(what, "fee.") {
		return what
	}
	return "memo.line." + what
}
