// Package mailtest is a mail server for tests: it speaks SMTP on a port of this
// machine, keeps what it takes, and refuses what it is told to refuse.
package mailtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// Mail is one that the server took.
type Mail struct {
	From, To string // of the envelope
	Data     string // headers and body, as they came
}

// Message reads m's headers and body.
func (m Mail) Message(tb testing.TB) *mail.Message {
	tb.Helper()
	message, err := mail.ReadMessage(strings.NewReader(m.Data))
	if err != nil {
		tb.Fatal(err)
	}
	return message
}

// Server is a mail server. Refuse says what it answers to a line instead of
// taking it, such as "550 no such user"; empty: nothing.
type Server struct {
	Host   string
	Port   int
	Refuse func(line string) string

	mu    sync.Mutex
	mails []Mail
}

// Start returns a server that ends with the test.
func Start(tb testing.TB) *Server {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	at := listener.Addr().(*net.TCPAddr)
	s := &Server{Host: "127.0.0.1", Port: at.Port}
	var all sync.WaitGroup
	var lines sync.Map
	all.Go(func() {
		for {
			line, err := listener.Accept()
			if err != nil {
				return
			}
			lines.Store(line, true)
			all.Go(func() { defer line.Close(); s.serve(line) })
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		lines.Range(func(line, _ any) bool { _ = line.(net.Conn).Close(); return true })
		all.Wait()
	})
	return s
}

// Mails returns what the server took so far.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

func (s *Server) serve(line net.Conn) {
	text := textproto.NewReader(bufio.NewReader(line))
	say := func(answer string) { fmt.Fprintf(line, "%s\r\n", answer) }
	say("220 mailtest")
	var one Mail
	for {
		command, err := text.ReadLine()
		if err != nil {
			return
		}
		if s.Refuse != nil {
			if answer := s.Refuse(command); answer != "" {
				say(answer)
				continue
			}
		}
		verb, rest, _ := strings.Cut(command, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-mailtest\r\n250-8BITMIME\r\n250-AUTH PLAIN\r\n250 SMTPUTF8")
		case "MAIL":
			one = Mail{From: rest}
			say("250 ok")
		case "RCPT":
			one.To += rest
			say("250 ok")
		case "DATA":
			say("354 go on")
			data, err := io.ReadAll(text.DotReader())
			if err != nil {
				return
			}
			one.Data = string(data)
			s.mu.Lock()
			s.mails = append(s.mails, one)
			s.mu.Unlock()
			say("250 taken")
		case "AUTH":
			say("235 welcome")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// Bodies returns the text and the HTML of a mail that has both.
func Bodies(tb testing.TB, m Mail) (text, html string) {
	tb.Helper()
	message := m.Message(tb)
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		tb.Fatal(err)
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for {
		part, err := parts.NextPart() // it undoes quoted-printable by itself
		if errors.Is(err, io.EOF) {
			return text, html
		}
		if err != nil {
			tb.Fatal(err)
		}
		body, err := io.ReadAll(part)
		if err != nil {
			tb.Fatal(err)
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			html = string(body)
		} else {
			text = string(body)
		}
	}
}
