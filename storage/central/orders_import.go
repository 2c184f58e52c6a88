package central

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"flawmark/app/money"
	"flawmark/app/qc"
)

// OrderFile is what a file of orders holds. The names of listing photos are
// kept beside the orders, because only whoever has the files can turn them
// into digests.
type OrderFile struct {
	Orders        []qc.Order
	ListingPhotos map[qc.ItemID]string
}

// ImportError says where a file of orders is wrong. Nothing of the file is
// used.
type ImportError struct {
	Line    int    // from 1; 0 when the whole file is meant
	Column  string // the column's or member's name, or empty
	Problem string // for the log and the command line
}

func (e *ImportError) Error() string {
	where := ""
	if e.Line > 0 {
		where = fmt.Sprintf("line %d", e.Line)
	}
	if e.Column != "" {
		where = strings.TrimPrefix(where+", column "+e.Column, ", ")
	}
	if where == "" {
		return e.Problem
	}
	return where + ": " + e.Problem
}

// maxOrderFile and maxField keep a broken file from filling the database.
const (
	maxOrderFile = 10 << 20
	maxField     = 4000
	maxQuantity  = 100_000
	maxFen       = 1_000_000_000_00 // a thousand million yuan
)

// The columns of a file of orders. Those of an item are the members of JSON.
var (
	orderColumns = []string{
		"order_id", "customer_id", "customer_name", "customer_language", "customer_email", "customer_time_zone", "placed_at",
	}
	itemColumns = []string{
		"item_id", "title_en", "title_zh", "variant_en", "variant_zh", "quantity", "unit_price_fen", "freight_in_fen",
		"platform", "platform_order", "seller", "waybill", "customer_note", "listing_photo", "category",
	}
	// optionalColumns: when an item was stocked in, one way or the other, the
	// currency where it is not CNY, and why sellers do not take such an item back.
	optionalColumns = []string{"stocked_in_at", "stocked_in_hours_ago", "currency", "non_returnable"}
)

// ParseOrdersCSV reads orders from CSV with a header, in UTF-8, one line an
// item; lines with the same order_id make an order. stocked_in_hours_ago
// counts back from at. It fails with an *[ImportError].
func ParseOrdersCSV(data []byte, at time.Time) (OrderFile, error) {
	if err := checkText(data); err != nil {
		return OrderFile{}, err
	}
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	reader.FieldsPerRecord = -1
	header, err := reader.Read()
	if err != nil {
		return OrderFile{}, csvError(err)
	}
	for _, name := range header {
		if !slices.Contains(slices.Concat(orderColumns, itemColumns, optionalColumns), name) {
			return OrderFile{}, &ImportError{Line: 1, Column: shorten(name), Problem: "unknown column"}
		}
	}
	for _, name := range slices.Concat(orderColumns, itemColumns) {
		if n := len(slices.DeleteFunc(slices.Clone(header), func(have string) bool { return have != name })); n != 1 {
			return OrderFile{}, &ImportError{Line: 1, Column: name, Problem: fmt.Sprintf("column is there %d times, must be once", n)}
		}
	}
	b := newBuilder(at)
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return b.finish()
		}
		if err != nil {
			return OrderFile{}, csvError(err)
		}
		line, _ := reader.FieldPos(0)
		if len(fields) != len(header) {
			return OrderFile{}, &ImportError{Line: line, Problem: fmt.Sprintf("%d fields, the header has %d", len(fields), len(header))}
		}
		row := row{line: line, fields: make(map[string]string, len(header))}
		for i, name := range header {
			row.fields[name] = strings.TrimSpace(fields[i])
		}
		if err := b.add(row); err != nil {
			return OrderFile{}, err
		}
	}
}

func csvError(err error) error {
	if broken, ok := errors.AsType[*csv.ParseError](err); ok {
		return &ImportError{Line: broken.Line, Problem: broken.Err.Error()}
	}
	if errors.Is(err, io.EOF) {
		return &ImportError{Line: 1, Problem: "the file is empty"}
	}
	return &ImportError{Problem: err.Error()}
}

func checkText(data []byte) error {
	if len(data) > maxOrderFile {
		return &ImportError{Problem: "the file is larger than 10 MB"}
	}
	if utf8.Valid(data) {
		return nil
	}
	good := 0
	for good < len(data) {
		r, size := utf8.DecodeRune(data[good:])
		if r == utf8.RuneError && size < 2 {
			break
		}
		good += size
	}
	return &ImportError{Line: 1 + bytes.Count(data[:good], []byte("\n")), Problem: "the text is not UTF-8"}
}

type ordersJSON struct {
	Orders []orderJSON `json:"orders"`
}

type orderJSON struct {
	ID       string `json:"id"`
	Customer struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Language string `json:"language"`
		Email    string `json:"email"`
		TimeZone string `json:"time_zone"`
		// Instructions are taken over for customers who have given none.
		Instructions qc.Instructions `json:"instructions"`
	} `json:"customer"`
	PlacedAt string                       `json:"placed_at"`
	Items    []map[string]json.RawMessage `json:"items"`
}

// ParseOrdersJSON reads orders from JSON; the members are those of the CSV
// columns without their prefixes. stocked_in_hours_ago counts back from at. It
// fails with an *[ImportError].
func ParseOrdersJSON(data []byte, at time.Time) (OrderFile, error) {
	file, err := readOrdersJSON(data)
	if err != nil {
		return OrderFile{}, err
	}
	b := newBuilder(at)
	for _, order := range file.Orders {
		if len(order.Items) == 0 {
			return OrderFile{}, &ImportError{Column: "items", Problem: "order " + shorten(order.ID) + " has no items"}
		}
		for _, item := range order.Items {
			row, err := order.row(item)
			if err == nil {
				err = b.add(row)
			}
			if err != nil {
				return OrderFile{}, err
			}
		}
	}
	parsed, err := b.finish()
	if err != nil {
		return OrderFile{}, err
	}
	return parsed, file.instruct(parsed.Orders)
}

// instruct puts the customers' standing instructions on their orders.
func (file ordersJSON) instruct(orders []qc.Order) error {
	for _, order := range file.Orders {
		given := order.Customer.Instructions
		if err := given.Check(); err != nil {
			return &ImportError{Column: "instructions", Problem: "of customer " + shorten(order.Customer.ID) + ": " + err.Error()}
		}
		for i := range orders {
			if string(orders[i].ID) == order.ID {
				orders[i].Customer.Instructions = given
			}
		}
	}
	return nil
}

func readOrdersJSON(data []byte) (ordersJSON, error) {
	var file ordersJSON
	if err := checkText(data); err != nil {
		return file, err
	}
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return file, jsonError(data, decoder.InputOffset(), err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return file, &ImportError{Line: lineAt(data, decoder.InputOffset()), Problem: "something follows the orders"}
	}
	return file, nil
}

// row returns an item with its order.
func (o orderJSON) row(item map[string]json.RawMessage) (row, error) {
	r := row{subject: o.ID, fields: map[string]string{
		"order_id": o.ID, "customer_id": o.Customer.ID, "customer_name": o.Customer.Name,
		"customer_language": o.Customer.Language, "customer_email": o.Customer.Email,
		"customer_time_zone": o.Customer.TimeZone, "placed_at": o.PlacedAt,
	}}
	for _, name := range slices.Sorted(maps.Keys(item)) { // of several faults the same one every time
		column := name
		if name == "id" {
			column = "item_id"
		}
		if !slices.Contains(slices.Concat(itemColumns, optionalColumns), column) || name == "item_id" {
			return r, r.broken(shorten(name), "unknown member")
		}
		text, err := scalar(item[name])
		if err != nil {
			return r, r.broken(name, err.Error())
		}
		r.fields[column] = strings.TrimSpace(text)
	}
	return r, nil
}

// scalar returns a JSON string or number as text.
func scalar(value json.RawMessage) (string, error) {
	if len(value) > 0 && value[0] == '"' {
		var text string
		err := json.Unmarshal(value, &text)
		return text, err
	}
	var number json.Number
	if err := json.Unmarshal(value, &number); err != nil || number == "" {
		return "", errors.New("neither text nor a number")
	}
	return number.String(), nil
}

func jsonError(data []byte, offset int64, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	column := ""
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset, column = kind.Offset, kind.Field
	}
	return &ImportError{Line: lineAt(data, offset), Column: column, Problem: err.Error()}
}

func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(int64(len(data)), max(offset, 0))], []byte("\n"))
}

// shorten keeps foreign text from flooding a message.
func shorten(text string) string {
	if len(text) > 40 {
		return strings.ToValidUTF8(text[:40], "") + "…"
	}
	return text
}

// row is one item with its order, as text by column name.
type row struct {
	line    int
	subject string // the order, where there are no lines
	fields  map[string]string
}

func (r row) broken(column, problem string) error {
	if r.line == 0 && r.subject != "" {
		problem = "order " + shorten(r.subject) + ": " + problem
	}
	return &ImportError{Line: r.line, Column: column, Problem: problem}
}

// builder turns rows into orders.
type builder struct {
	at     time.Time
	file   OrderFile
	places map[qc.OrderID]int
	seen   map[qc.ItemID]bool
}

func newBuilder(at time.Time) *builder {
	return &builder{
		at: at, places: make(map[qc.OrderID]int), seen: make(map[qc.ItemID]bool),
		file: OrderFile{ListingPhotos: make(map[qc.ItemID]string)},
	}
}

func (b *builder) finish() (OrderFile, error) {
	if len(b.file.Orders) == 0 {
		return OrderFile{}, &ImportError{Problem: "there are no orders in the file"}
	}
	return b.file, nil
}

func (b *builder) add(r row) error {
	for name, text := range r.fields {
		if len(text) > maxField || strings.ContainsAny(text, "\x00") {
			return r.broken(name, "text is too long or holds a zero character")
		}
	}
	order, err := r.order()
	if err != nil {
		return err
	}
	item, err := r.item(order.ID, b.at)
	if err != nil {
		return err
	}
	if b.seen[item.ID] {
		return r.broken("item_id", "item "+shorten(string(item.ID))+" is given twice")
	}
	b.seen[item.ID] = true
	if name := r.fields["listing_photo"]; name != "" {
		if strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".") {
			return r.broken("listing_photo", "must be a file name without a folder")
		}
		b.file.ListingPhotos[item.ID] = name
	}
	place, known := b.places[order.ID]
	if !known {
		place = len(b.file.Orders)
		b.places[order.ID] = place
		b.file.Orders = append(b.file.Orders, order)
	}
	same := &b.file.Orders[place]
	if same.Customer != order.Customer || !same.PlacedAt.Equal(order.PlacedAt) {
		return r.broken("order_id", "order "+shorten(string(order.ID))+" is given with different customers or times")
	}
	same.Items = append(same.Items, item)
	return nil
}

func (r row) order() (qc.Order, error) {
	for _, name := range []string{"order_id", "customer_id", "customer_name"} {
		if r.fields[name] == "" {
			return qc.Order{}, r.broken(name, "is empty")
		}
	}
	order := qc.Order{ID: qc.OrderID(r.fields["order_id"]), Customer: qc.Customer{
		ID: qc.CustomerID(r.fields["customer_id"]), Name: r.fields["customer_name"],
		Language: r.fields["customer_language"], Email: r.fields["customer_email"], TimeZone: r.fields["customer_time_zone"],
	}}
	if order.Customer.Language != "en" && order.Customer.Language != "zh" {
		return qc.Order{}, r.broken("customer_language", `must be "en" or "zh"`)
	}
	if qc.CheckEmail(order.Customer.Email) != nil {
		return qc.Order{}, r.broken("customer_email", fmt.Sprintf("%q is not an address such as ana@example.com", shorten(order.Customer.Email)))
	}
	placed, err := r.time("placed_at")
	if err != nil {
		return qc.Order{}, err
	}
	if placed.IsZero() {
		return qc.Order{}, r.broken("placed_at", "is empty")
	}
	order.PlacedAt = placed
	return order, nil
}

func (r row) item(order qc.OrderID, at time.Time) (qc.Item, error) {
	item := qc.Item{
		ID: qc.ItemID(r.fields["item_id"]), Order: order, Round: 1,
		Title:    qc.Bilingual{EN: r.fields["title_en"], ZH: r.fields["title_zh"]},
		Variant:  qc.Bilingual{EN: r.fields["variant_en"], ZH: r.fields["variant_zh"]},
		Platform: r.fields["platform"], PlatformOrder: r.fields["platform_order"], Seller: r.fields["seller"],
		CustomerNote: r.fields["customer_note"], Category: r.fields["category"],
	}
	if item.ID == "" {
		return item, r.broken("item_id", "is empty")
	}
	if item.Title.EN == "" && item.Title.ZH == "" {
		return item, r.broken("title_zh", "the item has no title")
	}
	if item.Seller == "" {
		return item, r.broken("seller", "is empty")
	}
	quantity, err := r.number("quantity", 1, maxQuantity)
	if err != nil {
		return item, err
	}
	item.Quantity = int(quantity)
	if item.UnitPrice, err = r.fen("unit_price_fen"); err != nil {
		return item, err
	}
	if item.FreightIn, err = r.fen("freight_in_fen"); err != nil {
		return item, err
	}
	if item.UnitPrice.IsZero() && item.FreightIn.IsZero() {
		return item, r.broken("unit_price_fen", "the item and its freight cost nothing, so that no money could ever settle its case")
	}
	if text := r.fields["waybill"]; text != "" {
		if item.Waybill, err = qc.ParseWaybill(text); err != nil {
			return item, r.broken("waybill", err.Error())
		}
	}
	item.NonReturnable = qc.NonReturnable(r.fields["non_returnable"])
	if !item.NonReturnable.Known() {
		return item, r.broken("non_returnable", fmt.Sprintf("%q is not one of %q", shorten(string(item.NonReturnable)), qc.NonReturnables()))
	}
	item.StockedInAt, err = r.stockedIn(at)
	return item, err
}

func (r row) fen(column string) (money.Amount, error) {
	if cur := money.Currency(r.fields["currency"]); cur != "" && cur != money.CNY {
		return money.Amount{}, r.broken("currency", "prices are in CNY, not "+shorten(string(cur)))
	}
	n, err := r.number(column, 0, maxFen)
	return money.Fen(n), err
}

// number reads plain digits: a price in fen has neither point nor comma.
func (r row) number(column string, least, most int64) (int64, error) {
	text := r.fields[column]
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strings.HasPrefix(text, "+") {
		return 0, r.broken(column, fmt.Sprintf("%q is not a whole number in digits", shorten(text)))
	}
	if n < least || n > most {
		return 0, r.broken(column, fmt.Sprintf("%d is not between %d and %d", n, least, most))
	}
	return n, nil
}

func (r row) time(column string) (time.Time, error) {
	text := r.fields[column]
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, r.broken(column, fmt.Sprintf("%q is not a time such as 2026-11-23T09:30:00+08:00", shorten(text)))
	}
	return t.UTC(), nil
}

func (r row) stockedIn(at time.Time) (time.Time, error) {
	stocked, err := r.time("stocked_in_at")
	if err != nil || r.fields["stocked_in_hours_ago"] == "" {
		return stocked, err
	}
	if !stocked.IsZero() {
		return stocked, r.broken("stocked_in_hours_ago", "stocked_in_at is given, too")
	}
	hours, err := r.number("stocked_in_hours_ago", 0, 24*365)
	return at.Add(-time.Duration(hours) * time.Hour).UTC(), err
}
