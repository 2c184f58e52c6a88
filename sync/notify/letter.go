package notify

import (
	"context"
	"errors"
	"fmt"
	"html/template"
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

// Letter is a mail as it is read, before it is put into an envelope.
type Letter struct {
	Subject string
	Text    string
	HTML    string
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
	written, err := write(s.Words(to.Language), letters, links)
	if err != nil {
		return err
	}
	return s.Mail.Send(ctx, id, to.Email, written)
}

// paragraph is what is said about one case.
type paragraph struct {
	Title   string // the item
	What    string // what happened
	Then    string // what happens if nothing is done, and by when
	Link    string
	LinkSay string
}

// write puts the notices into words.
func write(words Words, letters []letter, links map[qc.OrderID]string) (Letter, error) {
	first := letters[0]
	parts := make([]paragraph, len(letters))
	for i, l := range letters {
		parts[i] = say(words, l, links[l.about.Case.Order])
	}
	name := oneLine(first.about.Customer.Name)
	letter := Letter{Subject: words.Text("notice.subject."+string(first.notice.Kind),
		"item", first.title(words), "order", oneLine(string(first.about.Case.Order)))}
	if len(letters) > 1 {
		letter.Subject = words.Text("notice.subject.digest", "n", strconv.Itoa(len(letters)),
			"order", oneLine(string(first.about.Case.Order)))
	}
	hello, why := words.Text("notice.hello", "name", name), words.Text("notice.footer")
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n\n", hello)
	for _, p := range parts {
		fmt.Fprintf(&text, "%s\n%s\n%s\n\n%s\n%s\n\n", p.Title, p.What, p.Then, p.LinkSay, p.Link)
	}
	fmt.Fprintf(&text, "-- \n%s\n", why)
	letter.Text = text.String()
	var html strings.Builder
	err := page.Execute(&html, map[string]any{
		"Language": words.Text("notice.language"), "Subject": letter.Subject, "Hello": hello, "Parts": parts, "Why": why,
	})
	if err != nil {
		return letter, fmt.Errorf("write mail: %w", err)
	}
	letter.HTML = html.String()
	return letter, nil
}

func say(words Words, l letter, link string) paragraph {
	n, c := l.notice, l.notice.Snapshot
	by := c.DecideBy
	offered := ""
	if c.Offer != nil {
		offered = c.Offer.Amount.String()
		if n.Kind == refund.TellOffer {
			by = c.Offer.ExpiresAt
		}
	}
	if n.Kind == refund.TellRefused {
		by, _, _ = l.about.Case.Timer()
	}
	pairs := []string{
		"item", l.title(words), "order", oneLine(string(c.Order)),
		"by", clock(by, l.about.Customer.TimeZone), "amount", offered, "credited", c.Credited.String(),
		"rule", words.Text("rule." + string(c.Rule)), "waybill", oneLine(strings.TrimSpace(c.Carrier + " " + string(c.ReturnWaybill))),
	}
	p := paragraph{
		Title: l.title(words), Link: link, LinkSay: words.Text("notice.link"),
		What: words.Text("notice.what."+string(n.Kind), pairs...),
		Then: words.Text("notice.then."+string(n.Kind), pairs...),
	}
	if c.Memo != 0 {
		p.What += words.Text("notice.memo", "memo", c.Memo.String())
	}
	return p
}

// title names what the letter is about: an item, or the whole order.
func (l letter) title(words Words) string {
	if l.about.Item.ID == "" {
		return words.Text("notice.whole_order", "order", oneLine(string(l.about.Case.Order)))
	}
	return oneLine(title(words, l.about.Item))
}

func title(words Words, item qc.Item) string {
	en, zh := item.Title.EN, item.Title.ZH
	if words.Text("notice.language") == "zh" {
		en, zh = zh, en
	}
	if en == "" {
		return zh
	}
	return en
}

// clock says a time as it is where the customer lives.
func clock(at time.Time, zone string) string {
	if at.IsZero() {
		return "–"
	}
	where, err := time.LoadLocation(zone)
	if err != nil {
		where = time.UTC
	}
	return at.In(where).Format("2006-01-02 15:04 (MST)")
}

// oneLine keeps foreign text from making lines of its own.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)), " ")
	if runes := []rune(text); len(runes) > 120 {
		return string(runes[:119]) + "…"
	}
	return text
}

var page = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="{{.Language}}"><head><meta charset="utf-8"><title>{{.Subject}}</title></head>
<body style="font-family:sans-serif;font-size:16px;line-height:1.5;color:#222;max-width:36em;margin:1em auto;padding:0 1em">
<p>{{.Hello}}</p>
{{range .Parts}}<h1 style="font-size:18px;margin:1.5em 0 .25em">{{.Title}}</h1>
<p>{{.What}}</p>
<p>{{.Then}}</p>
<p><a href="{{.Link}}" style="display:inline-block;padding:.5em 1em;background:#c8321e;color:#fff;text-decoration:none">{{.LinkSay}}</a></p>
{{end}}<p style="font-size:13px;color:#666">{{.Why}}</p>
</body></html>
`))
