package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"flawmark/app/command"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/app/settings"
	"flawmark/storage/blob"
	"flawmark/storage/central"
)

const (
	// sampled is how many photo files are read where not all are to be.
	sampled = 200
	// leftBehind is how late a notice or an upload may be before somebody should
	// look: far above what happens by itself.
	leftBehind = 2 * time.Hour
	// backupStale is the age at which a backup is too old.
	backupStale = 26 * time.Hour
	// certificateEnds is how long before its end a certificate is to be renewed.
	certificateEnds = 14 * 24 * time.Hour
	// mailAnswers is how long a mail server may take to greet.
	mailAnswers = 10 * time.Second
)

// doctor looks at a centre's data and at what it depends on. It changes nothing
// unless it is to repair.
type doctor struct {
	*command.Examination
	call     *command.Call
	settings settings.Centre
	store    *central.Store // nil: it cannot be read
	broken   error          // why
	blobs    blob.Files
	now      func() time.Time
	deep     bool
	repair   bool
	random   *rand.Rand
	lost     []qc.Digest // photo files that are missing or damaged
	newest   time.Time   // what the audit trail ends with
}

func doctorFlags(set *flag.FlagSet) {
	set.Bool("deep", false, "read every photo file instead of a sample, and make every row of the desk's lists once more")
	set.Bool("repair", false, "ask the stations again for photo files that are missing or damaged, and mend the desk's lists; with the service stopped")
}

// diagnose is the doctor command: one line a check, and a failure when one of
// them found a problem.
func diagnose(ctx context.Context, call *command.Call) error {
	if len(call.Args) > 0 {
		return command.Fail("cli.args_unwanted", nil, "args", call.Args[0])
	}
	d, closeAll, err := newDoctor(ctx, call)
	if err != nil {
		return err
	}
	err = d.examine(ctx)
	if err = errors.Join(err, closeAll()); err != nil {
		return err
	}
	return d.Report()
}

// newDoctor opens what is to be looked at: what the service has open, or the
// folder.
func newDoctor(ctx context.Context, call *command.Call) (*doctor, func() error, error) {
	d := &doctor{
		Examination: call.Examine(), call: call, now: time.Now, deep: call.Flag("deep") == "true", repair: call.Flag("repair") == "true",
		random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}
	if held, ok := command.Held[*centre](ctx); ok {
		if d.repair {
			return nil, nil, command.Fail("error.centre_already_running", nil, "folder", held.settings.Data)
		}
		d.settings, d.store, d.blobs, d.now = held.settings, held.store, held.blobs, held.now
		return d, func() error { return nil }, nil
	}
	wanted, err := settings.LoadCentre(call.Set, call.Env)
	if err != nil {
		return nil, nil, err
	}
	d.settings = wanted
	if info, err := os.Stat(wanted.Data); err != nil || !info.IsDir() {
		return nil, nil, command.Fail("cli.no_centre_data", err, "folder", wanted.Data)
	}
	d.store, d.broken = central.Inspect(ctx, central.Config{URL: wanted.Database, Dir: wanted.Data, Now: d.now, Log: slog.New(slog.DiscardHandler)})
	if errors.Is(d.broken, central.ErrInUse) {
		return nil, nil, storeProblem(d.broken, wanted.Data)
	}
	closeStore := func() error {
		if d.store == nil {
			return nil
		}
		return d.store.Close()
	}
	if d.blobs, err = openFiles(ctx, wanted); err != nil {
		return nil, nil, errors.Join(err, closeStore())
	}
	return d, func() error { return errors.Join(closeStore(), d.blobs.Close()) }, nil
}

// examine runs every check, in the order in which people care.
func (d *doctor) examine(ctx context.Context) error {
	for _, check := range []func(context.Context) error{
		d.books, d.desk, d.photos, d.content, d.mend, d.health, d.space, d.clock, d.certificate, d.mail,
	} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// unread notes that a check needs what cannot be read.
func (d *doctor) unread(name string) bool {
	if d.store != nil {
		return false
	}
	d.Skip(name)
	return true
}

// books looks at the database's pages, the ledger, the chains and the feed.
func (d *doctor) books(ctx context.Context) error {
	if d.store == nil {
		outcome := "unreadable"
		for cause, known := range map[error]string{
			central.ErrNewer: "newer", central.ErrMoved: "moved", central.ErrUnfinished: "unfinished", central.ErrDatabase: "unreachable",
		} {
			if errors.Is(d.broken, cause) {
				outcome = known
			}
		}
		d.Say("books", command.Trouble, outcome)
		return nil
	}
	report, err := d.store.Verify(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil { // pages that cannot be read
		d.Say("books", command.Trouble, "unreadable")
		return nil //nolint:nilerr // said, which is what a doctor is for
	}
	pairs := []string{
		"cases", strconv.Itoa(report.Cases), "transfers", strconv.Itoa(report.Transfers), "events", strconv.Itoa(report.Events),
		"audit", strconv.Itoa(report.Audit), "n", strconv.Itoa(len(report.Problems)),
	}
	if !report.OK() {
		d.Say("books", command.Trouble, "broken", pairs...)
		return nil
	}
	d.Say("books", command.Sound, "ok", pairs...)
	return nil
}

// photos looks for every file that the database says is there.
func (d *doctor) photos(ctx context.Context) error {
	if d.unread("photos_here") {
		return nil
	}
	n := 0
	var missing []qc.Digest
	err := d.store.EachBlob(ctx, func(b central.Blob) error {
		n++
		size, here, err := d.blobs.Has(b.Digest)
		if err == nil && (!here || size != b.Bytes) {
			missing = append(missing, b.Digest)
		}
		return err
	})
	if err != nil {
		return err
	}
	pairs := []string{"n", strconv.Itoa(n), "missing", strconv.Itoa(len(missing))}
	if len(missing) > 0 {
		d.Say("photos_here", command.Trouble, "missing", pairs...)
		d.Name(missing)
		d.lost = append(d.lost, missing...)
		return nil
	}
	d.Say("photos_here", command.Sound, "ok", pairs...)
	return nil
}

// content reads photo files against their names: all, or a sample.
func (d *doctor) content(ctx context.Context) error {
	var chosen []qc.Digest
	all := 0
	for digest, err := range d.blobs.All() {
		if err != nil {
			return err
		}
		all++
		switch at := d.random.IntN(all); { // each file has the same chance, however many there are
		case d.deep || len(chosen) < sampled:
			chosen = append(chosen, digest)
		case at < sampled:
			chosen[at] = digest
		}
	}
	var damaged []qc.Digest
	said := d.now()
	for i, digest := range chosen {
		err := d.blobs.Verify(ctx, digest)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !errors.Is(err, qc.ErrNotFound) { // a bad sector is damage as well
			damaged = append(damaged, digest)
		}
		if now := d.now(); now.Sub(said) > time.Second {
			said = now
			fmt.Fprintln(d.call.Err, d.call.Words.Text("cli.doctor.progress", "n", strconv.Itoa(i+1), "m", strconv.Itoa(len(chosen))))
		}
	}
	pairs := []string{"n", strconv.Itoa(len(chosen)), "m", strconv.Itoa(all), "damaged", strconv.Itoa(len(damaged))}
	switch {
	case len(damaged) > 0:
		d.Say("photos", command.Trouble, "damaged_here", pairs...)
		d.Name(damaged)
		d.lost = append(d.lost, damaged...)
	case len(chosen) < all:
		d.Say("photos", command.Sound, "sampled", pairs...)
	default:
		d.Say("photos", command.Sound, "ok", pairs...)
	}
	return nil
}

// mend takes damaged files out of the way and has the stations send again what
// is lost.
func (d *doctor) mend(ctx context.Context) error {
	if !d.repair || d.store == nil || len(d.lost) == 0 {
		return nil
	}
	for _, digest := range d.lost {
		if err := d.blobs.Remove(digest); err != nil {
			return err
		}
	}
	if err := d.store.BeginFeed(ctx, d.lost); err != nil {
		return err
	}
	d.Say("repair", command.Warning, "asked", "n", strconv.Itoa(len(d.lost)))
	return nil
}

// health looks at what should happen by itself, and at the last backup.
func (d *doctor) health(ctx context.Context) error {
	if d.unread("notices") {
		return nil
	}
	h, err := d.store.Health(ctx, d.now(), d.now().Add(-leftBehind))
	if err != nil {
		return err
	}
	waiting, failed := h.Notices[refund.NoticeWaiting], h.Notices[refund.NoticeFailed]
	pairs := []string{"n", strconv.Itoa(waiting), "failed", strconv.Itoa(failed), "late", strconv.Itoa(h.OverdueNotices)}
	switch {
	case h.OverdueNotices > 0:
		d.Say("notices", command.Trouble, "late", pairs...)
	case failed > 0:
		d.Say("notices", command.Warning, "failed", pairs...)
	default:
		d.Say("notices", command.Sound, "ok", pairs...)
	}
	if h.OverdueTimers > 0 {
		d.Say("timers", command.Warning, "late", "n", strconv.Itoa(h.OverdueTimers))
	} else {
		d.Say("timers", command.Sound, "ok")
	}
	if err := d.originals(ctx); err != nil {
		return err
	}
	if h.StuckUploads > 0 {
		d.Say("uploads", command.Warning, "stuck", "n", strconv.Itoa(h.StuckUploads))
	} else {
		d.Say("uploads", command.Sound, "ok")
	}
	switch {
	case h.LastBackup.IsZero():
		d.Say("backup", command.Warning, "none")
	case d.now().Sub(h.LastBackup) > backupStale:
		d.Say("backup", command.Warning, "stale", "time", command.When(h.LastBackup))
	default:
		d.Say("backup", command.Sound, "ok", "time", command.When(h.LastBackup))
	}
	d.newest = h.Newest
	return nil
}

// originals says how long original photos stay.
func (d *doctor) originals(ctx context.Context) error {
	o, err := d.store.Originals(ctx)
	if err != nil {
		return err
	}
	rule := (&centre{settings: d.settings}).retention()
	days := func(t time.Duration) string {
		if t <= 0 {
			return d.call.Words.Text("cli.doctor.retention.forever")
		}
		return strconv.Itoa(int(t.Hours() / 24))
	}
	d.Say("retention", command.Sound, "ok", "n", strconv.Itoa(o.Waiting+o.Evidence), "evidence", strconv.Itoa(o.Evidence),
		"passed", days(rule.Passed), "flagged", days(rule.Flagged))
	return nil
}

func (d *doctor) space(context.Context) error {
	space, err := blob.SpaceOf(d.settings.Data)
	if err != nil {
		return err
	}
	warn, low := space.Floors(0, 0)
	pairs := []string{"free", command.Gigabytes(space.Free), "warn", command.Gigabytes(warn)}
	switch {
	case space.Free < low:
		d.Say("space", command.Trouble, "centre_full", pairs...)
	case space.Free < warn:
		d.Say("space", command.Warning, "centre_low", pairs...)
	default:
		d.Say("space", command.Sound, "centre_ok", pairs...)
	}
	return nil
}

func (d *doctor) clock(context.Context) error {
	d.Clock(d.now(), d.newest)
	return nil
}

// certificate looks at the one that is shown to everybody.
func (d *doctor) certificate(context.Context) error {
	if d.settings.TLSCert == "" {
		outcome, state := "none", command.Sound
		if strings.HasPrefix(d.settings.Public, "http:") || d.settings.Public == "" && !isLoopback(d.settings.Listen) {
			outcome, state = "missing", command.Warning
		}
		d.Say("certificate", state, outcome)
		return nil
	}
	ends, err := certificateEnd(d.settings)
	if err != nil {
		d.Say("certificate", command.Trouble, "unusable", "file", d.settings.TLSCert)
		return nil //nolint:nilerr // said
	}
	left := ends.Sub(d.now())
	switch pairs := []string{"time", command.When(ends)}; {
	case left <= 0:
		d.Say("certificate", command.Trouble, "ended", pairs...)
	case left < certificateEnds:
		d.Say("certificate", command.Warning, "ends", pairs...)
	default:
		d.Say("certificate", command.Sound, "ok", pairs...)
	}
	return nil
}

func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

func certificateEnd(s settings.Centre) (time.Time, error) {
	pair, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
	if err != nil {
		return time.Time{}, err
	}
	ends := time.Time{}
	for i, one := range pair.Certificate { // the chain holds as long as its first to end
		certificate, err := x509.ParseCertificate(one)
		if err != nil {
			return time.Time{}, err
		}
		if i == 0 || certificate.NotAfter.Before(ends) {
			ends = certificate.NotAfter
		}
	}
	return ends, nil
}

// mail asks the mail server for its greeting; nobody signs in and nothing is sent.
func (d *doctor) mail(ctx context.Context) error {
	if d.settings.SMTP.Host == "" {
		d.Say("mail", command.Sound, "none")
		return nil
	}
	server := net.JoinHostPort(d.settings.SMTP.Host, strconv.Itoa(d.settings.SMTP.Port))
	if err := greeting(ctx, server, d.settings.SMTP); err != nil {
		d.Say("mail", command.Trouble, "silent", "server", server)
		return nil //nolint:nilerr // said
	}
	d.Say("mail", command.Sound, "ok", "server", server)
	return nil
}

func greeting(ctx context.Context, server string, smtp settings.SMTP) error {
	ctx, cancel := context.WithTimeout(ctx, mailAnswers)
	defer cancel()
	dial := (&net.Dialer{}).DialContext
	if smtp.TLS == "direct" {
		dial = (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12, ServerName: smtp.Host}}).DialContext
	}
	conn, err := dial(ctx, "tcp", server)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // of a socket: it takes one
	}
	line, err := bufio.NewReaderSize(conn, 1024).ReadSlice('\n')
	if err != nil || !strings.HasPrefix(string(line), "220") {
		return fmt.Errorf("greets with %.80q: %w", line, err)
	}
	_, err = conn.Write([]byte("QUIT\r\n"))
	return err
}
