package web

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"flawmark/app/money"
	"flawmark/app/refund"
)

var pdfStream = regexp.MustCompile(`(?s)stream\n(.*?)\nendstream`)

// readPDF returns the text of a file's pages: what stands in brackets in their
// streams, which a font in the file makes UTF-16.
func readPDF(t *testing.T, file []byte) string {
	t.Helper()
	if !bytes.HasPrefix(file, []byte("%PDF-1.")) || !bytes.HasSuffix(bytes.TrimSpace(file), []byte("%%EOF")) {
		t.Fatalf("no PDF: %.40q", file)
	}
	var text strings.Builder
	for _, found := range pdfStream.FindAllSubmatch(file, -1) {
		packed, err := zlib.NewReader(bytes.NewReader(found[1]))
		if err != nil {
			continue // not packed: no text
		}
		stream, err := io.ReadAll(packed)
		if err != nil || !bytes.Contains(stream, []byte("BT ")) {
			continue
		}
		text.WriteString(printed(stream))
	}
	return text.String()
}

// printed reads the strings of a page's stream.
func printed(stream []byte) string {
	var text strings.Builder
	for i := 0; i < len(stream); i++ {
		if stream[i] != '(' {
			continue
		}
		var raw []byte
		for i++; i < len(stream) && stream[i] != ')'; i++ {
			if stream[i] == '\\' {
				i++
				if stream[i] == 'r' {
					raw = append(raw, '\r')
					continue
				}
			}
			raw = append(raw, stream[i])
		}
		var units []uint16
		for ; len(raw) > 1; raw = raw[2:] {
			units = append(units, binary.BigEndian.Uint16(raw))
		}
		text.WriteString(string(utf16.Decode(units)) + "\n")
	}
	return text.String()
}

// TestMemo_PDFSaysWhatThePageSays: the file holds every fact and line of the
// page in both languages, with the fonts to read it by.
func TestMemo_PDFSaysWhatThePageSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	creditedWorld(t, w)
	b := w.reader(t)
	b.openLink("20481")
	for language, words := range map[string][]string{
		"en": {"Credit memo CM-000001", "20481", "White high-tops × 1", "Ana Moreira", "Seller's refund number", "Goods · Seller", "¥389.00", "¥12.00", "Onto the balance", "¥401.00"},
		"zh": {"退款凭证 CM-000001", "白色高帮运动鞋 × 1", "卖家退款编号", "货款 · 卖家", "国内运费 · 卖家", "计入余额", "¥401.00"},
	} {
		chosen := b.do(http.MethodGet, "/o/20481?lang="+language, nil)
		b.body(chosen, http.StatusSeeOther)
		answer := b.do(http.MethodGet, "/o/20481/memos/1/CM-000001.pdf", nil)
		file := b.body(answer, http.StatusOK)
		if answer.header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(answer.header.Get("Content-Disposition"), "attachment") {
			t.Fatalf("%s: %v", language, answer.header)
		}
		text := readPDF(t, []byte(file))
		for _, word := range words {
			if !strings.Contains(text, word) {
				t.Errorf("%s: no %q in %s", language, word, text)
			}
		}
		if strings.Contains(text, "潮流前线鞋店") || strings.Contains(text, "C-1001") {
			t.Errorf("%s: the customer reads what is the desk's: %s", language, text)
		}
		if len(file) > 200<<10 {
			t.Errorf("%s: %d bytes", language, len(file))
		}
	}
	for _, elsewhere := range []string{"/o/20481/memos/1/CM-000002.pdf", "/o/20481/memos/2", "/o/20481/memos/01", "/o/20481/memos/-1", "/o/20481/memos/x"} {
		b.get(elsewhere, http.StatusNotFound)
	}
}

// TestMemo_PDFOfAnyText: what a shop or a seller wrote never breaks the file.
func TestMemo_PDFOfAnyText(t *testing.T) {
	t.Parallel()
	pages := newWorld(t).pages(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/desk", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := pages.speechFor(r, "zh", "Asia/Shanghai")
	m := refund.Memo{Number: 7, At: start, Case: "K-1", Order: "1", Name: "😀 \u202e 𠮷野 \x00\n(\\)", Ref: strings.Repeat("退", 400), Quantity: 1}
	m.Title.EN, m.Title.ZH = strings.Repeat("no-blank-in-it", 60), strings.Repeat("很长的标题", 90)
	for range 60 { // more than a sheet
		m.Lines = append(m.Lines, refund.MemoLine{What: "goods", Amount: money.Fen(1), By: refund.BySeller})
	}
	first, err := s.memoPDF(m, true)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.memoPDF(m, true)
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("the same memo is another file, %v", err)
	}
	text := readPDF(t, first)
	if n := strings.Count(text, "货款"); n != 60 || strings.Count(text, "退") < 400 {
		t.Errorf("%d lines in %s", n, text)
	}
	for _, want := range []string{"CM-000007 · 1 / 3", "CM-000007 · 2 / 3", "CM-000007 · 3 / 3"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("not once %q in %s", want, text)
		}
	}
	m.Lines, m.Ref, m.Title.ZH = m.Lines[:1], "R-1", "鞋"
	short, err := s.memoPDF(m, true)
	if err != nil {
		t.Fatal(err)
	}
	if text := readPDF(t, short); strings.Contains(text, " / ") {
		t.Errorf("its one page is numbered: %s", text)
	}
}

// TestMemo_PDFHasNoBoxes: what the fonts lack is not printed as something else. A
// sign is left out; a text that would lose letters is replaced.
func TestMemo_PDFHasNoBoxes(t *testing.T) {
	t.Parallel()
	pages := newWorld(t).pages(t)
	s := pages.speechFor(mustRequest(t, "/desk?lang=en"), "", "")
	const elsewhere = "see this memo’s page"
	for name, want := range map[string]string{
		"Ana 😀 Moreira 👩🏽‍🚀":   "Ana Moreira",
		"Zoë ❤️ Łukasz 1️⃣":    "Zoë Łukasz 1",
		"林佳慧 🇨🇳":               "林佳慧",
		"김민수":                  elsewhere,
		"Ana 김":                elsewhere,
		"آنا":                  elsewhere,
		"𠮷野家":                  elsewhere,
		"नमस्ते":               elsewhere,
		"😀😀":                   elsewhere,
		"Ana\u202e\x00Moreira": "Ana Moreira",
		"\ue000 Ana":           elsewhere, // what only its writer's font shows
	} {
		m := refund.Memo{Number: 7, At: start, Case: "K-1", Order: "20481", Item: "20481-2", Name: name, Ref: name, Seller: name, Quantity: 1}
		m.Title.EN, m.Title.ZH = name, name
		file, err := s.memoPDF(m, true)
		if err != nil {
			t.Fatal(err)
		}
		title := want
		if want == elsewhere {
			title = "20481-2"
		}
		text := readPDF(t, file)
		if strings.Count(text, want+"\n") < 3 || !strings.Contains(text, title+" × 1\n") {
			t.Errorf("%q is not %q in %s", name, want, text)
		}
		if strings.ContainsAny(text, "□\ufffd") {
			t.Errorf("%q is a box in %s", name, text)
		}
	}
}
