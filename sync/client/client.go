// Package client is a station's end of protocol version 1: it speaks to the
// centre and says plainly what every failure means.
//
// Every failure is a [*wire.Failure]. No answer is believed unless it names
// the centre that this station is enrolled with and has the media type that
// was asked for; redirects are never followed. A sign-in page, another server
// or a proxy in between can therefore acknowledge nothing.
//
// Short retries within one request belong to the HTTP library underneath and
// only happen for requests that may be repeated safely. Parts of an upload are
// never repeated blindly: the caller asks how far it is. Whatever takes longer
// than seconds belongs to the caller.
package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/wire"

	"github.com/hashicorp/go-retryablehttp"
)

// Config says whom to speak to, and as whom.
type Config struct {
	BaseURL  string // such as "https://centre.example"
	Instance string // the centre's name; empty only before enrolment
	Station  qc.StationID
	Key      ed25519.PrivateKey
	Now      func() time.Time
	Log      *slog.Logger

	RootCAs *x509.CertPool // nil: the system's
	// Pins are SHA-256 sums of public keys (SPKI), base64. When there are any,
	// one certificate of a verified chain must have one of them. They add to
	// the usual verification and replace none of it.
	Pins []string
	// Proxy is the way to the centre; nil: what the environment says.
	Proxy *url.URL

	// Transport replaces the network; nil: the real one.
	Transport http.RoundTripper
	// StallTimeout ends a transfer that moves less than 8 KiB in it. Zero
	// means 20 s.
	StallTimeout time.Duration
	// AnswerTimeout ends an answer that is a document and still not at its end
	// then, however busily it trickles. Zero means 2 minutes.
	AnswerTimeout time.Duration
}

// Client speaks to one centre. It may be used by several goroutines.
type Client struct {
	cfg     Config
	base    *url.URL
	calls   *retryablehttp.Client // repeatable requests
	uploads *http.Client          // parts of uploads, on connections of their own

	mu      sync.Mutex
	token   string
	tokenTo time.Time
}

// Times of a request.
const (
	headerTimeout  = 30 * time.Second // beyond the longest poll
	retryShortest  = 300 * time.Millisecond
	retryLongest   = 5 * time.Second
	retries        = 2
	tokenMargin    = 30 * time.Second
	leastProgress  = 8 << 10
	largestAnswer  = 1 << 20  // of most requests
	largestPage    = 16 << 20 // of the feed
	largestProblem = 64 << 10
	largestHeader  = 64 << 10
)

// ErrPlain reports that a centre is to be recognised by its certificate at an
// address without one.
var ErrPlain = errors.New("authorities and pins are of no use without https")

// New returns a client; it speaks to nobody yet.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, fmt.Errorf("open client: %q is not the address of a centre", cfg.BaseURL)
	}
	if cfg.Now == nil || cfg.Log == nil {
		return nil, errors.New("open client: Now and Log are required")
	}
	if base.Scheme == "http" && (cfg.RootCAs != nil || len(cfg.Pins) > 0) {
		return nil, fmt.Errorf("open client: %w", ErrPlain)
	}
	if cfg.StallTimeout == 0 {
		cfg.StallTimeout = 20 * time.Second
	}
	if cfg.AnswerTimeout == 0 {
		cfg.AnswerTimeout = 2 * time.Minute
	}
	c := &Client{cfg: cfg, base: base}
	calls, uploads := cfg.Transport, cfg.Transport
	if cfg.Transport == nil {
		calls, uploads = cfg.transport(true), cfg.transport(false)
	}
	calls, uploads = patient{calls, cfg.AnswerTimeout}, patient{uploads, cfg.AnswerTimeout}
	c.calls = retryablehttp.NewClient()
	c.calls.Logger = nil // it would print addresses
	c.calls.RetryMax = retries
	c.calls.RetryWaitMin, c.calls.RetryWaitMax = retryShortest, retryLongest
	c.calls.CheckRetry = checkRetry
	c.calls.Backoff = backoff
	c.calls.ErrorHandler = retryablehttp.PassthroughErrorHandler
	c.calls.HTTPClient = &http.Client{Transport: calls, CheckRedirect: stay}
	c.uploads = &http.Client{Transport: uploads, CheckRedirect: stay}
	return c, nil
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Close ends idle connections.
func (c *Client) Close() {
	c.calls.HTTPClient.CloseIdleConnections()
	c.uploads.CloseIdleConnections()
}

type onceKey struct{}

// checkRetry repeats what failed on the network or may pass soon. All requests
// that come here may be repeated: they read, or carry their own identity.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if once, _ := ctx.Value(onceKey{}).(bool); once {
		return false, nil
	}
	if err != nil {
		return !untrusted(err), nil
	}
	switch {
	case resp.StatusCode == http.StatusRequestTimeout, resp.StatusCode == http.StatusTooEarly:
		return true, nil
	case resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented, resp.StatusCode == http.StatusTooManyRequests:
		return retryAfter(resp) <= retryLongest, nil // longer waits are the caller's
	}
	return false, nil
}

// backoff waits a random part of a growing, capped time, but at least what the
// centre asked for.
func backoff(shortest, longest time.Duration, attempt int, resp *http.Response) time.Duration {
	wait := min(longest, shortest<<min(attempt, 10))
	wait = rand.N(wait) + time.Millisecond //nolint:gosec // spreads load, keeps no secret
	if resp != nil {
		wait = max(wait, min(retryAfter(resp), longest))
	}
	return wait
}

func retryAfter(resp *http.Response) time.Duration {
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(min(seconds, 86_400))*time.Second, wire.MaxRetryAfter)
}

// call is one request for a JSON document.
type call struct {
	op     string
	method string
	path   string // below the base, with its query
	in     any    // nil: no body
	out    any
	open   bool  // without a token
	once   bool  // without retries of its own
	most   int64 // bytes of the answer; 0: largestAnswer
}

// do performs a call, with a fresh token where the old one is refused.
func (c *Client) do(ctx context.Context, call call) error {
	var body []byte
	if call.in != nil {
		var err error
		if body, err = json.Marshal(call.in); err != nil {
			return &wire.Failure{Kind: wire.Rejected, Op: call.op, Err: err}
		}
	}
	return c.authorised(ctx, call.open, call.op, func(token string) error {
		asked := context.WithValue(ctx, onceKey{}, call.once)
		return c.send(asked, call.op, call.method, call.path, token, body, func(req *http.Request) {
			req.Header.Set("Accept", wire.JSONType+", "+wire.ProblemType)
			if body != nil {
				req.Header.Set("Content-Type", wire.JSONType)
			}
		}, func(resp *http.Response, cancel context.CancelCauseFunc) error {
			if !isType(resp, wire.JSONType) {
				return &wire.Failure{Kind: wire.WrongNetwork, Op: call.op}
			}
			watched := c.watch(resp.Body, cancel)
			defer watched.stop()
			most := cmp.Or(call.most, largestAnswer)
			data, err := io.ReadAll(io.LimitReader(watched, most+1))
			if err != nil {
				return err
			}
			if int64(len(data)) > most {
				return garbled(call.op, fmt.Errorf("more than %d bytes", most))
			}
			if err := json.Unmarshal(data, call.out); err != nil {
				return garbled(call.op, err)
			}
			return nil
		})
	})
}

// request performs a repeatable request without a body.
func (c *Client) request(ctx context.Context, op, method, path string, prepare func(*http.Request),
	read func(*http.Response, context.CancelCauseFunc) error,
) error {
	return c.authorised(ctx, false, op, func(token string) error {
		return c.send(ctx, op, method, path, token, nil, prepare, read)
	})
}

// send performs one repeatable request and hands its answer to read once it is
// known to be the centre's.
func (c *Client) send(ctx context.Context, op, method, path, token string, body []byte, prepare func(*http.Request),
	read func(*http.Response, context.CancelCauseFunc) error,
) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var source any
	var sending *stallReader // of the attempt in progress
	defer func() {
		if sending != nil {
			sending.stop()
		}
	}()
	if body != nil {
		source = retryablehttp.ReaderFunc(func() (io.Reader, error) {
			if sending != nil {
				sending.stop()
			}
			sending = c.watch(bytes.NewReader(body), cancel)
			return sending, nil
		})
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, method, c.base.String(), source)
	if err != nil {
		return &wire.Failure{Kind: wire.Rejected, Op: op, Err: err}
	}
	if err := c.aim(req.Request, path, token); err != nil {
		return &wire.Failure{Kind: wire.Rejected, Op: op, Err: err}
	}
	req.ContentLength = int64(len(body)) // a ReaderFunc alone would go out in chunks
	if prepare != nil {
		prepare(req.Request)
	}
	resp, err := c.calls.Do(req)
	if err != nil {
		return c.failure(ctx, op, err)
	}
	defer drain(resp)
	if err := c.check(op, resp); err != nil {
		return err
	}
	if err := read(resp, cancel); err != nil {
		if _, ok := errors.AsType[*wire.Failure](err); ok {
			return err
		}
		return c.failure(ctx, op, err)
	}
	return nil
}

// aim points a request at path and says who asks.
func (c *Client) aim(req *http.Request, path, token string) error {
	target, err := c.resolve(path)
	if err != nil {
		return err
	}
	req.URL, req.Host = target, ""
	req.Header.Set(wire.ProtocolHeader, strconv.Itoa(wire.Version))
	req.Header.Set("User-Agent", "flawmark")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return nil
}

// resolve returns the address of a path. The centre cannot send the station,
// and its token, anywhere else.
func (c *Client) resolve(path string) (*url.URL, error) {
	ref, err := url.Parse(path)
	if err != nil || ref.IsAbs() || ref.Host != "" || !strings.HasPrefix(ref.Path, "/v1/") {
		return nil, fmt.Errorf("%.80q is no path of the centre", path)
	}
	target := *c.base
	target.Path = strings.TrimSuffix(c.base.Path, "/") + ref.Path
	target.RawQuery = ref.RawQuery
	return &target, nil
}

// check believes an answer, or says why not.
func (c *Client) check(op string, resp *http.Response) error {
	instance := resp.Header.Get(wire.InstanceHeader)
	switch {
	case instance == "" && resp.StatusCode >= 500:
		// A gateway in front of a centre that is down.
		return &wire.Failure{Kind: wire.Retry, Op: op, RetryAfter: retryAfter(resp), Err: fmt.Errorf("status %d", resp.StatusCode)}
	case instance == "":
		return &wire.Failure{Kind: wire.WrongNetwork, Op: op, Err: fmt.Errorf("status %d without a centre's name", resp.StatusCode)}
	case c.cfg.Instance != "" && instance != c.cfg.Instance:
		return &wire.Failure{Kind: wire.WrongServer, Op: op, Err: errors.New("another centre answered")}
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return nil
	}
	failure := &wire.Failure{
		Kind: wire.KindOf(resp.StatusCode), Op: op, RetryAfter: retryAfter(resp), Err: fmt.Errorf("status %d", resp.StatusCode),
	}
	if isType(resp, wire.ProblemType) {
		var problem wire.Problem
		if data, err := io.ReadAll(io.LimitReader(resp.Body, largestProblem)); err == nil && json.Unmarshal(data, &problem) == nil {
			failure.Problem = &problem
		}
	}
	return failure
}

func isType(resp *http.Response, want string) bool {
	got, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && got == want
}

// failure classifies what went wrong below HTTP. The address is left out: it
// may have a query.
func (c *Client) failure(ctx context.Context, op string, err error) error {
	if cause := context.Cause(ctx); ctx.Err() != nil && !errors.Is(cause, errStalled) {
		return ctx.Err()
	} else if cause != nil {
		err = cause
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	kind := wire.Retry
	if untrusted(err) {
		kind = wire.WrongNetwork
	}
	return &wire.Failure{Kind: kind, Op: op, Err: err, Sentence: c.cfg.distrust(err)}
}

// drain lets the connection be used again.
func drain(resp *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, largestProblem))
	_ = resp.Body.Close()
}

func encodeMetadata(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
