package qc_test

import (
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
)

func TestWindowEnd(t *testing.T) {
	t.Parallel()
	day := func(d, h, m, s int) time.Time { return time.Date(2026, 11, d, h, m, s, 0, time.UTC) }
	shanghai := time.FixedZone("CST", 8*3600)
	tests := map[string]struct{ stockedIn, want time.Time }{
		"on the hour":         {day(20, 9, 0, 0), day(25, 9, 0, 0)},
		"a second after":      {day(20, 9, 0, 1), day(25, 10, 0, 0)},
		"a second before":     {day(20, 9, 59, 59), day(25, 10, 0, 0)},
		"before midnight":     {day(20, 23, 30, 0), day(26, 0, 0, 0)},
		"in another zone":     {day(20, 9, 30, 0).In(shanghai), day(25, 10, 0, 0)},
		"a nanosecond counts": {day(20, 9, 0, 0).Add(time.Nanosecond), day(25, 10, 0, 0)},
		"never stocked in":    {time.Time{}, time.Time{}},
	}
	for name, test := range tests {
		if got := qc.WindowEnd(test.stockedIn); !got.Equal(test.want) {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestParseWaybill(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]qc.Waybill{
		"SF1234567890123": "SF1234567890123", " sf1234567890123\r\n": "SF1234567890123",
		"773012345678901": "773012345678901", "JD-123456-78": "JD-123456-78", "ABC123456": "ABC123456",
		"1234567": "", "ABCDEFGH": "", "AB12345": "", "SF123 456 789": "", "ＳＦ1234567890": "SF1234567890", "SF1234567890'": "",
		"": "", "1234567890123456789012345678901": "",
	} {
		got, err := qc.ParseWaybill(text)
		if got != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, qc.ErrWaybill) {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}

func FuzzParseWaybill(f *testing.F) {
	for _, seed := range []string{"SF1234567890123", " yt-7583920146532 ", "", "\x00", "ı12345678"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := qc.ParseWaybill(text)
		if err != nil {
			return
		}
		again, err := qc.ParseWaybill(string(got))
		if err != nil || again != got || len(got) < 8 || len(got) > 30 {
			t.Fatalf("%q became %q, then %q, %v", text, got, again, err)
		}
		if strings.Trim(string(got), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
			t.Fatalf("%q holds what no carrier prints", got)
		}
	})
}

func catalogue(t *testing.T) qc.Catalogue {
	t.Helper()
	data, err := os.ReadFile("../../assets/catalogue/flaws.json")
	if err != nil {
		t.Fatal(err)
	}
	c, err := qc.ParseCatalogue(data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseCatalogue(t *testing.T) {
	t.Parallel()
	file := func(flaws string) string {
		return `{"groups":[{"code":"H","en":"Surface"}],"reasons":[{"id":"quality"}],"flaws":[` + flaws + `]}`
	}
	good := `{"code":"H1","group":"H","reason":"quality","en":"Stain"}`
	if _, err := qc.ParseCatalogue([]byte(file(good))); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for name, text := range map[string]string{
		"no JSON":        "flaws",
		"code twice":     file(good + "," + good),
		"no code":        file(`{"group":"H"}`),
		"unknown group":  file(`{"code":"X1","group":"X"}`),
		"unknown reason": file(`{"code":"H2","group":"H","reason":"mood"}`),
	} {
		if _, err := qc.ParseCatalogue([]byte(text)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestCatalogue_Search(t *testing.T) {
	t.Parallel()
	c := catalogue(t)
	if all := c.Search(" "); len(all) != len(c.Kinds()) {
		t.Errorf("an empty search finds %d of %d", len(all), len(c.Kinds()))
	}
	for query, want := range map[string]qc.FlawCode{"h11": "H11", "鸳鸯鞋": "W08", "假冒品牌": "W06", "wrong COLOUR": "W02"} {
		hits := c.Search(query)
		if len(hits) == 0 || hits[0].Code != want {
			t.Errorf("%q finds %v first, want %s", query, hits, want)
		}
	}
	if hits := c.Search("no such flaw"); len(hits) != 0 {
		t.Errorf("nonsense finds %v", hits)
	}
	for _, kind := range c.Kinds() {
		if kind.EN == "" || kind.ZH == "" {
			t.Errorf("%s lacks a name", kind.Code)
		}
		if _, ok := c.Flaw(kind.Code); !ok {
			t.Errorf("%s is not found by its code", kind.Code)
		}
		if kind.Reason != "" {
			if _, ok := c.Reason(kind.Reason); !ok {
				t.Errorf("%s has no reason %s", kind.Code, kind.Reason)
			}
		}
	}
}

func TestSeverityIn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule       string
		in         qc.Severity
		wantA      qc.Severity
		wantB      qc.Severity
		wantHidden qc.Severity
	}{
		{"appearance", qc.Critical, qc.Critical, qc.Critical, qc.Critical},
		{"appearance", qc.Major, qc.Major, qc.Major, qc.Minor},
		{"appearance", qc.Minor, qc.Major, qc.Minor, qc.Observation},
		{"appearance", qc.Observation, qc.Minor, qc.Observation, qc.Observation},
		{"none", qc.Major, qc.Major, qc.Major, qc.Major},
		{"none", qc.Minor, qc.Minor, qc.Minor, qc.Minor},
	}
	for _, test := range tests {
		kind := qc.FlawKind{Severity: test.in, ZoneRule: test.rule}
		a, b, c := kind.SeverityIn(qc.ZoneA), kind.SeverityIn(qc.ZoneB), kind.SeverityIn(qc.ZoneC)
		if a != test.wantA || b != test.wantB || c != test.wantHidden {
			t.Errorf("%s %s: %s %s %s, want %s %s %s", test.rule, test.in, a, b, c, test.wantA, test.wantB, test.wantHidden)
		}
	}
}

func TestReviewPolicy_Waits(t *testing.T) {
	t.Parallel()
	euro, err := money.New(1, money.EUR)
	if err != nil {
		t.Fatal(err)
	}
	flag := func(s qc.Severity, unsure bool) qc.Finding {
		return qc.Finding{Verdict: qc.Flag, Unsure: unsure, Flaws: []qc.Flaw{{Severity: qc.Observation}, {Severity: s}}}
	}
	item := func(quantity int, price money.Amount) qc.Item { return qc.Item{Quantity: quantity, UnitPrice: price} }
	cheap := item(1, money.Fen(38900))
	usual := qc.DefaultReviewPolicy()
	tests := map[string]struct {
		policy  qc.ReviewPolicy
		finding qc.Finding
		item    qc.Item
		want    bool
	}{
		"minor and cheap":          {usual, flag(qc.Minor, false), cheap, false},
		"major and cheap":          {usual, flag(qc.Major, false), cheap, false},
		"critical":                 {usual, flag(qc.Critical, false), cheap, true},
		"unsure":                   {usual, flag(qc.Minor, true), cheap, true},
		"exactly at the limit":     {usual, flag(qc.Minor, false), item(1, money.Fen(100000)), false},
		"a fen above":              {usual, flag(qc.Minor, false), item(1, money.Fen(100001)), true},
		"above by quantity":        {usual, flag(qc.Minor, false), item(3, money.Fen(38900)), true},
		"value beyond all numbers": {usual, flag(qc.Minor, false), item(math.MaxInt32, money.Fen(math.MaxInt64)), true},
		"another currency":         {usual, flag(qc.Minor, false), item(1, euro), true},
		"nothing waits":            {qc.ReviewPolicy{}, flag(qc.Critical, true), item(1, money.Fen(math.MaxInt64)), false},
		"a pass never waits":       {usual, qc.Finding{Verdict: qc.Pass, Unsure: true}, item(9, money.Fen(100000)), false},
	}
	for name, test := range tests {
		if got := test.policy.Waits(test.finding, test.item); got != test.want {
			t.Errorf("%s: waits %v", name, got)
		}
	}
}

func TestFinding_Check(t *testing.T) {
	t.Parallel()
	item := qc.Item{ID: "1-1", Quantity: 2}
	good := func() qc.Finding {
		return qc.Finding{
			Verdict: qc.Flag, Photos: []qc.Photo{{ID: "p", Width: 100, Height: 50}},
			Flaws: []qc.Flaw{{ID: "f", Code: "H11", Severity: qc.Minor, Quantity: 2}},
			Marks: []qc.Mark{{ID: "m", Photo: "p", Flaw: "f", Tool: qc.Box, Points: []qc.Point{{}, {X: 100, Y: 50}}}},
		}
	}
	tests := map[string]struct {
		spoil func(*qc.Finding)
		want  error
	}{
		"nothing":            {func(*qc.Finding) {}, nil},
		"no photo":           {func(f *qc.Finding) { f.Photos = nil }, qc.ErrNoPhoto},
		"no flaw":            {func(f *qc.Finding) { f.Flaws, f.Marks = nil, nil }, qc.ErrNoFlaw},
		"flawed pass":        {func(f *qc.Finding) { f.Verdict = qc.Pass }, qc.ErrFlawOnPass},
		"pass with a remark": {func(f *qc.Finding) { f.Verdict = qc.Pass; f.Flaws[0].Severity = qc.Observation }, nil},
		"unknown code":       {func(f *qc.Finding) { f.Flaws[0].Code = "Z99" }, qc.ErrFlawCode},
		"unknown severity":   {func(f *qc.Finding) { f.Flaws[0].Severity = "BAD" }, qc.ErrFlawCode},
		"three of two":       {func(f *qc.Finding) { f.Flaws[0].Quantity = 3 }, qc.ErrFlawQuantity},
		"none of two":        {func(f *qc.Finding) { f.Flaws[0].Quantity = 0 }, qc.ErrFlawQuantity},
		"mark on no photo":   {func(f *qc.Finding) { f.Marks[0].Photo = "q" }, qc.ErrMarkElsewhere},
		"mark of no flaw":    {func(f *qc.Finding) { f.Marks[0].Flaw = "g" }, qc.ErrMarkElsewhere},
		"mark for itself":    {func(f *qc.Finding) { f.Marks[0].Flaw = "" }, nil},
		"mark beyond":        {func(f *qc.Finding) { f.Marks[0].Points[1].X = 100.5 }, qc.ErrMarkElsewhere},
		"mark nowhere":       {func(f *qc.Finding) { f.Marks[0].Points[1].Y = math.NaN() }, qc.ErrMarkElsewhere},
		"mark of one point":  {func(f *qc.Finding) { f.Marks[0].Points = f.Marks[0].Points[:1] }, qc.ErrMarkElsewhere},
		"unknown tool":       {func(f *qc.Finding) { f.Marks[0].Tool = "spiral" }, qc.ErrMarkElsewhere},
		"marks to the brim":  {func(f *qc.Finding) { f.Marks = slices.Repeat(f.Marks, qc.MaxMarks) }, nil},
		"too many marks":     {func(f *qc.Finding) { f.Marks = slices.Repeat(f.Marks, qc.MaxMarks+1) }, qc.ErrMarkCount},
	}
	for name, test := range tests {
		f := good()
		test.spoil(&f)
		if err := f.Check(item, catalogue(t)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestFinding_RoomForMarks(t *testing.T) {
	t.Parallel()
	trace := qc.Mark{Tool: qc.Freehand, Points: make([]qc.Point, qc.MaxPoints)}
	full := qc.Finding{Marks: slices.Repeat([]qc.Mark{trace}, qc.MaxAllPoints/qc.MaxPoints)}
	many := qc.Finding{Marks: make([]qc.Mark, qc.MaxMarks)}
	if full.RoomFor(1) || many.RoomFor(1) || !(qc.Finding{}).RoomFor(qc.MaxPoints) {
		t.Error("a finding holds too much or too little")
	}
	full.Photos, full.Verdict = []qc.Photo{{ID: "p"}}, qc.Pass
	full.Marks = append(full.Marks, trace)
	if err := full.Check(qc.Item{Quantity: 1}, catalogue(t)); !errors.Is(err, qc.ErrMarkCount) {
		t.Errorf("too many points: %v", err)
	}
}

func TestFinding_CheckCountsPoints(t *testing.T) {
	t.Parallel()
	item, flaws := qc.Item{ID: "1-1", Quantity: 1}, catalogue(t)
	for _, form := range qc.Forms() {
		for _, n := range []int{0, 1, 2, 3, 4, qc.MaxPoints, qc.MaxPoints + 1} {
			f := qc.Finding{
				Verdict: qc.Flag, Photos: []qc.Photo{{ID: "p", Width: 100, Height: 50}},
				Flaws: []qc.Flaw{{ID: "f", Code: "H11", Severity: qc.Minor, Quantity: 1}},
				Marks: []qc.Mark{{ID: "m", Photo: "p", Flaw: "f", Tool: form.Tool, Points: make([]qc.Point, n)}},
			}
			if form.Tool == qc.Text {
				f.Marks[0].Text = "words"
			}
			f.Photos[0].Redactions = f.Redactions("p")
			err := f.Check(item, flaws)
			if good := n >= form.Min && n <= form.Max; good != (err == nil) || !good && !errors.Is(err, qc.ErrMarkElsewhere) {
				t.Fatalf("%s of %d points: %v", form.Tool, n, err)
			}
		}
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	salt := []byte("sixteen bytes!!!")
	verifier, err := qc.HashPIN("2580", salt)
	if err != nil {
		t.Fatal(err)
	}
	if !qc.VerifySecret("2580", verifier) || qc.VerifySecret("2581", verifier) || qc.VerifySecret("", verifier) {
		t.Error("the right PIN is not the only one that opens")
	}
	other, err := qc.HashPIN("2580", []byte("another salt !!!"))
	if err != nil || other == verifier {
		t.Errorf("salt does not matter: %v", err)
	}
	for _, pin := range []string{"", "123", "1234567890123", "12a4", "１２３４", " 1234"} {
		if _, err := qc.HashPIN(pin, salt); !errors.Is(err, qc.ErrPINFormat) {
			t.Errorf("PIN %q: %v", pin, err)
		}
	}
	parts := strings.Split(verifier, "$")
	for name, spoil := range map[string]func(p []string){
		"other method":     func(p []string) { p[1] = "argon2i" },
		"other version":    func(p []string) { p[2] = "v=16" },
		"endless memory":   func(p []string) { p[3] = "m=4194304,t=2,p=1" },
		"endless passes":   func(p []string) { p[3] = "m=19456,t=2000000000,p=1" },
		"no threads":       func(p []string) { p[3] = "m=19456,t=2,p=0" },
		"no salt":          func(p []string) { p[4] = "" },
		"key cut to a bit": func(p []string) { p[5] = "AA" },
		"key not base64":   func(p []string) { p[5] = "***" },
	} {
		spoilt := append([]string(nil), parts...)
		spoil(spoilt)
		if qc.VerifySecret("2580", strings.Join(spoilt, "$")) {
			t.Errorf("%s still opens", name)
		}
	}
	if qc.VerifySecret("2580", "2580") || qc.VerifySecret("", "") {
		t.Error("a verifier that is none opens")
	}
	if qc.HashBadge(" b0012 ") != qc.HashBadge("B0012") || qc.HashBadge("B0012") == qc.HashBadge("B0013") {
		t.Error("badges are told apart by case or blanks, or not at all")
	}
}

func TestParseDigest(t *testing.T) {
	t.Parallel()
	good := qc.DigestOf([]byte("a"))
	if _, err := qc.ParseDigest(string(good)); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"", "ab", strings.ToUpper(string(good)), string(good) + "0", "../" + string(good[3:])} {
		if _, err := qc.ParseDigest(text); !errors.Is(err, qc.ErrDigest) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
