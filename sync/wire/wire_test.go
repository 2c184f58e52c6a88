package wire_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/sync/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func day(hour int) time.Time { return time.Date(2026, 3, 5, hour, 30, 0, 0, time.UTC) }

const digest = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"

func item(t *testing.T) qc.Item {
	t.Helper()
	price, err := money.Parse("389.00", money.CNY)
	if err != nil {
		t.Fatal(err)
	}
	return qc.Item{
		ID: "20481-2", Order: "20481", Title: qc.Bilingual{EN: "White high-tops", ZH: "白色高帮鞋"},
		Variant: qc.Bilingual{EN: "42", ZH: "42码"}, Quantity: 1, UnitPrice: price, FreightIn: price,
		Platform: "taobao", PlatformOrder: "3921", Seller: "潮鞋店", Waybill: "SF1234567890",
		CustomerNote: "no <creases> & stains", ListingPhoto: digest, Category: "shoes", StockedInAt: day(9), Round: 1,
	}
}

func finding() qc.Finding {
	return qc.Finding{
		ID: "f-1", Revision: 1, Item: "20481-2", Order: "20481", Round: 1, Verdict: qc.Flag,
		Photos: []qc.Photo{{
			ID: "p-1", Digest: digest, Bytes: 12_582_912, MediaType: "image/jpeg", Width: 6000, Height: 4000, Name: "DSC_0001.JPG",
			Preview: qc.Derivative{Digest: digest, Bytes: 280_000, Width: 1920, Height: 1280},
			Thumb:   qc.Derivative{Digest: digest, Bytes: 9_000, Width: 256, Height: 171}, CapturedAt: day(9), ReceivedAt: day(10),
		}},
		Flaws:     []qc.Flaw{{ID: "fl-1", Code: "H11", Severity: qc.Minor, Zone: qc.ZoneB, Quantity: 1, SizeMM: 6, Note: "鞋跟"}},
		Marks:     []qc.Mark{{ID: "m-1", Photo: "p-1", Flaw: "fl-1", Tool: qc.Box, Points: []qc.Point{{X: 10.5, Y: 20}, {X: 300, Y: 400}}}},
		Inspector: "u12", Station: "s1", RecordedAt: day(10),
	}
}

// TestGolden pins every document that travels. A change here breaks stations
// in the field: add fields, never rename them.
func TestGolden(t *testing.T) {
	review := qc.Review{Finding: "f-1", Revision: 1, Outcome: qc.Confirmed, By: "u7", At: day(11)}
	opened, err := refund.Open(refund.Opening{ID: "c-1", Item: item(t), Customer: "cu-1", Finding: finding(), At: day(11)})
	if err != nil {
		t.Fatal(err)
	}
	event := qc.Event{Seq: 7, ID: "0195-e", Kind: qc.FindingRecorded, Version: 1, By: "u12", At: day(10), Data: json.RawMessage(`{"id":"f-1"}`)}
	sealed, err := qc.Seal(&event, qc.ChainStart)
	if err != nil {
		t.Fatal(err)
	}
	gap := wire.NewProblem(wire.SequenceGap, "")
	gap.Expected = 5
	for name, document := range map[string]any{
		"ping":              wire.Ping{Instance: "centre-1", Time: day(9), Protocol: wire.ProtocolRange{Min: 1, Max: 1}},
		"enrolment_request": wire.EnrolmentRequest{Name: "Bench 4", PublicKey: []byte("0123456789abcdef0123456789abcdef")},
		"enrolment":         wire.Enrolment{UserCode: "ABCD-EFGH", DeviceCode: "d-1", ExpiresAt: day(9), Interval: 3},
		"enrolment_poll":    wire.EnrolmentPoll{DeviceCode: "d-1"},
		"enrolled":          wire.Enrolled{Status: wire.EnrolmentApproved, Station: "s1", Instance: "centre-1"},
		"challenge_request": wire.ChallengeRequest{Station: "s1"},
		"challenge":         wire.Challenge{Nonce: "n"},
		"token_request":     wire.TokenRequest{Station: "s1", Nonce: "n", Signature: []byte("sig")},
		"token":             wire.Token{AccessToken: "t", TokenType: "Bearer", ExpiresIn: 900},
		"batch":             wire.Batch{Epoch: "e1", First: 7, Prev: string(qc.ChainStart), Events: []json.RawMessage{sealed}, Signature: []byte("sig")},
		"ack": wire.Ack{Through: 8, Head: digest, Results: []wire.Receipt{
			{Seq: 7, Status: "applied"}, {Seq: 8, Status: "rejected", Problem: "error.case_moved_on", Detail: "case c-1"},
		}},
		"blob_query":  wire.BlobQuery{SHA256: []string{digest}},
		"blob_answer": wire.BlobAnswer{Have: []string{digest}, Partial: []wire.PartialBlob{{SHA256: digest, URL: "/v1/uploads/u1", Offset: 10}}, Want: []string{}},
		"page":        wire.Page{Items: []wire.Change{{Seq: 9, Type: "photo.stored", Data: json.RawMessage(`{"sha256":"` + digest + `"}`)}}, Next: "e.9", UpToDate: true, AckedThrough: 8},
		"problem":     gap,
		"finding":     finding(),
		"review":      review,
		"dispatch":    qc.Dispatch{Case: "c-1", Carrier: "SF", Waybill: "SF1234567890", By: "u12", At: day(12)},
		"arrival":     qc.Arrival{Case: "c-1", Waybill: "YT99887766554", By: "u12", At: day(12)},
		"item":        item(t),
		"standing":    qc.Standing{Finding: finding(), Item: item(t), Case: "c-1", Waits: true, Review: &review, Missing: 2, At: day(11)},
		"case":        opened,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.MarshalIndent(document, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			path := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s changed:\n%s", path, got)
			}
			// What travels must come back the same, or a field is lost.
			back := reflect.New(reflect.TypeOf(document))
			if err := json.Unmarshal(want, back.Interface()); err != nil {
				t.Fatal(err)
			}
			again, err := json.MarshalIndent(back.Elem().Interface(), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(append(again, '\n'), want) {
				t.Errorf("%s read and written again:\n%s", path, again)
			}
		})
	}
}

func TestKindOf(t *testing.T) {
	for status, want := range map[int]wire.Kind{
		302: wire.WrongNetwork, 400: wire.Rejected, 401: wire.Unauthorised, 403: wire.Unauthorised, 404: wire.Rejected,
		409: wire.Conflict, 410: wire.Conflict, 413: wire.Oversized, 422: wire.Rejected, 426: wire.UpgradeNeeded,
		429: wire.Retry, 460: wire.Retry, 500: wire.Retry, 503: wire.Retry,
	} {
		if got := wire.KindOf(status); got != want {
			t.Errorf("KindOf(%d) = %s, want %s", status, got, want)
		}
	}
}

func TestUserCode(t *testing.T) {
	if got := wire.FormatUserCode(" abcd efgh"); got != "ABCD-EFGH" {
		t.Errorf("FormatUserCode = %q", got)
	}
	if got := wire.ParseUserCode("abcd-efgh"); got != "ABCDEFGH" {
		t.Errorf("ParseUserCode = %q", got)
	}
}

func FuzzBatch(f *testing.F) {
	seed, err := os.ReadFile(filepath.Join("testdata", "batch.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		var batch wire.Batch
		if json.Unmarshal(data, &batch) != nil {
			return
		}
		once, err := json.Marshal(batch)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		var again wire.Batch
		if err := json.Unmarshal(once, &again); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}
