package assets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

type flawRow struct {
	Code      string   `json:"code"`
	Group     string   `json:"group"`
	En        string   `json:"en"`
	Zh        string   `json:"zh"`
	ZhFloor   []string `json:"zh_floor"`
	Severity  string   `json:"severity"`
	ZoneRule  string   `json:"zone_rule"`
	SizeRule  *bool    `json:"size_rule"`
	Reason    string   `json:"reason"`
	Liability string   `json:"liability"`
	Internal  *bool    `json:"internal"`
	NoteEn    string   `json:"note_en"`
	NoteZh    string   `json:"note_zh"`
}

type namedRow struct {
	Code string `json:"code"`
	ID   string `json:"id"`
	En   string `json:"en"`
	Zh   string `json:"zh"`
}

func readCatalogue(t *testing.T) (groups, reasons []namedRow, flaws []flawRow) {
	t.Helper()
	var file struct {
		Version int        `json:"version"`
		Groups  []namedRow `json:"groups"`
		Reasons []namedRow `json:"reasons"`
		Flaws   []flawRow  `json:"flaws"`
	}
	decoder := json.NewDecoder(bytes.NewReader(FlawCatalogue()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	if file.Version != 1 {
		t.Fatalf("catalogue version %d, want 1", file.Version)
	}
	return file.Groups, file.Reasons, file.Flaws
}

func TestCatalogue_EveryFlawIsComplete(t *testing.T) {
	t.Parallel()
	groups, reasons, flaws := readCatalogue(t)
	known := map[string]bool{}
	for _, row := range append(groups, reasons...) {
		key := row.Code + row.ID
		if key == "" || row.En == "" || row.Zh == "" || known[key] {
			t.Errorf("group or reason %+v is empty or doubled", row)
		}
		known[key] = true
	}
	seen := map[string]bool{}
	for _, f := range flaws {
		if seen[f.Code] {
			t.Errorf("%s is there twice", f.Code)
		}
		seen[f.Code] = true
		if f.En == "" || f.Zh == "" || f.ZhFloor == nil || f.SizeRule == nil || f.Internal == nil {
			t.Errorf("%s lacks a field: %+v", f.Code, f)
			continue
		}
		if !known[f.Group] || !strings.HasPrefix(f.Code, f.Group) {
			t.Errorf("%s is in group %q", f.Code, f.Group)
		}
		if !known[f.Reason] {
			t.Errorf("%s has the unknown reason %q", f.Code, f.Reason)
		}
		for field, words := range map[string][2]string{
			"severity":  {f.Severity, "CR MAJ MIN OBS"},
			"zone rule": {f.ZoneRule, "none appearance"},
			"liability": {f.Liability, "seller agent carrier"},
		} {
			if !slices.Contains(strings.Fields(words[1]), words[0]) {
				t.Errorf("%s: %q is not a %s", f.Code, words[0], field)
			}
		}
		if (f.NoteEn == "") != (f.NoteZh == "") {
			t.Errorf("%s has a note in one language only", f.Code)
		}
		if *f.Internal != (f.Group == "N") {
			t.Errorf("%s: internal is %v", f.Code, *f.Internal)
		}
		if han.MatchString(f.En) || !han.MatchString(f.Zh) {
			t.Errorf("%s: %q and %q are in the wrong places", f.Code, f.En, f.Zh)
		}
		// A critical flaw is never softened, so neither rule may touch it; and
		// a size limit means nothing where the zone does not count.
		if *f.SizeRule && f.ZoneRule != "appearance" || f.Severity == "CR" && f.ZoneRule != "none" {
			t.Errorf("%s: %s with zone rule %s and size rule %v", f.Code, f.Severity, f.ZoneRule, *f.SizeRule)
		}
		if strings.Contains("WQSKCN", f.Group) && f.ZoneRule != "none" {
			t.Errorf("%s is not about looks, yet zones shift it", f.Code)
		}
	}
}

// Codes are printed on evidence and stored for years: none may vanish or move.
func TestCatalogue_HoldsEveryCodeWithoutGaps(t *testing.T) {
	t.Parallel()
	groups, _, flaws := readCatalogue(t)
	want := map[string]int{"W": 10, "Q": 6, "S": 5, "F": 24, "T": 18, "P": 10, "H": 19, "B": 12, "E": 14, "K": 6, "C": 4, "N": 4}
	codes := map[string]bool{}
	total := 0
	for _, f := range flaws {
		codes[f.Code] = true
	}
	for _, g := range groups {
		for n := 1; n <= want[g.Code]; n++ {
			if code := fmt.Sprintf("%s%02d", g.Code, n); !codes[code] {
				t.Errorf("%s is missing", code)
			}
		}
		total += want[g.Code]
	}
	if len(groups) != len(want) || len(flaws) != total {
		t.Errorf("%d groups and %d flaws, want %d and %d", len(groups), len(flaws), len(want), total)
	}
}

// The marketplaces compare the reason as a string, so each must be exact.
func TestCatalogue_ReasonsAreTheMarketplacesOwnWords(t *testing.T) {
	t.Parallel()
	_, reasons, _ := readCatalogue(t)
	want := strings.Split("7天无理由退换货|大小/尺寸与商品描述不符|颜色/图案/款式不符|材质与描述不符|做工粗糙/有瑕疵|质量问题|卖家发错货|"+
		"少件/漏发（含缺少配件）|包装/商品破损/污渍/裂痕/变形|生产日期/保质期不符|假冒品牌|空包裹|快递/物流一直未送到|货物破损已拒签|退运费|其他", "|")
	if len(reasons) != len(want) {
		t.Fatalf("%d reasons, want %d", len(reasons), len(want))
	}
	for i, reason := range reasons {
		if reason.Zh != want[i] {
			t.Errorf("reason %s is %q, want %q", reason.ID, reason.Zh, want[i])
		}
	}
}
