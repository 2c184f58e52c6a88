package qc

import "time"

// TaskKind names what the warehouse must now do with an item.
type TaskKind string

// The kinds of tasks.
const (
	TaskRetake    TaskKind = "retake"    // the lead sent the finding back: inspect again
	TaskSendBack  TaskKind = "send_back" // pack for the seller and scan the return waybill
	TaskPutAside  TaskKind = "put_aside" // hold for the replacement
	TaskReinspect TaskKind = "reinspect" // the replacement is here: inspect it
	TaskRelease   TaskKind = "release"   // back to the customer's stock
	TaskHold      TaskKind = "hold"      // leave on the hold shelf until somebody decides
	TaskNothing   TaskKind = ""          // nothing to do here
)

// Task is one thing to do at the benches.
type Task struct {
	Kind   TaskKind  `json:"kind"`
	Item   ItemID    `json:"item"`
	Case   CaseID    `json:"case,omitempty"`
	Reason string    `json:"reason,omitempty"`
	DueAt  time.Time `json:"due_at,omitzero"`
}

// Delivery is the truth about how far something recorded here has travelled.
type Delivery string

// The stages of a delivery.
const (
	OnlyHere  Delivery = "here"      // on this station only
	Sending   Delivery = "sending"   // the finding is there, photos are on their way
	Accepted  Delivery = "accepted"  // all of it is at the centre
	Attention Delivery = "attention" // the centre refused it; a person must look
)
