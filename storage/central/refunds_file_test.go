package central_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/storage/central"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

func TestParseRefunds_AsMarketplacesWriteThem(t *testing.T) {
	t.Parallel()
	plain := "退款编号,订单编号,店铺名称,退款金额,退款完结时间,备注,别的\n" +
		"R-1,2418830517429106684,潮流前线鞋店,\"¥1,234.50\",2026-11-23 17:30:00,20481-2 质量问题,x\n" +
		"`R-2,=\"2418830517429106685\",,401.00元,2026/11/3,,\n\n"
	encoded := func(to encoding.Encoding, text string) string {
		t.Helper()
		bytes, err := to.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	tabs := strings.NewReplacer(`"¥1,234.50"`, "¥1234.5", ",", "\t").Replace(plain)
	for name, file := range map[string]string{
		"UTF-8":            plain,
		"with a mark":      "\ufeff" + plain,
		"GBK":              encoded(simplifiedchinese.GBK, strings.ReplaceAll(plain, "¥", "￥")),
		"GB18030":          encoded(simplifiedchinese.GB18030, plain),
		"UTF-16":           encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), tabs),
		"UTF-16, big end":  encoded(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), tabs),
		"line ends":        strings.ReplaceAll(plain, "\n", "\r\n"),
		"line ends of old": strings.ReplaceAll(plain, "\n", "\r"),
		"tabs":             tabs,
		"semicolons":       strings.ReplaceAll(strings.ReplaceAll(plain, `"¥1,234.50"`, `"¥1234.50"`), ",", ";"),
		"English columns":  strings.Replace(plain, "退款编号,订单编号,店铺名称,退款金额,退款完结时间,备注", "Reference,order,seller,amount,date,note", 1),
		"full width":       strings.NewReplacer("¥1,234.50", "￥１，２３４．５０", "R-1", "Ｒ－１", "退款金额", "退款金额（元）", "401.00元", "４０１").Replace(plain),
		"its own quotes":   strings.Replace(plain, ",x\n", ",a 5\" screen\n", 1),
		"cells as text":    strings.NewReplacer("R-1", `"=""R-1"""`, "2418830517429106684", `"=""2418830517429106684"""`).Replace(plain),
	} {
		rows, err := central.ParseRefunds([]byte(file))
		if err != nil || len(rows) != 2 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
			continue
		}
		first, second := rows[0], rows[1]
		if first.Ref != "R-1" || first.Order != "2418830517429106684" || first.Seller != "潮流前线鞋店" || first.Amount != money.Fen(123450) ||
			!first.Date.Equal(time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)) || first.Note != "20481-2 质量问题" || first.Line != 2 || first.Broken != "" {
			t.Errorf("%s: %+v", name, first)
		}
		if second.Ref != "R-2" || second.Order != "2418830517429106685" || second.Amount != money.Fen(40100) || second.Broken != "" {
			t.Errorf("%s: %+v", name, second)
		}
	}
}

// What stands around the payments of an export is none.
func TestParseRefunds_WhatIsAroundThem(t *testing.T) {
	t.Parallel()
	rows, err := central.ParseRefunds([]byte("#支付宝业务明细查询\n#账号：[20881234]\n退款明细,2026年11月\n\n" +
		"退款编号\t,订单编号\t,退款金额（元）,备注\nR-1\t,T-1\t,1.00,\"两行\r\n备注\"\nR-2,T-2,2.00,\n" +
		"=\"R-3\",=\"T-3\",=\"3.00\",\n" +
		"合计：,,3.00,\n,,3.00,\nTotal,,3.00,\nTOTAL-9,T-3,4.00,\n,合计,3.00,\n#导出时间：2026-11-28\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range rows {
		got = append(got, fmt.Sprint(row.Line, " ", row.Ref, " ", row.Amount.Minor(), " ", row.Total, row.Broken))
	}
	want := []string{"6 R-1 100 false", "8 R-2 200 false", "9 R-3 300 false", "10 合计: 0 true", "11  300 falsereference", "12 Total 0 true", "13 TOTAL-9 400 false", "14  0 true"}
	if !slices.Equal(got, want) || rows[0].Note != "两行\n备注" {
		t.Errorf("%q, want %q; note %q", got, want, rows[0].Note)
	}
}

func TestParseRefunds_Amounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"401": 40100, "401.5": 40150, "¥401.00": 40100, "￥ 401.00": 40100, "CNY 401.00": 40100, "401.00 CNY": 40100,
		"1,234.50": 123450, "12,345,678.90": 1234567890, "+12.00": 1200, "人民币12元": 1200, "1，234.50": 123450,
		"": 0, "0": 0, "0.00": 0, "-12.00": 0, "(12.00)": 0, "12.345": 0, "1.234,50": 0, "12,34": 0, "1,2345": 0, "$12.00": 0, "€12": 0,
		"１２": 1200, "￥１，２３４．５０": 123450,
		"12 00": 0, "1e3": 0, "NaN": 0, "99999999999999999999": 0, "−12.00": 0, "１２．３４５": 0,
	} {
		rows, err := central.ParseRefunds(fmt.Appendf(nil, "ref,amount\nR-1,%q\n", text))
		if err != nil || len(rows) != 1 {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if rows[0].Amount.Minor() != want || (rows[0].Broken == "amount") != (want == 0) {
			t.Errorf("%q: %s, broken %q, want %d fen", text, rows[0].Amount, rows[0].Broken, want)
		}
		if want == 0 && text != "" && (rows[0].Fault != central.FaultAmount || rows[0].Said != text || rows[0].Heading != "amount") {
			t.Errorf("%q: it is said to be %q, of %q %q", text, rows[0].Fault, rows[0].Heading, rows[0].Said)
		}
	}
}

func TestParseRefunds_RowsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	rows, err := central.ParseRefunds([]byte("退款编号,订单号,退款金额（元）,date,note\n" +
		",1,1.00,,\n" + "R-2\n" + "2.41883E+18,1,1.00,,\n" + "R-4,2.41883e+18,1.00,,\n" + "R-5,1,1.00,yesterday,\n" + "R-6,1,1.00,,ok\n" +
		"2418830517429100000,1,1.00,,\n" + "R-8,1,free,," + strings.Repeat("x", 401) + "\n" + "R-9,1,free,,\n"))
	if err != nil {
		t.Fatal(err)
	}
	var broken []string
	for _, row := range rows {
		broken = append(broken, strings.TrimSpace(fmt.Sprint(row.Broken, " ", row.Fault, " ", row.Heading, " ", row.Said)))
	}
	want := []string{
		"reference empty 退款编号", "amount empty 退款金额（元）", "reference rounded 退款编号 2.41883E+18", "order rounded 订单号 2.41883e+18",
		"date date date yesterday", "", "reference rounded 退款编号 2418830517429100000", "note long note " + strings.Repeat("x", 40) + "…",
		"amount amount 退款金额（元） free",
	}
	if !slices.Equal(broken, want) {
		t.Errorf("broken %q, want %q", broken, want)
	}
}

func TestParseRefunds_FilesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file    string
		problem central.RefundFileProblem
		says    string // line, column and names
	}{
		"empty":            {"", central.FileEmpty, ""},
		"blank":            {"\n,,\n", central.FileEmpty, ""},
		"no rows":          {"ref,amount\n", central.FileEmpty, ""},
		"no names":         {"R-1,401.00\nR-2,3.00\n", central.ColumnMissing, "1 reference [R-1 401.00]"},
		"no amount":        {"title\n退款编号,备注\nR-1,x\n", central.ColumnMissing, "2 amount [退款编号 备注]"},
		"two amounts":      {"ref,Amount,退款金额（元）\nR-1,1,2\n", central.ColumnTwice, "1 amount [Amount 退款金额（元）]"},
		"a workbook":       {"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00", central.FileWorkbook, ""},
		"an old workbook":  {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", central.FileWorkbook, ""},
		"a page":           {"<html><table><tr><td>退款编号</td></tr></table></html>", central.FileWorkbook, ""},
		"neither encoding": {"ref,amount\n\xff\xff,1\n", central.FileNoText, ""},
		"half of UTF-16":   {"\xff\xfer\x00e", central.FileNoText, ""},
		"zeros":            {"ref,amount\nR\x00,1\n", central.FileNoText, ""},
		"too large":        {"ref,amount\n" + strings.Repeat("x", 10<<20), central.FileLarge, ""},
		"too long":         {"ref,amount\n" + strings.Repeat("R,1\n", 20_001), central.FileMany, ""},
		"an open quote":    {"ref,amount,note\nR-1,1.00,\"\nR-2,2.00,\n", central.FileQuote, "2  []"},
		"and another":      {"ref,amount,note\nR-1,1.00,5\"\nR-2,2.00,\"x\nR-3,3.00,\n", central.FileQuote, "3  []"},
	} {
		rows, err := central.ParseRefunds([]byte(c.file))
		broken, ok := errors.AsType[*central.RefundFileError](err)
		if !ok || broken.Problem != c.problem || rows != nil {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		} else if says := fmt.Sprint(broken.Line, " ", broken.Column, " ", broken.Names); c.says != "" && says != c.says {
			t.Errorf("%s: %s, want %s", name, says, c.says)
		}
	}
	_, err := central.ParseRefunds([]byte("退款编号\nR-1\n"))
	if broken, ok := errors.AsType[*central.RefundFileError](err); !ok || !slices.Equal(broken.Like, []string{"amount", "退款金额"}) {
		t.Errorf("the missing column may be called %v", err)
	}
}

func FuzzParseRefunds(f *testing.F) {
	f.Add([]byte("\ufeff退款编号,退款金额\nR-1,\"¥1,234.50\"\n"))
	f.Add([]byte("ref;amount;date\nR-1;401;2026/1/2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := central.ParseRefunds(data)
		if (err == nil) != (len(rows) > 0) {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for _, row := range rows {
			if row.Broken == "" && !row.Total && (row.Amount.Minor() <= 0 || row.Ref == "" || strings.TrimSpace(row.Ref) != row.Ref) {
				t.Fatalf("passed for a payment: %+v", row)
			}
		}
	})
}
