package central_test

import (
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
)

func (open opener) testTemplates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	all, err := w.Templates(t.Context())
	w.must(err)
	if len(all) != len(refund.FirstTemplates()) || all[0].Version != 1 {
		t.Fatalf("%d texts come with the program: %+v", len(all), all)
	}
	text := all[0]
	text.Version, text.By, text.At, text.Name.EN = 2, "lead7", noon.Add(time.Hour), "Changed"
	w.must(w.SaveTemplate(t.Context(), text))
	wantErr(t, w.SaveTemplate(t.Context(), text), central.ErrTemplateMoved) // somebody else was quicker
	text.Version, text.Text.ZH = 3, "{nonsense}"
	wantErr(t, w.SaveTemplate(t.Context(), text), refund.ErrTemplateField)

	again, err := w.Templates(t.Context())
	w.must(err)
	versions, err := w.TemplateVersions(t.Context(), text.ID)
	w.must(err)
	if len(again) != len(all) || again[0].Name.EN != "Changed" || len(versions) != 2 || versions[1] != all[0] {
		t.Errorf("latest %+v, versions %+v", again[0], versions)
	}
	w.sound()
}

func (open opener) testLetters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, open)
	c := w.visible("20481-2")
	letter := refund.Letter{ID: "l1", Case: c.ID, For: refund.ToSeller, Language: "zh", Template: "seller-claim", Version: 1, Text: "您好", By: "clerk3", At: noon}
	w.must(w.KeepLetter(t.Context(), letter))
	w.must(w.KeepLetter(t.Context(), letter))
	d, err := w.Dossier(t.Context(), c.ID)
	w.must(err)
	if len(d.Letters) != 1 || d.Letters[0] != letter {
		t.Errorf("letters %+v", d.Letters)
	}
	if now := w.only(); now.Version != c.Version || !now.ChangedAt.Equal(c.ChangedAt) {
		t.Error("a letter has moved the case, and with it the clocks")
	}
	letter.ID, letter.Case = "l2", "K-0"
	wantErr(t, w.KeepLetter(t.Context(), letter), qc.ErrNotFound)
	w.sound()
}
