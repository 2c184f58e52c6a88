package shops

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
)

// Balance is a customer's money.
type Balance struct {
	Customer  string `json:"customer" doc:"Whose"`
	Posted    Money  `json:"posted" doc:"All that is theirs"`
	Held      Money  `json:"held" doc:"Of that, set aside"`
	Available Money  `json:"available" doc:"Of that, free to be reserved or withdrawn"`
}

// Statement is a page of what moved on a balance.
type Statement struct {
	Items []StatementLine `json:"items" doc:"Oldest first"`
	Next  string          `json:"next,omitempty" doc:"What to send as after for the next page; absent: this was the last"`
}

// StatementLine is one movement on a balance.
type StatementLine struct {
	Number    int       `json:"number" doc:"Its place in the statement, from 1; it never changes" minimum:"1"`
	At        time.Time `json:"at" doc:"When"`
	Kind      string    `json:"kind" doc:"credit, reserve, spend, release and others that may be added" example:"credit"`
	Amount    Money     `json:"amount" doc:"Below zero when money leaves the balance or is set aside"`
	Case      string    `json:"case,omitempty" doc:"The case that it is of"`
	Item      string    `json:"item,omitempty" doc:"The item that it is of"`
	Ref       string    `json:"ref,omitempty" doc:"What it is for, when it is of no case"`
	Available Money     `json:"available" doc:"What is free after it"`
	Held      Money     `json:"held" doc:"What is set aside after it"`
	Memo      int64     `json:"memo,omitempty" doc:"The number of the credit memo that the sum is on"`
}

// HoldRequest asks for money to be set aside.
type HoldRequest struct {
	Customer string `json:"customer" minLength:"1" maxLength:"200" doc:"Whose money" example:"AC-1001"`
	Amount   Money  `json:"amount" doc:"How much; more than is available is refused"`
	Ref      string `json:"ref" minLength:"1" maxLength:"120" doc:"What for, such as your order's number; the customer reads it in the statement" example:"AC-90002"`
	Lasts    int    `json:"lasts_seconds" minimum:"1" maximum:"7776000" doc:"Seconds after which it is free again by itself; at most 90 days" example:"900"`
}

// HoldView is money that is set aside.
type HoldView struct {
	ID         string    `json:"id" format:"uuid" doc:"As the caller made it"`
	Customer   string    `json:"customer" doc:"Whose money"`
	Amount     Money     `json:"amount" doc:"How much was set aside"`
	Ref        string    `json:"ref" doc:"What for"`
	State      string    `json:"state" enum:"pending,spent,released,expired" doc:"pending: set aside; the others are final"`
	Spent      Money     `json:"spent" doc:"How much of it was taken; the rest is free again"`
	CreatedAt  time.Time `json:"created_at" doc:"When it was set aside"`
	ExpiresAt  time.Time `json:"expires_at,omitzero" doc:"When it is free again by itself"`
	ResolvedAt time.Time `json:"resolved_at,omitzero" doc:"When it was spent, released or expired"`
}

// SpendRequest takes of what is set aside.
type SpendRequest struct {
	Amount Money `json:"amount" doc:"At most what was set aside; the rest is free again"`
}

// WithdrawalRequest asks for money to be paid out.
type WithdrawalRequest struct {
	Customer string `json:"customer" minLength:"1" maxLength:"200" doc:"Whose money" example:"AC-1001"`
	Amount   Money  `json:"amount" doc:"How much; it is set aside at once"`
	To       string `json:"to" minLength:"1" maxLength:"500" doc:"Where the money is to go, as the customer says it" example:"PayPal ana@example.com"`
}

// WithdrawalView is money on its way out.
type WithdrawalView struct {
	ID       string    `json:"id" format:"uuid" doc:"As the caller made it"`
	Customer string    `json:"customer" doc:"Whose money"`
	Amount   Money     `json:"amount" doc:"How much"`
	To       string    `json:"to" doc:"Where it is to go"`
	State    string    `json:"state" enum:"asked,approved,paid,refused" doc:"asked: a second person must agree; approved: to be paid; paid: gone; refused: back on the balance"`
	AskedAt  time.Time `json:"asked_at" doc:"When it was asked for"`
	EndedAt  time.Time `json:"ended_at,omitzero" doc:"When it was paid or refused"`
	Ref      string    `json:"ref,omitempty" doc:"Of the payment"`
	Reason   string    `json:"reason,omitempty" doc:"Why it was refused"`
}

type customerPath struct {
	Customer string `path:"customer" maxLength:"200"`
}

type holdPath struct {
	Hold string `path:"hold" format:"uuid" maxLength:"36"`
}

type payoutPath struct {
	Payout string `path:"payout" format:"uuid" maxLength:"36"`
}

func (d *Door) describeBalance(with scopedTo) {
	_, read := with(BalanceRead)
	openapi.Register(read, operation(huma.Operation{
		OperationID: "shop-balance", Method: http.MethodGet, Path: "/v1/shop/customers/{customer}/balance", Summary: "Read a customer's balance",
		Description: "Refunds are credited to it.",
	}, BalanceRead), refusals(wire.NotFound), func(ctx context.Context, in *customerPath) (*document[Balance], error) {
		if err := known(in.Customer); err != nil {
			return nil, err
		}
		f, err := d.Centre.ShopFunds(ctx, caller(ctx), qc.CustomerID(in.Customer))
		if err != nil {
			return nil, d.problem(err)
		}
		return &document[Balance]{Balance{
			Customer: in.Customer, Posted: moneyOf(f.Posted), Held: moneyOf(f.Held), Available: moneyOf(f.Available),
		}}, nil
	})
	openapi.Register(read, operation(huma.Operation{
		OperationID: "shop-statement", Method: http.MethodGet, Path: "/v1/shop/customers/{customer}/statement", Summary: "Read a customer's statement",
		Description: "Page by page, oldest first. Lines are only ever added, so that a page stays the same.",
	}, BalanceRead), refusals(wire.NotFound), d.statement)
	openapi.Register(read, operation(huma.Operation{
		OperationID: "shop-hold", Method: http.MethodGet, Path: "/v1/shop/holds/{hold}", Summary: "Read what was set aside",
		Description: "What your shop set aside, whatever has become of it.",
	}, BalanceRead), refusals(wire.NotFound), func(ctx context.Context, in *holdPath) (*document[HoldView], error) {
		h, err := d.Centre.ShopHold(ctx, caller(ctx), plain(in.Hold))
		return d.holdAnswer(h, err)
	})
	openapi.Register(read, operation(huma.Operation{
		OperationID: "shop-withdrawal", Method: http.MethodGet, Path: "/v1/shop/withdrawals/{payout}", Summary: "Read a withdrawal",
		Description: "What your shop asked for, however far it is.",
	}, BalanceRead), refusals(wire.NotFound), func(ctx context.Context, in *payoutPath) (*document[WithdrawalView], error) {
		w, err := d.Centre.ShopWithdrawal(ctx, caller(ctx), plain(in.Payout))
		return d.withdrawalAnswer(w, err)
	})

	_, write := with(BalanceWrite)
	moved := refusals(wire.NotFound, wire.MoneyRefused, wire.StorageFull, wire.TooLarge)
	openapi.Register(write, operation(huma.Operation{
		OperationID: "shop-reserve", Method: http.MethodPut, Path: "/v1/shop/holds/{hold}", Summary: "Set money aside",
		Description: "Under a UUID that you make: the same again is the same hold, whatever has become of it, and another content under the same id is refused. " +
			"Set aside what an order is to cost, then spend it when the order is placed, or release it.",
	}, BalanceWrite), moved, func(ctx context.Context, in *struct {
		Hold string `path:"hold" format:"uuid" maxLength:"36"`
		Body HoldRequest
	},
	) (*document[HoldView], error) {
		amount, err := in.Body.Amount.amount()
		if err == nil {
			err = texts(in.Body.Customer, in.Body.Ref)
		}
		if err != nil {
			return nil, err
		}
		h, err := d.Centre.ShopReserve(ctx, caller(ctx), Reservation{
			ID: plain(in.Hold), Customer: qc.CustomerID(in.Body.Customer), Amount: amount, Ref: in.Body.Ref,
			Lasts: time.Duration(in.Body.Lasts) * time.Second,
		}, d.Now())
		return d.holdAnswer(h, err)
	})
	openapi.Register(write, operation(huma.Operation{
		OperationID: "shop-spend", Method: http.MethodPost, Path: "/v1/shop/holds/{hold}/spend", Summary: "Spend what was set aside",
		Description: "Once, all of it or a part; what is left over is free again. The same again is answered the same.",
	}, BalanceWrite), moved, func(ctx context.Context, in *struct {
		Hold string `path:"hold" format:"uuid" maxLength:"36"`
		Body SpendRequest
	},
	) (*document[HoldView], error) {
		amount, err := in.Body.Amount.amount()
		if err != nil {
			return nil, err
		}
		h, err := d.Centre.ShopSpend(ctx, caller(ctx), plain(in.Hold), amount, d.Now())
		return d.holdAnswer(h, err)
	})
	openapi.Register(write, operation(huma.Operation{
		OperationID: "shop-release", Method: http.MethodPost, Path: "/v1/shop/holds/{hold}/release", Summary: "Release what was set aside",
		Description: "All of it is free again. Again, or after it has expired, changes nothing.",
	}, BalanceWrite), moved, func(ctx context.Context, in *holdPath) (*document[HoldView], error) {
		h, err := d.Centre.ShopRelease(ctx, caller(ctx), plain(in.Hold), d.Now())
		return d.holdAnswer(h, err)
	})
	openapi.Register(write, operation(huma.Operation{
		OperationID: "shop-withdraw", Method: http.MethodPut, Path: "/v1/shop/withdrawals/{payout}", Summary: "Ask for money to be paid out",
		Description: "Under a UUID that you make: the same again is the same withdrawal. The money is set aside at once, and goes out when a second person agrees.",
	}, BalanceWrite), moved, func(ctx context.Context, in *struct {
		Payout string `path:"payout" format:"uuid" maxLength:"36"`
		Body   WithdrawalRequest
	},
	) (*document[WithdrawalView], error) {
		amount, err := in.Body.Amount.amount()
		if err == nil {
			err = texts(in.Body.Customer, in.Body.To)
		}
		if err != nil {
			return nil, err
		}
		w, err := d.Centre.ShopWithdraw(ctx, caller(ctx), refund.Withdrawal{
			ID: plain(in.Payout), Customer: qc.CustomerID(in.Body.Customer), Amount: amount, To: in.Body.To,
		}, d.Now())
		return d.withdrawalAnswer(w, err)
	})
}

func (d *Door) statement(ctx context.Context, in *struct {
	Customer string `path:"customer" maxLength:"200"`
	Limit    int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"At most so many"`
	After    string `query:"after" maxLength:"18" pattern:"^[0-9]*$" doc:"next of the page before"`
},
) (*document[Statement], error) {
	if err := known(in.Customer); err != nil {
		return nil, err
	}
	after, _ := strconv.ParseInt(in.After, 10, 64) // digits, or nothing
	lines, more, err := d.Centre.ShopStatement(ctx, caller(ctx), qc.CustomerID(in.Customer), after, in.Limit)
	if err != nil {
		return nil, d.problem(err)
	}
	page := Statement{Items: []StatementLine{}}
	for _, line := range lines {
		page.Items = append(page.Items, StatementLine{
			Number: line.Number, At: line.At, Kind: line.Kind, Amount: moneyOf(line.Amount), Case: string(line.Case), Item: string(line.Item),
			Ref: line.Ref, Available: moneyOf(line.Running), Held: moneyOf(line.Held), Memo: int64(line.Memo),
		})
		if more {
			page.Next = strconv.FormatInt(line.N, 10)
		}
	}
	return &document[Statement]{page}, nil
}

// amount reads a sum that somebody sent.
func (m Money) amount() (money.Amount, error) {
	amount, err := money.New(m.Minor, money.Currency(m.Currency))
	if err != nil {
		return amount, problemOf(wire.Malformed, "amount is in CNY")
	}
	return amount, nil
}

// texts refuses what no text can hold that is kept.
func texts(all ...string) error {
	for _, text := range all {
		if !printable(text, 4000) {
			return problemOf(wire.Malformed, "a text is empty or has a control character")
		}
	}
	return nil
}

// plain writes a UUID as it is kept: one id is one id, however it is written.
func plain(id string) string { return strings.ToLower(id) }

func (d *Door) holdAnswer(h refund.Hold, err error) (*document[HoldView], error) {
	if err != nil {
		return nil, d.problem(err)
	}
	return &document[HoldView]{HoldView{
		ID: h.ID, Customer: string(h.Customer), Amount: moneyOf(h.Amount), Ref: h.Ref, State: string(h.State), Spent: moneyOf(h.Spent),
		CreatedAt: h.CreatedAt, ExpiresAt: h.ExpiresAt, ResolvedAt: h.ResolvedAt,
	}}, nil
}

func (d *Door) withdrawalAnswer(w refund.Withdrawal, err error) (*document[WithdrawalView], error) {
	if err != nil {
		return nil, d.problem(err)
	}
	return &document[WithdrawalView]{WithdrawalView{
		ID: w.ID, Customer: string(w.Customer), Amount: moneyOf(w.Amount), To: w.To, State: string(w.State), AskedAt: w.AskedAt,
		EndedAt: w.EndedAt, Ref: w.Ref, Reason: w.Reason,
	}}, nil
}
