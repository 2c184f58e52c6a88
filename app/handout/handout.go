// Package handout writes a pack of evidence into a folder, the same way from the
// station and from the centre: pictures, the text in both languages, and a
// manifest that says what is what.
//
// Its promise: the folder appears whole or not at all. What is in a folder
// already stays, unless it is asked to replace an earlier pack.
package handout

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"flawmark/app/command"
	"flawmark/app/money"
	"flawmark/app/qc"
	"flawmark/app/refund"
	"flawmark/imaging/evidence"
)

// Flags are those of a command that writes a pack.
func Flags(set *flag.FlagSet) {
	FolderFlags(set)
	set.String("ask", "", "what the seller is asked for: `refund|exchange`; else what the customer chose")
	set.String("discount", "", "ask for a partial refund of so many `yuan` and keep the goods")
	set.Bool("listing", false, "the seller's photo beside ours, too, where there is one")
}

// FolderFlags are those of a command that writes into a folder.
func FolderFlags(set *flag.FlagSet) {
	set.String("out", "", "`folder` to write into; new, or empty")
	set.Bool("force", false, "write into a folder that is not empty, too, replacing files of the same names")
}

// Ask reads what the flags ask the seller for; chosen is what the customer
// chose.
func Ask(call *command.Call, chosen refund.Decision) (evidence.Ask, error) {
	ask := evidence.Ask{Decision: cmp.Or(refund.Decision(call.Flag("ask")), chosen)}
	switch said := refund.Decision(call.Flag("ask")); said {
	case "", refund.Refund, refund.Exchange:
	default:
		return ask, command.Fail("cli.evidence_ask", nil, "text", string(said))
	}
	if text := call.Flag("discount"); text != "" {
		amount, err := money.Parse(text, money.CNY)
		if err != nil || amount.Minor() <= 0 {
			return ask, command.Fail("cli.evidence_discount", err, "text", text)
		}
		ask.Discount = amount
	}
	return ask, nil
}

// Folder returns the folder that --out names, once it is sure that something
// may be written there.
func Folder(call *command.Call) (string, error) {
	name := call.Flag("out")
	if name == "" {
		return "", command.Fail("cli.out_missing", nil)
	}
	dir := call.Path(name)
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return dir, nil
	case err != nil:
		return "", command.Fail("cli.folder_unusable", err, "folder", dir)
	case len(entries) > 0 && call.Flag("force") != "true":
		return "", command.Fail("cli.out_not_empty", nil, "folder", dir)
	}
	return dir, nil
}

// File is a file to be written.
type File struct {
	Name string
	Data []byte
}

// Write writes files into a folder that [Folder] named: all beside it first, so
// that a folder which is new or empty appears in one step.
func Write(dir string, files []File) (err error) {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o750); err != nil {
		return command.Fail("cli.folder_unusable", err, "folder", dir)
	}
	temp, err := os.MkdirTemp(parent, ".flawmark-*")
	if err != nil {
		return command.Fail("cli.folder_unusable", err, "folder", dir)
	}
	defer func() {
		err = errors.Join(err, os.RemoveAll(temp))
	}()
	for _, f := range files {
		if err := writeFile(filepath.Join(temp, f.Name), f.Data); err != nil {
			return err
		}
	}
	if err := os.Chmod(temp, 0o750); err != nil {
		return fmt.Errorf("write folder %s: %w", dir, err)
	}
	// An empty folder gives way; one that holds something stays.
	if err := os.Remove(dir); err == nil || errors.Is(err, fs.ErrNotExist) {
		if err := os.Rename(temp, dir); err != nil {
			return command.Fail("cli.folder_unusable", err, "folder", dir)
		}
		return nil
	}
	for _, f := range files {
		if err := os.Rename(filepath.Join(temp, f.Name), filepath.Join(dir, f.Name)); err != nil {
			return command.Fail("cli.folder_unusable", err, "folder", dir)
		}
	}
	return nil
}

func writeFile(name string, data []byte) error {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// Subject is what a pack is about.
type Subject struct {
	Item     qc.Item
	Case     qc.CaseID // empty at a station
	Finding  qc.Finding
	Decision refund.Decision
	At       time.Time
}

// Manifest says what a folder of evidence holds, for programs that fill in a
// marketplace's form. It names no customer.
type Manifest struct {
	Schema        string          `json:"schema"`
	Item          qc.ItemID       `json:"item"`
	Case          qc.CaseID       `json:"case,omitempty"`
	Finding       qc.FindingID    `json:"finding"`
	Revision      int             `json:"revision"`
	Platform      string          `json:"platform,omitempty"`
	PlatformOrder string          `json:"platform_order,omitempty"`
	Seller        string          `json:"seller,omitempty"`
	Reason        qc.Reason       `json:"reason"`
	Decision      refund.Decision `json:"decision,omitempty"`
	Text          string          `json:"text"`
	English       string          `json:"text_en"`
	Characters    int             `json:"text_characters"`
	Goods         money.Amount    `json:"goods"`   // what was paid for the line
	Freight       money.Amount    `json:"freight"` // and for bringing it to the warehouse
	Files         []ManifestFile  `json:"files"`
	Previews      []qc.PhotoID    `json:"previews,omitempty"`      // shown by previews: the originals are not here
	Missing       []qc.PhotoID    `json:"missing,omitempty"`       // photos of which no file is here
	Unshown       []int           `json:"unshown_flaws,omitempty"` // numbers of flaws that the text may name and no file shows
	MadeAt        time.Time       `json:"made_at"`
}

// ManifestFile is a picture of the folder.
type ManifestFile struct {
	Name   string        `json:"name"`
	View   evidence.View `json:"view"`
	Photo  qc.PhotoID    `json:"photo"`
	Flaws  []int         `json:"flaws"`
	Width  int           `json:"width"`
	Height int           `json:"height"`
	Bytes  int           `json:"bytes"`
	Digest qc.Digest     `json:"sha256"`
}

const schema = "flawmark.evidence/1"

// Evidence makes the pack for a subject from the files that read gives and
// writes it where the flags say. read fails with [qc.ErrNotFound] where a file
// is not here; what is here and damaged is passed over, too.
func Evidence(ctx context.Context, call *command.Call, s Subject, catalogue qc.Catalogue, read func(qc.Digest) ([]byte, error)) error {
	dir, err := Folder(call)
	if err != nil {
		return err
	}
	opts := evidence.PackOptions{}
	if opts.Ask, err = Ask(call, s.Decision); err != nil {
		return err
	}
	files := func(_ context.Context, d qc.Digest) ([]byte, error) {
		data, err := read(d)
		if errors.Is(err, qc.ErrNotFound) {
			return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
		}
		return data, err
	}
	lacking := ""
	if call.Flag("listing") == "true" {
		if opts.Listing, err = files(ctx, s.Item.ListingPhoto); err != nil || s.Item.ListingPhoto == "" {
			opts.Listing, lacking = nil, "cli.evidence_no_listing"
		}
	}
	pack, err := evidence.ForSeller(ctx, files, s.Finding, s.Item, catalogue, opts)
	switch {
	case errors.Is(err, evidence.ErrNothing):
		return command.Fail("cli.evidence_nothing", err, "item", string(s.Item.ID))
	case errors.Is(err, evidence.ErrNoPhotos):
		return command.Fail("cli.evidence_no_photos", err, "item", string(s.Item.ID))
	case err != nil:
		return err
	}
	manifest := manifestOf(s, opts.Ask, pack)
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("write manifest of %s: %w", s.Item.ID, err)
	}
	list := []File{}
	for _, f := range pack.Files {
		list = append(list, File{f.Name, f.JPEG})
	}
	list = append(list, File{"text.txt", []byte(pack.Text + "\n")}, File{"text.en.txt", []byte(pack.English + "\n")}, File{"manifest.json", append(text, '\n')})
	if err := Write(dir, list); err != nil {
		return err
	}
	warn := func(key string, pairs ...string) { fmt.Fprintln(call.Err, call.Words.Text(key, pairs...)) }
	if len(pack.Previews) > 0 {
		warn("cli.evidence_previews", "n", strconv.Itoa(len(pack.Previews)))
	}
	if len(pack.Missing) > 0 {
		warn("cli.evidence_missing", "n", strconv.Itoa(len(pack.Missing)))
	}
	if len(pack.Unshown) > 0 {
		var numbers []string
		for _, n := range pack.Unshown {
			numbers = append(numbers, strconv.Itoa(n))
		}
		warn("cli.evidence_unshown", "list", strings.Join(numbers, ", "))
	}
	if lacking != "" {
		warn(lacking)
	}
	if call.JSON {
		return json.NewEncoder(call.Out).Encode(manifest)
	}
	for _, f := range manifest.Files {
		fmt.Fprintf(call.Out, "%s  %d × %d  %d kB\n", f.Name, f.Width, f.Height, (f.Bytes+999)/1000)
	}
	fmt.Fprintln(call.Out, pack.Text)
	if call.Words.Language() != "zh" {
		fmt.Fprintln(call.Out, pack.English)
	}
	call.Say("cli.evidence_written", "n", strconv.Itoa(len(pack.Files)), "reason", pack.Reason.ZH, "folder", dir)
	return nil
}

func manifestOf(s Subject, ask evidence.Ask, pack evidence.Pack) Manifest {
	paid, err := s.Item.Paid()
	if err != nil {
		paid = money.Amount{} // a line that cannot be reckoned is not claimed by a number
	}
	m := Manifest{
		Schema: schema, Item: s.Item.ID, Case: s.Case, Finding: s.Finding.ID, Revision: s.Finding.Revision,
		Platform: s.Item.Platform, PlatformOrder: s.Item.PlatformOrder, Seller: s.Item.Seller,
		Reason: pack.Reason, Decision: ask.Decision, Text: pack.Text, English: pack.English, Characters: len([]rune(pack.Text)),
		Goods: paid, Freight: s.Item.FreightIn, Files: []ManifestFile{},
		Previews: pack.Previews, Missing: pack.Missing, Unshown: pack.Unshown, MadeAt: s.At,
	}
	for _, f := range pack.Files {
		numbers := append([]int{}, f.Flaws...)
		m.Files = append(m.Files, ManifestFile{f.Name, f.View, f.Photo, numbers, f.Width, f.Height, len(f.JPEG), qc.DigestOf(f.JPEG)})
	}
	return m
}
