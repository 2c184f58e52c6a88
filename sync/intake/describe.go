package intake

import (
	"encoding/json"
	"net/http"

	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
)

const (
	stationTag = "Stations"
	generalTag = "General"
)

// about is what the document says of itself.
const about = "What stations and the systems of shops ask of the refund centre.\n\n" +
	"Every refusal is a problem document (RFC 9457) with a stable `type`, a `title`, `help` that says what the caller can do, and " +
	"`retryable`. `GET /v1/problems/{name}` describes each kind. Times are RFC 3339 in UTC, money is in minor units. Members and " +
	"values of enumerations may be added; readers ignore what they do not know."

// parameters says what values of paths mean, and those that operations share.
func parameters() map[string]string {
	return map[string]string{
		"sid":      "The station's id, as it was told when it was enrolled",
		"id":       "The upload's id, the last part of its Location",
		"sha256":   "The file's SHA-256, 64 lower-case hexadecimal digits",
		"name":     "The last part of a problem's type, such as not-found",
		"order":    "The order's id",
		"case":     "The case's id",
		"finding":  "The finding's id",
		"photo":    "The photo's id within its finding",
		"customer": "The customer's id",
		"hold":     "The hold's id: a UUID that the caller made",
		"ETag":     "The version of what was read, for If-Match",
		"payout":   "The withdrawal's id: a UUID that the caller made",
		"hook":     "The webhook's id: a UUID that its maker chose, or an administrator's short one",
		"ticket":   "The ticket's id",
		"item":     "The item's id",
		"picture":  "The photo, as the ticket names it",
	}
}

// ProblemKind describes a kind of problem.
type ProblemKind struct {
	Type      string `json:"type" doc:"What problem documents of this kind say as type" example:"urn:flawmark:problem:not-found"`
	Title     string `json:"title" doc:"The kind in one line"`
	Status    int    `json:"status" doc:"The HTTP status that it usually comes with"`
	Help      string `json:"help" doc:"What the caller can do about it"`
	Retryable bool   `json:"retryable" doc:"Whether the same request may succeed later"`
}

func (s *service) describeProblems(r chi.Router, api huma.API) {
	r.Get("/v1/problems/{name}", func(w http.ResponseWriter, r *http.Request) {
		problem, known := wire.ProblemNamed(chi.URLParam(r, "name"))
		if !known {
			refuse(w, wire.NewProblem(wire.NotFound, ""))
			return
		}
		w.Header().Set("Content-Type", wire.JSONType)
		_ = json.NewEncoder(w).Encode(ProblemKind{
			Type: problem.Type, Title: problem.Title, Status: problem.Status, Help: problem.Help, Retryable: problem.Retryable,
		})
	})
	names := &huma.Schema{Type: huma.TypeString}
	for _, uri := range wire.Problems() {
		names.Enum = append(names.Enum, wire.NewProblem(uri, "").Name())
	}
	openapi.Raw(api, forAnybody(huma.Operation{
		OperationID: "problem", Method: http.MethodGet, Path: "/v1/problems/{name}",
		Summary: "Describe a kind of problem", Description: "Every problem document links here with rel=help.",
		Parameters: []*huma.Param{openapi.Param("path", "name", "", true, names, "not-found")},
		Responses: map[string]*huma.Response{"200": {
			Description: "The kind", Content: map[string]*huma.MediaType{wire.JSONType: {Schema: openapi.Of[ProblemKind](api)}},
		}},
	}), openapi.Problems(wire.NotFound))
}

// forAnybody describes an operation that anybody may ask.
func forAnybody(op huma.Operation) huma.Operation {
	op.Tags = []string{generalTag}
	if op.Path != "/v1/ping" && op.OperationID != "problem" {
		op.Tags = []string{stationTag}
	}
	op.Security = []map[string][]string{{}} // none is needed
	return op
}

// forStations describes an operation that stations ask with a token.
func forStations(op huma.Operation) huma.Operation {
	op.Tags = []string{stationTag}
	op.Security = []map[string][]string{{"station": {}}}
	return op
}

// admission is what is answered to whom may not ask.
func admission() []openapi.Refusal {
	return openapi.Problems(wire.NotAuthenticated, wire.NotAuthorised, wire.ProtocolTooOld)
}
