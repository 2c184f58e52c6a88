package web

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"flawmark/app/refund"
	"flawmark/assets"

	"github.com/go-pdf/fpdf"
	"golang.org/x/image/font/sfnt"
)

// The page of a memo, in millimetres.
const (
	pdfMargin = 20.0
	pdfLine   = 6.0
	pdfLabel  = 55.0 // width of what is left of a value
	pdfMoney  = 35.0 // width of an amount
)

// memoPDF returns a memo as a file that prints, with the fonts in it, so that
// Chinese is read everywhere. The same memo in the same language is the same
// file, byte for byte.
func (s speech) memoPDF(m refund.Memo, inside bool) ([]byte, error) {
	font, err := sfnt.Parse(assets.FontRegular())
	if err != nil {
		return nil, fmt.Errorf("read the font of memos: %w", err)
	}
	m.Title.EN = printable(m.Title.EN, string(m.Item), font)
	m.Title.ZH = printable(m.Title.ZH, string(m.Item), font)
	facts := s.memoFacts(m, inside)
	for i := range facts {
		facts[i].Value = printable(facts[i].Value, s.T("memo.elsewhere"), font)
	}
	file, pages, err := s.writeMemo(m, facts, 0)
	if err == nil && pages > 1 { // how many there are is known by now
		file, _, err = s.writeMemo(m, facts, pages)
	}
	if err != nil {
		return nil, fmt.Errorf("write memo %d as PDF: %w", m.Number, err)
	}
	return file, nil
}

// writeMemo writes a memo with facts that can be printed, and with the number of each of
// its pages where it is said how many those are.
func (s speech) writeMemo(m refund.Memo, facts []factView, of int) (file []byte, pages int, err error) {
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.SetCatalogSort(true)
	pdf.SetCreationDate(m.At.UTC())
	pdf.SetModificationDate(m.At.UTC())
	pdf.SetMargins(pdfMargin, pdfMargin, pdfMargin)
	pdf.SetAutoPageBreak(true, pdfMargin)
	pdf.AddUTF8FontFromBytes("sans", "", assets.FontRegular())
	pdf.AddUTF8FontFromBytes("sans", "B", assets.FontBold())
	heading := s.T("memo.title", "number", m.Number.String())
	pdf.SetTitle(heading, true)
	pdf.SetCreator(s.T("app.name"), true)
	pdf.SetLang(map[string]string{"zh": "zh-Hans"}[s.Language()])
	if of > 0 {
		pdf.SetFooterFunc(func() {
			pdf.SetY(-pdfMargin + pdfLine)
			pdf.SetFont("sans", "", 9)
			number := strconv.Itoa(pdf.PageNo()) + " / " + strconv.Itoa(of)
			pdf.CellFormat(0, pdfLine, m.Number.String()+" · "+number, "", 0, "C", false, 0, "")
		})
	}
	pdf.AddPage()

	sheet := pdfSheet{Fpdf: pdf}
	sheet.width, _ = pdf.GetPageSize()
	sheet.width -= 2 * pdfMargin
	pdf.SetFont("sans", "B", 18)
	sheet.row(10, "", heading, "")
	pdf.SetFont("sans", "", 10)
	sheet.row(pdfLine, "", s.memoDate(m).Text, "")
	pdf.Ln(pdfLine)
	for _, fact := range facts {
		sheet.row(pdfLine, fact.Label, fact.Value, "")
	}
	pdf.Ln(pdfLine)
	for _, line := range s.memoLines(m) {
		what := line.What + " · " + line.By
		if line.Why != "" {
			what += " · " + line.Why
		}
		sheet.row(pdfLine+2, "", what, line.Amount)
	}
	pdf.SetFont("sans", "B", 12)
	sheet.row(pdfLine+4, "", s.T("memo.net"), m.Net.String())

	var written bytes.Buffer
	if err := pdf.Output(&written); err != nil {
		return nil, 0, err
	}
	return written.Bytes(), pdf.PageCount(), nil
}

// pdfSheet is a file that is written row by row.
type pdfSheet struct {
	*fpdf.Fpdf
	width float64 // between the margins
}

// row writes a text on as many lines as it needs, with a label at its left or
// an amount below a rule at its right.
func (p pdfSheet) row(height float64, label, text, amount string) {
	left, right, rule := 0.0, 0.0, ""
	if label != "" {
		left = pdfLabel
	}
	if amount != "" {
		right, rule = pdfMoney, "T"
	}
	for i, line := range p.wrap(text, p.width-left-right-2*p.GetCellMargin()) {
		if i > 0 {
			label, amount, rule = "", "", ""
		}
		if left > 0 {
			p.CellFormat(left, height, label, "", 0, "L", false, 0, "")
		}
		p.CellFormat(p.width-left-right, height, line, rule, 0, "L", false, 0, "")
		p.CellFormat(right, height, amount, rule, 1, "R", false, 0, "")
	}
}

// wrap breaks a text into lines of a width, at a blank where there is one and
// anywhere in Chinese. The library's own does so, too, and loses a letter
// wherever there is no blank.
func (p pdfSheet) wrap(text string, width float64) []string {
	var lines []string
	letters, blank, long := []rune(text), -1, 0.0
	for i := 0; i < len(letters); i++ {
		long += p.GetStringWidth(string(letters[i]))
		if letters[i] == ' ' {
			blank = i
		}
		if long <= width || i == 0 {
			continue
		}
		end := i
		if blank > 0 {
			end = blank
		}
		lines = append(lines, string(letters[:end]))
		letters = []rune(strings.TrimLeft(string(letters[end:]), " "))
		i, blank, long = -1, -1, 0
	}
	return append(lines, string(letters))
}

// printable leaves out what would break or turn a line, and signs that the font
// lacks, such as emoji. A letter that it lacks makes a name another one, or a box:
// then the text is replaced as a whole.
func printable(text, instead string, font *sfnt.Font) string {
	whole, had := true, text != ""
	text = strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f:
			return ' '
		case unicode.In(r, unicode.Cf, unicode.Variation_Selector): // which turns writing around, or is not there
			return -1
		case shows(font, r):
			return r
		}
		whole = whole && !unicode.In(r, unicode.L, unicode.N, unicode.Mn, unicode.Mc, unicode.Co)
		return -1
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if !whole || text == "" && had {
		return instead
	}
	return text
}

// shows reports whether a memo can show r: the font has it, and it is of the plane
// that the library writes.
func shows(font *sfnt.Font, r rune) bool {
	glyph, err := font.GlyphIndex(nil, r)
	return err == nil && glyph != 0 && r <= 0xffff
}
