package wire

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Problem is an RFC 9457 problem document, the body of every refusal.
type Problem struct {
	Type      string `json:"type" doc:"Stable URI of the kind of problem; programs decide by it" example:"urn:flawmark:problem:not-found"`
	Title     string `json:"title" doc:"The kind of problem in one line"`
	Status    int    `json:"status" doc:"The answer's HTTP status" minimum:"400" maximum:"599"`
	Detail    string `json:"detail,omitempty" doc:"What is wrong with this request"`
	Help      string `json:"help" doc:"What the caller can do about it"`
	Retryable bool   `json:"retryable" doc:"Whether the same request may succeed later"`
	// Expected is the sequence number the centre wants next (sequence-gap).
	Expected uint64 `json:"expected,omitempty" doc:"Of sequence-gap: the number that the centre wants next"`
	// Offset is how many bytes the centre has (offset-conflict).
	Offset int64 `json:"offset,omitempty" doc:"Of offset-conflict: how many bytes the centre has"`
}

const problemSpace = "urn:flawmark:problem:"

// The problems of this version.
const (
	SequenceGap      = problemSpace + "sequence-gap"      // the batch does not begin where the centre stopped
	SequenceFork     = problemSpace + "sequence-fork"     // the centre knows another event under that number
	BadSignature     = problemSpace + "bad-signature"     // not signed by the station's key
	NotAuthenticated = problemSpace + "not-authenticated" // no token, or one that has ended
	NotAuthorised    = problemSpace + "not-authorised"    // revoked, or somebody else's resource
	ProtocolTooOld   = problemSpace + "protocol-too-old"
	TooLarge         = problemSpace + "too-large"
	Malformed        = problemSpace + "malformed" // the request itself is wrong
	NotFound         = problemSpace + "not-found"
	MethodNotAllowed = problemSpace + "method-not-allowed"
	OffsetConflict   = problemSpace + "offset-conflict"
	ChecksumMismatch = problemSpace + "checksum-mismatch" // of one chunk
	DigestMismatch   = problemSpace + "digest-mismatch"   // of a whole file
	CursorExpired    = problemSpace + "cursor-expired"    // begin again from the start
	CodeExpired      = problemSpace + "code-expired"
	CodeUnknown      = problemSpace + "code-unknown"
	TooManyRequests  = problemSpace + "too-many-requests"
	StorageFull      = problemSpace + "storage-full"
	StorageAway      = problemSpace + "storage-away" // the centre does not reach its own database or files now
	Interrupted      = problemSpace + "interrupted"  // a newer request took over
	Internal         = problemSpace + "internal"

	// The problems of shops' systems.
	ScopeMissing         = problemSpace + "scope-missing"
	OrdersRefused        = problemSpace + "orders-refused" // with every fault
	PreconditionRequired = problemSpace + "precondition-required"
	CaseChanged          = problemSpace + "case-changed"   // with the case as it is
	ActionRefused        = problemSpace + "action-refused" // by the rules of the trade
	IdempotencyKeyNeeded = problemSpace + "idempotency-key-needed"
	IdempotencyKeyReused = problemSpace + "idempotency-key-reused"
	RequestRunning       = problemSpace + "request-running"
	MoneyRefused         = problemSpace + "money-refused" // by the rules of the balance
	InstructionsChanged  = problemSpace + "instructions-changed"
	MessageRefused       = problemSpace + "message-refused"
	WebhookRefused       = problemSpace + "webhook-refused"
)

type problemKind struct {
	status    int
	title     string
	retryable bool
	help      string
}

func kinds() map[string]problemKind {
	return map[string]problemKind{
		SequenceGap:      {http.StatusConflict, "Events are missing before this batch", true, "Send from the number in “expected” on."},
		SequenceFork:     {http.StatusConflict, "Another event is known under this number", false, "Stop, begin a new epoch, and tell an administrator."},
		BadSignature:     {http.StatusForbidden, "The signature is not the station's", false, "Sign with the key that was enrolled."},
		NotAuthenticated: {http.StatusUnauthorized, "A valid access token is needed", true, "Stations: exchange a newly signed nonce for a token. Shops: send “Authorization: Bearer” with a key that has not been revoked."},
		NotAuthorised:    {http.StatusForbidden, "The station may not do this", false, "Ask an administrator; for stations a new enrolment may be needed."},
		ProtocolTooOld:   {http.StatusUpgradeRequired, "This protocol version is not spoken here", false, "Install the current program."},
		TooLarge:         {http.StatusRequestEntityTooLarge, "The request is too large", false, "Send less at a time, within the limits of this operation in /openapi.json."},
		Malformed:        {http.StatusUnprocessableEntity, "The request is malformed", false, "Correct what “detail” names; /openapi.json describes the request."},
		NotFound:         {http.StatusNotFound, "There is nothing here", false, "Check the address and the numbers in it; what is not yours is answered the same."},
		MethodNotAllowed: {http.StatusMethodNotAllowed, "This cannot be done here", false, "Use a method that /openapi.json lists for this address."},
		OffsetConflict:   {http.StatusConflict, "The upload stands at another offset", true, "Go on from the byte in “offset”."},
		ChecksumMismatch: {StatusChecksumMismatch, "The chunk was damaged on its way", true, "Send the chunk again."},
		DigestMismatch:   {http.StatusUnprocessableEntity, "The file is not what its digest says", false, "Compute the file’s SHA-256 again and begin a new upload."},
		CursorExpired:    {http.StatusGone, "The feed no longer reaches back to this cursor", false, "Read the whole state again, and begin with the cursor that comes with it, or with none."},
		CodeExpired:      {http.StatusGone, "The code has expired", false, "Begin the enrolment again."},
		CodeUnknown:      {http.StatusNotFound, "The code is not known", false, "Begin the enrolment again."},
		TooManyRequests:  {http.StatusTooManyRequests, "Too many requests", true, "Wait as many seconds as “Retry-After” says, then go on more slowly."},
		StorageFull:      {http.StatusInsufficientStorage, "The centre has no room left", true, "Try again later; an administrator must make room."},
		StorageAway:      {http.StatusServiceUnavailable, "The centre does not reach its storage now", true, "Wait as many seconds as “Retry-After” says, then send the same again."},
		Interrupted:      {http.StatusServiceUnavailable, "A newer request took over", true, "Ask how far the upload is, then go on from there; another request can simply be sent again."},
		Internal:         {http.StatusInternalServerError, "Something unforeseen happened", true, "Try again; tell an administrator if it happens twice."},

		ScopeMissing:         {http.StatusForbidden, "The key may not do this", false, "Use a key with the scope in “detail”; an administrator makes one with “flawmark-central shop add NAME --scope …”."},
		OrdersRefused:        {http.StatusUnprocessableEntity, "The orders have faults, and none was taken over", false, "Correct every order and item in “faults”, then send all of them again."},
		PreconditionRequired: {http.StatusPreconditionRequired, "The version that you saw is needed", false, "Read it, and send the ETag of the answer as “If-Match”."},
		CaseChanged:          {http.StatusPreconditionFailed, "The case has changed since you saw it", false, "Look at “case”, decide again, and send its “etag” as “If-Match”."},
		ActionRefused:        {http.StatusConflict, "This cannot happen to the case now", false, "“code” and “why” say why not; the case’s “actions” list what can."},
		IdempotencyKeyNeeded: {http.StatusBadRequest, "An idempotency key is needed", false, "Send “Idempotency-Key” with 1 to 200 printable ASCII characters, new for every new wish and the same when you repeat one."},
		IdempotencyKeyReused: {http.StatusUnprocessableEntity, "The idempotency key was used for another request", false, "Make a new key for a new wish."},
		RequestRunning:       {http.StatusConflict, "A request with this idempotency key is being worked on", true, "Repeat it after a second to be told what came of it."},
		MoneyRefused:         {http.StatusConflict, "The balance does not allow this", false, "“code” and “why” say why not; nothing has moved."},
		InstructionsChanged:  {http.StatusPreconditionFailed, "The instructions have changed since you saw them", false, "Look at “instructions”, decide again, and send “etag” as “If-Match”."},
		MessageRefused:       {http.StatusConflict, "The message was not taken", false, "“code” and “why” say why not and what to do; nothing was written."},
		WebhookRefused:       {http.StatusConflict, "This cannot be done with the webhook", false, "“code” and “why” say why not; nothing has changed."},
	}
}

// NewProblem returns the problem of one of this package's types.
func NewProblem(uri, detail string) *Problem {
	kind, ok := kinds()[uri]
	if !ok {
		uri, kind = Internal, kinds()[Internal]
	}
	return &Problem{Type: uri, Title: kind.title, Status: kind.status, Detail: detail, Help: kind.help, Retryable: kind.retryable}
}

// Problems lists the URIs of this version's problems.
func Problems() []string { return slices.Sorted(maps.Keys(kinds())) }

// Name returns what the problem is called in addresses, such as "not-found".
func (p *Problem) Name() string { return strings.TrimPrefix(p.Type, problemSpace) }

// ProblemNamed returns the problem that is called name.
func ProblemNamed(name string) (*Problem, bool) {
	_, known := kinds()[problemSpace+name]
	return NewProblem(problemSpace+name, ""), known
}

// HelpPath returns where the centre describes the problem called name.
func HelpPath(name string) string { return "/v1/problems/" + name }

// Refuse answers with problem, a [Problem] or a document that holds one.
func Refuse(w http.ResponseWriter, status int, name string, problem any) {
	w.Header().Set("Content-Type", ProblemType)
	w.Header().Set("Cache-Control", "no-store")
	if name == strings.TrimPrefix(StorageAway, problemSpace) {
		w.Header().Set("Retry-After", "5")
	}
	w.Header().Set("Link", "<"+HelpPath(name)+`>; rel="help"`)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(problem)
}

// Error returns the problem in one line for logs.
func (p *Problem) Error() string {
	text := p.Name()
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	return text
}

// GetStatus returns the status that the problem is answered with.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns the media type of the problem in place of plain JSON.
func (p *Problem) ContentType(string) string { return ProblemType }
