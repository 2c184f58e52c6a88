package qc

import (
	"errors"
	"time"
)

// ErrNotFound reports that a store does not know what was asked for.
var ErrNotFound = errors.New("not found")

// Draft is an inspection in progress, kept after every step so that closing
// the program, or losing power, costs nothing.
type Draft struct {
	Finding Finding `json:"finding"` // without verdict
	// Sequel is the case of a replacement under re-inspection, or empty.
	Sequel    CaseID    `json:"sequel,omitempty"`
	UpdatedAt time.Time `json:"updated_at"`
	History   History   `json:"history,omitzero"`
}

// Batch is a run of sealed events on its way to the centre.
type Batch struct {
	Epoch  string    // of the station's log
	First  uint64    // sequence number of Events[0]
	Prev   ChainHash // of the event before Events[0]
	Events [][]byte  // sealed, in order
}

// SignedBatch is a batch that another station than its own brings to the
// centre. The origin's signature speaks for it, so whoever carries it can
// neither alter nor add anything.
type SignedBatch struct {
	Station   StationID // whose log it is of
	Batch     Batch
	Signature []byte // of the station's key
}

// ReceiptStatus is what became of one event at the centre.
type ReceiptStatus string

// The outcomes. A rejection is an outcome, too: it never blocks what follows.
const (
	Applied   ReceiptStatus = "applied"
	Duplicate ReceiptStatus = "duplicate"
	Rejected  ReceiptStatus = "rejected"
)

// Receipt is the centre's word on one event.
type Receipt struct {
	Seq     uint64        `json:"sseq"`
	Status  ReceiptStatus `json:"status"`
	Problem string        `json:"problem,omitempty"` // key of the sentence, when rejected
	Detail  string        `json:"detail,omitempty"`  // for the log
}

// Ack is the centre's answer to a batch.
type Ack struct {
	Through  uint64    `json:"acked_through"` // the last sequence number it has
	Head     ChainHash `json:"chain_head"`    // of that event
	Receipts []Receipt `json:"results"`
}

// Lane orders uploads: small things overtake large ones, so that the customer
// is alerted while the full photo still travels.
type Lane int

// The lanes, most urgent first.
const (
	LanePreview   Lane = 1
	LaneFlagged   Lane = 2 // originals of flagged items
	LaneOriginals Lane = 3
)

// Shipment is one file waiting to be uploaded.
type Shipment struct {
	Digest    Digest `json:"sha256"`
	Bytes     int64  `json:"size"`
	MediaType string `json:"media_type"`
	Lane      Lane   `json:"lane"`
	Upload    string `json:"upload,omitempty"` // where an interrupted upload goes on
	Offset    int64  `json:"offset"`           // bytes the centre is known to have
}

// Recorded is something said at this station and how far it has travelled.
type Recorded struct {
	Seq      uint64    `json:"seq"`
	Kind     EventKind `json:"kind"`
	At       time.Time `json:"at"`
	By       StaffID   `json:"by"`
	Item     ItemID    `json:"item,omitempty"`
	Case     CaseID    `json:"case,omitempty"`
	Finding  *Finding  `json:"finding,omitempty"` // of a FindingRecorded
	Delivery Delivery  `json:"delivery"`
	// AcceptedAt is when the centre had the event, by this station's clock.
	AcceptedAt time.Time `json:"accepted_at,omitzero"`
	Photos     int       `json:"photos"`      // originals
	PhotosSent int       `json:"photos_sent"` // of these, stored at the centre
	Bytes      int64     `json:"bytes"`       // of all its files
	BytesSent  int64     `json:"bytes_sent"`
	Problem    string    `json:"problem,omitempty"` // key of the sentence, when refused
}

// Page is a piece of the centre's feed.
type Page struct {
	Changes  []Change
	Next     Cursor // to be stored in the same step that applies Changes
	UpToDate bool   // nothing more for now
}

// Identity is what makes a station itself. The private key is kept apart.
type Identity struct {
	Station  StationID `json:"station"`
	Name     string    `json:"name"`
	Centre   string    `json:"centre"`   // base URL
	Instance string    `json:"instance"` // the centre's own name for itself
}
