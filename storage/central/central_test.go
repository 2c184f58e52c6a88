package central_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/storage/storagetest"

	"github.com/google/uuid"
)

// noon is when tests begin.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// opener makes the stores that the suite runs on: a new one with every call.
// The suite is its methods.
type opener func(tb testing.TB) *central.Store

func config(tb testing.TB, dir string) central.Config {
	tb.Helper()
	c, err := readConfig(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// readConfig is config for a process that is no test.
func readConfig(dir string) (central.Config, error) {
	data, err := os.ReadFile("../../assets/catalogue/flaws.json")
	if err != nil {
		return central.Config{}, err
	}
	catalogue, err := qc.ParseCatalogue(data)
	return central.Config{
		Dir: dir, Now: func() time.Time { return noon }, Policy: qc.DefaultReviewPolicy(), Catalogue: catalogue,
	}, err
}

func openSQLite(tb testing.TB) *central.Store {
	tb.Helper()
	store, err := central.Open(tb.Context(), config(tb, tb.TempDir()))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
	})
	return store
}

// world is a centre with staff, orders and one station at work.
type world struct {
	*central.Store
	t     testing.TB
	bench *bench
}

func newWorld(tb testing.TB, open opener) world {
	tb.Helper()
	w := world{Store: open(tb), t: tb}
	for _, n := range []central.NewStaff{
		{ID: "u12", Name: "王芳", Role: qc.Inspector},
		{ID: "lead7", Name: "陈伟", Role: qc.Lead},
		{ID: "clerk3", Name: "李娜", Role: qc.Clerk},
		{ID: "boss1", Name: "赵敏", Role: qc.Approver},
	} {
		w.must(w.AddStaff(tb.Context(), n, noon))
	}
	_, err := w.ImportOrders(tb.Context(), []qc.Order{sampleOrder()}, noon)
	w.must(err)
	w.bench = w.enrol("bench 1")
	return w
}

func (w world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func sampleOrder() qc.Order {
	item := func(id qc.ItemID, price int64) qc.Item {
		return qc.Item{
			ID: id, Order: "20481", Title: qc.Bilingual{EN: "Shoes", ZH: "鞋"}, Quantity: 1, Round: 1,
			UnitPrice: money.Fen(price), FreightIn: money.Fen(1200), Seller: "潮流前线鞋店", Platform: "taobao",
			Waybill: "SF1234567890123", StockedInAt: noon.Add(-49 * time.Hour),
		}
	}
	return qc.Order{
		ID: "20481", PlacedAt: noon.Add(-7 * 24 * time.Hour),
		Customer: qc.Customer{ID: "C-1001", Name: "Ana", Language: "en"},
		Items:    []qc.Item{item("20481-1", 45900), item("20481-2", 38900), item("20481-3", 250000)},
	}
}

// bench is a station as the centre knows it: a log that it seals and sends.
type bench struct {
	w     world
	id    qc.StationID
	epoch string
	seq   uint64
	head  qc.ChainHash
}

var benches atomic.Int64

func (w world) enrol(name string) *bench {
	w.t.Helper()
	key, _, err := ed25519.GenerateKey(rand.Reader)
	w.must(err)
	e, err := w.BeginEnrolment(w.t.Context(), name, key, noon)
	w.must(err)
	station, err := w.ApproveEnrolment(w.t.Context(), e.UserCode, noon)
	w.must(err)
	return &bench{w: w, id: station.ID, epoch: fmt.Sprintf("e%d", benches.Add(1)), head: qc.ChainStart}
}

// seal continues the log by one event.
func (b *bench) seal(kind qc.EventKind, by qc.StaffID, data any) qc.Batch {
	b.w.t.Helper()
	text, err := json.Marshal(data)
	b.w.must(err)
	e := qc.Event{Seq: b.seq + 1, ID: uuid.NewString(), Kind: kind, Version: 1, By: by, At: noon, Data: text}
	batch := qc.Batch{Epoch: b.epoch, First: e.Seq, Prev: b.head}
	sealed, err := qc.Seal(&e, b.head)
	b.w.must(err)
	batch.Events = [][]byte{sealed}
	b.seq, b.head = e.Seq, e.Hash
	return batch
}

// say sends one event and returns its receipt.
func (b *bench) say(at time.Time, kind qc.EventKind, by qc.StaffID, data any) qc.Receipt {
	b.w.t.Helper()
	ack, err := b.w.ApplyEvents(b.w.t.Context(), b.id, b.seal(kind, by, data), at)
	b.w.must(err)
	if ack.Through != b.seq || ack.Head != b.head || len(ack.Receipts) != 1 {
		b.w.t.Fatalf("ack %+v, want through %d", ack, b.seq)
	}
	return ack.Receipts[0]
}

// applied fails the test unless the event had its effect.
func (b *bench) applied(at time.Time, kind qc.EventKind, by qc.StaffID, data any) {
	b.w.t.Helper()
	if r := b.say(at, kind, by, data); r.Status != qc.Applied {
		b.w.t.Fatalf("%s: %+v", kind, r)
	}
}

// refused fails the test unless the event was refused with the sentence.
func (b *bench) refused(problem string, kind qc.EventKind, by qc.StaffID, data any) {
	b.w.t.Helper()
	if r := b.say(noon, kind, by, data); r.Status != qc.Rejected || r.Problem != problem {
		b.w.t.Fatalf("%s: %+v, want %s", kind, r, problem)
	}
}

// flag returns a finding with one flaw on one photo.
func (b *bench) flag(id qc.FindingID, item qc.ItemID) qc.Finding {
	photo := func(part string) qc.Digest { return qc.DigestOf([]byte(string(id) + part)) }
	return qc.Finding{
		ID: id, Revision: 1, Item: item, Order: "20481", Round: 1, Verdict: qc.Flag,
		Photos: []qc.Photo{{
			ID: "p1", Digest: photo("original"), Bytes: 9, MediaType: "image/jpeg", Width: 4000, Height: 3000,
			Preview: qc.Derivative{Digest: photo("preview"), Bytes: 5}, Thumb: qc.Derivative{Digest: photo("thumb"), Bytes: 3},
		}},
		Flaws:     []qc.Flaw{{ID: "f1", Code: "H11", Severity: qc.Minor, Zone: qc.ZoneB, Quantity: 1}},
		Marks:     []qc.Mark{{ID: "m1", Photo: "p1", Flaw: "f1", Tool: qc.Box, Points: []qc.Point{{X: 1, Y: 1}, {X: 50, Y: 60}}}},
		Inspector: "u12", Station: b.id, RecordedAt: noon,
	}
}

func (b *bench) pass(id qc.FindingID, item qc.ItemID) qc.Finding {
	f := b.flag(id, item)
	f.Verdict, f.Flaws, f.Marks = qc.Pass, nil, nil
	return f
}

func (w world) store(d qc.Digest) {
	w.t.Helper()
	w.must(w.BlobStored(w.t.Context(), d, 5, "image/jpeg", noon))
}

// only returns the single case there is.
func (w world) only() refund.Case {
	w.t.Helper()
	cases, err := w.Cases(w.t.Context(), central.CaseFilter{})
	w.must(err)
	if len(cases) != 1 {
		w.t.Fatalf("%d cases, want 1", len(cases))
	}
	return cases[0]
}

func (w world) status(want refund.Status) refund.Case {
	w.t.Helper()
	c := w.only()
	if c.Status != want {
		w.t.Fatalf("case is %s, want %s", c.Status, want)
	}
	return c
}

// visible flags an item so that its customer sees it.
func (w world) visible(item qc.ItemID) refund.Case {
	w.t.Helper()
	f := w.bench.flag(qc.FindingID("f-"+item), item)
	w.bench.applied(noon, qc.FindingRecorded, "u12", f)
	w.store(f.Photos[0].Preview.Digest)
	return w.status(refund.AwaitingDecision)
}

var (
	customer = refund.Actor{Party: refund.ByCustomer, ID: "C-1001"}
	clerk    = refund.Actor{Party: refund.ByClerk, ID: "clerk3"}
)

func (w world) act(id qc.CaseID, e refund.Event) refund.Case {
	w.t.Helper()
	e.At = noon
	c, err := w.Act(w.t.Context(), id, 0, e, "")
	w.must(err)
	return c
}

// sound fails the test unless everything can be derived again.
func (w world) sound() {
	w.t.Helper()
	report, err := w.Verify(context.Background())
	w.must(err)
	if !report.OK() {
		w.t.Fatalf("not sound: %q", report.Problems)
	}
}

// feed returns all changes of a kind.
func (w world) feed(kind qc.ChangeKind) []qc.Change {
	w.t.Helper()
	var all []qc.Change
	var after qc.Cursor
	for {
		page, err := w.Changes(w.t.Context(), after, 7)
		w.must(err)
		for _, c := range page.Changes {
			if c.Kind == kind {
				all = append(all, c)
			}
		}
		after = page.Next
		if page.UpToDate {
			return all
		}
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

func TestStore_SQLite(t *testing.T) {
	t.Parallel()
	testStore(t, openSQLite)
	t.Run("EdgeCases", func(t *testing.T) { testEdges(t, func(t *testing.T) place { return place{Dir: t.TempDir()} }) })
}

func TestStore_PostgreSQL(t *testing.T) {
	t.Parallel()
	server := storagetest.StartPostgres(t)
	t.Run("EdgeCases", func(t *testing.T) {
		testEdges(t, func(t *testing.T) place { return place{Dir: t.TempDir(), URL: server.Database(t)} })
	})
	testStore(t, func(tb testing.TB) *central.Store {
		tb.Helper()
		c := config(tb, tb.TempDir())
		c.URL = server.Database(tb)
		store, err := central.Open(tb.Context(), c)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() {
			if err := store.Close(); err != nil {
				tb.Error(err)
			}
		})
		return store
	})
}

// testStore is the suite that every kind of database must pass.
func testStore(t *testing.T, open opener) {
	t.Helper()
	t.Run("RefundJourney", open.testRefundJourney)
	t.Run("ExchangeJourney", open.testExchangeJourney)
	t.Run("ReplacementAtTheDesk", open.testReplacementAtTheDesk)
	t.Run("ReviewDecidesFirst", open.testReviewDecidesFirst)
	t.Run("AmendAndRetract", open.testAmendAndRetract)
	t.Run("RefusalsLeaveNothing", open.testRefusalsLeaveNothing)
	t.Run("LogIsAppliedOnce", open.testLogIsAppliedOnce)
	t.Run("LogForksAndGaps", open.testLogForksAndGaps)
	t.Run("MoneyOnce", open.testMoneyOnce)
	t.Run("ManyAtOnce", open.testManyAtOnce)
	t.Run("HoldsAreSpentOnce", open.testHoldsAreSpentOnce)
	t.Run("HoldsAreRefused", open.testHoldsAreRefused)
	t.Run("HoldsExpire", open.testHoldsExpire)
	t.Run("ManyHoldsAtOnce", open.testManyHoldsAtOnce)
	t.Run("Withdrawals", open.testWithdrawals)
	t.Run("Memos", open.testMemos)
	t.Run("MoneyOfAnyLife", open.testMoneyOfAnyLife)
	t.Run("RefundsAreMatched", open.testRefundsAreMatched)
	t.Run("RefundsInParts", open.testRefundsInParts)
	t.Run("FeedMissesNothing", open.testFeedMissesNothing)
	t.Run("FeedPagesAreSmall", open.testFeedPagesAreSmall)
	t.Run("LinkShowsWhatIsReady", open.testLinkShowsWhatIsReady)
	t.Run("Sessions", open.testSessions)
	t.Run("Push", open.testPush)
	t.Run("QuietHoursHoldForAllMedia", open.testQuietHoursHoldForAllMedia)
	t.Run("PushIsBounded", open.testPushIsBounded)
	t.Run("MailsOfProgressCanBeStopped", open.testMailsOfProgressCanBeStopped)
	t.Run("MailsThatWaitAreCalledOff", open.testMailsThatWaitAreCalledOff)
	t.Run("MailLinksOpenNothingElse", open.testMailLinksOpenNothingElse)
	t.Run("RolesAreHeld", open.testRolesAreHeld)
	t.Run("ImportIsIdempotent", open.testImportIsIdempotent)
	t.Run("Enrolment", open.testEnrolment)
	t.Run("SignIn", open.testSignIn)
	t.Run("CopiesHoldAll", open.testCopiesHoldAll)
	t.Run("SignInIsThrottled", open.testSignInIsThrottled)
	t.Run("Uploads", open.testUploads)
	t.Run("CasesByUrgency", open.testCasesByUrgency)
	t.Run("PartsOfPayment", open.testPartsOfPayment)
	t.Run("PhotosBeforeFinding", open.testPhotosBeforeFinding)
	t.Run("WatchTicks", open.testWatchTicks)
	t.Run("NoFindingAfterTheEnd", open.testNoFindingAfterTheEnd)
	t.Run("BeginFeed", open.testBeginFeed)
	t.Run("OriginalsOfPassedItemsGo", open.testOriginalsOfPassedItemsGo)
	t.Run("OriginalsOfCasesStay", open.testOriginalsOfCasesStay)
	t.Run("OriginalsWhileAsked", open.testOriginalsWhileAsked)
	t.Run("OriginalsOfSeveralItems", open.testOriginalsOfSeveralItems)
	t.Run("Silence", open.testSilence)
	t.Run("SilenceLeavesOthersAlone", open.testSilenceLeavesOthersAlone)
	t.Run("Timers", open.testTimers)
	t.Run("SilenceAgainstDecision", open.testSilenceAgainstDecision)
	t.Run("CustomersSeeWhatPassed", open.testCustomersSeeWhatPassed)
	t.Run("NoticesComeWithTheStep", open.testNoticesComeWithTheStep)
	t.Run("NoticesWakeTheirSenders", open.testNoticesWakeTheirSenders)
	t.Run("RemindersUntilTheChoice", open.testRemindersUntilTheChoice)
	t.Run("NoticesAreClaimedOnce", open.testNoticesAreClaimedOnce)
	t.Run("NoticesOfManyCases", open.testNoticesOfManyCases)
	t.Run("NoticesSettle", open.testNoticesSettle)
	t.Run("Webhooks", open.testWebhooks)
	t.Run("ShopKeys", open.testShopKeys)
	t.Run("ShopsOwnTheirOrders", open.testShopsOwnTheirOrders)
	t.Run("ShopOrderFaults", open.testShopOrderFaults)
	t.Run("ShopActs", open.testShopActs)
	t.Run("ShopCases", open.testShopCases)
	t.Run("ShopEvents", open.testShopEvents)
	t.Run("ShopRequests", open.testShopRequests)
	t.Run("ShopWishes", open.testShopWishes)
	t.Run("ShopTickets", open.testShopTickets)
	t.Run("HooksHearTheirOwn", open.testHooksHearTheirOwn)
	t.Run("HooksOfShops", open.testHooksOfShops)
	t.Run("HooksTakeTurns", open.testHooksTakeTurns)
	t.Run("CustomersHearOfWhatWasWithdrawn", open.testCustomersHearOfWhatWasWithdrawn)
	t.Run("SellerRecord", open.testSellerRecord)
	t.Run("DismissedIsNoFlaw", open.testDismissedIsNoFlaw)
	t.Run("TicketsGoBackAndForth", open.testTicketsGoBackAndForth)
	t.Run("TicketsOnce", open.testTicketsOnce)
	t.Run("TicketsAreBounded", open.testTicketsAreBounded)
	t.Run("TicketsOfWhoWaits", open.testTicketsOfWhoWaits)
	t.Run("Split", open.testSplit)
	t.Run("Invariant9_ReplayChangesNothing", open.testInvariant9)
	t.Run("Invariant10_OfflineQueuesInAnyOrder", open.testInvariant10)
	t.Run("OneAtATime", open.testOneAtATime)
	t.Run("FiftyAtOnce", open.testFiftyAtOnce)
	t.Run("Correction", open.testCorrection)
	t.Run("Instructions", open.testInstructions)
	t.Run("InstructionsAreTheCustomers", open.testInstructionsAreTheCustomers)
	t.Run("CorrectionNeverOverdraws", open.testCorrectionNeverOverdraws)
	t.Run("CorrectionBorneOrLifted", open.testCorrectionBorneOrLifted)
	t.Run("MissedFlaw", open.testMissedFlaw)
	t.Run("MissedFlawIsATicket", open.testMissedFlawIsATicket)
	t.Run("SplitAtOnce", open.testSplitAtOnce)
	t.Run("SlicesMoveTogether", open.testSlicesMoveTogether)
	t.Run("SlicesByWhoWaits", open.testSlicesByWhoWaits)
	t.Run("SlicesThatAreLoose", open.testSlicesThatAreLoose)
	t.Run("Worklist", open.testWorklist)
	t.Run("Assign", open.testAssign)
	t.Run("ListsAll", open.testListsAll)
	t.Run("BouncedMails", open.testBouncedMails)
	t.Run("Untold", open.testUntold)
	t.Run("UntoldUntilTheChoice", open.testUntoldUntilTheChoice)
	t.Run("UntoldWithoutAnyWay", open.testUntoldWithoutAnyWay)
	t.Run("CorrectContact", open.testCorrectContact)
	t.Run("WorklistFollowsNames", open.testWorklistFollowsNames)
	t.Run("Runs", open.testRuns)
	t.Run("Reports", open.testReports)
	t.Run("Templates", open.testTemplates)
	t.Run("Letters", open.testLetters)
}
