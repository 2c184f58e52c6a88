package qc

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ChangeKind names what the centre tells stations.
type ChangeKind string

// The kinds of this version, with the type of their Data. Every change carries
// the whole new state of its subject, so applying one twice changes nothing.
const (
	ItemChanged     ChangeKind = "item.changed"     // Item
	StaffChanged    ChangeKind = "staff.changed"    // Staff
	PolicyChanged   ChangeKind = "policy.changed"   // ReviewPolicy
	StandingChanged ChangeKind = "standing.changed" // Standing
	CaseChanged     ChangeKind = "case.changed"     // refund.Case
	PhotoStored     ChangeKind = "photo.stored"     // StoredPhoto
)

// StoredPhoto says that the centre holds a file, checked against its digest.
type StoredPhoto struct {
	Digest Digest `json:"sha256"`
}

// Change is one entry of the centre's feed.
type Change struct {
	Seq  int64           `json:"seq"`
	Kind ChangeKind      `json:"type"`
	Data json.RawMessage `json:"data"`
}

// ErrCursor reports text that is not a cursor.
var ErrCursor = errors.New("not a feed cursor")

// Cursor is a place in the feed. Epoch changes when the centre is restored, so
// that reused numbers are never skipped. The zero Cursor is the beginning.
type Cursor struct {
	Epoch string
	Seq   int64
}

// String returns the cursor as it travels: "epoch.seq", empty at the beginning.
func (c Cursor) String() string {
	if c.Epoch == "" {
		return ""
	}
	return c.Epoch + "." + strconv.FormatInt(c.Seq, 10)
}

// ParseCursor reads what String writes; it fails with [ErrCursor].
func ParseCursor(text string) (Cursor, error) {
	if text == "" {
		return Cursor{}, nil
	}
	epoch, number, ok := strings.Cut(text, ".")
	seq, err := strconv.ParseInt(number, 10, 64)
	if !ok || epoch == "" || len(epoch) > 64 || err != nil || seq < 0 {
		return Cursor{}, fmt.Errorf("%w: %.80q", ErrCursor, text)
	}
	return Cursor{Epoch: epoch, Seq: seq}, nil
}
