package intake

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
)

// nonceLifetime is how long a station may take to sign.
const nonceLifetime = 2 * time.Minute

// tokens makes and checks nonces and access tokens. Both carry their own end
// under a MAC, so the centre keeps no list and a restart changes nothing.
type tokens struct {
	secret []byte
	now    func() time.Time
}

type claimSet struct {
	Use     string       `json:"use"`
	Station qc.StationID `json:"sid"`
	Ends    int64        `json:"exp"` // Unix seconds
	Salt    []byte       `json:"salt"`
}

const (
	useNonce = "nonce"
	useToken = "token"
)

func (t tokens) issue(use string, station qc.StationID, lifetime time.Duration) (string, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	body, err := json.Marshal(claimSet{Use: use, Station: station, Ends: t.now().Add(lifetime).Unix(), Salt: salt})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode(body) + "." + encode(t.mac(body)), nil
}

func (t tokens) mac(body []byte) []byte {
	mac := hmac.New(sha256.New, t.secret)
	mac.Write(body)
	return mac.Sum(nil)
}

func (t tokens) read(use, text string) (qc.StationID, bool) {
	first, second, ok := strings.Cut(text, ".")
	if !ok || len(text) > 1024 {
		return "", false
	}
	body, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil {
		return "", false
	}
	mac, err := base64.RawURLEncoding.DecodeString(second)
	if err != nil || !hmac.Equal(mac, t.mac(body)) {
		return "", false
	}
	var claims claimSet
	if json.Unmarshal(body, &claims) != nil || claims.Use != use || t.now().Unix() >= claims.Ends {
		return "", false
	}
	return claims.Station, true
}

func (t tokens) verify(token string) (qc.StationID, bool) { return t.read(useToken, token) }

// document is an answer with a body.
type document[T any] struct{ Body T }

func (s *service) describePing(api huma.API) {
	openapi.Register(api, forAnybody(huma.Operation{
		OperationID: "ping", Method: http.MethodGet, Path: "/v1/ping", Summary: "Say which centre this is and what it speaks",
		Description: "Whatever does not answer with this document, and with the centre's name in its header, is not the centre.",
	}), nil, func(context.Context, *struct{}) (*document[wire.Ping], error) {
		return &document[wire.Ping]{wire.Ping{
			Instance: s.Instance, Time: s.Now().UTC(), Protocol: wire.ProtocolRange{Min: wire.Version, Max: wire.Version},
		}}, nil
	})
}

func (s *service) describeTokens(api huma.API) {
	openapi.Register(api, forAnybody(huma.Operation{
		OperationID: "challenge", Method: http.MethodPost, Path: "/v1/token:challenge",
		Summary: "Give a station something to sign", MaxBodyBytes: wire.MaxEnvelope,
		Description: "The nonce lives two minutes. What is signed with it names the centre and the purpose: the lines `flawmark token v1`, " +
			"the centre's name, the station's id and the nonce.",
	}), nil, func(_ context.Context, in *struct{ Body wire.ChallengeRequest }) (*document[wire.Challenge], error) {
		nonce, err := s.tokens.issue(useNonce, qc.StationID(in.Body.Station), nonceLifetime)
		if err != nil {
			return nil, s.problem(err)
		}
		return &document[wire.Challenge]{wire.Challenge{Nonce: nonce}}, nil
	})
	openapi.Register(api, forAnybody(huma.Operation{
		OperationID: "token", Method: http.MethodPost, Path: "/v1/token",
		Summary: "Exchange a signed nonce for an access token", MaxBodyBytes: wire.MaxEnvelope,
		Description: "The token is sent as `Authorization: Bearer` and ends after fifteen minutes.",
	}), openapi.Problems(wire.NotAuthenticated, wire.BadSignature, wire.NotAuthorised), s.token)
}

func (s *service) token(ctx context.Context, in *struct{ Body wire.TokenRequest }) (*document[wire.Token], error) {
	id := qc.StationID(in.Body.Station)
	if signed, ok := s.tokens.read(useNonce, in.Body.Nonce); !ok || signed != id {
		return nil, wire.NewProblem(wire.NotAuthenticated, "the nonce has ended")
	}
	station, problem := s.station(ctx, id)
	if problem != nil {
		return nil, problem
	}
	message := wire.TokenMessage(s.Instance, in.Body.Station, in.Body.Nonce)
	if len(station.Key) != ed25519.PublicKeySize || !ed25519.Verify(station.Key, message, in.Body.Signature) {
		return nil, wire.NewProblem(wire.BadSignature, "")
	}
	token, err := s.tokens.issue(useToken, id, wire.TokenLifetime)
	if err != nil {
		return nil, s.problem(err)
	}
	return &document[wire.Token]{wire.Token{
		AccessToken: token, TokenType: "Bearer", ExpiresIn: int(wire.TokenLifetime / time.Second),
	}}, nil
}
