package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"flawmark/app/qc"
	"flawmark/sync/wire"
)

// Nothing that a centre answers is believed to be of a sensible size, form or
// order: a broken one, or something in its place, may cost a station time, but
// neither its memory, its disk nor its word about what has been sent.

// saysGarbled is the sentence about answers that make no sense.
const saysGarbled = "error.centre_garbled"

// garbled is the failure for such an answer. It may pass: a proxy that cut an
// answer short looks the same.
func garbled(op string, err error) error {
	return &wire.Failure{Kind: wire.Retry, Op: op, Err: fmt.Errorf("read answer: %w", err), Sentence: saysGarbled}
}

// Bounds of what is in answers.
const (
	mostToken    = 8 << 10
	mostID       = 200
	mostDetail   = 1000
	mostData     = 1 << 20 // of one change
	longestToken = 24 * time.Hour
	longestPoll  = time.Minute
	// longestEnrol is after how long nobody approves an enrolment any more.
	longestEnrol = time.Hour
)

// patient ends answers that never end.
type patient struct {
	next  http.RoundTripper
	limit time.Duration
}

type patienceKey struct{}

// RoundTrip gives an answer's body its time from its first byte on.
func (p patient) RoundTrip(req *http.Request) (*http.Response, error) {
	limit := p.limit
	if longer, ok := req.Context().Value(patienceKey{}).(time.Duration); ok {
		limit = max(limit, longer)
	}
	ctx, cancel := context.WithCancel(req.Context())
	resp, err := p.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return resp, err
	}
	body := &hurried{ReadCloser: resp.Body, cancel: cancel}
	body.timer = time.AfterFunc(limit, func() {
		body.late.Store(true)
		cancel()
	})
	resp.Body = body
	return resp, nil
}

// CloseIdleConnections reaches the transport below.
func (p patient) CloseIdleConnections() {
	if closer, ok := p.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

type hurried struct {
	io.ReadCloser
	cancel context.CancelFunc
	timer  *time.Timer
	late   atomic.Bool
}

func (h *hurried) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	if err != nil && err != io.EOF && h.late.Load() {
		err = errStalled
	}
	return n, err
}

func (h *hurried) Close() error {
	h.timer.Stop()
	defer h.cancel()
	return h.ReadCloser.Close()
}

// page is [wire.Page] with its items still to be counted.
type page struct {
	Items    json.RawMessage `json:"items"`
	Next     string          `json:"next"`
	UpToDate bool            `json:"up_to_date"`
}

// readPage reads a piece of the feed that was asked for with limit. It never
// goes backwards, and never stands still with something to say: a station would
// ask for ever.
func readPage(sent page, after qc.Cursor, limit int) (qc.Page, error) {
	read := qc.Page{UpToDate: sent.UpToDate}
	var err error
	if read.Next, err = qc.ParseCursor(sent.Next); err != nil || !plain(sent.Next) {
		return qc.Page{}, fmt.Errorf("cursor %.80q: %w", sent.Next, err)
	}
	if len(sent.Items) > 0 && !bytes.Equal(sent.Items, []byte("null")) {
		if read.Changes, err = readChanges(sent.Items, limit); err != nil {
			return qc.Page{}, err
		}
	}
	if read.Next.Epoch == after.Epoch && (read.Next.Seq < after.Seq || read.Next.Seq == after.Seq && len(read.Changes) > 0) {
		return qc.Page{}, fmt.Errorf("%d changes lead from %s to %s", len(read.Changes), after, read.Next)
	}
	return read, nil
}

// readChanges reads an array one by one, so that its length costs nothing
// before it is known.
func readChanges(items json.RawMessage, limit int) ([]qc.Change, error) {
	decoder := json.NewDecoder(bytes.NewReader(items))
	if start, err := decoder.Token(); err != nil || start != json.Delim('[') {
		return nil, fmt.Errorf("no list of changes: %w", err)
	}
	var changes []qc.Change
	for decoder.More() {
		if len(changes) == limit {
			return nil, fmt.Errorf("more than %d changes", limit)
		}
		var item wire.Change
		if err := decoder.Decode(&item); err != nil {
			return nil, err
		}
		// One that is out of all bounds is passed over by whoever applies it,
		// and does not hold up what follows.
		if len(item.Data) > mostData {
			item.Data = json.RawMessage("null")
		}
		if !plain(item.Type) {
			item.Type = ""
		}
		changes = append(changes, qc.Change{Seq: item.Seq, Kind: qc.ChangeKind(item.Type), Data: cleaned(item.Data)})
	}
	return changes, nil
}

// readAck reads what became of a batch of n events.
func readAck(sent wire.Ack, n int) (qc.Ack, error) {
	if len(sent.Results) > n || !plain(sent.Head) {
		return qc.Ack{}, fmt.Errorf("%d receipts for %d events", len(sent.Results), n)
	}
	ack := qc.Ack{Through: sent.Through, Head: qc.ChainHash(sent.Head)}
	for _, result := range sent.Results {
		receipt := qc.Receipt{Seq: result.Seq, Status: qc.ReceiptStatus(result.Status), Problem: result.Problem, Detail: clip(result.Detail)}
		if !slices.Contains([]qc.ReceiptStatus{qc.Applied, qc.Duplicate, qc.Rejected}, receipt.Status) {
			return qc.Ack{}, fmt.Errorf("event %d is %.40q", result.Seq, result.Status)
		}
		if !isKey(receipt.Problem) {
			receipt.Problem = ""
		}
		if receipt.Status == qc.Rejected && receipt.Problem == "" {
			receipt.Problem = "error.unexpected"
		}
		ack.Receipts = append(ack.Receipts, receipt)
	}
	return ack, nil
}

// isKey reports whether a text can be the key of a sentence.
func isKey(text string) bool {
	return len(text) <= mostID && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '_'
	})
}

// plain reports whether a text can be an id: short, and nothing in it that a
// terminal or a window would obey.
func plain(text string) bool {
	return len(text) <= mostID && utf8.ValidString(text) && !strings.ContainsFunc(text, commands)
}

// commands reports whether a rune does something instead of showing something:
// controls, and marks that turn the direction of what follows.
func commands(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// clip makes a text fit for a log.
func clip(text string) string {
	text = strings.Map(func(r rune) rune {
		if commands(r) {
			return utf8.RuneError
		}
		return r
	}, text)
	if len(text) > mostDetail {
		text = strings.ToValidUTF8(text[:mostDetail], "")
	}
	return text
}

// cleaned returns a JSON value whose texts hold nothing that [commands]. Values
// without such come back as they are.
func cleaned(data json.RawMessage) json.RawMessage {
	const shown = `\ufffd`
	var out []byte
	last := 0
	replace := func(from, to int) {
		out = append(append(out, data[last:from]...), shown...)
		last = to
	}
	for i := 0; i < len(data); {
		if data[i] == '\\' && i+1 < len(data) {
			end := i + 2
			switch data[i+1] {
			case 'b', 'f', 'r':
				replace(i, end)
			case 'u':
				end = min(i+6, len(data))
				var r rune
				if _, err := fmt.Sscanf(string(data[i+2:end]), "%04x", &r); err == nil && commands(r) {
					replace(i, end)
				}
			}
			i = end
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		if size > 1 && commands(r) || r == 0x7f {
			replace(i, i+size)
		}
		i += size
	}
	if last == 0 {
		return data
	}
	return append(out, data[last:]...)
}
