package client

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"strings"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/wire"
)

// Connect asks whether the centre is there and admits this station.
func (c *Client) Connect(ctx context.Context) error {
	if _, err := c.Ping(ctx); err != nil {
		return err
	}
	_, err := c.access(ctx)
	return err
}

// Ping asks whether the centre is there. It is one try, so that a probe is
// cheap.
func (c *Client) Ping(ctx context.Context) (wire.Ping, error) {
	var answer wire.Ping
	err := c.do(ctx, call{op: "ping", method: http.MethodGet, path: "/v1/ping", out: &answer, open: true, once: true})
	if err != nil {
		return wire.Ping{}, err
	}
	if answer.Protocol.Min > wire.Version {
		return answer, &wire.Failure{Kind: wire.UpgradeNeeded, Op: "ping"}
	}
	return answer, nil
}

// authorised runs try with a token, and once more with a new one when it is
// refused.
func (c *Client) authorised(ctx context.Context, open bool, op string, try func(token string) error) error {
	if open {
		return try("")
	}
	for again := false; ; again = true {
		token, err := c.access(ctx)
		if err != nil {
			return err
		}
		err = try(token)
		failure, ok := errors.AsType[*wire.Failure](err)
		refused := ok && failure.Kind == wire.Unauthorised && (failure.Problem == nil || failure.Says(wire.NotAuthenticated))
		if !refused || again {
			return err
		}
		c.forget(token)
		c.cfg.Log.Debug("token refused", "op", op)
	}
}

func (c *Client) forget(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == token {
		c.token = ""
	}
}

// access returns a token, proving the key where there is none. Callers that
// come meanwhile prove theirs themselves: that is rare and harmless, and none
// waits behind another's network.
func (c *Client) access(ctx context.Context) (string, error) {
	c.mu.Lock()
	token, to := c.token, c.tokenTo
	c.mu.Unlock()
	if token != "" && c.cfg.Now().Before(to) {
		return token, nil
	}
	if c.cfg.Instance == "" || c.cfg.Station == "" || len(c.cfg.Key) != ed25519.PrivateKeySize {
		return "", &wire.Failure{Kind: wire.Unauthorised, Op: "prove key", Err: errors.New("not enrolled")}
	}
	var challenge wire.Challenge
	err := c.do(ctx, call{
		op: "ask for a nonce", method: http.MethodPost, path: "/v1/token:challenge", open: true,
		in: wire.ChallengeRequest{Station: string(c.cfg.Station)}, out: &challenge,
	})
	if err != nil {
		return "", err
	}
	message := wire.TokenMessage(c.cfg.Instance, string(c.cfg.Station), challenge.Nonce)
	asked := c.cfg.Now()
	var answer wire.Token
	err = c.do(ctx, call{
		op: "prove key", method: http.MethodPost, path: "/v1/token", open: true,
		in:  wire.TokenRequest{Station: string(c.cfg.Station), Nonce: challenge.Nonce, Signature: ed25519.Sign(c.cfg.Key, message)},
		out: &answer,
	})
	if err != nil {
		return "", err
	}
	if answer.AccessToken == "" || len(answer.AccessToken) > mostToken || strings.ContainsFunc(answer.AccessToken, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "", garbled("prove key", errors.New("no token"))
	}
	lasts := min(max(answer.ExpiresIn, 0), int(longestToken/time.Second))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = answer.AccessToken
	c.tokenTo = asked.Add(time.Duration(lasts)*time.Second - tokenMargin)
	return c.token, nil
}

// ErrPending reports that nobody has approved the enrolment yet.
var ErrPending = errors.New("enrolment not approved yet")

// Enrolment is what a person approves at the centre.
type Enrolment struct {
	UserCode   string // as it is shown: ABCD-EFGH
	DeviceCode string // a secret
	ExpiresAt  time.Time
	Interval   time.Duration // between polls
}

// BeginEnrolment asks the centre to admit this station under name.
func (c *Client) BeginEnrolment(ctx context.Context, name string, key ed25519.PublicKey) (Enrolment, error) {
	var answer wire.Enrolment
	err := c.do(ctx, call{
		op: "begin enrolment", method: http.MethodPost, path: "/v1/enrolments", open: true,
		in: wire.EnrolmentRequest{Name: name, PublicKey: key}, out: &answer,
	})
	if err != nil {
		return Enrolment{}, err
	}
	if len(wire.FormatUserCode(answer.UserCode)) > 20 || !plain(answer.UserCode) || answer.UserCode == "" || len(answer.DeviceCode) > mostID || answer.DeviceCode == "" {
		return Enrolment{}, garbled("begin enrolment", errors.New("no code"))
	}
	return Enrolment{
		UserCode: wire.FormatUserCode(answer.UserCode), DeviceCode: answer.DeviceCode, ExpiresAt: answer.ExpiresAt,
		Interval: time.Duration(min(max(answer.Interval, 1), int(longestPoll/time.Second))) * time.Second,
	}, nil
}

// PollEnrolment asks what became of an enrolment: a station and its centre,
// [ErrPending], or a failure whose problem is [wire.CodeExpired].
func (c *Client) PollEnrolment(ctx context.Context, deviceCode string) (qc.StationID, string, error) {
	var answer wire.Enrolled
	err := c.do(ctx, call{
		op: "poll enrolment", method: http.MethodPost, path: "/v1/enrolments:poll", open: true,
		in: wire.EnrolmentPoll{DeviceCode: deviceCode}, out: &answer,
	})
	switch {
	case err != nil:
		return "", "", err
	case answer.Status != wire.EnrolmentApproved || answer.Station == "":
		return "", "", ErrPending
	}
	if !plain(answer.Station) || !plain(answer.Instance) || answer.Instance == "" {
		return "", "", garbled("poll enrolment", errors.New("no station"))
	}
	return qc.StationID(answer.Station), answer.Instance, nil
}

// Enrol has this station admitted: show is called with the code that a person
// must approve, and Enrol returns who the station is once that has happened.
// Failures that may pass are waited out until the code expires or ctx ends.
func (c *Client) Enrol(ctx context.Context, name string, key ed25519.PublicKey, show func(Enrolment)) (qc.Identity, error) {
	begun, err := c.BeginEnrolment(ctx, name, key)
	if err != nil {
		return qc.Identity{}, err
	}
	show(begun)
	until := c.cfg.Now().Add(longestEnrol)
	ticker := time.NewTicker(begun.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return qc.Identity{}, ctx.Err()
		case <-ticker.C:
		}
		station, instance, err := c.PollEnrolment(ctx, begun.DeviceCode)
		if err == nil {
			return qc.Identity{Station: station, Name: name, Centre: c.cfg.BaseURL, Instance: instance}, nil
		}
		if !c.cfg.Now().Before(until) { // whatever the centre says
			return qc.Identity{}, &wire.Failure{Kind: wire.Conflict, Op: "poll enrolment", Problem: wire.NewProblem(wire.CodeExpired, "")}
		}
		if errors.Is(err, ErrPending) {
			continue
		}
		if failure, ok := errors.AsType[*wire.Failure](err); !ok || failure.Kind != wire.Retry {
			return qc.Identity{}, err
		}
	}
}
