package shops

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"time"
	"unicode/utf8"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
)

// Limits of messages. What the words, the photos and a day's of both may be is
// said by [refund.TicketPolicy].
const (
	maxLetter      = 64 << 10 // bytes of everything but pictures
	maxParts       = 24
	receivedAtOnce = 4 // requests with pictures, of all shops
	receiveTime    = 3 * time.Minute
)

// TicketSummary is a ticket in a list.
type TicketSummary struct {
	ID        string    `json:"id" doc:"The ticket's id" example:"AC-90001-T1"`
	Order     string    `json:"order" doc:"Its order"`
	Item      string    `json:"item,omitempty" doc:"The item that it is about; absent: the whole order"`
	Case      string    `json:"case,omitempty" doc:"The item's case when it was opened; absent: it had none"`
	Topic     string    `json:"topic" doc:"What it is about; new ones may be added" example:"question"`
	Words     Text      `json:"topic_words" doc:"The same for people"`
	OpenedAt  time.Time `json:"opened_at" doc:"When it was opened"`
	ChangedAt time.Time `json:"changed_at" doc:"When the last message came"`
	Written   int       `json:"written" doc:"How many messages it has" minimum:"1"`
	Unread    int       `json:"unread" doc:"How many of the desk's the customer has not had before them"`
	Waiting   int       `json:"waiting" doc:"How many of the customer's the desk has not dealt with"`
}

// TicketList is the tickets of an order.
type TicketList struct {
	Items []TicketSummary `json:"items" doc:"The one that changed last first"`
}

// TicketView is a ticket with its messages.
type TicketView struct {
	TicketSummary
	Messages []MessageView `json:"messages" doc:"Oldest first; none is ever changed"`
}

// MessageView is one message of a ticket.
type MessageView struct {
	Number   int           `json:"number" doc:"Its place in the ticket" minimum:"1"`
	At       time.Time     `json:"at" doc:"When"`
	From     string        `json:"from" enum:"customer,desk" doc:"Who wrote it"`
	Text     string        `json:"text" doc:"Their words, not translated; may be empty beside photos"`
	Pictures []PictureView `json:"pictures" doc:"Photos that came with it, as the centre has made them anew"`
}

// PictureView is a photo of a message.
type PictureView struct {
	Width  int    `json:"width" doc:"Pixels of the large one"`
	Height int    `json:"height" doc:"Pixels of the large one"`
	Full   string `json:"full" format:"uri-reference" doc:"A JPEG of at most 1920 pixels"`
	Thumb  string `json:"thumb" format:"uri-reference" doc:"A JPEG of at most 256 pixels"`
}

// TicketRequest opens a ticket.
type TicketRequest struct {
	Topic string `json:"topic" enum:"question,missed_flaw,extra_photos,ask_anyway" doc:"What it is about; ask_anyway asks the seller although it is too late" example:"question"`
	Item  string `json:"item,omitempty" maxLength:"200" doc:"The item that it is about; absent: the whole order" example:"AC-90001-1"`
	Case  string `json:"case,omitempty" maxLength:"200" doc:"The item's case; absent: its latest, where it has one"`
	Text  string `json:"text,omitempty" maxLength:"2000" doc:"The customer's words; needed where no photo comes with them" example:"Is the left sole glued?"`
}

// MessageRequest writes in a ticket.
type MessageRequest struct {
	Text string `json:"text,omitempty" maxLength:"2000" doc:"The customer's words; needed where no photo comes with them" example:"Thank you. Please send it back."`
}

// SeenRequest says how far a customer has read.
type SeenRequest struct {
	Through int `json:"through" minimum:"1" maximum:"1000000" doc:"The number of the last message that they have had before them" example:"2"`
}

func (d *Door) describeTickets(with scopedTo) {
	reader, read := with(CasesRead)
	openapi.Register(read, operation(huma.Operation{
		OperationID: "shop-tickets", Method: http.MethodGet, Path: "/v1/shop/orders/{order}/tickets", Summary: "List what was written about an order",
		Description: "What its customer and the desk have written to each other. An answer of the desk is the event `ticket.answered`.",
	}, CasesRead), refusals(wire.NotFound), func(ctx context.Context, in *orderPath) (*document[TicketList], error) {
		if err := known(in.Order); err != nil {
			return nil, err
		}
		all, err := d.Centre.ShopTickets(ctx, caller(ctx), qc.OrderID(in.Order))
		if err != nil {
			return nil, d.problem(err)
		}
		slices.SortStableFunc(all, func(a, b refund.Ticket) int { return b.ChangedAt.Compare(a.ChangedAt) })
		list := TicketList{Items: []TicketSummary{}}
		for _, t := range all {
			list.Items = append(list.Items, d.ticketSummary(t))
		}
		return &document[TicketList]{list}, nil
	})
	openapi.Register(read, operation(huma.Operation{
		OperationID: "shop-ticket", Method: http.MethodGet, Path: "/v1/shop/tickets/{ticket}", Summary: "Read a ticket",
		Description: "With all its messages. That it was read by a program is not that its customer has read it: see `seen`.",
	}, CasesRead), refusals(wire.NotFound), func(ctx context.Context, in *ticketPath) (*document[TicketView], error) {
		if err := known(in.Ticket); err != nil {
			return nil, err
		}
		return d.ticketAnswer(d.Centre.ShopTicket(ctx, caller(ctx), refund.TicketID(in.Ticket)))
	})
	const picture = "/v1/shop/tickets/{ticket}/pictures/{picture}/{size}"
	reader.Get(picture, d.ticketPicture)
	openapi.Raw(read, operation(huma.Operation{
		OperationID: "shop-ticket-picture", Method: http.MethodGet, Path: picture, Summary: "Read a photo of a message",
		Description: "A JPEG without metadata. It never changes.",
		Parameters: []*huma.Param{
			openapi.Param("path", "size", "full: at most 1920 pixels; thumb: at most 256", true, openapi.OneOf("full", "thumb"), "full"),
		},
		Responses: map[string]*huma.Response{
			"200": {
				Description: "The photo", Content: map[string]*huma.MediaType{"image/jpeg": {Schema: openapi.Text("binary")}},
				Headers: map[string]*huma.Param{"ETag": openapi.Header("Of this file", openapi.Text(""))},
			},
			"304": {Description: "It is the file that If-None-Match names"},
		},
	}, CasesRead), refusals(wire.NotFound))

	writer, write := with(CasesDecide)
	const opening, more = "/v1/shop/orders/{order}/tickets", "/v1/shop/tickets/{ticket}/messages"
	writer.Post(opening, d.openTicket)
	writer.Post(more, d.writeTicket)
	const photos = " With photos it comes as `multipart/form-data`: the same members as fields, and up to four files called `photo` of at most " +
		"16 MiB each (JPEG, PNG, WebP or HEIC). They are made anew; nothing of the files themselves is kept. " +
		"Repeated with the same key and content, it is written once."
	openapi.Raw(write, d.letterOperation(write, huma.Operation{
		OperationID: "shop-open-ticket", Path: opening, Summary: "Write to the desk",
		Description: "Opens a ticket as the order's customer. It moves no case." + photos,
	}, schemaOf[TicketRequest](write)), letterRefusals())
	openapi.Raw(write, d.letterOperation(write, huma.Operation{
		OperationID: "shop-write-ticket", Path: more, Summary: "Write in a ticket",
		Description: "As the order's customer." + photos,
	}, schemaOf[MessageRequest](write)), letterRefusals())
	openapi.Register(write, operation(huma.Operation{
		OperationID: "shop-ticket-seen", Method: http.MethodPost, Path: "/v1/shop/tickets/{ticket}/seen", Summary: "Say how far the customer has read",
		Description: "Less than before changes nothing.",
	}, CasesDecide), refusals(wire.NotFound, wire.StorageFull, wire.TooLarge), func(ctx context.Context, in *struct {
		Ticket string `path:"ticket" maxLength:"200"`
		Body   SeenRequest
	},
	) (*document[TicketView], error) {
		if err := known(in.Ticket); err != nil {
			return nil, err
		}
		return d.ticketAnswer(d.Centre.SawTicketForShop(ctx, caller(ctx), refund.TicketID(in.Ticket), in.Body.Through, d.Now()))
	})
}

type ticketPath struct {
	Ticket string `path:"ticket" maxLength:"200"`
}

// letterOperation describes an operation that takes a message.
func (d *Door) letterOperation(api huma.API, op huma.Operation, body *huma.Schema) huma.Operation {
	op.Method, op.MaxBodyBytes = http.MethodPost, maxLetter
	op = operation(op, CasesDecide)
	form := &huma.Schema{Type: huma.TypeObject, AllOf: []*huma.Schema{body, {
		Type: huma.TypeObject,
		Properties: map[string]*huma.Schema{"photo": {
			Type: huma.TypeArray, MaxItems: ptr(refund.DefaultTicketPolicy().Pictures), Description: "The photos", Items: openapi.Text("binary"),
		}},
	}}}
	op.RequestBody = &huma.RequestBody{
		Required: true, Description: "JSON of at most 64 KiB, or a form of as much beside its photos",
		Content: map[string]*huma.MediaType{wire.JSONType: {Schema: body}, formType: {Schema: form}},
	}
	op.Parameters = []*huma.Param{openapi.Param("header", "Idempotency-Key",
		"New for every new message, and the same when it is repeated; needed", true, openapi.Text(""), "message-AC-90001-1")}
	op.Responses = map[string]*huma.Response{"201": {
		Description: "The ticket as it then is", Content: map[string]*huma.MediaType{wire.JSONType: {Schema: schemaOf[TicketView](api)}},
	}}
	return op
}

func ptr[T any](v T) *T { return &v }

func letterRefusals() []openapi.Refusal {
	return append(refusals(wire.NotFound, wire.MessageRefused, wire.RequestRunning, wire.IdempotencyKeyNeeded,
		wire.IdempotencyKeyReused, wire.StorageFull, wire.TooLarge),
		openapi.Refusal{URI: wire.MessageRefused, Status: http.StatusUnprocessableEntity},
		openapi.Refusal{URI: wire.Malformed, Status: http.StatusUnsupportedMediaType},
		openapi.Refusal{URI: wire.Interrupted, Status: http.StatusRequestTimeout})
}

const formType = "multipart/form-data"

// openTicket takes a first message.
func (d *Door) openTicket(w http.ResponseWriter, r *http.Request) {
	order := pathText(r, "order")
	if err := known(order); err != nil {
		d.answer(w, err)
		return
	}
	d.letter(w, r, func(ctx context.Context, l letter) (refund.Writing, error) {
		view, err := d.Centre.ShopOrder(ctx, caller(ctx), qc.OrderID(order))
		if err != nil {
			return refund.Writing{}, err
		}
		written := refund.Writing{Order: qc.OrderID(order), Item: qc.ItemID(l.Item), Topic: refund.Topic(l.Topic)}
		written.Case, err = caseWritten(view, written.Item, qc.CaseID(l.Case))
		return written, err
	})
}

// caseWritten is the case that a message about an item is of: the one that it
// names, else the item's latest. It fails with [qc.ErrNotFound] for an item that
// the order does not have, and for a case that the item does not.
func caseWritten(v View, item qc.ItemID, named qc.CaseID) (qc.CaseID, error) {
	if item == "" {
		if named != "" {
			return "", problemOf(wire.Malformed, "a message about a case names its item")
		}
		return "", nil
	}
	if !slices.ContainsFunc(v.Order.Items, func(i qc.Item) bool { return i.ID == item }) {
		return "", qc.ErrNotFound
	}
	var latest refund.Case
	for _, c := range v.Cases {
		switch {
		case c.Item != item || !c.Status.Visible():
		case c.ID == named:
			return named, nil
		case c.Pieces() > 0 && c.OpenedAt.After(latest.OpenedAt):
			latest = c
		}
	}
	if named != "" {
		return "", qc.ErrNotFound
	}
	return latest.ID, nil
}

// writeTicket takes a further message.
func (d *Door) writeTicket(w http.ResponseWriter, r *http.Request) {
	id := pathText(r, "ticket")
	if err := known(id); err != nil {
		d.answer(w, err)
		return
	}
	d.letter(w, r, func(ctx context.Context, l letter) (refund.Writing, error) {
		if l.Topic+l.Item+l.Case != "" {
			return refund.Writing{}, problemOf(wire.Malformed, "topic, item and case are those of the ticket")
		}
		ticket, err := d.Centre.ShopTicket(ctx, caller(ctx), refund.TicketID(id))
		return refund.Writing{Ticket: ticket.ID, Order: ticket.Order}, err
	})
}

// letter is a message on its way in.
type letter struct {
	TicketRequest
	pictures []refund.Picture
	digests  []string // of the files that were sent
}

// letter reads a message, asks where it belongs, and writes it once.
func (d *Door) letter(w http.ResponseWriter, r *http.Request, about func(context.Context, letter) (refund.Writing, error)) {
	key := r.Header.Get("Idempotency-Key")
	if !validKey(key) {
		refuse(w, wire.NewProblem(wire.IdempotencyKeyNeeded, ""))
		return
	}
	// Whose it is is asked before anything large is read.
	if _, err := about(r.Context(), letter{}); err != nil {
		d.answer(w, err)
		return
	}
	l, err := d.readLetter(w, r)
	if err != nil {
		d.answer(w, err)
		return
	}
	ctx := r.Context()
	print := fingerprint("write", r.URL.EscapedPath(), l.TicketRequest, l.digests)
	answer, err := once(ctx, d, key, print, func() (*versioned[TicketView], error) {
		written, err := about(ctx, l)
		if err != nil {
			return nil, d.problem(err)
		}
		written.Text, written.Pictures, written.Key, written.At = refund.PlainText(l.Text), l.pictures, key, d.Now()
		ticket, err := d.Centre.WriteTicketForShop(ctx, caller(ctx), written)
		if err != nil {
			return nil, d.problem(err)
		}
		return &versioned[TicketView]{Body: d.ticketView(ticket)}, nil
	})
	if err != nil {
		d.answer(w, err)
		return
	}
	w.Header().Set("Content-Type", wire.JSONType)
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(answer.Body)
}

// readLetter reads a message as JSON or as a form.
func (d *Door) readLetter(w http.ResponseWriter, r *http.Request) (letter, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	line := http.NewResponseController(w)
	switch {
	case err == nil && kind == formType:
		_ = line.SetReadDeadline(time.Now().Add(receiveTime)) // the socket's time; not every reader has deadlines
		defer func() { _ = line.SetReadDeadline(time.Time{}) }()
		select {
		case d.receiving <- struct{}{}:
			defer func() { <-d.receiving }()
		default:
			w.Header().Set("Retry-After", "10")
			return letter{}, problemOf(wire.TooManyRequests, "others are sending photos at this moment")
		}
		policy := refund.DefaultTicketPolicy()
		r.Body = http.MaxBytesReader(w, r.Body, int64(policy.Pictures)*policy.PictureBytes+maxLetter)
		return d.readForm(r)
	case err == nil && kind == wire.JSONType:
		_ = line.SetReadDeadline(time.Now().Add(slowest))
		defer func() { _ = line.SetReadDeadline(time.Time{}) }()
		var l letter
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxLetter))
		if err != nil {
			return l, unread(err)
		}
		return l, l.parse(data)
	}
	p := problemOf(wire.Malformed, "the body is application/json, or multipart/form-data where photos come with it")
	p.Status = http.StatusUnsupportedMediaType
	return letter{}, p
}

// unread says why a body did not arrive.
func unread(err error) error {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return problemOf(wire.TooLarge, "")
	}
	p := problemOf(wire.Interrupted, "the body did not arrive whole")
	p.Status = http.StatusRequestTimeout
	return p
}

// parse reads a message that is JSON.
func (l *letter) parse(data []byte) error {
	if !utf8.Valid(data) {
		return problemOf(wire.Malformed, "the body is not UTF-8")
	}
	if err := json.Unmarshal(data, &l.TicketRequest); err != nil {
		return problemOf(wire.Malformed, "the body is not JSON with the members that are described: "+err.Error())
	}
	return nil
}

// readForm reads a message that is a form with photos.
func (d *Door) readForm(r *http.Request) (letter, error) {
	var l letter
	parts, err := r.MultipartReader()
	if err != nil {
		return l, problemOf(wire.Malformed, "the form has no boundary")
	}
	fields := map[string]*string{"topic": &l.Topic, "item": &l.Item, "case": &l.Case, "text": &l.Text}
	room := int64(maxLetter)
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return l, nil
		}
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return l, unread(err)
		}
		if err != nil || n == maxParts {
			return l, problemOf(wire.Malformed, "the form breaks off, or has more than 24 parts")
		}
		if part.FormName() == "photo" {
			if err := d.receive(r.Context(), part, &l); err != nil {
				return l, err
			}
			continue
		}
		into, ok := fields[part.FormName()]
		if !ok {
			return l, problemOf(wire.Malformed, "the form has a field that is not described: topic, item, case, text and photo are")
		}
		value, err := io.ReadAll(io.LimitReader(part, room+1))
		if room -= int64(len(value)); err != nil || room < 0 {
			return l, errorOr(err, problemOf(wire.TooLarge, ""))
		}
		if !utf8.Valid(value) {
			return l, problemOf(wire.Malformed, "a field is not UTF-8")
		}
		*into = string(value)
	}
}

func errorOr(err, otherwise error) error {
	if err != nil {
		return unread(err)
	}
	return otherwise
}

// receive takes one photo in.
func (d *Door) receive(ctx context.Context, part *multipart.Part, l *letter) error {
	policy := refund.DefaultTicketPolicy()
	data, err := io.ReadAll(io.LimitReader(part, policy.PictureBytes+1))
	switch {
	case err != nil:
		return unread(err)
	case int64(len(data)) > policy.PictureBytes:
		return d.problem(ErrPictureLarge)
	case len(l.pictures) == policy.Pictures:
		return d.problem(refund.ErrTicketPictures)
	}
	picture, err := d.Picture(ctx, data)
	if err != nil {
		return d.problem(err)
	}
	sum := sha256.Sum256(data)
	l.pictures, l.digests = append(l.pictures, picture), append(l.digests, hex.EncodeToString(sum[:]))
	return nil
}

func (d *Door) ticketAnswer(t refund.Ticket, err error) (*document[TicketView], error) {
	if err != nil {
		return nil, d.problem(err)
	}
	return &document[TicketView]{d.ticketView(t)}, nil
}

func (d *Door) ticketSummary(t refund.Ticket) TicketSummary {
	return TicketSummary{
		ID: string(t.ID), Order: string(t.Order), Item: string(t.Item), Case: string(t.Case), Topic: string(t.Topic),
		Words: *d.said("ticket.topic." + string(t.Topic)), OpenedAt: t.OpenedAt, ChangedAt: t.ChangedAt,
		Written: len(t.Messages), Unread: t.Unread(), Waiting: t.Waiting(),
	}
}

func (d *Door) ticketView(t refund.Ticket) TicketView {
	view := TicketView{TicketSummary: d.ticketSummary(t), Messages: []MessageView{}}
	for _, m := range t.Messages {
		message := MessageView{Number: m.N, At: m.At, From: "desk", Text: m.Text, Pictures: []PictureView{}}
		if m.Actor.Party == refund.ByCustomer {
			message.From = "customer"
		}
		for _, p := range m.Pictures {
			path := "/v1/shop/tickets/" + url.PathEscape(string(t.ID)) + "/pictures/" + string(p.Digest)
			message.Pictures = append(message.Pictures, PictureView{Width: p.Width, Height: p.Height, Full: path + "/full", Thumb: path + "/thumb"})
		}
		view.Messages = append(view.Messages, message)
	}
	return view
}

// ticketPicture serves a photo of a message.
func (d *Door) ticketPicture(w http.ResponseWriter, r *http.Request) {
	id, digest, size := pathText(r, "ticket"), qc.Digest(chi.URLParam(r, "picture")), chi.URLParam(r, "size")
	if err := known(id); err != nil {
		d.answer(w, err)
		return
	}
	ticket, err := d.Centre.ShopTicket(r.Context(), caller(r.Context()), refund.TicketID(id))
	if err != nil {
		d.answer(w, err)
		return
	}
	for _, m := range ticket.Messages {
		for _, p := range m.Pictures {
			switch {
			case p.Digest != digest:
			case size == "full":
				d.servePicture(w, r, p.Digest)
				return
			case size == "thumb":
				d.servePicture(w, r, p.Thumb)
				return
			}
		}
	}
	d.answer(w, qc.ErrNotFound)
}
