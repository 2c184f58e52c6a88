package intake

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"strings"
	"unicode"

	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
)

// pollSeconds is how often a waiting station asks.
const pollSeconds = 3

func (s *service) describeEnrolment(api huma.API) {
	openapi.Register(api, forAnybody(huma.Operation{
		OperationID: "begin-enrolment", Method: http.MethodPost, Path: "/v1/enrolments", DefaultStatus: http.StatusCreated,
		Summary: "Ask for a station to be admitted", MaxBodyBytes: wire.MaxEnvelope,
		Description: "The station shows the user code; an administrator compares it and approves it within ten minutes.",
	}), openapi.Problems(wire.StorageFull), s.beginEnrolment)
	openapi.Register(api, forAnybody(huma.Operation{
		OperationID: "poll-enrolment", Method: http.MethodPost, Path: "/v1/enrolments:poll",
		Summary: "Ask whether the station has been admitted", MaxBodyBytes: wire.MaxEnvelope,
		Description: "Asked again every `interval` seconds until it is approved, or the code has expired.",
	}), openapi.Problems(wire.CodeUnknown, wire.CodeExpired), s.pollEnrolment)
}

func (s *service) beginEnrolment(ctx context.Context, in *struct{ Body wire.EnrolmentRequest }) (*document[wire.Enrolment], error) {
	name := strings.TrimSpace(in.Body.Name)
	if name == "" || strings.ContainsFunc(name, unicode.IsControl) || len(in.Body.PublicKey) != ed25519.PublicKeySize {
		return nil, wire.NewProblem(wire.Malformed, "a name and an Ed25519 public key are needed")
	}
	begun, err := s.Centre.BeginEnrolment(ctx, name, in.Body.PublicKey, s.Now())
	if err != nil {
		return nil, s.problem(err)
	}
	return &document[wire.Enrolment]{wire.Enrolment{
		UserCode: wire.FormatUserCode(begun.UserCode), DeviceCode: begun.DeviceCode,
		ExpiresAt: begun.ExpiresAt.UTC(), Interval: pollSeconds,
	}}, nil
}

func (s *service) pollEnrolment(ctx context.Context, in *struct{ Body wire.EnrolmentPoll }) (*document[wire.Enrolled], error) {
	answer := wire.Enrolled{Status: wire.EnrolmentPending, Instance: s.Instance}
	id, err := s.Centre.PollEnrolment(ctx, in.Body.DeviceCode, s.Now())
	switch {
	case err == nil:
		answer.Status, answer.Station = wire.EnrolmentApproved, string(id)
	case s.Refusals.Pending == nil || !errors.Is(err, s.Refusals.Pending):
		return nil, s.problem(err)
	}
	return &document[wire.Enrolled]{answer}, nil
}
