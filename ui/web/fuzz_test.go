package web

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
)

// FuzzOpenSession: nobody gets in with a session that was not signed here.
func FuzzOpenSession(f *testing.F) {
	pages := &Pages{Config: Config{Secret: []byte("a secret of thirty-two bytes, ok")}}
	good, err := pages.sealSession(session{ID: "D01", Role: qc.Clerk, Expires: start.Add(time.Hour)})
	if err != nil {
		f.Fatal(err)
	}
	payload, signature, _ := strings.Cut(good, ".")
	for _, seed := range []string{good, payload, signature, payload + ".", "." + signature, "e30.", strings.ToUpper(good), ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sealed string) {
		who, err := pages.openSession(sealed, start)
		if err != nil {
			return
		}
		if text, _, _ := strings.Cut(sealed, "."); text != payload || who.ID != "D01" {
			t.Errorf("%q is a session of %s", sealed, who.ID)
		}
	})
}

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
