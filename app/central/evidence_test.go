package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flawmark/app/command"
	"flawmark/app/handout"
	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/assets"
	"flawmark/imaging/photo"
	"flawmark/storage/central"
)

// asked is the call of a command with the flags of evidence.
func asked(t *testing.T, lang string, args []string, flags ...string) (*command.Call, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	words, err := assets.LoadWords(lang)
	if err != nil {
		t.Fatal(err)
	}
	set := flag.NewFlagSet("evidence", flag.ContinueOnError)
	handout.Flags(set)
	if err := set.Parse(flags); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	return &command.Call{Args: args, Dir: t.TempDir(), Set: set, Words: words, Out: &out, Err: &errOut}, &out, &errOut
}

func TestPackEvidence(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	f := h.finding("f1", 1, flaw("a", "H11", "the customer, Ana, will be angry"))
	var original bytes.Buffer
	h.must(photo.EncodeJPEG(&original, image.NewRGBA(image.Rect(0, 0, 400, 300)), 90))
	preview := f.Photos[0].Preview.Digest
	d, err := h.c.blobs.PutBytes(t.Context(), original.Bytes())
	h.must(err)
	h.must(h.c.store.BlobStored(t.Context(), d, int64(original.Len()), "image/jpeg", h.now))
	f.Photos[0].Digest = d
	h.say(qc.FindingRecorded, f)
	cases, err := h.c.store.Cases(t.Context(), central.CaseFilter{})
	h.must(err)
	id := string(cases[0].ID)
	h.act(refund.Event{Kind: refund.ChoseRefund, Actor: refund.Actor{Party: refund.ByCustomer, ID: "C-1"}, At: h.now})

	call, out, errOut := asked(t, "zh", []string{id}, "--out", "claim")
	h.must(packEvidence(t.Context(), call, h.c))
	dir := filepath.Join(call.Dir, "claim")
	data, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	h.must(err)
	var m handout.Manifest
	h.must(json.Unmarshal(data, &m))
	if m.Case != cases[0].ID || m.Decision != refund.Refund || m.Goods != money.Fen(38900) || m.Freight != money.Fen(1200) || len(m.Files) != 1 {
		t.Errorf("manifest %s", data)
	}
	if !strings.HasSuffix(m.Text, "申请退货退款。") || !strings.Contains(out.String(), m.Text) || !strings.Contains(out.String(), "已写入") {
		t.Errorf("said %s", out)
	}
	if all := out.String() + errOut.String() + string(data); strings.Contains(all, "Ana") || strings.Contains(all, "C-1") || strings.Contains(all, "cli.") || strings.Contains(all, "seller.") {
		t.Errorf("said %s", all)
	}

	h.must(h.c.blobs.Remove(d))
	call, _, errOut = asked(t, "en", []string{id}, "--out", "claim")
	h.must(packEvidence(t.Context(), call, h.c))
	if !strings.Contains(errOut.String(), "are damaged: 1;") {
		t.Errorf("warned %q", errOut)
	}
	h.must(h.c.blobs.Remove(preview))
	for name, tt := range map[string]struct {
		args []string
		key  string
	}{
		"no photo is left": {[]string{id}, "cli.evidence_no_photos"},
		"unknown case":     {[]string{"case-of-nobody"}, "cli.case_unknown"},
		"no case":          {nil, "cli.args_missing"},
	} {
		call, _, _ := asked(t, "en", tt.args, "--out", "claim")
		err := packEvidence(t.Context(), call, h.c)
		if err == nil || !strings.HasPrefix(problemOf(t, err).Key, tt.key) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(call.Dir, "claim")); !os.IsNotExist(err) {
			t.Errorf("%s: a folder appeared: %v", name, err)
		}
	}
}

func problemOf(t *testing.T, err error) *command.Problem {
	t.Helper()
	problem, ok := err.(*command.Problem) //nolint:errorlint // as the frame gets it
	if !ok {
		t.Fatalf("not a sentence: %v", err)
	}
	return problem
}
