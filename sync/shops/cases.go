package shops

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
)

// CaseList is a page of cases.
type CaseList struct {
	Items  []CaseSummary `json:"items" doc:"Those opened first at the top"`
	Next   string        `json:"next,omitempty" doc:"What to send as after for the next page; absent: this was the last"`
	Events string        `json:"events" doc:"Where the events stood: what happens after this page was read follows behind it"`
}

type caseQuery struct {
	Open     bool   `query:"open" doc:"Only cases that have not ended"`
	Status   string `query:"status" maxLength:"40" doc:"Only cases in this status" example:"awaiting_decision"`
	Order    string `query:"order" maxLength:"200" doc:"Only cases of this order"`
	Item     string `query:"item" maxLength:"200" doc:"Only cases of this item"`
	Customer string `query:"customer" maxLength:"200" doc:"Only cases of this customer"`
	Since    string `query:"changed_since" format:"date-time" doc:"Only cases that changed at this time or later"`
	Limit    int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most so many; a page may have fewer and still a next one"`
	After    string `query:"after" maxLength:"200" doc:"next of the page before"`
}

type casePath struct {
	Case string `path:"case" maxLength:"200"`
}

// caseAnswer is a case with its version.
type caseAnswer = versioned[Case]

func (d *Door) describeCases(with scopedTo) {
	router, read := with(CasesRead)
	openapi.Register(read, operation(huma.Operation{
		OperationID: "shop-cases", Method: http.MethodGet, Path: "/v1/shop/cases", Summary: "List cases",
		Description: "A flaw that was confirmed opens a case; one that waits for a shift lead or for its photos is not in the list yet. " +
			"To keep a copy, read all pages, then follow the events from `events` of the first page.",
	}, CasesRead), refusals(wire.NotFound), d.listCases)
	openapi.Register(read, operation(huma.Operation{
		OperationID: "shop-case", Method: http.MethodGet, Path: "/v1/shop/cases/{case}", Summary: "Read a case",
		Description: "With its findings, its decision sheet, and what the customer can do now; of the rest it says why not.",
	}, CasesRead), refusals(wire.NotFound), func(ctx context.Context, in *casePath) (*caseAnswer, error) {
		return d.readCase(ctx, in.Case)
	})
	router.Get("/v1/shop/cases/{case}/findings/{finding}/photos/{photo}", d.photo)
	openapi.Raw(read, operation(huma.Operation{
		OperationID: "shop-photo", Method: http.MethodGet, Path: "/v1/shop/cases/{case}/findings/{finding}/photos/{photo}",
		Summary:     "Read a photo's preview",
		Description: "A JPEG of at most 1920 pixels, without metadata, in which what was redacted is gone. Marks are not in it. It never changes.",
		Responses: map[string]*huma.Response{
			"200": {
				Description: "The preview", Content: map[string]*huma.MediaType{"image/jpeg": {Schema: openapi.Text("binary")}},
				Headers: map[string]*huma.Param{"ETag": openapi.Header("Of this file", openapi.Text(""))},
			},
			"304": {Description: "It is the file that If-None-Match names"},
		},
	}, CasesRead), refusals(wire.NotFound))
}

func (d *Door) listCases(ctx context.Context, in *caseQuery) (*document[CaseList], error) {
	filter := Filter{
		Open: in.Open, Status: refund.Status(in.Status), Order: qc.OrderID(in.Order), Item: qc.ItemID(in.Item),
		Customer: qc.CustomerID(in.Customer), Limit: in.Limit, After: in.After,
	}
	for _, text := range []string{in.Order, in.Item, in.Customer, in.After} {
		if text != "" && !printable(text, longestID) {
			return nil, problemOf(wire.Malformed, "an id in the query has a control character")
		}
	}
	if in.Status != "" && !slices.Contains(refund.Statuses(), filter.Status) {
		return nil, problemOf(wire.Malformed, "no such status; there are "+strings.Join(statuses(), ", "))
	}
	if in.Since != "" {
		at, err := time.Parse(time.RFC3339, in.Since)
		if err != nil || at.Year() < 1970 || at.Year() > 9999 {
			return nil, problemOf(wire.Malformed, "changed_since is a time such as 2026-11-23T09:30:00Z")
		}
		filter.ChangedSince = at
	}
	page, err := d.Centre.ShopCases(ctx, caller(ctx), filter)
	if err != nil {
		return nil, d.problem(err)
	}
	list := CaseList{Items: []CaseSummary{}, Events: page.Events.String()}
	for _, c := range page.Cases {
		list.Items = append(list.Items, d.summary(c))
	}
	if page.More {
		list.Next = string(page.Last)
	}
	return &document[CaseList]{list}, nil
}

func statuses() []string {
	var all []string
	for _, s := range refund.Statuses() {
		if s.Visible() || s == refund.Withdrawn {
			all = append(all, string(s))
		}
	}
	return all
}

func (d *Door) readCase(ctx context.Context, id string) (*caseAnswer, error) {
	if err := known(id); err != nil {
		return nil, err
	}
	c, view, err := d.Centre.ShopCase(ctx, caller(ctx), qc.CaseID(id))
	if err != nil {
		return nil, d.problem(err)
	}
	seen, err := d.caseView(c, view)
	if err == nil && c.Seller != "" && (c.Status == refund.AwaitingDecision || c.Status == refund.OfferPending) {
		var record refund.Record
		record, err = d.Centre.SellerRecord(ctx, c.Seller, d.Now().Add(-historyLasts))
		seen.SellerRecord = recordView(record)
	}
	if err != nil {
		return nil, d.problem(fmt.Errorf("show case %s: %w", c.ID, err))
	}
	return &caseAnswer{ETag: seen.ETag, Body: *seen}, nil
}

// historyLasts is how far back the seller's record goes.
const historyLasts = 365 * 24 * time.Hour

func photoPath(c qc.CaseID, f qc.FindingID, p qc.PhotoID) string {
	return "/v1/shop/cases/" + url.PathEscape(string(c)) + "/findings/" + url.PathEscape(string(f)) + "/photos/" + url.PathEscape(string(p))
}

// photo serves the preview that was made with the redactions, and never an
// original.
func (d *Door) photo(w http.ResponseWriter, r *http.Request) {
	id, finding, photo := pathText(r, "case"), pathText(r, "finding"), pathText(r, "photo")
	if err := known(id, finding, photo); err != nil {
		d.answer(w, err)
		return
	}
	c, view, err := d.Centre.ShopCase(r.Context(), caller(r.Context()), qc.CaseID(id))
	if err != nil {
		d.answer(w, err)
		return
	}
	f := view.Findings[qc.FindingID(finding)]
	i := slices.IndexFunc(f.Photos, func(p qc.Photo) bool { return string(p.ID) == photo })
	if f.Item != c.Item || i < 0 || !view.Stored[f.Photos[i].Preview.Digest] {
		d.answer(w, qc.ErrNotFound)
		return
	}
	d.servePicture(w, r, f.Photos[i].Preview.Digest)
}

// servePicture answers with a JPEG that the centre has made.
func (d *Door) servePicture(w http.ResponseWriter, r *http.Request, digest qc.Digest) {
	file, err := d.Open(digest)
	if err != nil {
		d.answer(w, fmt.Errorf("open picture %s: %w", digest, err))
		return
	}
	defer func() { _ = file.Close() }()
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Disposition", "attachment")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("Cache-Control", "private, max-age=86400, immutable")
	h.Set("ETag", `"`+string(digest)+`"`)
	for _, condition := range []string{"Range", "If-Match", "If-Unmodified-Since"} { // it is small, and never changes
		r.Header.Del(condition)
	}
	http.ServeContent(w, r, "", time.Time{}, file)
}

// pathText returns a value of the path as it was meant.
func pathText(r *http.Request, name string) string {
	text := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return text
	}
	plain, err := url.PathUnescape(text)
	if err != nil {
		return ""
	}
	return plain
}
