package refund_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"flawmark/app/qc"
	"flawmark/app/refund"

	"github.com/google/go-cmp/cmp"
)

func TestFirstTemplates_CanBeKept(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, template := range refund.FirstTemplates() {
		if err := template.Check(); err != nil || seen[template.ID] {
			t.Errorf("%s: %v, its id is taken: %v", template.ID, err, seen[template.ID])
		}
		seen[template.ID] = true
	}
}

func TestTemplate_Check(t *testing.T) {
	t.Parallel()
	good := refund.FirstTemplates()[0]
	with := func(change func(*refund.Template)) refund.Template {
		changed := good
		change(&changed)
		return changed
	}
	for name, c := range map[string]struct {
		template refund.Template
		want     error
	}{
		"good":                    {good, nil},
		"no name":                 {with(func(t *refund.Template) { t.Name.EN = " " }), refund.ErrTemplateEmpty},
		"no text":                 {with(func(t *refund.Template) { t.Text.ZH = "" }), refund.ErrTemplateEmpty},
		"customers read English":  {with(func(t *refund.Template) { t.For = refund.ToCustomer }), refund.ErrTemplateEmpty},
		"for nobody":              {with(func(t *refund.Template) { t.For = "" }), refund.ErrTemplateEmpty},
		"a field that is none":    {with(func(t *refund.Template) { t.Text.ZH = "{item} {pasword}" }), refund.ErrTemplateField},
		"braces that are no word": {with(func(t *refund.Template) { t.Text.ZH = "{} {a b}" }), refund.ErrTemplateField},
		"too long":                {with(func(t *refund.Template) { t.Text.ZH = strings.Repeat("长", refund.MaxLetter+1) }), refund.ErrTemplateLong},
		"a long name":             {with(func(t *refund.Template) { t.Name.ZH = strings.Repeat("长", refund.MaxTemplateName+1) }), refund.ErrTemplateLong},
	} {
		if err := c.template.Check(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	got, lack := refund.Fill("{item}: {amount}, {deadline}, {deadline}; {item}", map[string]string{"item": "鞋{amount}", "amount": "¥1.00"})
	if got != "鞋{amount}: ¥1.00, {deadline}, {deadline}; 鞋{amount}" || !slices.Equal(lack, []string{"{deadline}"}) {
		t.Errorf("%q lacks %q", got, lack)
	}
}

func TestProofs(t *testing.T) {
	t.Parallel()
	f := qc.Finding{
		Photos: []qc.Photo{{ID: "p", Scale: qc.Scale{MMPerPixel: 0.1}}},
		Flaws: []qc.Flaw{
			{ID: "size", Code: "S01"},
			{ID: "wrong", Code: "W01"},
			{ID: "ours", Code: "W09"}, // bought wrong by us: nothing to claim
			{ID: "house", Code: "N01"},
		},
		Marks: []qc.Mark{{Photo: "p", Flaw: "size"}},
	}
	want := []refund.Proof{
		{"size", refund.Overview, refund.Lacks},
		{"size", refund.CloseUp, refund.Has},
		{"size", refund.Ruler, refund.Has},
		{"wrong", refund.Overview, refund.Lacks},
		{"wrong", refund.CloseUp, refund.Lacks},
		{"wrong", refund.Label, refund.LookSelf},
		{"wrong", refund.AsListed, refund.Lacks},
	}
	if diff := cmp.Diff(want, refund.Proofs(f, qc.Item{}, flaws(t))); diff != "" {
		t.Error(diff)
	}
	f.Photos = append(f.Photos, qc.Photo{ID: "q"})
	f.Photos[0].Scale = qc.Scale{}
	after := refund.Proofs(f, qc.Item{ListingPhoto: "d"}, flaws(t))
	if after[0].Have != refund.Has || after[2].Have != refund.Lacks || after[6].Have != refund.Has {
		t.Errorf("with a second photo, a listing and no scale: %+v", after)
	}
}

func flaws(t *testing.T) qc.Catalogue {
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
