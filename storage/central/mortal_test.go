package central_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/app/refund/refundtest"
	"flawmark/storage/central"
)

// mortalCentre says where the centre is that this process runs until it is
// killed: a [birth] as JSON.
const mortalCentre = "FLAWMARK_TEST_MORTAL_CENTRE"

// birth is what a process is told that runs a centre.
type birth struct {
	At    place  `json:"at"`
	Fault string `json:"fault"` // that is planted; empty: none
}

// Deed is one call of a centre in another process; which fields it has is for
// the call to say.
type Deed struct {
	Call    string
	At      time.Time
	Case    qc.CaseID
	Version int
	Pieces  int
	Event   refund.Event
	By      refund.Actor
	Key     string
	Item    qc.ItemID
	Order   qc.OrderID
	Wishes  qc.Instructions
	Station qc.StationID
	Batch   qc.Batch
	Digest  qc.Digest
	After   int64 // of the transfers that are looked at
}

// Answer is what came of a deed.
type Answer struct {
	Case     refund.Case
	Halves   central.Halves
	Ack      qc.Ack
	Count    int
	Report   central.Report
	Sight    sight
	Refusal  string       // why not
	Conflict *refund.Case // … because it is now like this
}

// Deeds does deeds in the process that is killed.
type Deeds struct {
	store *central.Store
	eye   eye
	now   atomic.Int64
	fault string
}

// serveDeeds runs a centre until its parent ends it, one way or the other.
func serveDeeds(text string) error {
	var b birth
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return err
	}
	d := &Deeds{fault: b.Fault}
	d.now.Store(noon.UnixMicro())
	c, err := b.At.config()
	if err != nil {
		return err
	}
	c.Now = func() time.Time { return time.UnixMicro(d.now.Load()).UTC() }
	if d.store, err = central.Open(context.Background(), c); err != nil {
		return err
	}
	if d.eye, err = newEye(b.At); err != nil {
		return err
	}
	if err := plantAtBirth(d.eye.db, b.Fault); err != nil {
		return err
	}
	server := rpc.NewServer()
	if err := server.Register(d); err != nil {
		return err
	}
	server.ServeCodec(jsonrpc.NewServerCodec(pipes{os.Stdin, os.Stdout}))
	return errors.Join(d.eye.db.Close(), d.store.Close())
}

// plantAtBirth breaks what a centre finds when it begins again.
func plantAtBirth(db *sql.DB, fault string) error {
	switch fault {
	case "a posting is lost":
		return execAll(db, `DROP TRIGGER IF EXISTS transfer_stay`, `DROP TRIGGER IF EXISTS memo_stay`, `DELETE FROM memo`,
			`DELETE FROM transfer WHERE n = (SELECT MAX(n) FROM transfer)`)
	case "an answered act is not there":
		return execAll(db, `UPDATE refund_case SET version = version - 1, body = json_set(json_remove(body, '$.timeline[#-1]'),
			'$.version', version - 1, '$.status', json_extract(body, '$.timeline[#-2].to')) WHERE version > 2`)
	case "an event of a station is not there":
		return execAll(db, `DROP TRIGGER IF EXISTS station_event_stay`, `DELETE FROM station_event WHERE seq = 3 AND (SELECT COUNT(*) FROM station_event) > 9`)
	}
	return nil
}

func execAll(db *sql.DB, queries ...string) error {
	for _, query := range queries {
		if _, err := db.Exec(query); err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
	}
	return nil
}

// pipes are both ends of a conversation between two processes.
type pipes struct {
	io.Reader
	io.WriteCloser
}

// Do does a deed. What the store refuses is an answer, too; an error means that
// the centre is broken.
func (d *Deeds) Do(do Deed, said *Answer) error {
	ctx := context.Background()
	if !do.At.IsZero() {
		d.now.Store(do.At.UnixMicro())
	}
	if d.fault == "keys are forgotten" {
		do.Key = ""
	}
	var err error
	switch do.Call {
	case "act":
		if d.fault == "acts are promised too early" && do.Event.Kind == refund.Goodwill {
			return d.promise(do, said)
		}
		said.Case, err = d.store.Act(ctx, do.Case, do.Version, do.Event, do.Key)
	case "split":
		said.Halves, err = d.store.Split(ctx, do.Case, do.Version, do.Pieces, do.By, do.Key)
	case "correct":
		said.Case, err = d.store.Correct(ctx, do.Case, do.Event)
	case "claim":
		said.Case, err = d.store.ClaimFlaw(ctx, do.Item, do.Event)
	case "instruct":
		err = d.store.Instruct(ctx, do.Order, do.Wishes, do.By)
	case "events":
		said.Ack, err = d.store.ApplyEvents(ctx, do.Station, do.Batch, do.At)
	case "blob":
		if d.fault == "photos are promised too early" {
			go func() {
				time.Sleep(20 * time.Millisecond)
				_ = d.store.BlobStored(ctx, do.Digest, 5, "image/jpeg", do.At)
			}()
			return nil
		}
		err = d.store.BlobStored(ctx, do.Digest, 5, "image/jpeg", do.At)
	case "timers":
		said.Count, err = d.store.RunTimers(ctx, do.At)
	case "verify":
		said.Report, err = d.store.Verify(ctx)
	case "read":
		said.Case, err = d.store.Case(ctx, do.Case)
	case "look":
		said.Sight, err = d.eye.look(ctx, do.After)
	default:
		err = fmt.Errorf("no such deed: %q", do.Call)
	}
	if conflict, ok := errors.AsType[*central.Conflict](err); ok {
		said.Conflict = &conflict.Case
		return nil
	}
	for _, why := range refusals() {
		if errors.Is(err, why) {
			said.Refusal = why.Error()
			return nil
		}
	}
	return err
}

// promise answers an act as if it were done already.
func (d *Deeds) promise(do Deed, said *Answer) error {
	c, err := d.store.Case(context.Background(), do.Case)
	if err != nil {
		return err
	}
	go func() {
		time.Sleep(5 * time.Millisecond)
		_, _ = d.store.Act(context.Background(), do.Case, do.Version, do.Event, do.Key)
	}()
	said.Case, _, err = c.Apply(do.Event)
	return err
}

// mortal is a centre in a process of its own, which is killed in the middle of
// its work again and again. What it had not answered is asked again, as those
// who ask would do.
type mortal struct {
	t      testing.TB
	chance refundtest.Chance
	birth  birth
	every  int // one of so many deeds is its last
	at     func() time.Time
	risen  func() // after each kill, before anything is asked again

	child  *exec.Cmd
	client *rpc.Client
	kills  int
	cut    int           // of them, before the answer had come
	takes  time.Duration // a deed, about
}

func (m *mortal) rise() {
	m.t.Helper()
	text, err := json.Marshal(m.birth)
	if err != nil {
		m.t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), mortalCentre+"="+string(text))
	child.Stderr = os.Stderr
	to, err := child.StdinPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	from, err := child.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.child, m.client = child, jsonrpc.NewClient(pipes{from, to})
}

// kill ends the process at once and starts the next.
func (m *mortal) kill() {
	_ = m.child.Process.Kill()
	_ = m.child.Wait() // it says that it was killed
	_ = m.client.Close()
	m.kills++
	m.rise()
	m.risen()
}

// ask has a deed done.
func (m *mortal) ask(do Deed) (Answer, error) {
	do.At = m.at()
	for {
		begun := time.Now()
		var said Answer
		call := m.client.Go("Deeds.Do", do, &said, make(chan *rpc.Call, 1))
		dies := do.Call != "look" && do.Call != "read" && do.Call != "verify" && m.chance.IntN(m.every) == 0
		var moment <-chan time.Time
		if dies {
			moment = time.After(time.Duration(m.chance.Int64N(int64(2*m.takes) + 1)))
		}
		select {
		case <-call.Done:
			if call.Error != nil {
				m.t.Fatalf("%s: %v", do.Call, call.Error)
			}
			m.takes = (7*m.takes + time.Since(begun)) / 8
			if dies { // what was answered a moment ago is there ever after
				m.kill()
			}
			return said, said.err()
		case <-moment:
			m.cut++
			m.kill()
		}
	}
}

// err is what the store had said.
func (a Answer) err() error {
	if a.Conflict != nil {
		return &central.Conflict{Case: *a.Conflict}
	}
	for _, why := range refusals() {
		if a.Refusal == why.Error() {
			return why
		}
	}
	return nil
}

func (m *mortal) Act(_ context.Context, id qc.CaseID, version int, e refund.Event, key string) (refund.Case, error) {
	said, err := m.ask(Deed{Call: "act", Case: id, Version: version, Event: e, Key: key})
	return said.Case, err
}

func (m *mortal) Split(_ context.Context, id qc.CaseID, version, pieces int, by refund.Actor, key string) (central.Halves, error) {
	said, err := m.ask(Deed{Call: "split", Case: id, Version: version, Pieces: pieces, By: by, Key: key})
	return said.Halves, err
}

func (m *mortal) Correct(_ context.Context, id qc.CaseID, e refund.Event) (refund.Case, error) {
	said, err := m.ask(Deed{Call: "correct", Case: id, Event: e})
	return said.Case, err
}

func (m *mortal) ClaimFlaw(_ context.Context, item qc.ItemID, e refund.Event) (refund.Case, error) {
	said, err := m.ask(Deed{Call: "claim", Item: item, Event: e})
	return said.Case, err
}

func (m *mortal) Instruct(_ context.Context, order qc.OrderID, i qc.Instructions, by refund.Actor) error {
	_, err := m.ask(Deed{Call: "instruct", Order: order, Wishes: i, By: by})
	return err
}

func (m *mortal) ApplyEvents(_ context.Context, id qc.StationID, b qc.Batch, _ time.Time) (qc.Ack, error) {
	said, err := m.ask(Deed{Call: "events", Station: id, Batch: b})
	return said.Ack, err
}

func (m *mortal) BlobStored(_ context.Context, d qc.Digest, _ int64, _ string, _ time.Time) error {
	_, err := m.ask(Deed{Call: "blob", Digest: d})
	return err
}

func (m *mortal) RunTimers(context.Context, time.Time) (int, error) {
	said, err := m.ask(Deed{Call: "timers"})
	return said.Count, err
}

func (m *mortal) Verify(context.Context) (central.Report, error) {
	said, err := m.ask(Deed{Call: "verify"})
	return said.Report, err
}

func (m *mortal) look(after int64) sight {
	said, err := m.ask(Deed{Call: "look", After: after})
	if err != nil {
		m.t.Fatal(err)
	}
	return said.Sight
}

// Close ends the process as its parent's end would.
func (m *mortal) Close() error {
	return errors.Join(m.client.Close(), m.child.Wait())
}
