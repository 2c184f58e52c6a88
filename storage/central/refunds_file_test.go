package central_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/storage/central"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func TestParseRefunds_AsMarketplacesWriteThem(t *testing.T) {
	t.Parallel()
	plain := "退款编号,订单编号,店铺名称,退款金额,退款完结时间,备注,别的\n" +
		"R-1,2418830517429106684,潮流前线鞋店,\"¥1,234.50\",2026-11-23 17:30:00,20481-2 质量问题,x\n" +
		"`R-2,=\"2418830517429106685\",,401.00元,2026/11/3,,\n\n"
	chinese, err := simplifiedchinese.GB18030.NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"UTF-8":           plain,
		"with a mark":     "\ufeff" + plain,
		"GB18030":         chinese,
		"line ends":       strings.ReplaceAll(plain, "\n", "\r\n"),
		"tabs":            strings.NewReplacer(`"¥1,234.50"`, "¥1234.5", ",", "\t").Replace(plain),
		"semicolons":      strings.NewReplacer(`"¥1,234.50"`, `"￥1,234.50"`, ",", ";").Replace(strings.ReplaceAll(plain, `"¥1,234.50"`, `"¥1234.50"`)),
		"English columns": strings.Replace(plain, "退款编号,订单编号,店铺名称,退款金额,退款完结时间,备注", "Reference,order,seller,amount,date,note", 1),
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

func TestParseRefunds_Amounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"401": 40100, "401.5": 40150, "¥401.00": 40100, "￥ 401.00": 40100, "CNY 401.00": 40100, "401.00 CNY": 40100,
		"1,234.50": 123450, "12,345,678.90": 1234567890, "+12.00": 1200, "人民币12元": 1200, "1，234.50": 123450,
		"": 0, "0": 0, "0.00": 0, "-12.00": 0, "(12.00)": 0, "12.345": 0, "1.234,50": 0, "12,34": 0, "1,2345": 0, "$12.00": 0, "€12": 0,
		"12 00": 0, "1e3": 0, "NaN": 0, "99999999999999999999": 0, "１２": 0,
	} {
		rows, err := central.ParseRefunds(fmt.Appendf(nil, "ref,amount\nR-1,%q\n", text))
		if err != nil || len(rows) != 1 {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if rows[0].Amount.Minor() != want || (rows[0].Broken == "amount") != (want == 0) {
			t.Errorf("%q: %s, broken %q, want %d fen", text, rows[0].Amount, rows[0].Broken, want)
		}
	}
}

func TestParseRefunds_RowsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	rows, err := central.ParseRefunds([]byte("ref,order,amount,date,note\n" +
		",1,1.00,,\n" + "R-2\n" + "2.41883E+18,1,1.00,,\n" + "R-4,2.41883e+18,1.00,,\n" + "R-5,1,1.00,yesterday,\n" + "R-6,1,1.00,,ok\n"))
	if err != nil {
		t.Fatal(err)
	}
	var broken []string
	for _, row := range rows {
		broken = append(broken, row.Broken)
	}
	if want := []string{"reference", "amount", "reference", "order", "date", ""}; fmt.Sprint(broken) != fmt.Sprint(want) {
		t.Errorf("broken %q, want %q", broken, want)
	}
}

func TestParseRefunds_FilesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"empty":            "",
		"no rows":          "ref,amount\n",
		"no names":         "R-1,401.00\nR-2,3.00\n",
		"no amount":        "ref,note\nR-1,x\n",
		"two amounts":      "ref,amount,退款金额\nR-1,1,2\n",
		"a spreadsheet":    "PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00",
		"neither encoding": "ref,amount\n\xff\xff,1\n",
		"too large":        "ref,amount\n" + strings.Repeat("x", 10<<20),
		"too long":         "ref,amount\n" + strings.Repeat("R,1\n", 20_001),
	} {
		rows, err := central.ParseRefunds([]byte(file))
		if broken, ok := errors.AsType[*central.ImportError](err); !ok || broken.Problem == "" || rows != nil {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
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
			if row.Broken == "" && (row.Amount.Minor() <= 0 || row.Ref == "" || strings.TrimSpace(row.Ref) != row.Ref) {
				t.Fatalf("passed for a payment: %+v", row)
			}
		}
	})
}
