package evidence

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets"
)

func realCatalogue(tb testing.TB) qc.Catalogue {
	tb.Helper()
	c, err := qc.ParseCatalogue(assets.FlawCatalogue())
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestText(t *testing.T) {
	t.Parallel()
	scuff := qc.Flaw{ID: "a", Code: "H11", Severity: qc.Major, Zone: qc.ZoneA, Quantity: 1, SizeMM: 6}
	sole := qc.Flaw{ID: "b", Code: "H02", Severity: qc.Critical, Zone: qc.ZoneB, Quantity: 1}
	ours := qc.Flaw{ID: "c", Code: "N01", Severity: qc.Critical, Zone: qc.ZoneA, Quantity: 1, Note: "dropped by Li"}
	wrong := qc.Flaw{ID: "d", Code: "W09", Severity: qc.Critical, Zone: qc.ZoneB, Quantity: 1}
	empty := qc.Flaw{ID: "e", Code: "Q03", Severity: qc.Critical, Zone: qc.ZoneB, Quantity: 1}
	measured := qc.Finding{
		Flaws:  []qc.Flaw{{ID: "a", Code: "H11", Severity: qc.Minor, Zone: qc.ZoneB, Quantity: 1}},
		Photos: []qc.Photo{{ID: "p", Scale: qc.Scale{MMPerPixel: 0.1, Source: qc.ScaleRuler}}},
		Marks:  []qc.Mark{{Photo: "p", Flaw: "a", Tool: qc.Measure, Points: []qc.Point{{}, {X: 124}}}},
	}
	for name, tt := range map[string]struct {
		finding  qc.Finding
		quantity int
		ask      Ask
		zh, en   string
		reason   string
	}{
		"one, for a refund": {
			qc.Finding{Flaws: []qc.Flaw{scuff}},
			1,
			Ask{Decision: refund.Refund},
			"收到的商品做工粗糙/有瑕疵：①正面擦伤约6毫米（严重）。与页面描述不符，申请退货退款。",
			"The goods received are poorly made or blemished: (1) Scuff or scratch at the front, about 6 mm (major). This is not as described; please take the goods back and refund them.",
			"workmanship",
		},
		"two of two pieces, gravest first": {
			qc.Finding{Flaws: []qc.Flaw{scuff, sole}},
			2,
			Ask{Decision: refund.Exchange},
			"收到的商品存在质量问题：②开胶（2件中1件，致命）；①正面擦伤约6毫米（2件中1件，严重）。与页面描述不符，申请换货。", "", "quality",
		},
		"ours is not said": {
			qc.Finding{Flaws: []qc.Flaw{ours, scuff}},
			1,
			Ask{},
			"收到的商品做工粗糙/有瑕疵：②正面擦伤约6毫米（严重）。与页面描述不符，请尽快处理。", "", "workmanship",
		},
		"ours alone":        {qc.Finding{Flaws: []qc.Flaw{ours}}, 1, Ask{Decision: refund.Refund}, "申请7天无理由退货退款。", "", "no_reason"},
		"bought wrong":      {qc.Finding{Flaws: []qc.Flaw{wrong}}, 1, Ask{Decision: refund.Exchange}, "申请7天无理由换货。", "", "no_reason"},
		"nothing came":      {qc.Finding{Flaws: []qc.Flaw{empty}}, 1, Ask{Decision: refund.Refund}, "收到的包裹为空包裹：①空包裹（致命）。未收到商品，申请退款。", "", "empty_parcel"},
		"kept for less":     {qc.Finding{Flaws: []qc.Flaw{scuff}}, 1, Ask{Discount: money.Fen(3500)}, "收到的商品做工粗糙/有瑕疵：①正面擦伤约6毫米（严重）。可保留商品，申请部分退款35.00元。", "", "workmanship"},
		"measured on photo": {measured, 1, Ask{}, "收到的商品做工粗糙/有瑕疵：①侧面或背面擦伤约12毫米（轻微）。与页面描述不符，请尽快处理。", "", "workmanship"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			item := qc.Item{Quantity: tt.quantity}
			zh, err := Text(tt.finding, item, realCatalogue(t), tt.ask, "zh")
			if err != nil || zh != tt.zh {
				t.Errorf("%v\nsaid %s\nwant %s", err, zh, tt.zh)
			}
			en, err := Text(tt.finding, item, realCatalogue(t), tt.ask, "en")
			if err != nil || tt.en != "" && en != tt.en {
				t.Errorf("%v\nsaid %s\nwant %s", err, en, tt.en)
			}
			if got := ReasonFor(tt.finding, realCatalogue(t)).ID; got != tt.reason {
				t.Errorf("reason %s, want %s", got, tt.reason)
			}
		})
	}
}

// Whatever is found, the form takes the text, and it tells nobody's words.
func TestText_FitsTheForm(t *testing.T) {
	t.Parallel()
	catalogue := realCatalogue(t)
	kinds := catalogue.Kinds()
	item := qc.Item{Quantity: 3, CustomerNote: "机密", Title: qc.Bilingual{ZH: "机密"}}
	check := func(t interface{ Fatalf(string, ...any) }, f qc.Finding, ask Ask) string {
		text, err := Text(f, item, catalogue, ask, "zh")
		if n := utf8.RuneCountInString(text); err != nil || n < LeastText || n > MostText {
			t.Fatalf("%d characters, %v: %s", n, err, text)
		}
		if strings.Contains(text, "机密") || strings.ContainsAny(text, "{}\n") || strings.Contains(text, "seller.") || !strings.HasSuffix(text, "。") {
			t.Fatalf("said %s", text)
		}
		for _, r := range text {
			if r == unicode.ReplacementChar {
				t.Fatalf("cut within a letter: %s", text)
			}
		}
		en, err := Text(f, item, catalogue, ask, "en")
		if err != nil || en == "" || strings.ContainsFunc(en, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Fatalf("%v, in English: %s", err, en)
		}
		return text
	}
	asks := []Ask{{}, {Decision: refund.Keep}, {Decision: refund.Refund}, {Decision: refund.Exchange}, {Discount: money.Fen(123456789)}}
	for _, kind := range kinds {
		for _, ask := range asks {
			flaw := qc.Flaw{ID: "a", Code: kind.Code, Severity: kind.Severity, Zone: qc.ZoneA, Quantity: 2, SizeMM: 12345, Note: "机密"}
			text := check(t, qc.Finding{Flaws: []qc.Flaw{flaw}}, ask)
			name, _, _ := strings.Cut(kind.ZH, " / ")
			if said := strings.Contains(text, "①") && strings.Contains(text, name); said != claimed(flaw, catalogue) {
				t.Fatalf("%s: %s", kind.Code, text)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		var f qc.Finding
		for range rapid.IntRange(1, 60).Draw(t, "flaws") {
			f.Flaws = append(f.Flaws, qc.Flaw{
				ID: "a", Code: rapid.SampledFrom(kinds).Draw(t, "kind").Code, Severity: rapid.SampledFrom(qc.Severities()).Draw(t, "severity"),
				Zone: rapid.SampledFrom([]qc.Zone{qc.ZoneA, qc.ZoneB, qc.ZoneC, ""}).Draw(t, "zone"), Note: "机密",
				Quantity: rapid.IntRange(-1, 5).Draw(t, "quantity"), SizeMM: rapid.Float64().Draw(t, "size"),
			})
		}
		text := check(t, f, rapid.SampledFrom(asks).Draw(t, "ask"))
		list := claims(f, catalogue)
		if len(list) > 0 && !strings.Contains(text, circled(list[0].number)) {
			t.Fatalf("the gravest, %d, is not said: %s", list[0].number, text)
		}
		said := 0
		for _, c := range list {
			if strings.Contains(text, circled(c.number)) {
				said++
			}
		}
		if said < len(list) != strings.Contains(text, "等共") {
			t.Fatalf("%d of %d are said: %s", said, len(list), text)
		}
	})
}
