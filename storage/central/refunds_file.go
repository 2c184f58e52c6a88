package central

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"flawmark/app/money"
	"flawmark/app/qc"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// RefundRow is a payment as a file of the marketplace tells it.
type RefundRow struct {
	Line   int          `json:"line"` // from 1
	Ref    string       `json:"ref"`  // the refund's number at the marketplace
	Order  string       `json:"order,omitempty"`
	Seller string       `json:"seller,omitempty"`
	Amount money.Amount `json:"amount"`
	Date   time.Time    `json:"date,omitzero"`
	Note   string       `json:"note,omitempty"`
	// Total marks a line that adds up the others. It is no payment.
	Total bool `json:"total,omitempty"`
	// Broken is the column that cannot be read; such a row is nobody's.
	Broken  string      `json:"broken,omitempty"`
	Heading string      `json:"heading,omitempty"` // what the file calls that column
	Said    string      `json:"said,omitempty"`    // what it says there
	Fault   RefundFault `json:"fault,omitempty"`   // what is wrong with that
}

// RefundFault is what is wrong with a field of a payment. Its words are under
// the key "refund_fault." plus it.
type RefundFault string

// The faults of fields.
const (
	FaultEmpty   RefundFault = "empty"
	FaultAmount  RefundFault = "amount"  // is none, or not above nought
	FaultDate    RefundFault = "date"    // is none
	FaultRounded RefundFault = "rounded" // a long number that a spreadsheet has cut to its first digits
	FaultLong    RefundFault = "long"
)

// RefundFileError says why a file brings no payments. Nothing of it is used.
type RefundFileError struct {
	Problem RefundFileProblem
	Line    int      // from 1; 0: the whole file
	Column  string   // ColumnMissing and ColumnTwice: which of ours
	Names   []string // what the file says: the names of its columns, or the two that mean the same
	Like    []string // ColumnMissing: what it may be called
}

// Error implements error.
func (e *RefundFileError) Error() string {
	return fmt.Sprintf("file of refunds: %s, line %d, column %q, %q", e.Problem, e.Line, e.Column, e.Names)
}

// RefundFileProblem is what is wrong with a file. Its words are under the key
// "error.refund_file." plus it.
type RefundFileProblem string

// The problems of files.
const (
	FileEmpty     RefundFileProblem = "empty"    // or it names columns and has no payments
	FileLarge     RefundFileProblem = "large"    // more than 10 MB
	FileMany      RefundFileProblem = "many"     // more rows than are read
	FileWorkbook  RefundFileProblem = "workbook" // of a spreadsheet program, or a web page under such a name
	FileNoText    RefundFileProblem = "no_text"  // in no encoding that is known
	FileQuote     RefundFileProblem = "quote"    // a quotation mark opens in a line and does not close
	ColumnMissing RefundFileProblem = "column_missing"
	ColumnTwice   RefundFileProblem = "column_twice"
)

// maxRefundRows is as many as one file may have.
const maxRefundRows = 20_000

// refundColumns are the columns that are read of a file of refunds, and what
// the marketplaces call them, in half width. All others are left alone.
var refundColumns = map[string][]string{
	"reference": {"reference", "ref", "refund_id", "refund id", "refund no", "退款编号", "退款单号", "退款单编号", "交易号", "流水号"},
	"order":     {"order", "platform_order", "order_id", "order no", "订单编号", "订单号", "主订单编号"},
	"seller":    {"seller", "卖家", "卖家昵称", "店铺名称", "对方"},
	"amount":    {"amount", "refund_amount", "refund amount", "退款金额", "实退金额", "买家退款金额", "金额", "收入"},
	"date":      {"date", "time", "refunded_at", "日期", "退款时间", "退款完结时间", "完结时间", "入账时间"},
	"note":      {"note", "remark", "备注", "说明", "退款说明"},
}

// headingWithin is how many lines may stand before the one that names the
// columns: exports begin with their title and period.
const headingWithin = 20

// ParseRefunds reads the payments of a file of CSV, as marketplaces give it and
// spreadsheets save it: in UTF-8, GB18030 or UTF-16, with commas, semicolons or
// tabs, with remarks that begin with #, and a line that names the columns, of
// which the refund's number and the amount must be there. A file that is none
// fails with a *[RefundFileError]; a single row that cannot be read says so
// itself.
func ParseRefunds(data []byte) ([]RefundRow, error) {
	text, err := refundText(data)
	if err != nil {
		return nil, err
	}
	records, err := refundRecords(text)
	if err != nil {
		return nil, err
	}
	header, places, err := refundHeader(records)
	if err != nil {
		return nil, err
	}
	rows := make([]RefundRow, 0, len(records))
	for _, record := range records[header+1:] {
		rows = append(rows, refundRow(record, records[header].fields, places))
	}
	switch {
	case len(rows) == 0:
		return nil, &RefundFileError{Problem: FileEmpty}
	case len(rows) > maxRefundRows:
		return nil, &RefundFileError{Problem: FileMany}
	}
	return rows, nil
}

// workbooks are how the files of spreadsheet programs begin: zip, OLE, and web
// pages that exports give the name of one.
var workbooks = [][]byte{[]byte("PK\x03\x04"), []byte("\xd0\xcf\x11\xe0"), []byte("<")}

// refundText returns a file as text with line ends of one kind, without its
// mark of the byte order.
func refundText(data []byte) (string, error) {
	if len(data) > maxOrderFile {
		return "", &RefundFileError{Problem: FileLarge}
	}
	for _, begins := range workbooks {
		if bytes.HasPrefix(data, begins) {
			return "", &RefundFileError{Problem: FileWorkbook}
		}
	}
	var decoder *encoding.Decoder
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		decoder = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()
	case !utf8.Valid(data):
		decoder = simplifiedchinese.GB18030.NewDecoder()
	}
	if decoder != nil {
		decoded, err := decoder.Bytes(data)
		if err != nil || bytes.ContainsRune(decoded, utf8.RuneError) {
			return "", &RefundFileError{Problem: FileNoText}
		}
		data = decoded
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.ContainsRune(data, 0) {
		return "", &RefundFileError{Problem: FileNoText}
	}
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data)), nil
}

// refundRecord is one line of a file, which may go over several.
type refundRecord struct {
	line   int // where it begins
	fields []string
}

// refundRecords splits a text into the lines that say anything. A quotation mark
// within a field is let pass, but then no field may go over several lines:
// otherwise one that does not close would swallow the payments behind it.
func refundRecords(text string) ([]refundRecord, error) {
	text = kept.ReplaceAllString(text, "$1$2")
	records, err := readRecords(text, false)
	if broken, ok := errors.AsType[*csv.ParseError](err); ok {
		if !errors.Is(broken, csv.ErrBareQuote) {
			return nil, &RefundFileError{Problem: FileQuote, Line: broken.StartLine}
		}
		records, err = readRecords(text, true)
		for _, record := range records {
			if strings.Contains(strings.Join(record.fields, ""), "\n") {
				return nil, &RefundFileError{Problem: FileQuote, Line: record.line}
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return records, nil
}

// kept is what a spreadsheet takes for a text though it is a number: ="…" without
// the quotation marks that CSV wants around it.
var kept = regexp.MustCompile(`(?m)(^|[,;\t])="([^"\n]*)"`)

func readRecords(text string, lazy bool) ([]refundRecord, error) {
	reader := csv.NewReader(strings.NewReader(text))
	reader.FieldsPerRecord, reader.LazyQuotes, reader.Comma, reader.Comment = -1, lazy, separator(text), '#'
	var records []refundRecord
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) || len(records) > maxRefundRows+headingWithin { // the rest is too much in any case
			return records, nil
		}
		if err != nil {
			return nil, err
		}
		if line, _ := reader.FieldPos(0); strings.TrimSpace(strings.Join(fields, "")) != "" {
			records = append(records, refundRecord{line, fields})
		}
	}
}

// separator is what stands most often in the lines among which the columns are
// named.
func separator(text string) rune {
	lines := strings.SplitN(text, "\n", headingWithin+1)
	beginning := strings.Join(lines[:min(headingWithin, len(lines))], "\n")
	best := ','
	for _, mark := range []rune{';', '\t'} {
		if strings.Count(beginning, string(mark)) > strings.Count(beginning, string(best)) {
			best = mark
		}
	}
	return best
}

// refundHeader finds the line that names the columns, and returns its place and
// theirs.
func refundHeader(records []refundRecord) (int, map[string]int, error) {
	if len(records) == 0 {
		return 0, nil, &RefundFileError{Problem: FileEmpty}
	}
	best, places := 0, map[string]int{}
	for i, record := range records[:min(headingWithin, len(records))] {
		found := make(map[string]int)
		for j, name := range record.fields {
			column := columnOf(name)
			if before, twice := found[column]; twice {
				return 0, nil, &RefundFileError{
					Problem: ColumnTwice, Line: record.line, Column: column, Names: []string{shorten(plain(record.fields[before])), shorten(plain(name))},
				}
			}
			if column != "" {
				found[column] = j
			}
		}
		if len(found) > len(places) {
			best, places = i, found
		}
	}
	for _, needed := range []string{"reference", "amount"} {
		if _, ok := places[needed]; !ok {
			missing := &RefundFileError{Problem: ColumnMissing, Line: records[best].line, Column: needed, Like: usualNames(needed)}
			for _, name := range records[best].fields[:min(12, len(records[best].fields))] {
				missing.Names = append(missing.Names, shorten(plain(name)))
			}
			return 0, nil, missing
		}
	}
	return best, places, nil
}

// usualNames are what a column may be called, the first in English and in Chinese.
func usualNames(column string) []string {
	names := refundColumns[column]
	i := slices.IndexFunc(names, func(name string) bool { return name[0] >= utf8.RuneSelf })
	return []string{names[0], names[max(0, i)]}
}

// columnOf returns which of our columns a file means by a name; empty: none.
func columnOf(name string) string {
	name = strings.ToLower(qc.HalfWidth(plain(name)))
	for _, unit := range []string{"(元)", "(cny)"} {
		name = strings.TrimSpace(strings.TrimSuffix(name, unit))
	}
	for column, names := range refundColumns {
		if slices.Contains(names, name) {
			return column
		}
	}
	return ""
}

func refundRow(record refundRecord, header []string, places map[string]int) RefundRow {
	field := func(column string) string {
		if i, ok := places[column]; ok && i < len(record.fields) {
			return plain(record.fields[i])
		}
		return ""
	}
	narrow := func(column string) string { return qc.HalfWidth(field(column)) }
	row := RefundRow{Line: record.line, Ref: narrow("reference"), Order: narrow("order"), Seller: field("seller"), Note: field("note")}
	if row.Total = isTotal(record.fields, row.Ref); row.Total {
		return row
	}
	broken := func(is bool, column string, fault RefundFault) {
		if is && row.Broken == "" {
			row.Broken, row.Fault, row.Heading, row.Said = column, fault, shorten(plain(header[places[column]])), shorten(field(column))
		}
	}
	broken(row.Ref == "", "reference", FaultEmpty)
	broken(isRounded(row.Ref), "reference", FaultRounded)
	broken(isRounded(row.Order), "order", FaultRounded)
	for _, column := range []string{"reference", "order", "seller", "note"} {
		broken(len(field(column)) > maxRefundText, column, FaultLong)
	}
	var err error
	row.Amount, err = readPaid(narrow("amount"))
	broken(field("amount") == "", "amount", FaultEmpty)
	broken(err != nil, "amount", FaultAmount)
	row.Date, err = readDate(narrow("date"))
	broken(err != nil, "date", FaultDate)
	return row
}

// isTotal reports whether a line adds up the others: it begins with a word that
// says so, and has no number of a refund besides.
func isTotal(fields []string, ref string) bool {
	first := ""
	for _, field := range fields {
		first = cmp.Or(first, strings.ToLower(qc.HalfWidth(plain(field))))
	}
	return totals.MatchString(first) && (ref == "" || strings.ToLower(ref) == first)
}

var totals = regexp.MustCompile(`^(合计|总计|小计|共计|总额)|^((grand )?total|subtotal|sum)\b\W*$`)

// maxRefundText is in bytes, of one field.
const maxRefundText = 400

var (
	scientific = regexp.MustCompile(`^\d(\.\d+)?[eE]\+?\d+$`)
	cutShort   = regexp.MustCompile(`^\d{15}0{3,}$`)
)

// isRounded reports whether a text is a long number that a spreadsheet has cut
// to its first digits: it keeps fifteen, and may write them as 2.41883E+18.
func isRounded(text string) bool { return scientific.MatchString(text) || cutShort.MatchString(text) }

// plain takes away what spreadsheets and marketplaces put around a number so
// that it stays one: ="…", a grave accent or apostrophe before it, a tab after.
func plain(field string) string {
	field = strings.Trim(field, " \t\r\n\u00a0\u3000\ufeff")
	if inside, ok := strings.CutPrefix(field, `="`); ok {
		field = strings.TrimSuffix(inside, `"`)
	}
	return strings.TrimSpace(strings.TrimLeft(field, "`'"))
}

// readPaid reads what was paid; a payment of nothing or less is none.
func readPaid(text string) (money.Amount, error) {
	amount, err := money.ReadCNY(text)
	if err == nil && (amount.Minor() <= 0 || amount.Minor() > maxFen) {
		err = money.ErrSyntax
	}
	if err != nil {
		return money.Amount{}, err
	}
	return amount, nil
}

// readDate reads a day or a time; without a zone it is China's.
func readDate(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	china := time.FixedZone("CST", 8*60*60)
	for _, layout := range []string{
		time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", "2006/1/2 15:04:05", "2006/1/2 15:04", "2006/1/2",
		"2006-01-02T15:04:05", "20060102", "2006.1.2", "2006年1月2日", "2006年1月2日 15:04:05", "2006年1月2日 15:04",
	} {
		if at, err := time.ParseInLocation(layout, text, china); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date", shorten(text))
}
