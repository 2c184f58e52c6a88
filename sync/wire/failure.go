package wire

import (
	"fmt"
	"net/http"
	"time"
)

// Kind says what a failure means to a station, whatever its cause. The list
// only ever grows.
type Kind string

// The kinds.
const (
	Retry         Kind = "retry"          // nothing wrong with the request: later
	Rejected      Kind = "rejected"       // this request will never succeed
	Conflict      Kind = "conflict"       // the ends disagree; the problem says how to go on
	Unauthorised  Kind = "unauthorised"   // the centre does not admit this station
	Oversized     Kind = "too_large"      // less at a time
	UpgradeNeeded Kind = "upgrade_needed" // this program is too old to send
	WrongServer   Kind = "wrong_server"   // another centre, or not a centre
	WrongNetwork  Kind = "wrong_network"  // something between the ends answered, such as a sign-in page
)

// Failure is why a request to the centre brought nothing. It is what a
// station's remote returns for everything but its caller's own cancellation.
type Failure struct {
	Kind       Kind
	Op         string        // what was being done
	Problem    *Problem      // the centre's own words; nil when it said none
	RetryAfter time.Duration // the centre's wish, at most [MaxRetryAfter]; 0: none
	Err        error         // the cause below; may be nil
	// Sentence is the key of a sentence that tells a person more than Kind
	// does, such as that the clock is wrong; empty: Kind says it all.
	Sentence string
}

// Error returns the failure in one line for logs. It holds no address with a
// query and no token.
func (f *Failure) Error() string {
	switch {
	case f.Problem != nil:
		return fmt.Sprintf("%s: %s: %s", f.Op, f.Kind, f.Problem.Error())
	case f.Err != nil:
		return fmt.Sprintf("%s: %s: %v", f.Op, f.Kind, f.Err)
	}
	return fmt.Sprintf("%s: %s", f.Op, f.Kind)
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Says reports whether the centre's problem is of the type uri.
func (f *Failure) Says(uri string) bool { return f.Problem != nil && f.Problem.Type == uri }

// KindOf classifies an answer's status.
func KindOf(status int) Kind {
	switch {
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests,
		status == http.StatusLocked, status == StatusChecksumMismatch, status >= 500:
		return Retry
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Unauthorised
	case status == http.StatusConflict, status == http.StatusGone:
		return Conflict
	case status == http.StatusRequestEntityTooLarge:
		return Oversized
	case status == http.StatusUpgradeRequired:
		return UpgradeNeeded
	case status >= 400:
		return Rejected
	}
	return WrongNetwork // a redirect, or anything else the centre never answers
}
