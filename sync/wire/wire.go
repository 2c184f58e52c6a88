// Package wire is the contract between stations and the centre, version 1:
// the JSON envelopes, the problem documents, the headers, the limits and what
// each kind of failure means to a station. Both ends compile against it, and
// the golden files under testdata show every document as it travels.
//
// Envelopes carry the domain's own JSON untouched: an event and the data of a
// change are [json.RawMessage] here. A field is never renamed or reused; new
// ones are added, and both ends ignore what they do not know.
//
// Vocabulary: a station pushes a [Batch] of sealed events and receives an
// [Ack]; it asks by [BlobQuery] which photo files the centre lacks and uploads
// them by tus 1.0; it reads the centre's [Page]s of changes behind a cursor.
package wire

import (
	"encoding/json"
	"strings"
	"time"
)

// Version is the protocol version that this package describes.
const Version = 1

// Headers of requests and answers.
const (
	// ProtocolHeader carries the sender's protocol version in both directions.
	ProtocolHeader = "Flawmark-Protocol"
	// InstanceHeader names the centre in every answer, so that no other server
	// and no sign-in page of a network is ever taken for it.
	InstanceHeader = "Flawmark-Instance"
)

// Media types.
const (
	JSONType    = "application/json"
	ProblemType = "application/problem+json"
	StreamType  = "text/event-stream"
	ChunkType   = "application/offset+octet-stream"
)

// TusVersion is the only version of the upload protocol that is spoken.
const TusVersion = "1.0.0"

// TusExtensions lists what the centre offers beyond the core.
const TusExtensions = "creation,creation-with-upload,checksum,expiration,termination"

// StatusChecksumMismatch is the upload protocol's answer to a damaged chunk.
const StatusChecksumMismatch = 460

// Limits that both ends keep.
const (
	MaxBatchEvents = 500
	MaxBatchBytes  = 1 << 20 // of the events' own bytes
	MaxEnvelope    = 64 << 10
	MaxPage        = 500
	MaxQuery       = 1000
	MaxPhoto       = 256 << 20
	MinChunk       = 256 << 10
	MaxChunk       = 8 << 20
)

// Times that both ends keep.
const (
	MaxWait        = 25 * time.Second // a long poll
	TokenLifetime  = 15 * time.Minute
	UploadLifetime = 7 * 24 * time.Hour
	MaxRetryAfter  = 15 * time.Minute
)

// Ping is the centre's answer to "are you there".
type Ping struct {
	Instance string        `json:"instance" doc:"The centre's name for itself"`
	Time     time.Time     `json:"time" doc:"The centre's clock"`
	Protocol ProtocolRange `json:"protocol" doc:"What it speaks"`
}

// ProtocolRange is what an end can speak.
type ProtocolRange struct {
	Min int `json:"min" doc:"The oldest version"`
	Max int `json:"max" doc:"The newest version"`
}

// EnrolmentRequest asks for a station to be admitted.
type EnrolmentRequest struct {
	Name      string `json:"name" minLength:"1" maxLength:"80" doc:"What people call the bench" example:"Bench 7"`
	PublicKey []byte `json:"public_key" doc:"Ed25519, 32 bytes"`
}

// Enrolment is shown to an administrator, who approves the user code.
type Enrolment struct {
	UserCode   string    `json:"user_code" doc:"Eight characters, shown as ABCD-EFGH" example:"ABCD-EFGH"`
	DeviceCode string    `json:"device_code" doc:"Secret of the station, for polling"`
	ExpiresAt  time.Time `json:"expires_at" doc:"When the code ends"`
	Interval   int       `json:"interval" doc:"Seconds between polls"`
}

// EnrolmentPoll asks what became of an enrolment.
type EnrolmentPoll struct {
	DeviceCode string `json:"device_code" minLength:"1" maxLength:"200" doc:"As it was told when the enrolment began"`
}

// Statuses of an enrolment.
const (
	EnrolmentPending  = "pending"
	EnrolmentApproved = "approved"
)

// Enrolled is the answer to a poll; Station is empty while it is pending.
type Enrolled struct {
	Status   string `json:"status" enum:"pending,approved" doc:"Whether an administrator has approved it"`
	Station  string `json:"station,omitempty" doc:"The station's id, once it is approved" example:"st-1f2e3d4c5b"`
	Instance string `json:"instance" doc:"The centre's name for itself, which tokens are signed for"`
}

// ChallengeRequest asks for something to sign.
type ChallengeRequest struct {
	Station string `json:"station" minLength:"1" maxLength:"80" doc:"The station's id" example:"st-1f2e3d4c5b"`
}

// Challenge is the centre's nonce. No clock of the station takes part.
type Challenge struct {
	Nonce string `json:"nonce" doc:"To be signed within two minutes"`
}

// TokenRequest proves the station's key: Signature is over [TokenMessage].
type TokenRequest struct {
	Station   string `json:"station" minLength:"1" maxLength:"80" doc:"The station's id" example:"st-1f2e3d4c5b"`
	Nonce     string `json:"nonce" maxLength:"300" doc:"As the challenge had it"`
	Signature []byte `json:"signature" doc:"Ed25519 over purpose, centre, station and nonce"`
}

// Token admits its station for ExpiresIn seconds from its receipt.
type Token struct {
	AccessToken string `json:"access_token" doc:"Secret: admits the station"`
	TokenType   string `json:"token_type" doc:"How it is sent" example:"Bearer"`
	ExpiresIn   int    `json:"expires_in" doc:"Seconds from its receipt" example:"900"`
}

// Batch is a run of sealed events. Signature is over [BatchMessage] of the last
// event's hash, and so over the whole chain behind it.
type Batch struct {
	Epoch     string            `json:"epoch" minLength:"1" maxLength:"64" doc:"The life of the station's database"`
	First     uint64            `json:"first_sseq" minimum:"1" doc:"Number of the first event"`
	Prev      string            `json:"prev_hash" maxLength:"64" doc:"SHA-256 of the event before, in hexadecimal; 64 zeros before the first"`
	Events    []json.RawMessage `json:"events" minItems:"1" maxItems:"500" doc:"Sealed events, one after the other; together at most 1 MiB"`
	Signature []byte            `json:"sig" doc:"Ed25519 over purpose, epoch and the last event's hash"`
}

// Ack says what the centre made of a batch. A rejected event is acknowledged,
// too: it never blocks what follows.
type Ack struct {
	Through uint64    `json:"acked_through" doc:"Number of the last event that the centre has"`
	Head    string    `json:"chain_head" doc:"Its hash"`
	Results []Receipt `json:"results" doc:"One for each event of the batch"`
}

// Receipt is the outcome of one event: applied, duplicate or rejected.
type Receipt struct {
	Seq     uint64 `json:"sseq" doc:"The event's number"`
	Status  string `json:"status" enum:"applied,duplicate,rejected" doc:"What became of it; a rejected one is acknowledged, too"`
	Problem string `json:"problem,omitempty" doc:"Key of the sentence, when rejected"`
	Detail  string `json:"detail,omitempty" doc:"For the log, when rejected"`
}

// BlobQuery asks which files the centre has.
type BlobQuery struct {
	SHA256 []string `json:"sha256" maxItems:"1000" doc:"Digests, each 64 lower-case hexadecimal digits"`
}

// BlobAnswer sorts the files that were asked for: each is in exactly one list.
type BlobAnswer struct {
	Have    []string      `json:"have" doc:"Files that are stored"`
	Partial []PartialBlob `json:"partial" doc:"Files whose upload can be continued"`
	Want    []string      `json:"want" doc:"Files to be uploaded"`
}

// PartialBlob is an upload that can be continued.
type PartialBlob struct {
	SHA256 string `json:"sha256" doc:"The file's digest"`
	URL    string `json:"url" doc:"Where its upload goes on"`
	Offset int64  `json:"offset" doc:"Bytes that the centre has"`
}

// Change is one entry of the feed.
type Change struct {
	Seq  int64           `json:"seq" doc:"Its number in the feed"`
	Type string          `json:"type" doc:"What has changed" example:"photo.stored"`
	Data json.RawMessage `json:"data" doc:"The whole new state of it"`
}

// Page is a piece of the feed. Next is the cursor behind its last change.
type Page struct {
	Items        []Change `json:"items" doc:"Oldest first"`
	Next         string   `json:"next" doc:"The cursor behind the last item"`
	UpToDate     bool     `json:"up_to_date" doc:"Whether there is nothing more for now"`
	AckedThrough uint64   `json:"acked_through" doc:"Number of the station's last event that the centre has"`
}

// TokenMessage returns what a station signs to receive a token. It names the
// centre and the purpose, so that the signature is worth nothing elsewhere.
func TokenMessage(instance, station, nonce string) []byte {
	return []byte("flawmark token v1\n" + instance + "\n" + station + "\n" + nonce)
}

// BatchMessage returns what a station signs with a batch whose last event has
// the hash head.
func BatchMessage(epoch, head string) []byte {
	return []byte("flawmark events v1\n" + epoch + "\n" + head)
}

// FormatUserCode returns an eight-character code as people see it: ABCD-EFGH.
func FormatUserCode(code string) string {
	code = ParseUserCode(code)
	if len(code) != 8 {
		return code
	}
	return code[:4] + "-" + code[4:]
}

// ParseUserCode returns what was typed as the bare code: upper case, without
// blanks and hyphens.
func ParseUserCode(typed string) string {
	return strings.NewReplacer(" ", "", "-", "").Replace(strings.ToUpper(typed))
}
