package refund_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
)

const policies = "../../assets/policies"

func readPolicies(t testing.TB) refund.Policies {
	t.Helper()
	all, err := refund.ReadPolicies(os.DirFS(policies))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func readCatalogue(t testing.TB) qc.Catalogue {
	t.Helper()
	data, err := os.ReadFile("../../assets/catalogue/flaws.json")
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := qc.ParseCatalogue(data)
	if err != nil {
		t.Fatal(err)
	}
	return catalogue
}

func TestReadPolicies_RefusesWhatCannotBeKept(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile(policies + "/1.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"a time that is none":       {`"decide_within": "72h"`, `"decide_within": "soon"`},
		"a time that never passes":  {`"pay_within": "240h"`, `"pay_within": "0s"`},
		"a time left out":           {`"pay_within": "240h",`, ``},
		"a field nobody knows":      {`"max_offers": 5`, `"max_offers": 5, "min_offers": 1`},
		"another version":           {`"version": 1`, `"version": 2`},
		"no beginning":              {`"valid_from": "2026-01-01T00:00:00Z",`, ``},
		"a negative sum":            {`"service": "5.00"`, `"service": "-5.00"`},
		"half a fen":                {`"service": "5.00"`, `"service": "5.001"`},
		"an unknown fee":            {`["freight_back", "service"]`, `["freight_back", "tip"]`},
		"a liability without fees":  {`"carrier": [],`, ``},
		"a liability without place": {`"minor", "customer"]`, `"minor"]`},
		"a flaw nobody answers for": {`["MIN"]`, `["MAJ"]`},
		"an unknown severity":       {`"CR", "MAJ"`, `"CR", "BAD"`},
		"an unknown liability":      {`"then": "minor"`, `"then": "nobody"`},
		"no rounds":                 {`"free_photo_rounds": 3`, `"free_photo_rounds": 0`},
		"longer than it may be":     {`"decide_at_least": "6h"`, `"decide_at_least": "73h"`},
	} {
		bad := strings.Replace(string(good), change[0], change[1], 1)
		if bad == string(good) {
			t.Fatalf("%s: %s is not in the file", name, change[0])
		}
		_, err := refund.ReadPolicies(fstest.MapFS{"1.json": {Data: []byte(bad)}})
		if !errors.Is(err, refund.ErrPolicy) {
			t.Errorf("%s: %v", name, err)
		}
	}
	later := strings.NewReplacer(`"version": 1`, `"version": 2`, "2026-01-01", "2027-01-01").Replace(string(good))
	for name, files := range map[string]fs.FS{
		"none":          fstest.MapFS{},
		"a gap":         fstest.MapFS{"1.json": {Data: good}, "3.json": {Data: []byte(later)}},
		"out of order":  fstest.MapFS{"1.json": {Data: good}, "2.json": {Data: []byte(strings.ReplaceAll(later, "2027", "2025"))}},
		"the same time": fstest.MapFS{"1.json": {Data: good}, "2.json": {Data: []byte(strings.ReplaceAll(later, "2027", "2026"))}},
	} {
		if _, err := refund.ReadPolicies(files); !errors.Is(err, refund.ErrPolicy) {
			t.Errorf("%s: %v", name, err)
		}
	}
	both, err := refund.ReadPolicies(fstest.MapFS{"1.json": {Data: good}, "2.json": {Data: []byte(later)}})
	if err != nil || both.At(noon).Version != 1 || both.At(noon.AddDate(1, 0, 0)).Version != 2 || both.At(time.Time{}).Version != 1 {
		t.Errorf("two versions: %v", err)
	}
}

// The rules that are data now say what the code said before.
func TestPolicies_TheFirstIsTheOriginal(t *testing.T) {
	t.Parallel()
	terms := readPolicies(t)[0]
	for _, liability := range []refund.Liability{"", refund.BySellerFault, refund.ByMinorFlaw, refund.ByAgentFault, refund.ByCarrierFault, refund.ByCustomerWish} {
		o := opening()
		o.Liability = liability
		before := open(t, o)
		o.Terms = &terms
		now := open(t, o)
		was, err := before.Sheet()
		if err != nil {
			t.Fatal(err)
		}
		is, err := now.Sheet()
		if err != nil {
			t.Fatal(err)
		}
		for i := range was {
			if was[i].Net != is[i].Net {
				t.Errorf("%s, %s: %s, was %s", liability, is[i].Decision, is[i].Net, was[i].Net)
			}
		}
		if !before.DecideBy.Equal(now.DecideBy) || now.Policy != 1 {
			t.Errorf("decide by %s under version %d, was %s", now.DecideBy, now.Policy, before.DecideBy)
		}
		for _, status := range refund.Statuses() {
			before.Status, now.Status = status, status
			was, kindWas, runs := before.Timer()
			is, kindIs, stillRuns := now.Timer()
			if !was.Equal(is) || kindWas != kindIs || runs != stillRuns {
				t.Errorf("in %s the clock does %s at %s, did %s at %s", status, kindIs, is, kindWas, was)
			}
		}
	}
}

// A case keeps the rules it was opened under, also where they are of a version
// that this program does not know.
func TestPolicies_ACaseKeepsItsOwn(t *testing.T) {
	t.Parallel()
	terms := readPolicies(t)[0]
	terms.Version, terms.DecideWithin, terms.ServiceFee = 99, 10*time.Hour, money.Fen(9_00)
	o := opening()
	o.Terms, o.Liability = &terms, refund.ByMinorFlaw
	c := open(t, o)
	sheet, err := c.Sheet()
	if err != nil || c.Policy != 99 || !c.DecideBy.Equal(noon.Add(10*time.Hour)) || sheet[1].Net != money.Fen(40100-1200-900) {
		t.Errorf("opened under %d, decide by %s, sheet %+v, %v", c.Policy, c.DecideBy, sheet, err)
	}
}

// TestPolicy_Liability says who answers for which flaws.
func TestPolicy_Liability(t *testing.T) {
	t.Parallel()
	terms, catalogue := readPolicies(t)[0], readCatalogue(t)
	flaw := func(code qc.FlawCode, severity qc.Severity) qc.Flaw {
		return qc.Flaw{ID: qc.FlawID(code), Code: code, Severity: severity, Zone: qc.ZoneB, Quantity: 1}
	}
	for name, test := range map[string]struct {
		flaws []qc.Flaw
		want  refund.Liability
	}{
		"a small one":               {[]qc.Flaw{flaw("T01", qc.Minor)}, refund.ByMinorFlaw},
		"a remark":                  {[]qc.Flaw{flaw("F24", qc.Observation)}, refund.ByMinorFlaw},
		"a grave one":               {[]qc.Flaw{flaw("F01", qc.Major)}, refund.BySellerFault},
		"the wrong thing":           {[]qc.Flaw{flaw("W01", qc.Critical)}, refund.BySellerFault},
		"bought wrong by us":        {[]qc.Flaw{flaw("W09", qc.Critical)}, refund.ByAgentFault},
		"crushed on the way":        {[]qc.Flaw{flaw("K02", qc.Major)}, refund.ByCarrierFault},
		"small and grave":           {[]qc.Flaw{flaw("T01", qc.Minor), flaw("F01", qc.Major)}, refund.BySellerFault},
		"ours, and small of theirs": {[]qc.Flaw{flaw("T01", qc.Minor), flaw("W09", qc.Critical)}, refund.ByAgentFault},
		"ours, and grave of theirs": {[]qc.Flaw{flaw("W09", qc.Critical), flaw("F01", qc.Major)}, refund.BySellerFault},
		"damaged by us":             {[]qc.Flaw{flaw("N01", qc.Major)}, refund.ByAgentFault},
		"a note for the house":      {[]qc.Flaw{flaw("N02", qc.Observation)}, ""},
		"nothing":                   {nil, ""},
		"small, in a crushed box":   {[]qc.Flaw{flaw("K01", qc.Observation), flaw("T01", qc.Minor)}, refund.ByMinorFlaw},
	} {
		if got := terms.Liability(qc.Finding{Flaws: test.flaws}, catalogue); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
