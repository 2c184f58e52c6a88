package load

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
)

// ordersAFile keeps a file of orders below what the centre reads at once.
const ordersAFile = 5000

// ImportOrders makes n orders of one item each known to the centre, and returns
// the items. Their numbers begin at first.
func (c *Centre) ImportOrders(ctx context.Context, dir string, first, n int) ([]qc.Item, error) {
	items := make([]qc.Item, 0, n)
	for from := 0; from < n; from += ordersAFile {
		part := make([]map[string]any, 0, ordersAFile)
		for i := from; i < min(n, from+ordersAFile); i++ {
			item := orderedItem(first + i)
			items = append(items, item)
			part = append(part, asOrder(item))
		}
		data, err := json.Marshal(map[string]any{"orders": part})
		if err != nil {
			return nil, fmt.Errorf("make orders: %w", err)
		}
		path := filepath.Join(dir, "orders.json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return nil, fmt.Errorf("make orders: %w", err)
		}
		if _, err := c.Admin(ctx, "orders", "import", path); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func orderedItem(number int) qc.Item {
	order := strconv.Itoa(number)
	return qc.Item{
		ID: qc.ItemID(order + "-1"), Order: qc.OrderID(order), Title: qc.Bilingual{EN: "White high-tops", ZH: "白色高帮运动鞋"},
		Variant: qc.Bilingual{EN: "EU 42, white", ZH: "42码 白色"}, Quantity: 1, Round: 1,
		UnitPrice: money.Fen(389_00), FreightIn: money.Fen(12_00), Seller: "潮流前线鞋店", Platform: "taobao",
	}
}

func asOrder(item qc.Item) map[string]any {
	return map[string]any{
		"id":        string(item.Order),
		"customer":  map[string]any{"id": "C-" + string(item.Order), "name": "Ana Moreira", "language": "en", "email": "", "time_zone": "Europe/Lisbon"},
		"placed_at": time.Now().Add(-7 * 24 * time.Hour).UTC().Format(time.RFC3339),
		"items": []map[string]any{{
			"id": string(item.ID), "title_en": item.Title.EN, "title_zh": item.Title.ZH, "variant_en": item.Variant.EN, "variant_zh": item.Variant.ZH,
			"quantity": item.Quantity, "unit_price_fen": item.UnitPrice.Minor(), "freight_in_fen": item.FreightIn.Minor(), "platform": item.Platform,
			"platform_order": "P" + string(item.Order), "seller": item.Seller, "waybill": "SF" + string(item.Order) + "000000",
			"customer_note": "", "listing_photo": "", "category": "shoes", "stocked_in_hours_ago": 24,
		}},
	}
}

// Inspector is whose findings all of them are.
const Inspector qc.StaffID = "load7"

// Hire makes [Inspector] known to the centre.
func (c *Centre) Hire(ctx context.Context) error {
	_, err := c.Admin(ctx, "staff", "add", string(Inspector), "王芳", "--role", "inspector", "--badge", "L0007", "--pin", "4826")
	return err
}
