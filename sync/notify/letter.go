package notify

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// letter is one notice with what it is about.
type letter struct {
	notice refund.Notice
	about  Subject
}

// urgency ranks what asks for something above what only tells.
func (l letter) urgency() int {
	if l.notice.Kind.Asks() {
		return 1
	}
	return 0
}

// Letter is a mail as it is read, before it is put into an envelope. Its text
// says everything that its HTML says.
type Letter struct {
	Subject string
	Text    string
	HTML    string
	Stop    string // address at which mails of its kind are ended; empty: they cannot be
}

// mail writes to the customer about one case, or about several in one.
func (s *Sender) mail(ctx context.Context, id string, letters []letter) error {
	to := letters[0].about.Customer
	if err := checkAddress(to.Email); err != nil {
		return err
	}
	links := make(map[qc.OrderID]string)
	for _, l := range letters {
		order := l.about.Case.Order
		if _, known := links[order]; known {
			continue
		}
		link, err := s.Link(ctx, order)
		if err != nil {
			return errors.Join(Trouble{Key: "notice.problem.internal"}, err)
		}
		links[order] = link
	}
	stop, err := s.stopFor(ctx, to.ID, letters)
	if err != nil {
		return err
	}
	written, err := write(s.Words(to.Language), letters, links, stop)
	if err != nil {
		return err
	}
	return s.Mail.Send(ctx, id, to.Email, written)
}

// stopFor returns where the customer ends mails such as this one; empty where it
// says anything that they have to know.
func (s *Sender) stopFor(ctx context.Context, customer qc.CustomerID, letters []letter) (string, error) {
	if slices.ContainsFunc(letters, func(l letter) bool { return !l.notice.Kind.Progress() }) {
		return "", nil
	}
	stop, err := s.Stop(ctx, customer)
	if err != nil {
		return "", errors.Join(Trouble{Key: "notice.problem.internal"}, err)
	}
	return stop, nil
}

// chapter is what is said about one order: of each case something, and at the
// end the one way to all of it.
type chapter struct {
	Parts   []paragraph
	Link    string
	LinkSay string
	Asks    bool // something is to be chosen there
}

// paragraph is what is said about one case.
type paragraph struct {
	Title   string // the item
	Variant string
	What    string // what happened
	Then    string // what happens if nothing is done, and by when
	Asks    bool
}

// write puts the notices into words.
func write(words Words, letters []letter, links map[qc.OrderID]string, stop string) (Letter, error) {
	chapters := chaptersOf(words, letters, links)
	letter := Letter{Subject: subject(words, letters), Stop: stop}
	hello := words.Text("notice.hello.nobody")
	if name := oneLine(letters[0].about.Customer.Name); name != "" {
		hello = words.Text("notice.hello", "name", name)
	}
	why := words.Text("notice.footer")
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n\n", hello)
	for _, c := range chapters {
		for _, p := range c.Parts {
			title := p.Title
			if p.Variant != "" {
				title += " · " + p.Variant
			}
			fmt.Fprintf(&text, "%s\n%s\n%s\n\n", title, p.What, p.Then)
		}
		fmt.Fprintf(&text, "%s\n%s\n\n", c.LinkSay, c.Link)
	}
	fmt.Fprintf(&text, "-- \n%s\n", why)
	if stop != "" {
		fmt.Fprintf(&text, "\n%s\n%s\n", words.Text("notice.stop"), stop)
	}
	letter.Text = text.String()
	var html strings.Builder
	language := words.Text("notice.language")
	if language == "zh" {
		language = "zh-Hans"
	}
	err := page.Execute(&html, map[string]any{
		"Language": language, "Subject": letter.Subject, "Hello": hello, "Chapters": chapters, "Why": why,
		"Stop": stop, "StopSay": words.Text("notice.stop"),
		"First": chapters[0].Parts[0].What + " " + chapters[0].Parts[0].Then,
	})
	if err != nil {
		return letter, fmt.Errorf("write mail: %w", err)
	}
	letter.HTML = html.String()
	return letter, nil
}

// chaptersOf sorts what is to be said by order, each where it comes up first.
func chaptersOf(words Words, letters []letter, links map[qc.OrderID]string) []chapter {
	var chapters []chapter
	at := make(map[qc.OrderID]int)
	for _, l := range letters {
		order := l.about.Case.Order
		i, known := at[order]
		if !known {
			i = len(chapters)
			at[order] = i
			chapters = append(chapters, chapter{
				Link: links[order], LinkSay: words.Text("notice.link", "order", oneLine(string(order))),
			})
		}
		p := say(words, l)
		chapters[i].Parts = append(chapters[i].Parts, p)
		chapters[i].Asks = chapters[i].Asks || p.Asks
	}
	return chapters
}

// subject says the most pressing first: by when something is to be chosen.
func subject(words Words, letters []letter) string {
	first := letters[0]
	if len(letters) == 1 {
		return words.Text("notice.subject."+string(first.notice.Kind), first.pairs(words)...)
	}
	var by time.Time
	var orders []string
	for _, l := range letters {
		if end := l.by(); l.notice.Kind.Asks() && !end.IsZero() && (by.IsZero() || end.Before(by)) {
			by = end
		}
		if order := string(l.about.Case.Order); !slices.Contains(orders, order) {
			orders = append(orders, order)
		}
	}
	key, about := "notice.subject.digest", "notice.orders"
	if !by.IsZero() {
		key += "_asks"
	}
	if len(orders) == 1 {
		about += ".one"
	}
	return words.Text(key, "n", strconv.Itoa(len(letters)), "until", first.when(by, words).short,
		"orders", words.Text(about, "orders", oneLine(strings.Join(orders, ", "))))
}

func say(words Words, l letter) paragraph {
	n, pairs := l.notice, l.pairs(words)
	p := paragraph{
		Title: l.title(words), Variant: oneLine(l.about.Item.Variant.In(words.Text("notice.language"))), Asks: n.Kind.Asks(),
		What: words.Text("notice.what."+string(n.Kind), pairs...),
		Then: words.Text("notice.then."+string(n.Kind), pairs...),
	}
	if n.Snapshot.Memo != 0 {
		p.What += words.Text("notice.memo", "memo", n.Snapshot.Memo.String())
	}
	return p
}

// pairs are what the sentences about a notice are filled with.
func (l letter) pairs(words Words) []string {
	c := l.notice.Snapshot
	offered, by := "", l.when(l.by(), words)
	if c.Offer != nil {
		offered = c.Offer.Amount.String()
	}
	return []string{
		"item", l.title(words), "order", oneLine(string(c.Order)),
		"by", by.long, "until", by.short, "amount", offered, "credited", c.Credited.String(),
		"rule", words.Text("rule." + string(c.Rule)), "waybill", oneLine(strings.TrimSpace(c.Carrier + " " + string(c.ReturnWaybill))),
		"found", l.found(words), "now", words.Text("status.meaning." + string(c.Status)),
	}
}

// by is when what is asked for happens by itself; zero: nothing does.
func (l letter) by() time.Time {
	switch c := l.notice.Snapshot; {
	case l.notice.Kind == refund.TellOffer && c.Offer != nil:
		return c.Offer.ExpiresAt
	case l.notice.Kind == refund.TellRefused:
		by, _, _ := l.about.Case.Timer()
		return by
	default:
		return c.DecideBy
	}
}

// mostFound is how many flaws a mail names: the page shows them all.
const mostFound = 3

// found names the flaws, in a sentence of its own.
func (l letter) found(words Words) string {
	if len(l.about.Found) == 0 {
		return ""
	}
	var names []string
	for i, name := range l.about.Found {
		if i == mostFound {
			names = append(names, "…")
			break
		}
		names = append(names, oneLine(name.In(words.Text("notice.language"))))
	}
	return words.Text("notice.found", "flaws", strings.Join(names, words.Text("notice.between")))
}

// title names what the letter is about: an item, or the whole order.
func (l letter) title(words Words) string {
	if l.about.Item.ID == "" {
		return words.Text("notice.whole_order", "order", oneLine(string(l.about.Case.Order)))
	}
	return oneLine(l.about.Item.Title.In(words.Text("notice.language")))
}

// told is a time as it is said: in full, and short for a subject.
type told struct{ long, short string }

// when says a time as it is where the customer lives, in the manner of their
// language.
func (l letter) when(at time.Time, words Words) told {
	if at.IsZero() {
		return told{"–", "–"}
	}
	where, err := time.LoadLocation(l.about.Customer.TimeZone)
	if err != nil || l.about.Customer.TimeZone == "Local" {
		where = time.UTC
	}
	at = at.In(where)
	if words.Text("notice.language") == "zh" {
		return told{at.Format("2006年1月2日 15:04") + "（" + qc.Offset(at) + "）", at.Format("1月2日 15:04")}
	}
	return told{at.Format("Mon 2 Jan 2006, 15:04") + " (" + qc.Offset(at) + ")", at.Format("2 Jan, 15:04")}
}

// oneLine keeps foreign text from making lines of its own, and from turning what
// stands after it around.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029':
			return ' '
		case r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, text)), " ")
	if runes := []rune(text); len(runes) > 120 {
		return string(runes[:119]) + "…"
	}
	return text
}

// page is the HTML of a mail. Its looks are within it: readers of mail load no
// styles, and some know only what stands at the element itself. The dark scheme
// is for those that know more.
var page = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="{{.Language}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark"><title>{{.Subject}}</title>
<style>
@media (prefers-color-scheme: dark) {
  body { background: #141414 !important; color: #ececec !important }
  .sheet { background: #1f1f1f !important; border-color: #3b3b3b !important }
  .asks { border-color: #ff8575 !important }
  .soft { color: #adadad !important }
  .part { border-color: #3b3b3b !important }
  .way { color: #ececec !important; border-color: #8c8c8c !important }
  .way.now { background: #f2695b !important; border-color: #f2695b !important; color: #1c0300 !important }
}
</style></head>
<body style="margin:0;padding:12px;background:#f3f3f3;color:#1b1b1b;font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;font-size:16px;line-height:1.5">
<div style="display:none;max-height:0;overflow:hidden">{{.First}}</div>
<div class="sheet" style="max-width:36em;margin:0 auto;padding:20px;background:#ffffff;border:1px solid #d6d6d6;border-radius:8px">
<p style="margin:0 0 16px">{{.Hello}}</p>
{{range .Chapters}}{{range $i, $p := .Parts}}<div class="part" style="margin:0 0 16px{{if $i}};padding-top:16px;border-top:1px solid #d6d6d6{{end}}">
<h1 style="margin:0;font-size:18px;line-height:1.4">{{.Title}}</h1>
{{if .Variant}}<p class="soft" style="margin:0;font-size:14px;color:#585858">{{.Variant}}</p>
{{end}}<p style="margin:8px 0 0">{{.What}}</p>
<p{{if .Asks}} class="asks" style="margin:12px 0 0;padding-left:12px;border-left:4px solid #c5301f;font-weight:600"{{else}} style="margin:8px 0 0"{{end}}>{{.Then}}</p>
</div>
{{end}}<p style="margin:0 0 24px"><a class="way{{if .Asks}} now{{end}}" href="{{.Link}}" style="display:inline-block;padding:10px 18px;border-radius:6px;font-weight:600;text-decoration:none;{{if .Asks}}background:#c5301f;border:1px solid #c5301f;color:#ffffff{{else}}border:1px solid #8a8a8a;color:#1b1b1b{{end}}">{{.LinkSay}}</a></p>
{{end}}<p class="soft" style="margin:0;font-size:14px;color:#585858">{{.Why}}</p>
{{if .Stop}}<p class="soft" style="margin:12px 0 0;font-size:14px;color:#585858"><a class="soft" href="{{.Stop}}" style="color:#585858">{{.StopSay}}</a></p>
{{end}}</div>
</body></html>
`))
