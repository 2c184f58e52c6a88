package web

import (
	"bytes"
	"context"
	"image/jpeg"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// FuzzLetter: whatever a form with pictures holds, it is read within bounds,
// and every picture that is kept is a JPEG that was made here.
func FuzzLetter(f *testing.F) {
	const boundary = "b"
	part := func(name, data string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"x\"\r\n\r\n" + data + "\r\n"
	}
	for _, seed := range []string{
		part("text", "hello") + "--b--", part("photo", "\xff\xd8\xff\xe0") + "--b--", part("photo", "") + part("photo", "GIF89a") + "--b--",
		"--b\r\n\r\n", strings.Repeat(part("seen", "1"), 30) + "--b--", part("photo", "RIFF\x00\x00\x00\x00WEBPVP8 ") + "--b--", "",
	} {
		f.Add([]byte(seed))
	}
	var w *world
	var b *reader // made once: it costs more than reading a form
	f.Fuzz(func(t *testing.T, body []byte) {
		if w == nil {
			w = newWorld(t)
			b = w.reader(t)
		}
		got, err := b.pages.readParts(context.Background(), multipart.NewReader(bytes.NewReader(body), boundary), "somebody")
		if len(b.pages.inbox.senders) != 0 || len(b.pages.inbox.places) != 0 {
			t.Error("a place in the inbox stays taken")
		}
		if err != nil {
			return
		}
		if len(got.pictures) > refund.DefaultTicketPolicy().Pictures {
			t.Errorf("%d pictures got through", len(got.pictures))
		}
		for _, picture := range got.pictures {
			for _, digest := range []qc.Digest{picture.Digest, picture.Thumb} {
				if _, err := jpeg.DecodeConfig(bytes.NewReader(w.blobs[digest])); err != nil {
					t.Errorf("what was kept is no JPEG: %v", err)
				}
			}
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
