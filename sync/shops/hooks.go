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

// HookRequest says where a program listens.
type HookRequest struct {
	URL string `json:"url" minLength:"1" maxLength:"2000" doc:"https, on the public internet, without a user or fragment. What is secret in it is kept as it is: better believe the signature" example:"https://shop.example.com/flawmark"`
}

// HookView is a webhook.
type HookView struct {
	ID         string    `json:"id" doc:"As its maker named it"`
	URL        string    `json:"url" doc:"Where the program listens"`
	AllOrders  bool      `json:"all_orders" doc:"Whether it is told of every order of the centre, as keys for all orders are"`
	Secret     string    `json:"secret,omitempty" doc:"What is sent is signed with it (Standard Webhooks). Only in the answer that made the webhook: it is shown this once" example:"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="`
	CreatedAt  time.Time `json:"created_at" doc:"When it was made"`
	MadeBy     string    `json:"made_by,omitempty" doc:"The key that made it; absent: an administrator"`
	DisabledAt time.Time `json:"disabled_at,omitzero" doc:"When the program answered 410, since which nothing is sent"`
	Waiting    int       `json:"waiting" doc:"How many events are still to be sent, or sent again"`
	Failed     int       `json:"failed" doc:"How many were given up after some 28 hours; replay sends them again"`
	Problem    *Text     `json:"problem,omitempty" doc:"Why the last that did not arrive did not"`
	Answered   string    `json:"answered,omitempty" doc:"The HTTP status of the program's answer then" example:"500"`
}

// HookList is the webhooks of a shop.
type HookList struct {
	Items []HookView `json:"items" doc:"Those made first at the top; at most ten, and what administrators have added"`
}

// ReplayRequest asks for events to be sent again.
type ReplayRequest struct {
	Since time.Time `json:"since" doc:"Those that happened then or later, at most 90 days back" example:"2026-11-26T00:00:00Z"`
}

// Replayed says what a replay did.
type Replayed struct {
	Events int `json:"events" doc:"How many go out again, each with the webhook-id that it had"`
}

type hookPath struct {
	Hook string `path:"hook" maxLength:"36"`
}

func (d *Door) describeHooks(with scopedTo, whole huma.API) {
	_, api := with(HooksWrite)
	openapi.Register(api, operation(huma.Operation{
		OperationID: "shop-webhooks", Method: http.MethodGet, Path: "/v1/shop/webhooks", Summary: "List the shop's webhooks",
		Description: "With how each does.",
	}, HooksWrite), refusals(), func(ctx context.Context, _ *struct{}) (*document[HookList], error) {
		hooks, err := d.Centre.ShopHooks(ctx, caller(ctx))
		if err != nil {
			return nil, d.problem(err)
		}
		list := HookList{Items: []HookView{}}
		for _, hook := range hooks {
			list.Items = append(list.Items, d.hookView(hook))
		}
		return &document[HookList]{list}, nil
	})
	openapi.Register(api, operation(huma.Operation{
		OperationID: "shop-webhook", Method: http.MethodGet, Path: "/v1/shop/webhooks/{hook}", Summary: "Read a webhook",
		Description: "With how it does.",
	}, HooksWrite), refusals(wire.NotFound), func(ctx context.Context, in *hookPath) (*document[HookView], error) {
		if err := known(in.Hook); err != nil {
			return nil, err
		}
		hook, err := d.Centre.ShopHook(ctx, caller(ctx), plain(in.Hook))
		if err != nil {
			return nil, d.problem(err)
		}
		return &document[HookView]{d.hookView(hook)}, nil
	})
	openapi.Register(api, operation(huma.Operation{
		OperationID: "shop-add-webhook", Method: http.MethodPut, Path: "/v1/shop/webhooks/{hook}", Summary: "Add a webhook",
		Description: "Under a UUID that you make. From now on every event of the shop, as `GET /v1/shop/events` tells it, is sent there by POST " +
			"(see `webhooks` of this document), at least once: after 0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h. No other shop's events are. " +
			"The same again is the same webhook, but its secret is shown only the first time: whoever did not hear the answer removes it and adds another. " +
			"A key that is revoked leaves its webhooks behind.",
	}, HooksWrite), append(refusals(wire.WebhookRefused, wire.StorageFull, wire.TooLarge),
		openapi.Refusal{URI: wire.WebhookRefused, Status: http.StatusUnprocessableEntity}), d.addHook)
	openapi.Register(api, operation(huma.Operation{
		OperationID: "shop-remove-webhook", Method: http.MethodDelete, Path: "/v1/shop/webhooks/{hook}", Summary: "Remove a webhook",
		Description: "What waits for it is not sent any more.",
	}, HooksWrite), refusals(wire.NotFound, wire.StorageFull), func(ctx context.Context, in *hookPath) (*struct{}, error) {
		if err := known(in.Hook); err != nil {
			return nil, err
		}
		if err := d.Centre.RemoveShopHook(ctx, caller(ctx), plain(in.Hook), d.Now()); err != nil {
			return nil, d.problem(err)
		}
		return nil, nil //nolint:nilnil // 204
	})
	openapi.Register(api, operation(huma.Operation{
		OperationID: "shop-replay-webhook", Method: http.MethodPost, Path: "/v1/shop/webhooks/{hook}/replay", Summary: "Send events again",
		Description: "Those that this webhook was told since then, whether they arrived or not; each keeps its webhook-id, so that a program that keeps those takes none twice.",
	}, HooksWrite), refusals(wire.NotFound, wire.WebhookRefused, wire.StorageFull, wire.TooLarge), d.replayHook)
	d.describeCalls(whole)
}

func (d *Door) addHook(ctx context.Context, in *struct {
	Hook string `path:"hook" format:"uuid" maxLength:"36"`
	Body HookRequest
},
) (*document[HookView], error) {
	if err := texts(in.Body.URL); err != nil {
		return nil, err
	}
	hook, err := d.Centre.AddShopHook(ctx, caller(ctx), plain(in.Hook), in.Body.URL, d.Now())
	if err != nil {
		return nil, d.problem(err)
	}
	view := d.hookView(Hook{Webhook: hook})
	view.Secret = hook.Secret
	return &document[HookView]{view}, nil
}

func (d *Door) replayHook(ctx context.Context, in *struct {
	Hook string `path:"hook" maxLength:"36"`
	Body ReplayRequest
},
) (*document[Replayed], error) {
	if err := known(in.Hook); err != nil {
		return nil, err
	}
	if year := in.Body.Since.Year(); year < 1970 || year > 9999 {
		return nil, problemOf(wire.Malformed, "since is a time such as 2026-11-23T09:30:00Z")
	}
	n, err := d.Centre.ReplayShopHook(ctx, caller(ctx), plain(in.Hook), in.Body.Since, d.Now())
	if err != nil {
		return nil, d.problem(err)
	}
	return &document[Replayed]{Replayed{Events: n}}, nil
}

func (d *Door) hookView(h Hook) HookView {
	view := HookView{
		ID: h.ID, URL: h.URL, AllOrders: h.AllOrders, CreatedAt: h.CreatedAt, MadeBy: h.MadeBy, DisabledAt: h.DisabledAt,
		Waiting: h.Waiting, Failed: h.Failed, Answered: h.Code,
	}
	if h.Problem != "" {
		view.Problem = d.said(h.Problem)
	}
	return view
}

// Call is what a webhook is told.
type Call struct {
	Type string    `json:"type" doc:"What happened, as in the shop's events; new ones may be added" example:"case.qc_problem"`
	At   time.Time `json:"timestamp" doc:"When"`
	Data Snapshot  `json:"data" doc:"The case as it was then"`
}

// describeCalls tells what the centre sends to webhooks: the only requests that
// it makes and others answer.
func (d *Door) describeCalls(api huma.API) {
	header := func(name, description string, example any) *huma.Param {
		return openapi.Param("header", name, description, true, openapi.Text(""), example)
	}
	kinds := append(refund.NoticeKinds(), refund.TellChanged, refund.TellTest)
	var types []string
	for _, kind := range kinds {
		if kind != refund.TellReminder { // told to customers only
			types = append(types, "`"+kind.Event()+"`")
		}
	}
	api.OpenAPI().Webhooks = map[string]*huma.PathItem{"event": {Post: &huma.Operation{
		OperationID: "webhook-event", Tags: []string{tag}, Summary: "Hear what happened",
		Description: "Sent to a webhook in the manner of Standard Webhooks. Check `webhook-signature` before anything else: it is `v1,` and the base64 of " +
			"HMAC-SHA256 over `webhook-id.webhook-timestamp.body`, under the secret without `whsec_`, taken from base64. Refuse timestamps that are minutes off. " +
			"An event may come twice, with the same `webhook-id`, and late: then its `sequence` is smaller than one that you have seen of the case. " +
			"Types are " + strings.Join(types, ", ") + ".",
		Parameters: []*huma.Param{
			header("webhook-id", "The same for every attempt", "0193f1e2-7b4c-7c1a-9d55-0242ac120002"),
			header("webhook-timestamp", "Of this attempt, in Unix seconds", "1764148440"),
			header("webhook-signature", "See above; of several, separated by spaces, one must fit", "v1,bm90aGluZyBzZWNyZXQ="),
		},
		RequestBody: &huma.RequestBody{
			Required: true, Description: "The event",
			Content: map[string]*huma.MediaType{wire.JSONType: {Schema: schemaOf[Call](api)}},
		},
		Responses: map[string]*huma.Response{
			"2XX":     {Description: "Taken, within 15 seconds"},
			"410":     {Description: "Gone: nothing is sent there any more"},
			"default": {Description: "Anything else, redirects as well, is tried again"},
		},
		Security: []map[string][]string{},
	}}}
}
