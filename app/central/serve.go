package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"flawmark/app/command"
	"flawmark/app/door"
	"flawmark/app/qc"
	"flawmark/app/settings"
	"flawmark/sync/intake"
	"flawmark/ui/web"
)

// When the service stops, requests under way come to their own end. Event streams
// and long polls, which would go on for ever, and uploads, which go on later from
// where they were, are told after undisturbed. Whatever has not ended after
// graceful is cut.
const (
	undisturbed = 500 * time.Millisecond
	graceful    = 10 * time.Second
)

// serve is the service itself, as a parts list.
func serve(ctx context.Context, call *command.Call) (err error) {
	s, err := settings.LoadCentre(call.Set, call.Env)
	if err != nil {
		return err
	}
	log, logFile, err := openLog(s.Data, call.Err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, logFile.Close()) }()

	c, err := openCentre(ctx, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()

	listener, err := c.listen()
	if err != nil {
		return err
	}
	pages, closePages, err := c.pages(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, closePages()) }()
	handler, err := c.handler(ctx, pages)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	sender, endSending, err := c.sender(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer endSending()
	waiting, endWaiting := context.WithCancel(context.WithoutCancel(ctx))
	defer endWaiting()
	server := &http.Server{
		Handler: untilStop(waiting, handler), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: nil,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	figures, err := c.listenForMetrics()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	entrance, err := door.Open(s.Data)
	if err != nil {
		return errors.Join(err, listener.Close())
	}

	if s.Demo {
		if err := c.loadSamples(ctx, call.Out); err != nil {
			return errors.Join(err, listener.Close())
		}
	}
	fmt.Fprintf(call.Out, "desk %s/desk\n", c.public())
	// From here on nothing asks the storage for what it cannot go on without: it may
	// fail for a while, and the service outlives that.
	told := ctx // to stop
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return ignoreClosed(server.Serve(listener)) })
	group.Go(func() error {
		<-ctx.Done()
		c.drain()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceful)
		defer cancel()
		ending := time.AfterFunc(undisturbed, endWaiting)
		defer ending.Stop()
		err := server.Shutdown(last)
		if errors.Is(err, context.DeadlineExceeded) { // somebody does not read the answer
			return server.Close()
		}
		return err
	})
	group.Go(func() error {
		return entrance.Run(ctx, func(ctx context.Context, from door.Call, out, errOut io.Writer) int {
			return program().Answer(command.Holding(ctx, c), from, call.Env, out, errOut)
		})
	})
	group.Go(func() error { return c.store.Follow(ctx) })
	group.Go(func() error { return c.keepHouse(ctx) })
	group.Go(func() error { return c.keepStore(ctx) })
	group.Go(func() error { return c.serveMetrics(ctx, figures) })
	group.Go(func() error { return pages.Run(ctx) })
	group.Go(func() error { return sender.Run(ctx) })
	log.InfoContext(ctx, "centre is serving", "listen", s.Listen, "instance", c.store.Instance())
	err = group.Wait()
	if told.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // told so early that a part was still beginning
	}
	return err
}

// listen opens the service's port, with TLS where a certificate is set.
func (c *centre) listen() (net.Listener, error) {
	listener, err := net.Listen("tcp", c.settings.Listen)
	if err != nil {
		return nil, command.Fail("cli.listen_failed", err, "address", c.settings.Listen)
	}
	c.settings.Listen = listener.Addr().String() // the port that ":0" became
	if c.settings.TLSCert == "" {
		return listener, nil
	}
	certificate, err := tls.LoadX509KeyPair(c.settings.TLSCert, c.settings.TLSKey)
	if err != nil {
		return nil, errors.Join(command.Fail("cli.certificate_unusable", err, "file", c.settings.TLSCert), listener.Close())
	}
	return tls.NewListener(listener, &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate},
		NextProtos: []string{"h2", "http/1.1"},
	}), nil
}

// handler joins what stations call and what people open.
func (c *centre) handler(ctx context.Context, pages *web.Pages) (http.Handler, error) {
	doors, err := c.doors(ctx, pages)
	if err != nil {
		return nil, err
	}
	router := http.NewServeMux()
	for path, behind := range doors {
		router.Handle(path, behind)
	}
	return paced(unread, behindProxies(c.settings.Proxies(), c.leaving(c.strict(router)))), nil
}

// doors are all paths of the centre with who answers below them.
func (c *centre) doors(ctx context.Context, pages *web.Pages) (map[string]http.Handler, error) {
	tokens, err := c.store.Secret(ctx, "station tokens")
	if err != nil {
		return nil, err
	}
	var stations intake.Centre = c.forIntake()
	if c.settings.Demo {
		stations = demoCentre{c.forIntake()}
	}
	shops, err := c.shopDoor(pages)
	if err != nil {
		return nil, err
	}
	api, err := intake.New(intake.Config{
		Beside: shops,
		Centre: countingCentre{stations, c.metrics}, Answered: c.metrics.answered,
		Stage: func(id string) (intake.Staged, error) {
			staged, err := c.blobs.Stage(id)
			if err != nil {
				return nil, err
			}
			return countingStaged{staged, c.metrics.uploaded}, nil
		},
		Open:     func(d qc.Digest) (intake.File, error) { return c.blobs.Open(d) },
		Refusals: refusals(), Instance: c.store.Instance(), Secret: tokens, Now: c.now, Log: c.log,
	})
	if err != nil {
		return nil, err
	}
	doors := map[string]http.Handler{
		"/": c.metrics.counted(c.now, pages.Handler()), "GET /readyz": http.HandlerFunc(c.ready),
		"GET /metrics": withToken(c.settings.MetricsToken, c.metrics.exposition(c.log)),
	}
	for _, path := range []string{"/v1/", "/openapi.json", "/openapi.yaml", "/healthz"} {
		doors[path] = api
	}
	return doors, nil
}

// public returns the base URL of links given to people.
func (c *centre) public() string {
	if c.settings.Public != "" {
		return c.settings.Public
	}
	scheme := "http"
	if c.settings.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + reachable(c.settings.Listen)
}

// reachable returns an address others can open for one that is listened on:
// the machine's name where that is all its addresses.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return listen
	}
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	return net.JoinHostPort(name, port)
}

// orderLink returns a customer's address. The token is a secret: it is printed
// to whoever asked and never logged.
func (c *centre) orderLink(order qc.OrderID, token string) string {
	return c.public() + "/o/" + string(order) + "?t=" + token
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
