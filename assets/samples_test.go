package assets

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"time"
)

type sampleOrder struct {
	ID       string `json:"id"`
	Customer struct {
		ID, Name, Language, Email string
		TimeZone                  string `json:"time_zone"`
	} `json:"customer"`
	PlacedAt time.Time `json:"placed_at"`
	Items    []map[string]any
}

func readSample(t *testing.T, name string) []byte {
	t.Helper()
	data, err := fs.ReadFile(Samples(), name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readOrders(t *testing.T) []sampleOrder {
	t.Helper()
	var file struct{ Orders []sampleOrder }
	if err := json.Unmarshal(readSample(t, "orders.json"), &file); err != nil {
		t.Fatal(err)
	}
	return file.Orders
}

// asText writes a JSON value as a CSV cell has it.
func asText(value any) string {
	if number, ok := value.(float64); ok {
		return strconv.FormatInt(int64(number), 10)
	}
	text, _ := value.(string)
	return text
}

func TestSamples_OrdersAreUsable(t *testing.T) {
	t.Parallel()
	languages, seen := map[string]bool{}, map[string]bool{}
	items, pairs, dear := 0, 0, 0
	for _, order := range readOrders(t) {
		languages[order.Customer.Language] = true
		if _, err := time.LoadLocation(order.Customer.TimeZone); err != nil {
			t.Errorf("order %s: %v", order.ID, err)
		}
		if !strings.HasSuffix(order.Customer.Email, "@example.com") {
			t.Errorf("order %s would write to a real address: %s", order.ID, order.Customer.Email)
		}
		for _, item := range order.Items {
			items++
			id := asText(item["id"])
			if !strings.HasPrefix(id, order.ID+"-") || seen[id] {
				t.Errorf("item %q of order %s is doubled or misnamed", id, order.ID)
			}
			seen[id] = true
			if _, err := fs.Stat(Photos(), asText(item["listing_photo"])); err != nil {
				t.Errorf("item %s: %v", id, err)
			}
			for _, field := range []string{"title_en", "title_zh", "variant_en", "variant_zh", "platform", "platform_order", "seller", "waybill", "category"} {
				if asText(item[field]) == "" {
					t.Errorf("item %s has no %s", id, field)
				}
			}
			if item["quantity"] == 2.0 {
				pairs++
			}
			if price, _ := item["unit_price_fen"].(float64); price > 100_000 {
				dear++
			}
			if hours, _ := item["stocked_in_hours_ago"].(float64); hours <= 0 || hours >= 120 {
				t.Errorf("item %s was stocked in %v hours ago, outside the return window", id, hours)
			}
		}
	}
	if items < 8 || pairs != 1 || dear != 1 || !languages["en"] || !languages["zh"] {
		t.Errorf("%d items, %d of quantity two, %d above ¥1000, languages %v", items, pairs, dear, languages)
	}
}

func TestSamples_CSVSaysTheSameAsJSON(t *testing.T) {
	t.Parallel()
	rows, err := csv.NewReader(bytes.NewReader(readSample(t, "orders.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	header, rows := rows[0], rows[1:]
	for _, order := range readOrders(t) {
		for _, item := range order.Items {
			if len(rows) == 0 {
				t.Fatal("orders.csv ends early")
			}
			want := map[string]string{
				"order_id": order.ID, "item_id": asText(item["id"]), "placed_at": order.PlacedAt.Format(time.RFC3339),
				"customer_id": order.Customer.ID, "customer_name": order.Customer.Name, "customer_language": order.Customer.Language,
				"customer_email": order.Customer.Email, "customer_time_zone": order.Customer.TimeZone,
			}
			for field, value := range item {
				if field != "id" {
					want[field] = asText(value)
				}
			}
			if len(header) != len(want) {
				t.Errorf("orders.csv has %d columns, orders.json %d fields", len(header), len(want))
			}
			for column, name := range header {
				if rows[0][column] != want[name] {
					t.Errorf("item %s: %s is %q in CSV, %q in JSON", want["item_id"], name, rows[0][column], want[name])
				}
			}
			rows = rows[1:]
		}
	}
	if len(rows) != 0 {
		t.Errorf("orders.csv has %d rows too many", len(rows))
	}
}

func TestSamples_StaffHaveDistinctRoles(t *testing.T) {
	t.Parallel()
	var staff []struct{ ID, Name, Role, Badge, PIN, Password string }
	if err := json.Unmarshal(readSample(t, "staff.json"), &staff); err != nil {
		t.Fatal(err)
	}
	roles := map[string]bool{}
	for _, person := range staff {
		roles[person.Role] = true
		if person.ID == "" || person.Name == "" || (person.PIN == "") == (person.Password == "") {
			t.Errorf("%+v cannot sign in one way", person)
		}
	}
	if !roles["inspector"] || !roles["lead"] || !roles["clerk"] {
		t.Errorf("roles %v", roles)
	}
}

func TestPhotos_AllDecodeAndAreCredited(t *testing.T) {
	t.Parallel()
	credits, err := fs.ReadFile(Photos(), "CREDITS.md")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(Photos(), "*.jpg")
	if err != nil || len(names) != 10 {
		t.Fatalf("%d photos, %v", len(names), err)
	}
	for _, name := range names {
		file, err := Photos().Open(name)
		if err != nil {
			t.Fatal(err)
		}
		config, _, err := image.DecodeConfig(file)
		if err != nil || max(config.Width, config.Height) != 1600 {
			t.Errorf("%s is %d×%d, %v", name, config.Width, config.Height, err)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
		if !bytes.Contains(credits, []byte("`"+name+"`")) {
			t.Errorf("%s is not credited", name)
		}
	}
}

func TestIcon_IsSquareAndSmall(t *testing.T) {
	t.Parallel()
	config, format, err := image.DecodeConfig(bytes.NewReader(IconPNG()))
	if err != nil || format != "png" || config.Width != 512 || config.Height != 512 {
		t.Errorf("icon is %s %d×%d, %v", format, config.Width, config.Height, err)
	}
	if size := len(IconPNG()); size > 100_000 {
		t.Errorf("icon has %d bytes", size)
	}
	if !bytes.Contains(IconSVG(), []byte("#E34234")) {
		t.Error("the drawing has lost its vermilion mark")
	}
}
