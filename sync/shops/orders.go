package shops

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
)

// document is an answer with a body.
type document[T any] struct{ Body T }

func schemaOf[T any](api huma.API) *huma.Schema { return openapi.Of[T](api) }

func (d *Door) describeKey(with scopedTo) {
	_, api := with()
	openapi.Register(api, operation(huma.Operation{
		OperationID: "shop-key", Method: http.MethodGet, Path: "/v1/shop", Summary: "Say what this key may do",
		Description: "A first request to try a key with.",
	}), refusals(), func(ctx context.Context, _ *struct{}) (*document[KeyView], error) {
		k := caller(ctx)
		return &document[KeyView]{KeyView{
			ID: k.ID, Shop: k.Shop, Scopes: append([]string{}, k.Scopes...), AllOrders: k.AllOrders, CreatedAt: k.CreatedAt, PerMinute: d.KeyRate,
		}}, nil
	})
}

// ImportItem describes an item as shops send it. The bytes themselves are read
// by the centre's own rules for files of orders.
type ImportItem struct {
	ID            string `json:"id" minLength:"1" maxLength:"200" doc:"Of the whole centre: begin it with something of your own" example:"AC-90001-1"`
	TitleEN       string `json:"title_en,omitempty" maxLength:"4000" doc:"As listed, in English; one of the two titles is needed" example:"White high-tops"`
	TitleZH       string `json:"title_zh,omitempty" maxLength:"4000" doc:"As listed, in Chinese" example:"白色高帮运动鞋"`
	VariantEN     string `json:"variant_en,omitempty" maxLength:"4000" doc:"Size, colour and the like, in English" example:"EU 42, white"`
	VariantZH     string `json:"variant_zh,omitempty" maxLength:"4000" doc:"The same in Chinese" example:"42码 白色"`
	Quantity      int    `json:"quantity" minimum:"1" maximum:"100000" doc:"Pieces" example:"1"`
	UnitPrice     int64  `json:"unit_price_fen" minimum:"0" maximum:"100000000000" doc:"Of one piece, actually paid, in fen of ¥0.01" example:"38900"`
	FreightIn     int64  `json:"freight_in_fen" minimum:"0" maximum:"100000000000" doc:"The line's share of seller-to-warehouse freight, in fen" example:"1200"`
	Currency      string `json:"currency,omitempty" enum:"CNY" doc:"Prices are in CNY"`
	Platform      string `json:"platform,omitempty" maxLength:"4000" doc:"Marketplace" example:"taobao"`
	PlatformOrder string `json:"platform_order,omitempty" maxLength:"4000" doc:"The order's number there" example:"2418830517429106684"`
	Seller        string `json:"seller" minLength:"1" maxLength:"4000" doc:"The seller's name there" example:"潮流前线鞋店"`
	Waybill       string `json:"waybill,omitempty" maxLength:"4000" doc:"The parcel that brings it" example:"SF1234567890123"`
	CustomerNote  string `json:"customer_note,omitempty" maxLength:"4000" doc:"What the customer asks the warehouse" example:"Please check the soles"`
	Category      string `json:"category,omitempty" maxLength:"4000" doc:"Kind of goods" example:"shoes"`
	StockedInAt   string `json:"stocked_in_at,omitempty" format:"date-time" doc:"When it came to the warehouse; the seller's window of 120 hours counts from the next full hour" example:"2026-11-27T09:30:00+08:00"`
	StockedInAgo  int    `json:"stocked_in_hours_ago,omitempty" minimum:"0" maximum:"8760" doc:"The same, counted back from now; not beside stocked_in_at"`
}

// ImportOrder describes an order as shops send it.
type ImportOrder struct {
	ID       string         `json:"id" minLength:"1" maxLength:"200" doc:"Of the whole centre: begin it with something of your own" example:"AC-90001"`
	Customer ImportCustomer `json:"customer" doc:"Who bought; what is sent replaces what was there"`
	PlacedAt string         `json:"placed_at" format:"date-time" doc:"When it was ordered" example:"2026-11-26T20:14:00Z"`
	Items    []ImportItem   `json:"items" minItems:"1" doc:"Its lines"`
}

// ImportCustomer describes a customer as shops send them.
type ImportCustomer struct {
	ID       string `json:"id" minLength:"1" maxLength:"200" doc:"Of the whole centre: begin it with something of your own" example:"AC-1001"`
	Name     string `json:"name" minLength:"1" maxLength:"4000" doc:"What mails call them" example:"Ana Moreira"`
	Language string `json:"language" enum:"en,zh" doc:"Of mails and the order page" example:"en"`
	Email    string `json:"email,omitempty" format:"email" maxLength:"254" doc:"Where mails go; absent: none are sent. What the desk corrects holds until another than before is given" example:"ana@example.com"`
	TimeZone string `json:"time_zone,omitempty" maxLength:"64" doc:"IANA name, for quiet hours; absent: UTC" example:"Europe/Lisbon"`
}

// ImportRequest describes the body of an import.
type ImportRequest struct {
	Orders []ImportOrder `json:"orders" minItems:"1" maxItems:"500" doc:"At most 500 at a time"`
}

// ImportDone says what an import did.
type ImportDone struct {
	Orders    int `json:"orders" doc:"Orders not known before"`
	Items     int `json:"items" doc:"Items new or changed"`
	Unchanged int `json:"unchanged" doc:"Items that were here already, just so"`
}

// LinkView is an address for a customer.
type LinkView struct {
	URL    string    `json:"url" format:"uri" doc:"Opens the order for whoever has it, who can then decide: give it to the customer and nobody else"`
	EndsAt time.Time `json:"ends_at" doc:"Until when it opens"`
}

type orderPath struct {
	Order string `path:"order" maxLength:"200"`
}

func (d *Door) describeOrders(with scopedTo) {
	_, write := with(OrdersWrite)
	openapi.Register(write, operation(huma.Operation{
		OperationID: "shop-import-orders", Method: http.MethodPost, Path: "/v1/shop/orders",
		Summary: "Take orders with their customers and items over",
		Description: "All or nothing: when one item has a fault, nothing is taken over and the answer lists every fault. " +
			"The same orders again change nothing, so that a request without an answer is simply repeated. What is new belongs to your shop; " +
			"numbers that somebody else uses are refused. What the warehouse has found out since stays as it is.",
		MaxBodyBytes: maxImport, RequestBody: &huma.RequestBody{
			Required: true, Description: "JSON of at most 4 MiB and 500 orders",
			Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf[ImportRequest](write), Example: importExample()}},
		},
		SkipValidateBody: true, // the rules are those of the command line, and list every fault
	}, OrdersWrite), refusals(wire.OrdersRefused, wire.TooLarge, wire.StorageFull), d.importOrders)

	_, read := with(OrdersWrite, CasesRead)
	openapi.Register(read, operation(huma.Operation{
		OperationID: "shop-order", Method: http.MethodGet, Path: "/v1/shop/orders/{order}", Summary: "Read an order",
		Description: "With its customer, its items, and the cases that the customer sees.",
	}, OrdersWrite, CasesRead), refusals(wire.NotFound), func(ctx context.Context, in *orderPath) (*document[OrderView], error) {
		if err := known(in.Order); err != nil {
			return nil, err
		}
		view, err := d.Centre.ShopOrder(ctx, caller(ctx), qc.OrderID(in.Order))
		if err != nil {
			return nil, d.problem(err)
		}
		return &document[OrderView]{d.orderView(view)}, nil
	})

	_, decide := with(CasesDecide)
	openapi.Register(decide, operation(huma.Operation{
		OperationID: "shop-link-order", Method: http.MethodPost, Path: "/v1/shop/orders/{order}/link",
		Summary: "Make an address of the order's page", DefaultStatus: created,
		Description: "A new address with a secret of its own, which is in this answer and nowhere else. Earlier ones stay valid.",
	}, CasesDecide), refusals(wire.NotFound, wire.StorageFull), func(ctx context.Context, in *orderPath) (*document[LinkView], error) {
		if err := known(in.Order); err != nil {
			return nil, err
		}
		address, ends, err := d.Centre.LinkOrder(ctx, caller(ctx), qc.OrderID(in.Order), d.Now())
		if err != nil {
			return nil, d.problem(err)
		}
		return &document[LinkView]{LinkView{URL: address, EndsAt: ends}}, nil
	})
	openapi.Register(decide, operation(huma.Operation{
		OperationID: "shop-unlink-order", Method: http.MethodDelete, Path: "/v1/shop/orders/{order}/link",
		Summary: "End every address of the order's page", Description: "For an address that has gone astray.",
	}, CasesDecide), refusals(wire.NotFound, wire.StorageFull), func(ctx context.Context, in *orderPath) (*struct{}, error) {
		if err := known(in.Order); err != nil {
			return nil, err
		}
		if err := d.Centre.RevokeLinks(ctx, caller(ctx), qc.OrderID(in.Order), d.Now()); err != nil {
			return nil, d.problem(err)
		}
		return nil, nil //nolint:nilnil // 204
	})
}

func (d *Door) importOrders(ctx context.Context, in *struct{ RawBody []byte }) (*document[ImportDone], error) {
	done, err := d.Centre.ImportShopOrders(ctx, caller(ctx), in.RawBody, d.Now())
	if err != nil {
		return nil, d.problem(err)
	}
	return &document[ImportDone]{ImportDone(done)}, nil
}

// importExample is an order as the README sends it.
func importExample() any {
	var example any
	_ = json.Unmarshal([]byte(`{"orders": [{"id": "AC-90001",
		"customer": {"id": "AC-1001", "name": "Ana Moreira", "language": "en", "email": "ana@example.com", "time_zone": "Europe/Lisbon"},
		"placed_at": "2026-11-26T20:14:00Z",
		"items": [{"id": "AC-90001-1", "title_en": "White high-tops", "title_zh": "白色高帮运动鞋", "quantity": 1, "unit_price_fen": 38900,
			"freight_in_fen": 1200, "platform": "taobao", "seller": "潮流前线鞋店", "waybill": "SF1234567890123",
			"stocked_in_at": "2026-11-27T09:30:00+08:00"}]}]}`), &example)
	return example
}
