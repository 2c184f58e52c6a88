package web

import (
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// editors change the texts of the desk.
var editors = []qc.Role{qc.Lead, qc.Administrator}

// mayEdit reports whether the session may change the texts of the desk.
func (s session) mayEdit() bool { return s.Holds(editors...) }

// textsView lists the texts of the desk.
type textsView struct {
	frame
	Sellers, Others, Retired []textRow
	MayEdit                  bool
	Notice                   string
}

// textRow is one text of the list.
type textRow struct {
	Href, Name, Excerpt string
	Version             int
	Changed, By         string
}

// textView is one text: to read, or to change.
type textView struct {
	frame
	Text     refund.Template
	New      bool
	MayEdit  bool
	Fields   []string
	Previews []letterPreview
	Versions []textRow
	Problem  string
	At       string // name of the field that the problem is about; empty: none
	Action   string
}

// letterPreview is a text filled with example values.
type letterPreview struct{ Language, Spoken, Text string }

func (p *Pages) deskTexts(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	all, err := p.Store.Templates(r.Context())
	if err != nil {
		p.failed(w, r, "texts", err)
		return
	}
	s := p.deskSpeech(r)
	page := textsView{frame: p.deskFrame(r, s, who, "texts", s.T("web.texts.title")), MayEdit: who.mayEdit(), Notice: s.notice(r)}
	for _, t := range all {
		row := s.textRow(t)
		switch {
		case t.Retired:
			page.Retired = append(page.Retired, row)
		case t.For == refund.ToSeller:
			page.Sellers = append(page.Sellers, row)
		default:
			page.Others = append(page.Others, row)
		}
	}
	p.render(w, r, http.StatusOK, "texts", page)
}

func (s speech) textRow(t refund.Template) textRow {
	text := t.Text.In(s.Language())
	if t.For == refund.ToSeller {
		text = t.Text.ZH
	}
	row := textRow{
		Href: "/desk/texts/" + url.PathEscape(t.ID), Name: t.Name.In(s.Language()), Excerpt: text, Version: t.Version,
		By: s.T("role.system"),
	}
	if !t.At.IsZero() {
		row.Changed = s.at(t.At).Text
	}
	if t.By != "" {
		row.By = s.person(t.By)
	}
	return row
}

// newText is the address of a text that is not there yet.
const newText = "new"

var textID = regexp.MustCompile(`^[a-z0-9-]{1,60}$`)

func (p *Pages) deskText(w http.ResponseWriter, r *http.Request, who session) {
	if p.languageChosen(w, r, "/desk") {
		return
	}
	id := r.PathValue("text")
	text := refund.Template{ID: id, For: refund.ToSeller}
	if id != newText {
		versions, err := p.Store.TemplateVersions(r.Context(), id)
		switch {
		case err != nil:
			p.failed(w, r, "text", err)
			return
		case len(versions) == 0:
			p.nothingHere(w, r)
			return
		}
		text = versions[0]
	}
	p.showText(w, r, who, text, http.StatusOK, "", "")
}

func (p *Pages) showText(w http.ResponseWriter, r *http.Request, who session, text refund.Template, status int, problem, at string) {
	s := p.deskSpeech(r)
	page := textView{
		frame: p.deskFrame(r, s, who, "text", s.T("web.texts.title")), Text: text, New: text.ID == newText, MayEdit: who.mayEdit(),
		Fields: refund.LetterFields(), Action: "/desk/texts/" + url.PathEscape(text.ID), Problem: problem, At: at,
	}
	if text.ID != newText {
		versions, err := p.Store.TemplateVersions(r.Context(), text.ID)
		if err != nil {
			p.failed(w, r, "text", err)
			return
		}
		for _, version := range versions {
			page.Versions = append(page.Versions, s.textRow(version))
		}
	}
	for _, language := range []string{"zh", "en"} {
		if filled, _ := refund.Fill(text.Text.In(language), p.exampleValues(language)); strings.TrimSpace(filled) != "" &&
			(language == "zh" || text.For == refund.ToCustomer) {
			page.Previews = append(page.Previews, letterPreview{language, s.T("language." + language), filled})
		}
	}
	page.Languages = nil // after a refusal the address is no page of its own
	if r.Method == http.MethodGet {
		page.Languages = p.frame(r, s, "text", "").Languages
	}
	p.render(w, r, status, "text", page)
}

// exampleValues fills a text for those who write it.
func (p *Pages) exampleValues(language string) map[string]string {
	words := p.Words[language]
	values := map[string]string{}
	for _, field := range refund.LetterFields() {
		values[field] = words.Text("web.example." + field)
	}
	return values
}

// deskTextSave keeps a new version of a text, or shows how it would read.
func (p *Pages) deskTextSave(w http.ResponseWriter, r *http.Request, who session) {
	form, ok := p.formOf(w, r, maxLetterForm)
	if !ok {
		return
	}
	if !who.mayEdit() {
		p.sorry(w, r, http.StatusForbidden, "error.not_allowed")
		return
	}
	version, err := strconv.Atoi(form.Get("version"))
	id := r.PathValue("text")
	if err != nil || version < 0 || !textID.MatchString(id) {
		p.sorry(w, r, http.StatusBadRequest, "error.field_missing")
		return
	}
	plainText := func(name string) string { return unixLines(form.Get(name)) }
	text := refund.Template{
		ID: id, Version: version, For: refund.Reader(form.Get("for")), By: who.ID, At: p.Now(), Retired: form.Get("retired") != "",
		Name: qc.Bilingual{EN: plainText("name_en"), ZH: plainText("name_zh")},
		Text: qc.Bilingual{EN: plainText("text_en"), ZH: plainText("text_zh")},
	}
	written := text // also in a language in which it is not sent
	if text.For == refund.ToSeller {
		text.Text.EN = ""
	}
	s := p.deskSpeech(r)
	if err := text.Check(); err != nil {
		p.showText(w, r, who, written, http.StatusUnprocessableEntity, s.T("error."+err.Error(), "field", text.Unknown()), textFault(text))
		return
	}
	if form.Get("preview") != "" {
		p.showText(w, r, who, written, http.StatusOK, "", "")
		return
	}
	saved := text
	saved.Version++
	if id == newText {
		// The same text sent twice is one text.
		saved.ID = "text-" + hex.EncodeToString(p.sign("text", string(who.ID), text.Name.ZH, text.Text.ZH, text.Text.EN)[:6])
	}
	switch err := p.Store.SaveTemplate(r.Context(), saved); {
	case errors.Is(err, ErrTemplateMoved) && id == newText: // it is there already
		back(w, r, "/desk/texts", "web.notice.done")
	case errors.Is(err, ErrTemplateMoved):
		p.showText(w, r, who, written, http.StatusConflict, s.T("web.texts.moved"), "")
	case err != nil:
		p.failed(w, r, "save text", err)
	default:
		back(w, r, "/desk/texts", "web.notice.done")
	}
}

// textFault names the field of the form for which a text that
// [refund.Template.Check] refuses cannot be kept.
func textFault(t refund.Template) string {
	sound := refund.Template{For: t.For, Name: qc.Bilingual{EN: "-", ZH: "-"}, Text: qc.Bilingual{EN: "-", ZH: "-"}}
	for _, field := range []struct {
		name string
		with func(*refund.Template)
	}{
		{"for", func(*refund.Template) {}},
		{"name_zh", func(s *refund.Template) { s.Name.ZH = t.Name.ZH }},
		{"name_en", func(s *refund.Template) { s.Name.EN = t.Name.EN }},
		{"text_zh", func(s *refund.Template) { s.Text.ZH = t.Text.ZH }},
		{"text_en", func(s *refund.Template) { s.Text.EN = t.Text.EN }},
	} {
		one := sound
		if field.with(&one); one.Check() != nil {
			return field.name
		}
	}
	return ""
}
