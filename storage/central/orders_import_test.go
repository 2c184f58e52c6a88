package central_test

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/storage/central"
)

func sample(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile("../../assets/samples/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestParseOrders_SamplesAgree(t *testing.T) {
	t.Parallel()
	fromJSON, err := central.ParseOrdersJSON(sample(t, "orders.json"), noon)
	if err != nil {
		t.Fatal(err)
	}
	fromCSV, err := central.ParseOrdersCSV(sample(t, "orders.csv"), noon)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromJSON, fromCSV) {
		t.Errorf("the samples differ:\n%+v\n%+v", fromJSON, fromCSV)
	}
	first := fromJSON.Orders[0].Items[1]
	if first.ID != "20481-2" || first.UnitPrice != money.Fen(38900) || !first.StockedInAt.Equal(noon.Add(-49*time.Hour)) ||
		fromJSON.ListingPhotos["20481-2"] == "" || fromJSON.Orders[0].Customer.TimeZone == "" {
		t.Errorf("item %+v", first)
	}
	store := openSQLite(t)
	done, err := store.ImportOrders(t.Context(), fromJSON.Orders, noon)
	if err != nil || done.Orders != len(fromJSON.Orders) {
		t.Errorf("import: %+v, %v", done, err)
	}
}

const (
	header = "order_id,customer_id,customer_name,customer_language,customer_email,customer_time_zone,placed_at,item_id,title_en,title_zh," +
		"variant_en,variant_zh,quantity,unit_price_fen,freight_in_fen,platform,platform_order,seller,waybill,customer_note,listing_photo,category,stocked_in_at,currency\n"
	line = "1,C1,Ana,en,a@example.com,Europe/Lisbon,2026-11-16T20:14:00Z,1-1,Shoes,鞋,,,1,38900,1200,taobao,99,店,SF1234567890123,,a.jpg,shoes,2026-11-21T11:00:00+08:00,CNY\n"
)

func TestParseOrdersCSV_BrokenFiles(t *testing.T) {
	t.Parallel()
	if _, err := central.ParseOrdersCSV([]byte("\ufeff"+header+line), noon); err != nil {
		t.Fatalf("the good file: %v", err)
	}
	swap := func(old, new string) string { return header + strings.Replace(line, old, new, 1) }
	if _, err := central.ParseOrdersCSV([]byte(swap("38900,1200", "0,1200")), noon); err != nil {
		t.Fatalf("a gift with freight: %v", err)
	}
	tests := map[string]struct {
		text   string
		line   int
		column string
	}{
		"empty":               {"", 1, ""},
		"no rows":             {header, 0, ""},
		"other header":        {"a,b,c\n1,2,3\n", 1, "a"},
		"missing column":      {strings.Replace(header, "seller,", "", 1) + line, 1, "seller"},
		"column twice":        {strings.Replace(header, "seller,", "seller,seller,", 1) + line, 1, "seller"},
		"too few fields":      {header + line + "1,2,3\n", 3, ""},
		"too many fields":     {header + strings.TrimSpace(line) + ",x\n", 2, ""},
		"open quote":          {header + `"` + line, 2, ""},
		"price with comma":    {swap("38900", `"389,00"`), 2, "unit_price_fen"},
		"price with point":    {swap("38900", "389.00"), 2, "unit_price_fen"},
		"price negative":      {swap("38900", "-1"), 2, "unit_price_fen"},
		"price empty":         {swap("38900", ""), 2, "unit_price_fen"},
		"price beyond sense":  {swap("38900", "9223372036854775807"), 2, "unit_price_fen"},
		"freight as words":    {swap("1200", "free"), 2, "freight_in_fen"},
		"worth nothing":       {swap("38900,1200", "0,0"), 2, "unit_price_fen"},
		"negative quantity":   {swap(",1,38900", ",-1,38900"), 2, "quantity"},
		"no quantity":         {swap(",1,38900", ",0,38900"), 2, "quantity"},
		"other currency":      {swap("CNY", "USD"), 2, "currency"},
		"item twice":          {header + line + line, 3, "item_id"},
		"item without id":     {swap(",1-1,", ",,"), 2, "item_id"},
		"order without id":    {swap("1,C1", ",C1"), 2, "order_id"},
		"order of two people": {header + line + strings.Replace(strings.Replace(line, ",1-1,", ",1-2,", 1), "Ana", "Bea", 1), 3, "order_id"},
		"no title":            {swap("Shoes,鞋", ","), 2, "title_zh"},
		"no seller":           {swap("店", ""), 2, "seller"},
		"no waybill number":   {swap("SF1234567890123", "hello"), 2, "waybill"},
		"photo in a folder":   {swap("a.jpg", "../a.jpg"), 2, "listing_photo"},
		"address is none":     {swap("a@example.com", "ana"), 2, "customer_email"},
		"named address":       {swap("a@example.com", "Ana <a@example.com>"), 2, "customer_email"},
		"header in address":   {swap("a@example.com", "\"a@example.com\nBcc: b@example.com\""), 2, "customer_email"},
		"other language":      {swap(",en,", ",fr,"), 2, "customer_language"},
		"no time":             {swap("2026-11-16T20:14:00Z", ""), 2, "placed_at"},
		"time without zone":   {swap("2026-11-16T20:14:00Z", "16.11.2026"), 2, "placed_at"},
		"not UTF-8":           {header + line + "\xc3\x28", 3, ""},
		"over 10 MB":          {header + line + strings.Repeat("x", 10<<20), 0, ""},
		"endless field":       {swap("Shoes", strings.Repeat("x", 5000)), 2, "title_en"},
	}
	for name, test := range tests {
		_, err := central.ParseOrdersCSV([]byte(test.text), noon)
		broken, ok := errors.AsType[*central.ImportError](err)
		if !ok {
			t.Errorf("%s: %v, want an ImportError", name, err)
			continue
		}
		if broken.Line != test.line || broken.Column != test.column || broken.Problem == "" {
			t.Errorf("%s: %+v, want line %d, column %q", name, broken, test.line, test.column)
		}
	}
}

func TestParseOrdersJSON_BrokenFiles(t *testing.T) {
	t.Parallel()
	good := string(sample(t, "orders.json"))
	swap := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	tests := map[string]struct{ text, column string }{
		"empty":            {"", ""},
		"cut off":          {good[:len(good)/2], ""},
		"no orders":        {`{"orders":[]}`, ""},
		"order of nothing": {`{"orders":[{"id":"1","items":[]}]}`, "items"},
		"unknown member":   {`{"orders":[],"total":1}`, ""},
		"unknown in item":  {swap(`"category"`, `"categroy"`), "categroy"},
		"price as text":    {swap(`45900`, `"459,00"`), "unit_price_fen"},
		"price with point": {swap(`45900`, `459.00`), "unit_price_fen"},
		"price as a list":  {swap(`45900`, `[45900]`), "unit_price_fen"},
		"price null":       {swap(`45900`, `null`), "unit_price_fen"},
		"item twice":       {swap(`"20481-2"`, `"20481-1"`), "item_id"},
		"two documents":    {good + good, ""},
		"not UTF-8":        {swap("黑色", "\xff\xfe"), ""},
		"over 10 MB":       {good + strings.Repeat(" ", 10<<20), ""},
	}
	for name, test := range tests {
		_, err := central.ParseOrdersJSON([]byte(test.text), noon)
		broken, ok := errors.AsType[*central.ImportError](err)
		if !ok {
			t.Errorf("%s: %v, want an ImportError", name, err)
		} else if broken.Column != test.column && test.column != "" {
			t.Errorf("%s: %+v, want column %q", name, broken, test.column)
		}
	}
}

func FuzzParseOrders(f *testing.F) {
	f.Add(sample(f, "orders.csv"))
	f.Add(sample(f, "orders.json"))
	f.Add([]byte(header + line))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, parse := range []func([]byte, time.Time) (central.OrderFile, error){central.ParseOrdersCSV, central.ParseOrdersJSON} {
			file, err := parse(bytes.Clone(data), noon)
			if err != nil {
				if _, ok := errors.AsType[*central.ImportError](err); !ok {
					t.Fatalf("%v is no ImportError", err)
				}
				continue
			}
			for _, order := range file.Orders {
				for _, item := range order.Items {
					if _, err := item.Paid(); err != nil || item.Quantity < 1 || item.UnitPrice.Minor() < 0 {
						t.Fatalf("accepted %+v: %v", item, err)
					}
				}
			}
		}
	})
}

func TestParseOrders_WhyAnItemIsNotReturnable(t *testing.T) {
	t.Parallel()
	with := func(value string) string {
		return strings.Replace(header, "\n", ",non_returnable\n", 1) + strings.TrimSuffix(line, "\n") + "," + value + "\n"
	}
	for _, value := range []string{"", "next_to_skin"} {
		file, err := central.ParseOrdersCSV([]byte(with(value)), noon)
		if err != nil {
			t.Fatalf("%q: %v", value, err)
		}
		if got := file.Orders[0].Items[0].NonReturnable; string(got) != value {
			t.Errorf("%q was read as %q", value, got)
		}
	}
	_, err := central.ParseOrdersCSV([]byte(with("because")), noon)
	if broken, ok := errors.AsType[*central.ImportError](err); !ok || broken.Column != "non_returnable" || broken.Line != 2 {
		t.Errorf("an unknown reason: %v", err)
	}
}
