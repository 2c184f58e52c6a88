package qc_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// chain seals n events and returns them with the hash before each.
func chain(t interface{ Fatal(...any) }, notes []string) (sealed [][]byte, before []qc.ChainHash) {
	head := qc.ChainStart
	for i, note := range notes {
		data, err := json.Marshal(map[string]any{"note": note, "<b>": 1.5, "n": 12345678901234567})
		if err != nil {
			t.Fatal(err)
		}
		e := qc.Event{
			Seq: uint64(i + 1), ID: "0193-" + note, Kind: qc.FindingRecorded, Version: 1, By: "u12", At: noon, Data: data,
		}
		one, err := qc.Seal(&e, head)
		if err != nil {
			t.Fatal(err)
		}
		sealed, before = append(sealed, one), append(before, head)
		head = e.Hash
	}
	return sealed, before
}

func TestChain_OpensWhatWasSealed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		notes := rapid.SliceOfN(rapid.String(), 1, 6).Draw(t, "notes")
		sealed, before := chain(t, notes)
		for i := range sealed {
			e, err := qc.OpenEvent(sealed[i], before[i])
			if err != nil || e.Seq != uint64(i+1) {
				t.Fatalf("event %d: %+v, %v", i, e, err)
			}
		}
	})
}

// TestChain_SurvivesAnotherWriter: blanks and the order of members may change
// on the way, what is said may not.
func TestChain_SurvivesAnotherWriter(t *testing.T) {
	t.Parallel()
	sealed, before := chain(t, []string{"<鞋> & 头"})
	decoder := json.NewDecoder(strings.NewReader(string(sealed[0])))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil {
		t.Fatal(err)
	}
	other, err := json.MarshalIndent(members, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := qc.OpenEvent(other, before[0]); err != nil {
		t.Errorf("the same event in other bytes: %v", err)
	}
}

func TestChain_NoticesTampering(t *testing.T) {
	t.Parallel()
	sealed, before := chain(t, []string{"first", "second", "third"})
	refuse := func(name string, event []byte, prev qc.ChainHash) {
		t.Helper()
		if _, err := qc.OpenEvent(event, prev); !errors.Is(err, qc.ErrChain) {
			t.Errorf("%s: %v, want ErrChain", name, err)
		}
	}
	refuse("a dropped predecessor", sealed[2], before[1])
	refuse("another order", sealed[1], before[0])
	refuse("no predecessor", sealed[1], "")
	refuse("half a predecessor", sealed[0], qc.ChainStart[:62])
	for old, altered := range map[string]string{
		"first": "First", `"u12"`: `"u13"`, `"sseq":1`: `"sseq":2`, "finding.recorded": "finding.forgotten",
		"2026-11-23": "2026-11-24", "12345678901234567": "12345678901234568", `"v":1`: `"v":1,"more":0`,
	} {
		event := strings.Replace(string(sealed[0]), old, altered, 1)
		if event == string(sealed[0]) {
			t.Fatalf("%q is not in the event", old)
		}
		refuse(altered, []byte(event), before[0])
	}
	bare := strings.Replace(string(sealed[0]), `"hash":"`, `"hush":"`, 1)
	refuse("no hash", []byte(bare), before[0])
}

// TestChain_EveryByteCounts alters one byte anywhere.
func TestChain_EveryByteCounts(t *testing.T) {
	t.Parallel()
	sealed, before := chain(t, []string{"one"})
	original, err := qc.OpenEvent(sealed[0], before[0])
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		event := append([]byte(nil), sealed[0]...)
		at := rapid.IntRange(0, len(event)-1).Draw(t, "at")
		event[at] = rapid.Byte().Draw(t, "byte")
		e, err := qc.OpenEvent(event, before[0])
		if err == nil && (e.Hash != original.Hash || e.By != original.By || e.Seq != original.Seq) {
			t.Fatalf("an altered event passes: %s", event)
		}
	})
}

func FuzzOpenEvent(f *testing.F) {
	sealed, before := chain(f, []string{"one", "two"})
	f.Add(sealed[0], string(before[0]))
	f.Add(sealed[1], string(before[1]))
	f.Add([]byte(`{"hash":1}`), "")
	f.Fuzz(func(t *testing.T, event []byte, prev string) {
		e, err := qc.OpenEvent(event, qc.ChainHash(prev))
		if err == nil && len(e.Hash) != 64 {
			t.Fatalf("opened without a hash: %q", event)
		}
	})
}

func TestCursor_ThereAndBack(t *testing.T) {
	t.Parallel()
	for _, c := range []qc.Cursor{{}, {Epoch: "0193-a", Seq: 0}, {Epoch: "e", Seq: 1 << 40}} {
		back, err := qc.ParseCursor(c.String())
		if err != nil || back != c {
			t.Errorf("%q: %+v, %v", c.String(), back, err)
		}
	}
	for _, text := range []string{"12", ".12", "e.", "e.-1", "e.x", strings.Repeat("e", 65) + ".1"} {
		if _, err := qc.ParseCursor(text); !errors.Is(err, qc.ErrCursor) {
			t.Errorf("%q: %v, want ErrCursor", text, err)
		}
	}
}
