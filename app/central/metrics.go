package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/storage/blob"
	"flawmark/storage/central"
	"flawmark/sync/intake"
	"flawmark/ui/web"
)

// metrics count what happens. Labels hold words of the program only: no id, no
// name and no address of anybody.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	events   *prometheus.CounterVec
	uploaded prometheus.Counter
	behind   prometheus.Histogram
	checked  prometheus.Gauge
	problems prometheus.Gauge
	signIns  *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "flawmark_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"method", "route", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "flawmark_request_seconds", Help: "Time to the end of an answer, without those that wait for news.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "flawmark_intake_events_total", Help: "Events of stations, by kind and what came of them.",
		}, []string{"kind", "result"}),
		uploaded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "flawmark_upload_bytes_total", Help: "Bytes of photo files that arrived and are durable.",
		}),
		behind: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "flawmark_feed_behind_changes", Help: "Changes that a follower of the feed had not heard when it asked.",
			Buckets: []float64{0, 1, 10, 100, 999},
		}),
		checked: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "flawmark_books_checked_timestamp_seconds", Help: "When ledger, chains and feed were last derived again; 0: not since the start.",
		}),
		problems: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "flawmark_books_problems", Help: "What did not add up then.",
		}),
		signIns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "flawmark_sign_ins_total", Help: "Passwords that were tried at the desk: right, wrong, or not looked at after too many wrong ones.",
		}, []string{"result"}),
	}
	m.registry.MustRegister(m.requests, m.took, m.events, m.uploaded, m.behind, m.checked, m.problems, m.signIns,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// answered counts one request of a route, which is a pattern, never a path.
func (m *metrics) answered(method, route string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other" // anybody can make one up
	}
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	if !waits(route) {
		m.took.WithLabelValues(route).Observe(took.Seconds())
	}
}

// waits reports whether answers of a route wait for news.
func waits(route string) bool {
	return strings.HasSuffix(route, "/events") && strings.HasPrefix(route, "/") && !strings.HasPrefix(route, "/v1/stations/") || strings.HasSuffix(route, "/changes")
}

// counted counts what the pages answer, by the patterns of their routes.
func (m *metrics) counted(now func() time.Time, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := now()
		noted := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(noted, r)
		route := r.Pattern // which the pages' own routes have put there
		if _, path, ok := strings.Cut(route, " "); ok {
			route = path
		}
		m.answered(r.Method, route, noted.status, now().Sub(began))
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets response controllers reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// countingCentre counts what stations bring and ask.
type countingCentre struct {
	intake.Centre
	metrics *metrics
}

func (c countingCentre) ApplyEvents(ctx context.Context, id qc.StationID, batch qc.Batch, at time.Time) (qc.Ack, error) {
	ack, err := c.Centre.ApplyEvents(ctx, id, batch, at)
	if err != nil {
		return ack, err
	}
	for _, receipt := range ack.Receipts {
		c.metrics.events.WithLabelValues(kindOf(batch, receipt.Seq), string(receipt.Status)).Inc()
	}
	return ack, nil
}

// kindOf returns the kind of an event of a batch, as far as it is one of ours.
func kindOf(batch qc.Batch, seq uint64) string {
	i := int(seq - batch.First)
	if i < 0 || i >= len(batch.Events) {
		return "other"
	}
	var event struct {
		Kind qc.EventKind `json:"kind"`
	}
	if err := json.Unmarshal(batch.Events[i], &event); err != nil {
		return "other"
	}
	switch event.Kind {
	case qc.FindingRecorded, qc.ReviewGiven, qc.ReturnDispatched, qc.ReplacementArrived:
		return string(event.Kind)
	}
	return "other"
}

func (c countingCentre) Changes(ctx context.Context, after qc.Cursor, limit int) (qc.Page, error) {
	page, err := c.Centre.Changes(ctx, after, limit)
	if err == nil {
		c.metrics.behind.Observe(float64(len(page.Changes)))
	}
	return page, err
}

// countingSignIns counts who gets in at the desk.
type countingSignIns struct {
	forPages
	metrics *metrics
}

func (c countingSignIns) SignIn(ctx context.Context, id qc.StaffID, password string, from web.Source, at time.Time) (qc.Staff, error) {
	person, err := c.forPages.SignIn(ctx, id, password, from, at)
	result := ""
	switch {
	case err == nil:
		result = "right"
	case errors.Is(err, web.ErrSignIn):
		result = "wrong"
	case errors.Is(err, web.ErrLocked):
		result = "locked"
	default:
		return person, err
	}
	c.metrics.signIns.WithLabelValues(result).Inc()
	return person, err
}

// countingStaged counts the bytes of an upload.
type countingStaged struct {
	intake.Staged
	bytes prometheus.Counter
}

func (s countingStaged) Append(ctx context.Context, r io.Reader, limit int64) (int64, error) {
	n, err := s.Staged.Append(ctx, r, limit)
	s.bytes.Add(float64(n))
	return n, err
}

// storeMetrics asks the store when somebody looks.
type storeMetrics struct {
	c                                            *centre
	up, cases, notices, uploads, blobs, feed     *prometheus.Desc
	disk, backup, certificate, rejected, overdue *prometheus.Desc
	oldest, timers                               *prometheus.Desc
	connections, waiting                         *prometheus.Desc

	mu     sync.Mutex
	looked time.Time
	seen   lookedAt
}

// lookedAt is what the store said when it was asked last.
type lookedAt struct {
	stats  central.Stats
	health central.Health
	err    error
}

// look asks the store, which counts all its rows for that, once a minute.
func (s *storeMetrics) look() lookedAt {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.c.now()
	if age := now.Sub(s.looked); !s.looked.IsZero() && age >= 0 && age < time.Minute {
		return s.seen
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookFor)
	defer cancel()
	s.looked, s.seen = now, lookedAt{}
	if s.seen.stats, s.seen.err = s.c.store.Stats(ctx); s.seen.err == nil {
		s.seen.health, s.seen.err = s.c.store.Health(ctx, now, now.Add(-leftBehind))
	}
	if s.seen.err != nil {
		s.c.log.ErrorContext(ctx, "metrics of the store are missing", "error", s.seen.err)
	}
	return s.seen
}

func newStoreMetrics(c *centre) *storeMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("flawmark_"+name, help, labels, nil)
	}
	return &storeMetrics{
		c:           c,
		up:          desc("database_up", "1 when the database answered."),
		cases:       desc("cases", "Cases by status.", "status"),
		notices:     desc("notices", "Notices to customers and shops by state.", "state"),
		overdue:     desc("notices_overdue", "Notices that should have gone out hours ago."),
		oldest:      desc("notices_oldest_due_timestamp_seconds", "Since when the notice that waits longest could have gone out; 0: none waits."),
		timers:      desc("timers_overdue", "Cases that their clock should have moved hours ago."),
		uploads:     desc("uploads_unfinished", "Uploads that are on their way."),
		rejected:    desc("events_rejected", "Events of stations that were refused since the beginning."),
		blobs:       desc("photo_bytes", "Bytes of photo files."),
		feed:        desc("feed_head", "Number of the newest change."),
		disk:        desc("disk_bytes", "Room on the disk of the data folder.", "what"),
		backup:      desc("backup_timestamp_seconds", "When the newest backup was made; 0: never."),
		certificate: desc("certificate_ends_timestamp_seconds", "When the certificate ends."),
		connections: desc("database_connections", "Connections to the database that are in use.", "pool"),
		waiting:     desc("database_wait_seconds_total", "Time that was waited for a connection.", "pool"),
	}
}

// Describe implements prometheus.Collector.
func (s *storeMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		s.up, s.cases, s.notices, s.overdue, s.oldest, s.timers, s.uploads, s.rejected, s.blobs, s.feed, s.disk, s.backup, s.certificate, s.connections, s.waiting,
	} {
		out <- desc
	}
}

// lookFor bounds how long the store may take to tell.
const lookFor = 8 * time.Second

// Collect implements prometheus.Collector.
func (s *storeMetrics) Collect(out chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	seen := s.look()
	stats, health := seen.stats, seen.health
	if seen.err == nil {
		gauge(s.up, 1)
		for status, n := range stats.CasesBy {
			gauge(s.cases, float64(n), string(status))
		}
		for state, n := range health.Notices {
			gauge(s.notices, float64(n), string(state))
		}
		gauge(s.overdue, float64(health.OverdueNotices))
		gauge(s.oldest, seconds(health.OldestNotice))
		gauge(s.timers, float64(health.OverdueTimers))
		gauge(s.uploads, float64(stats.Uploads))
		gauge(s.rejected, float64(stats.Rejected))
		gauge(s.blobs, float64(stats.BlobBytes))
		gauge(s.feed, float64(stats.FeedSeq))
		gauge(s.backup, seconds(health.LastBackup))
	} else {
		gauge(s.up, 0)
	}
	if space, err := blob.SpaceOf(s.c.settings.Data); err == nil {
		gauge(s.disk, float64(space.Free), "free")
		gauge(s.disk, float64(space.Total), "total")
	}
	if s.c.settings.TLSCert != "" {
		if ends, err := certificateEnd(s.c.settings); err == nil {
			gauge(s.certificate, seconds(ends))
		}
	}
	for pool, stats := range s.c.store.Pools() {
		gauge(s.connections, float64(stats.InUse), pool)
		out <- prometheus.MustNewConstMetric(s.waiting, prometheus.CounterValue, stats.WaitDuration.Seconds(), pool)
	}
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.Unix())
}

// exposition is what is read at /metrics.
func (m *metrics) exposition(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: 2, Timeout: 2 * lookFor, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError),
	})
}

// withToken lets only those read who bring the token of the settings. Without
// one there is nothing to read.
func withToken(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, brought, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		switch {
		case token == "":
			http.NotFound(w, r)
		case !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare([]byte(brought), []byte(token)) != 1:
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "a token is needed", http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// checkBooks derives ledger, chains and feed again and counts what is wrong.
func (c *centre) checkBooks(ctx context.Context) {
	report, err := c.store.Verify(ctx)
	if ctx.Err() != nil {
		return
	}
	if err == nil && !report.OK() {
		err = errors.New(report.Problems[0])
	}
	c.metrics.problems.Set(float64(len(report.Problems)))
	c.metrics.checked.Set(seconds(c.now()))
	if err != nil {
		c.log.ErrorContext(ctx, "the books do not add up", "problems", len(report.Problems), "error", err)
	}
}

// listenForMetrics opens the address that is for metrics alone; nil: none is set.
func (c *centre) listenForMetrics() (net.Listener, error) {
	if c.settings.Metrics == "" {
		return nil, nil //nolint:nilnil // nobody listens
	}
	listener, err := net.Listen("tcp", c.settings.Metrics)
	if err != nil {
		return nil, command.Fail("cli.listen_failed", err, "address", c.settings.Metrics)
	}
	return listener, nil
}

// serveMetrics answers there until ctx ends, without a token where the address is
// of this machine alone.
func (c *centre) serveMetrics(ctx context.Context, listener net.Listener) error {
	if listener == nil {
		return nil
	}
	handler := c.metrics.exposition(c.log)
	if c.settings.MetricsToken != "" {
		handler = withToken(c.settings.MetricsToken, handler)
	}
	router := http.NewServeMux()
	router.Handle("GET /metrics", handler)
	server := &http.Server{
		Handler: router, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		MaxHeaderBytes: 16 << 10,
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	return ignoreClosed(server.Serve(listener))
}
