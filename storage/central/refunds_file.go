package central

import (
	"bytes"
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

	"golang.org/x/text/encoding/simplifiedchinese"
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
	// Broken is the column that cannot be read; such a row is nobody's.
	Broken string `json:"broken,omitempty"`
}

// maxRefundRows is as many as one file may have.
const maxRefundRows = 20_000

// refundColumns are the columns that are read of a file of refunds, and what
// the marketplaces call them. All others are left alone.
var refundColumns = map[string][]string{
	"reference": {"reference", "ref", "refund_id", "refund id", "refund no", "退款编号", "退款单号", "退款单编号", "交易号", "流水号"},
	"order":     {"order", "platform_order", "order_id", "order no", "订单编号", "订单号", "主订单编号"},
	"seller":    {"seller", "卖家", "卖家昵称", "店铺名称", "对方"},
	"amount":    {"amount", "refund_amount", "refund amount", "退款金额", "实退金额", "买家退款金额", "金额", "金额（元）", "金额(元)", "收入"},
	"date":      {"date", "time", "refunded_at", "日期", "退款时间", "退款完结时间", "完结时间", "入账时间"},
	"note":      {"note", "remark", "备注", "说明", "退款说明"},
}

// ParseRefunds reads the payments of a file of CSV, as marketplaces give it: in
// UTF-8 or GB18030, with commas, semicolons or tabs, and a line that names the
// columns, of which the refund's number and the amount must be there. A file
// that is none fails with an *[ImportError]; a single row that cannot be read
// says so itself.
func ParseRefunds(data []byte) ([]RefundRow, error) {
	text, err := refundText(data)
	if err != nil {
		return nil, err
	}
	reader := csv.NewReader(strings.NewReader(text))
	reader.FieldsPerRecord, reader.LazyQuotes, reader.Comma = -1, true, separator(text)
	places, err := refundHeader(reader)
	if err != nil {
		return nil, err
	}
	var rows []RefundRow
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			if len(rows) == 0 {
				return nil, &ImportError{Problem: "there are no payments in the file"}
			}
			return rows, nil
		}
		if err != nil {
			return nil, csvError(err)
		}
		line, _ := reader.FieldPos(0)
		if strings.TrimSpace(strings.Join(fields, "")) == "" {
			continue
		}
		if len(rows) == maxRefundRows {
			return nil, &ImportError{Line: line, Problem: fmt.Sprintf("the file has more than %d rows", maxRefundRows)}
		}
		rows = append(rows, refundRow(line, fields, places))
	}
}

// refundText returns a file as text, without its mark of the byte order.
func refundText(data []byte) (string, error) {
	if len(data) > maxOrderFile {
		return "", &ImportError{Problem: "the file is larger than 10 MB"}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
		if err != nil || bytes.ContainsRune(decoded, utf8.RuneError) {
			return "", &ImportError{Problem: "the text is neither UTF-8 nor GB18030"}
		}
		data = bytes.TrimPrefix(decoded, []byte("\ufeff"))
	}
	if bytes.ContainsRune(data, 0) {
		return "", &ImportError{Problem: "the text is neither UTF-8 nor GB18030"}
	}
	return string(data), nil
}

// separator is what stands most often between the names of the columns.
func separator(text string) rune {
	header, _, _ := strings.Cut(text, "\n")
	best := ','
	for _, mark := range []rune{';', '\t'} {
		if strings.Count(header, string(mark)) > strings.Count(header, string(best)) {
			best = mark
		}
	}
	return best
}

// refundHeader returns where the columns are.
func refundHeader(reader *csv.Reader) (map[string]int, error) {
	header, err := reader.Read()
	if err != nil {
		return nil, csvError(err)
	}
	places := make(map[string]int)
	for i, name := range header {
		name = strings.ToLower(plain(name))
		for column, names := range refundColumns {
			if !slices.Contains(names, name) {
				continue
			}
			if _, twice := places[column]; twice {
				return nil, &ImportError{Line: 1, Column: shorten(name), Problem: "two columns mean " + column}
			}
			places[column] = i
		}
	}
	for _, needed := range []string{"reference", "amount"} {
		if _, ok := places[needed]; !ok {
			return nil, &ImportError{Line: 1, Column: needed, Problem: "the first line must name the columns, and this one is missing"}
		}
	}
	return places, nil
}

func refundRow(line int, fields []string, places map[string]int) RefundRow {
	field := func(column string) string {
		if i, ok := places[column]; ok && i < len(fields) {
			return plain(fields[i])
		}
		return ""
	}
	row := RefundRow{Line: line, Ref: field("reference"), Order: field("order"), Seller: field("seller"), Note: field("note")}
	var err error
	if row.Amount, err = readYuan(field("amount")); err != nil {
		row.Broken = "amount"
	}
	if row.Date, err = readDate(field("date")); err != nil {
		row.Broken = "date"
	}
	if row.Ref == "" || len(row.Ref) > maxRefundText || rounded.MatchString(row.Ref) {
		row.Broken = "reference"
	}
	for column, text := range map[string]string{"order": row.Order, "seller": row.Seller, "note": row.Note} {
		if len(text) > maxRefundText || column == "order" && rounded.MatchString(text) {
			row.Broken = column
		}
	}
	return row
}

// maxRefundText is in bytes, of one field.
const maxRefundText = 400

// rounded is a long number that a spreadsheet has cut to its first digits.
var rounded = regexp.MustCompile(`^\d(\.\d+)?[eE]\+?\d+$`)

// plain takes away what spreadsheets and marketplaces put around a number so
// that it stays one: ="…", a grave accent or apostrophe before it, a tab after.
func plain(field string) string {
	field = strings.Trim(field, " \t\r\n\u00a0\u3000\ufeff")
	if inside, ok := strings.CutPrefix(field, `="`); ok {
		field = strings.TrimSuffix(inside, `"`)
	}
	return strings.TrimSpace(strings.TrimLeft(field, "`'"))
}

var thousands = regexp.MustCompile(`^\d{1,3}(,\d{3})+(\.\d{1,2})?$`)

// readYuan reads an amount as people and marketplaces write it: "1234.5",
// "¥1,234.50", "1,234.50元", "CNY 1234.50". What could be meant otherwise is
// refused, and so is a payment of nothing or less.
func readYuan(text string) (money.Amount, error) {
	text = strings.ReplaceAll(text, "，", ",")
	for _, mark := range []string{"人民币", "RMB", "CNY", "¥", "￥", "+"} {
		text = strings.TrimSpace(strings.TrimPrefix(text, mark))
	}
	for _, mark := range []string{"元", "CNY", "RMB"} {
		text = strings.TrimSpace(strings.TrimSuffix(text, mark))
	}
	if thousands.MatchString(text) {
		text = strings.ReplaceAll(text, ",", "")
	}
	amount, err := money.Parse(text, money.CNY)
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
		"20060102", "2006.1.2", "2006年1月2日",
	} {
		if at, err := time.ParseInLocation(layout, text, china); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date", shorten(text))
}
