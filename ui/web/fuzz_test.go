package web

import (
	"net/url"
	"strings"
	"testing"

	"flawmark/app/qc"
)

// FuzzReadEvent: whatever a form holds, an event's fields are within bounds.
func FuzzReadEvent(f *testing.F) {
	for _, seed := range []string{
		"event=seller_paid&amount=401.00&seller_ref=R1", "event=dispatch&waybill=SF9876543210987&carrier=SF",
		"amount=¥1", "amount=-0.01", "waybill=%00", "reason=" + strings.Repeat("x", 600), "amount=99999999999999999999",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		event, err := readEvent(form)
		if err != nil {
			return
		}
		for _, value := range []string{event.Reason, event.Carrier, event.SellerRef} {
			if len([]rune(value)) > maxText {
				t.Errorf("a field of %d letters got through", len([]rune(value)))
			}
		}
		if event.Waybill != "" {
			if again, err := qc.ParseWaybill(string(event.Waybill)); err != nil || again != event.Waybill {
				t.Errorf("waybill %q got through", event.Waybill)
			}
		}
	})
}
