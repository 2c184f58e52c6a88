package wire

import (
	"net/http"
	"strings"
)

// Problem is an RFC 9457 problem document, the body of every refusal.
type Problem struct {
	Type      string `json:"type" doc:"Stable URI of the kind of problem"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Retryable bool   `json:"retryable" doc:"Whether the same request may succeed later"`
	// Expected is the sequence number the centre wants next (sequence-gap).
	Expected uint64 `json:"expected,omitempty"`
	// Offset is how many bytes the centre has (offset-conflict).
	Offset int64 `json:"offset,omitempty"`
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
)

type problemKind struct {
	status    int
	title     string
	retryable bool
}

func kinds() map[string]problemKind {
	return map[string]problemKind{
		SequenceGap:      {http.StatusConflict, "Events are missing before this batch", true},
		SequenceFork:     {http.StatusConflict, "Another event is known under this number", false},
		BadSignature:     {http.StatusForbidden, "The signature is not the station's", false},
		NotAuthenticated: {http.StatusUnauthorized, "A valid access token is needed", true},
		NotAuthorised:    {http.StatusForbidden, "The station may not do this", false},
		ProtocolTooOld:   {http.StatusUpgradeRequired, "This protocol version is not spoken here", false},
		TooLarge:         {http.StatusRequestEntityTooLarge, "The request is too large", false},
		Malformed:        {http.StatusUnprocessableEntity, "The request is malformed", false},
		NotFound:         {http.StatusNotFound, "There is nothing here", false},
		MethodNotAllowed: {http.StatusMethodNotAllowed, "This cannot be done here", false},
		OffsetConflict:   {http.StatusConflict, "The upload stands at another offset", true},
		ChecksumMismatch: {StatusChecksumMismatch, "The chunk was damaged on its way", true},
		DigestMismatch:   {http.StatusUnprocessableEntity, "The file is not what its digest says", false},
		CursorExpired:    {http.StatusGone, "The feed no longer reaches back to this cursor", false},
		CodeExpired:      {http.StatusGone, "The code has expired", false},
		CodeUnknown:      {http.StatusNotFound, "The code is not known", false},
		TooManyRequests:  {http.StatusTooManyRequests, "Too many requests", true},
		StorageAway:      {http.StatusServiceUnavailable, "The centre does not reach its storage now", true},
		StorageFull:      {http.StatusInsufficientStorage, "The centre has no room left", true},
		Interrupted:      {http.StatusServiceUnavailable, "A newer request took over", true},
		Internal:         {http.StatusInternalServerError, "Something unforeseen happened", true},
	}
}

// NewProblem returns the problem of one of this package's types.
func NewProblem(uri, detail string) *Problem {
	kind, ok := kinds()[uri]
	if !ok {
		uri, kind = Internal, kinds()[Internal]
	}
	return &Problem{Type: uri, Title: kind.title, Status: kind.status, Detail: detail, Retryable: kind.retryable}
}

// Error returns the problem in one line for logs.
func (p *Problem) Error() string {
	text := strings.TrimPrefix(p.Type, problemSpace)
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	return text
}

// GetStatus returns the status that the problem is answered with.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns the media type of the problem in place of plain JSON.
func (p *Problem) ContentType(string) string { return ProblemType }
