package web

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"flawmark/app/refund"
	"flawmark/assets"

	"github.com/go-pdf/fpdf"
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
	pdf.AddPage()

	sheet := pdfSheet{Fpdf: pdf}
	sheet.width, _ = pdf.GetPageSize()
	sheet.width -= 2 * pdfMargin
	pdf.SetFont("sans", "B", 18)
	sheet.row(10, "", heading, "")
	pdf.SetFont("sans", "", 10)
	sheet.row(pdfLine, "", s.memoDate(m).Text, "")
	pdf.Ln(pdfLine)
	for _, fact := range s.memoFacts(m, inside) {
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

	var file bytes.Buffer
	if err := pdf.Output(&file); err != nil {
		return nil, fmt.Errorf("write memo %d as PDF: %w", m.Number, err)
	}
	return file.Bytes(), nil
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
	for i, line := range p.wrap(printable(text), p.width-left-right-2*p.GetCellMargin()) {
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

// printable leaves out what a font of the basic plane cannot show, and what
// would break or turn a line.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f:
			return ' '
		case unicode.Is(unicode.Cf, r): // which turns writing around, or is not there
			return -1
		case r > 0xffff:
			return '□'
		}
		return r
	}, text)
}
