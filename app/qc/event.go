package qc

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// EventKind names what a station says happened.
type EventKind string

// The kinds of this version, with the type of their Data.
const (
	FindingRecorded    EventKind = "finding.recorded"    // Finding
	ReviewGiven        EventKind = "review.given"        // Review
	ReturnDispatched   EventKind = "return.dispatched"   // Dispatch
	ReplacementArrived EventKind = "replacement.arrived" // Arrival
)

// Dispatch says that an item has left the warehouse on its way back.
type Dispatch struct {
	Case    CaseID    `json:"case"`
	Carrier string    `json:"carrier"`
	Waybill Waybill   `json:"waybill"`
	By      StaffID   `json:"by"`
	At      time.Time `json:"at"`
}

// Arrival says that a replacement has been stocked in.
type Arrival struct {
	Case    CaseID    `json:"case"`
	Waybill Waybill   `json:"waybill"`
	By      StaffID   `json:"by"`
	At      time.Time `json:"at"`
}

// Event is one entry of a station's log. Seq counts from 1 without gaps within
// an epoch (the life of one database). Hash chains it to its predecessor, so
// that neither end can drop, reorder or alter an entry unnoticed.
type Event struct {
	Seq     uint64          `json:"sseq"`
	ID      string          `json:"id"` // UUIDv7
	Kind    EventKind       `json:"type"`
	Version int             `json:"v"`
	By      StaffID         `json:"inspector"`
	At      time.Time       `json:"at"` // the station's clock: a claim, never used to order
	Data    json.RawMessage `json:"data"`
	Hash    ChainHash       `json:"hash,omitempty"`
}

// ChainHash is a link of the chain: SHA-256 in lower-case hex. The predecessor
// of the first event is [ChainStart].
type ChainHash string

// ChainStart is what the first event of every epoch is chained to.
const ChainStart ChainHash = "0000000000000000000000000000000000000000000000000000000000000000"

// ErrChain reports an event that does not continue the chain.
var ErrChain = errors.New("event does not continue the chain")

// ErrFork reports that the centre and a station remember different histories of
// the station's log.
var ErrFork = errors.New("centre and station disagree about the station's log")

// Seal sets e.Hash so that e continues the chain at prev, and returns the
// sealed event in the exact bytes that are stored and sent.
func Seal(e *Event, prev ChainHash) ([]byte, error) {
	e.Hash = ""
	open, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("seal event %d: %w", e.Seq, err)
	}
	if e.Hash, err = link(open, prev); err != nil {
		return nil, fmt.Errorf("seal event %d: %w", e.Seq, err)
	}
	return json.Marshal(e)
}

// OpenEvent reads a sealed event and fails with [ErrChain] unless it continues
// the chain at prev.
func OpenEvent(sealed []byte, prev ChainHash) (Event, error) {
	var e Event
	if err := json.Unmarshal(sealed, &e); err != nil {
		return Event{}, fmt.Errorf("read event: %w", err)
	}
	hash, err := link(sealed, prev)
	if err != nil {
		return Event{}, fmt.Errorf("read event %d: %w", e.Seq, err)
	}
	if hash != e.Hash {
		return Event{}, fmt.Errorf("%w: event %d", ErrChain, e.Seq)
	}
	return e, nil
}

// link hashes prev and the canonical form of an event without its hash. The
// canonical form is JSON without blanks, members in the order of their names
// (as RFC 8785 for the values that events hold), so that any JSON library at
// the other end reproduces it.
func link(event []byte, prev ChainHash) (ChainHash, error) {
	decoder := json.NewDecoder(bytes.NewReader(event))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil {
		return "", err
	}
	delete(members, "hash")
	var canonical bytes.Buffer
	encoder := json.NewEncoder(&canonical)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(members); err != nil {
		return "", err
	}
	before, err := hex.DecodeString(string(prev))
	if err != nil || len(before) != sha256.Size {
		return "", fmt.Errorf("%w: predecessor %.80q is no hash", ErrChain, prev)
	}
	sum := sha256.Sum256(append(before, bytes.TrimSuffix(canonical.Bytes(), []byte("\n"))...))
	return ChainHash(hex.EncodeToString(sum[:])), nil
}
