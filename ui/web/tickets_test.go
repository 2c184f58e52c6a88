package web

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
)

// snapshot is a telephone's photo: a JPEG that tells where it was taken, with
// something behind its end.
func snapshot(t *testing.T, side int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, side, side*3/4))
	for i := range img.Pix {
		img.Pix[i] = byte(i * 7)
	}
	img.Set(0, 0, color.RGBA{R: 255, A: 255})
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, img, nil); err != nil {
		t.Fatal(err)
	}
	exif := append([]byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00"), "GPS 38.7169 N, 9.1399 W; Ana's phone"...)
	data := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2))...)
	data = append(append(data, exif...), plain.Bytes()[2:]...)
	return append(data, "<script>alert(1)</script>"...)
}

// file is something that a form brings.
type file struct {
	name string
	data []byte
}

// sends posts a form with photos as a browser does.
func (b *reader) sends(address string, form url.Values, files ...file) answer {
	b.t.Helper()
	return b.sendsIn("photo", address, form, files...)
}

// sendsIn posts a form with files in a field of that name.
func (b *reader) sendsIn(field, address string, form url.Values, files ...file) answer {
	b.t.Helper()
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for name, values := range form {
		for _, value := range values {
			if err := parts.WriteField(name, value); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	for _, f := range files {
		part, err := parts.CreateFormFile(field, f.name)
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := part.Write(f.data); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := parts.Close(); err != nil {
		b.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "http://centre.test"+address, &body)
	r.Header.Set("Content-Type", parts.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, cookie := range b.jar {
		if strings.HasPrefix(r.URL.Path, cookie.Path) {
			r.AddCookie(cookie)
		}
	}
	return serve(b.t, b.handler, r)
}

func question(text string) url.Values {
	return url.Values{"topic": {"question"}, "item": {"20481-2"}, "text": {text}, "seen": {"0"}}
}

func TestTickets_CustomerWritesAndDeskAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	ana, desk := w.reader(t), w.reader(t)
	ana.openLink("20481")
	desk.signIn("D01")

	got := ana.sends("/o/20481/tickets", question("Is the <b>sole</b> glued?\r\n谢谢"), file{"sole.jpg", snapshot(t, 64)}, file{"", nil})
	ana.body(got, http.StatusSeeOther)
	if to := got.header.Get("Location"); to != "/o/20481/tickets/20481-T1?notice=web.ticket.sent#20481-T1-1" {
		t.Errorf("sent on to %q", to)
	}
	ticket := w.tickets[0]
	if ticket.Case != "K-20481-2" || ticket.Item != "20481-2" || ticket.Messages[0].Text != "Is the <b>sole</b> glued?\n谢谢" {
		t.Errorf("ticket %+v", ticket)
	}
	list := desk.get("/desk/tickets", http.StatusOK)
	for _, want := range []string{"Is the &lt;b&gt;sole&lt;/b&gt; glued?", "1 message unanswered", "White high-tops", "Ana Moreira"} {
		if !strings.Contains(list, want) {
			t.Errorf("the desk's list lacks %q", want)
		}
	}
	if !strings.Contains(desk.get("/desk", http.StatusOK), "1 message unanswered") {
		t.Error("the worklist does not say that somebody waits")
	}
	page := desk.get("/desk/cases/K-20481-2", http.StatusOK)
	for _, want := range []string{`data-ticket="20481-T1" open`, "not translated", `id="send-20481-T1"`, `id="settle-20481-T1"`, "Message to the refund desk: A question"} {
		if !strings.Contains(page, want) {
			t.Errorf("the case's page lacks %q", want)
		}
	}
	w.now = w.now.Add(time.Minute)
	answered := desk.sends("/desk/tickets/20481-T1", url.Values{"text": {"Yes."}, "seen": {"1"}, "case": {"K-20481-2"}})
	if to := answered.header.Get("Location"); answered.status != http.StatusSeeOther || to != "/desk/cases/K-20481-2?notice=web.ticket.answered" {
		t.Errorf("the answer got %d, to %q", answered.status, to)
	}
	if list := desk.get("/desk/tickets", http.StatusOK); !strings.Contains(list, "Nobody waits") {
		t.Error("what was answered still waits")
	}
	order := ana.get("/o/20481", http.StatusOK)
	for _, want := range []string{"1 new answer", "Answer of the refund desk: A question", "Message to the refund desk: A question"} {
		if !strings.Contains(order, want) {
			t.Errorf("the order's page lacks %q", want)
		}
	}
	ana.get("/o/20481/tickets/20481-T1?fragment=1", http.StatusOK)
	if !strings.Contains(ana.get("/o/20481", http.StatusOK), "1 new answer") {
		t.Error("an update behind the reader's back counts as read")
	}
	thread := ana.get("/o/20481/tickets/20481-T1", http.StatusOK)
	if !strings.Contains(thread, "Yes.") || !strings.Contains(thread, `class="new">new<`) || strings.Contains(thread, "D01") {
		t.Error("the answer is not shown as new, or with a clerk's name")
	}
	if strings.Contains(ana.get("/o/20481", http.StatusOK), "1 new answer") {
		t.Error("what was read is still new")
	}
}

func TestTickets_PicturesAreMadeAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	b := w.reader(t)
	b.openLink("20481")
	sent := snapshot(t, 2400)
	b.body(b.sends("/o/20481/tickets", question("see"), file{"x.jpg", sent}), http.StatusSeeOther)
	picture := w.tickets[0].Messages[0].Pictures[0]
	if picture.Width != 1920 || picture.Height != 1440 {
		t.Errorf("kept as %d×%d", picture.Width, picture.Height)
	}
	for digest, data := range w.blobs {
		if bytes.Contains(data, []byte("Ana's phone")) || bytes.Contains(data, []byte("<script>")) {
			t.Errorf("blob %s still holds what was sent", digest)
		}
	}
	for _, size := range []string{"thumb", "full"} {
		got := b.do(http.MethodGet, "/o/20481/tickets/20481-T1/pictures/"+string(picture.Digest)+"/"+size, nil)
		b.body(got, http.StatusOK)
		if got.header.Get("Content-Type") != "image/jpeg" || !strings.Contains(got.header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: headers %v", size, got.header)
		}
		if _, err := jpeg.Decode(strings.NewReader(got.body)); err != nil {
			t.Errorf("%s: %v", size, err)
		}
	}
	for _, path := range []string{
		string(picture.Digest) + "/original", string(picture.Thumb) + "/full", string(qc.DigestOf(sent)) + "/full",
		string(w.findings["F-20481-2"].Photos[0].Digest) + "/full",
	} {
		b.get("/o/20481/tickets/20481-T1/pictures/"+path, http.StatusNotFound)
	}
}

func TestTickets_RefusalsKeepTheWords(t *testing.T) {
	t.Parallel()
	bomb := snapshot(t, 64)
	at := bytes.Index(bomb, []byte{0xff, 0xc0})
	copy(bomb[at+5:], []byte{0xff, 0xff, 0xff, 0xff}) // it claims 65 535 × 65 535 pixels
	good := file{"a.jpg", snapshot(t, 64)}
	cases := map[string]struct {
		form   url.Values
		files  []file
		status int
		says   string
	}{
		"nothing":         {question(" \u200b\r\n"), nil, http.StatusUnprocessableEntity, "nothing to send yet"},
		"too long":        {question(strings.Repeat("鞋", 2001)), nil, http.StatusUnprocessableEntity, "longer than 2,000"},
		"no topic":        {url.Values{"topic": {"x"}, "text": {"my words"}}, nil, http.StatusUnprocessableEntity, "choose what your message is about"},
		"no photo":        {question("my words"), []file{{"x.jpg", []byte("<svg onload=alert(1)>")}}, http.StatusUnprocessableEntity, "not a photo"},
		"a film":          {question("my words"), []file{{"x.gif", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;")}}, http.StatusUnprocessableEntity, "not a photo"},
		"cut off":         {question("my words"), []file{{"x.jpg", snapshot(t, 640)[:900]}}, http.StatusUnprocessableEntity, "damaged or incomplete"},
		"a bomb":          {question("my words"), []file{{"x.jpg", bomb}}, http.StatusUnprocessableEntity, "too large"},
		"a large file":    {question("my words"), []file{{"x.jpg", make([]byte, refund.DefaultTicketPolicy().PictureBytes+1)}}, http.StatusUnprocessableEntity, "too large"},
		"five photos":     {question("my words"), []file{good, good, good, good, good}, http.StatusUnprocessableEntity, "too many photos for one message"},
		"good, then none": {question("my words"), []file{good, {"x", []byte("PK\x03\x04")}}, http.StatusUnprocessableEntity, "choose the photos again"},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.flagged(t, "20481-2", false)
			b := w.reader(t)
			b.openLink("20481")
			got := b.sends("/o/20481/tickets", tt.form, tt.files...)
			page := b.body(got, tt.status)
			if !strings.Contains(page, tt.says) {
				t.Errorf("the page does not say %q", tt.says)
			}
			if tt.form.Get("text") == "my words" && !strings.Contains(page, ">my words</textarea>") {
				t.Error("what was written is gone")
			}
			if tt.form.Get("item") != "" && !strings.Contains(page, `value="20481-2" selected`) {
				t.Error("what was picked is gone")
			}
			if len(w.tickets) != 0 {
				t.Errorf("tickets %+v", w.tickets)
			}
		})
	}
}

func TestTickets_TwiceIsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	b := w.reader(t)
	b.openLink("20481")
	photo := file{"x.jpg", snapshot(t, 64)}
	for range 3 {
		b.body(b.sends("/o/20481/tickets", question("once"), photo), http.StatusSeeOther)
	}
	if len(w.tickets) != 1 || len(w.tickets[0].Messages) != 1 {
		t.Fatalf("tickets %+v", w.tickets)
	}
	more := url.Values{"text": {"and?"}, "seen": {"1"}}
	for range 2 {
		b.body(b.sends("/o/20481/tickets/20481-T1", more), http.StatusSeeOther)
	}
	more.Set("seen", "2") // the same words, later
	b.body(b.sends("/o/20481/tickets/20481-T1", more), http.StatusSeeOther)
	if n := len(w.tickets[0].Messages); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
}

func TestTickets_WithoutScriptsOrPictures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.reader(t)
	b.openLink("20481")
	if got := b.sent("/o/20481/tickets", url.Values{"topic": {"extra_photos"}, "text": {"sole, please"}, "seen": {"0"}}); !strings.Contains(got, "20481-T1") {
		t.Errorf("sent on to %q", got)
	}
	if w.tickets[0].Item != "" || w.tickets[0].Topic != refund.TopicPhotos {
		t.Errorf("ticket %+v", w.tickets[0])
	}
}

func TestTickets_AreDeniedToEverybodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged(t, "20481-2", false)
	ana := w.reader(t)
	ana.openLink("20481")
	ana.body(ana.sends("/o/20481/tickets", question("mine"), file{"x.jpg", snapshot(t, 64)}), http.StatusSeeOther)
	picture := string(w.tickets[0].Messages[0].Pictures[0].Digest)
	stranger, other := w.reader(t), w.reader(t)
	other.openLink("20482")
	inspector := w.reader(t)
	for _, path := range []string{"/tickets", "/tickets/20481-T1", "/tickets/20481-T1/pictures/" + picture + "/full"} {
		for name, b := range map[string]*reader{"stranger": stranger, "other": other} {
			if got := b.do(http.MethodGet, "/o/20481"+path, nil); got.status != http.StatusNotFound {
				t.Errorf("%s, %s: %d", name, path, got.status)
			}
		}
		if got := inspector.do(http.MethodGet, "/desk"+path, nil); got.status == http.StatusOK {
			t.Errorf("nobody, /desk%s: %d", path, got.status)
		}
	}
	for _, path := range []string{"/tickets/20481-T1", "/tickets/20481-T1/pictures/" + picture + "/full"} {
		if got := other.do(http.MethodGet, "/o/20482"+path, nil); got.status != http.StatusNotFound {
			t.Errorf("under another order, %s: %d", path, got.status)
		}
	}
	write := url.Values{"text": {"forged"}, "seen": {"1"}}
	for _, post := range []struct {
		b    *reader
		path string
	}{{stranger, "/o/20481/tickets"}, {stranger, "/o/20481/tickets/20481-T1"}, {other, "/o/20482/tickets/20481-T1"}, {stranger, "/desk/tickets/20481-T1"}, {ana, "/desk/tickets/20481-T1/settle"}} {
		if got := post.b.do(http.MethodPost, post.path, write); got.status != http.StatusNotFound && got.status != http.StatusForbidden {
			t.Errorf("POST %s: %d", post.path, got.status)
		}
	}
	foreign := question("about somebody's else")
	foreign.Set("item", "20482-1")
	ana.body(ana.do(http.MethodPost, "/o/20481/tickets", foreign), http.StatusNotFound)
	if len(w.tickets) != 1 || len(w.tickets[0].Messages) != 1 || w.tickets[0].Waiting() != 1 {
		t.Errorf("tickets %+v", w.tickets)
	}
}

func TestTickets_OnlySoManyAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.reader(t)
	b.openLink("20481")
	for n := range refund.DefaultTicketPolicy().MessagesAnHour {
		form := question("no " + strings.Repeat("x", n))
		b.body(b.do(http.MethodPost, "/o/20481/tickets", form), http.StatusSeeOther)
	}
	page := b.body(b.do(http.MethodPost, "/o/20481/tickets", question("kept words")), http.StatusTooManyRequests)
	if !strings.Contains(page, "try again in an hour") || !strings.Contains(page, "kept words") {
		t.Error("the page does not say why, or loses the words")
	}
}

func TestTickets_WhatCameMeanwhileStillWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ana, desk := w.reader(t), w.reader(t)
	ana.openLink("20481")
	desk.signIn("L01")
	ana.body(ana.do(http.MethodPost, "/o/20481/tickets", question("first")), http.StatusSeeOther)
	ana.body(ana.do(http.MethodPost, "/o/20481/tickets/20481-T1", url.Values{"text": {"second"}, "seen": {"1"}}), http.StatusSeeOther)
	desk.body(desk.do(http.MethodPost, "/desk/tickets/20481-T1", url.Values{"text": {"to the first"}, "seen": {"1"}}), http.StatusSeeOther)
	if got := w.tickets[0].Waiting(); got != 1 {
		t.Errorf("%d messages wait, want the one that the clerk had not seen", got)
	}
	desk.body(desk.do(http.MethodPost, "/desk/tickets/20481-T1/settle", url.Values{"seen": {"3"}}), http.StatusSeeOther)
	if got := w.tickets[0].Waiting(); got != 0 {
		t.Errorf("%d messages wait after none was left", got)
	}
}

func TestInbox_OneLetterOfASenderAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.reader(t)
	b.openLink("20481")
	body, half := io.Pipe()
	parts := multipart.NewWriter(half)
	r := httptest.NewRequest(http.MethodPost, "http://centre.test/o/20481/tickets", body)
	r.Header.Set("Content-Type", parts.FormDataContentType())
	for _, cookie := range b.jar {
		r.AddCookie(cookie)
	}
	done := make(chan answer)
	go func() { done <- serve(t, b.handler, r) }()
	part, err := parts.CreateFormFile("photo", "slow.jpg")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write([]byte{0xff}); err != nil { // the centre waits for the rest now
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		b.pages.inbox.mu.Lock()
		n := len(b.pages.inbox.senders)
		b.pages.inbox.mu.Unlock()
		if n == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the first letter is not being received")
		}
		time.Sleep(time.Millisecond)
	}
	page := b.body(b.sends("/o/20481/tickets", question("second"), file{"x.jpg", snapshot(t, 64)}), http.StatusServiceUnavailable)
	if !strings.Contains(page, "in a minute") || !strings.Contains(page, ">second</textarea>") {
		t.Error("the second letter is lost, or nobody says why")
	}
	if err := half.CloseWithError(io.ErrUnexpectedEOF); err != nil {
		t.Fatal(err)
	}
	<-done
	b.body(b.sends("/o/20481/tickets", question("second"), file{"x.jpg", snapshot(t, 64)}), http.StatusSeeOther)
}

// Whoever sends far too much keeps the words that came before it.
func TestLetter_TooLongKeepsItsWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.reader(t)
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	_ = parts.WriteField("text", "look")
	part, err := parts.CreateFormFile("photo", "x.jpg")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(make([]byte, 9000))
	_ = parts.Close()
	bounded := http.MaxBytesReader(httptest.NewRecorder(), io.NopCloser(&body), 4000)
	got, err := b.pages.readParts(t.Context(), multipart.NewReader(bounded, parts.Boundary()), "somebody")
	if err != nil || got.form.Get("text") != "look" || !errors.Is(got.problem, errPictureLarge) {
		t.Errorf("got %+v, %v", got, err)
	}
}
