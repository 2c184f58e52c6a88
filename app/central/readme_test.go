package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/sync/wire"
)

// service is the centre's real program, running, with its other commands.
type service struct {
	t       *testing.T
	address string
	folder  string   // of the shell
	env     []string // of the shell and of commands
	token   string   // of the bench
	station qc.StationID
}

// startService builds the program and lets it serve until the test ends.
func startService(t *testing.T) *service {
	t.Helper()
	programs, data := t.TempDir(), t.TempDir()
	path := filepath.Join(programs, "flawmark-central")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	s := &service{t: t, folder: t.TempDir(), env: append(os.Environ(),
		"PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"), "FLAWMARK_DATA="+data, "LANGUAGE=en", "FLAWMARK_LANG=en")}
	serve := exec.CommandContext(t.Context(), path, "serve", "--listen", "127.0.0.1:0")
	serve.Env, serve.Stderr = s.env, os.Stderr
	serve.Cancel = func() error { return serve.Process.Signal(os.Interrupt) }
	serve.WaitDelay = 20 * time.Second
	out, err := serve.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for s.address == "" && lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "desk "); ok {
			s.address = strings.TrimSuffix(rest, "/desk")
		}
	}
	if s.address == "" {
		t.Fatal("the centre does not serve")
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the program
	t.Cleanup(func() { _ = serve.Wait() })          // the test's context has ended it
	return s
}

// shell runs lines of the README one after the other and returns what they
// print. What they set stays for the next.
func (s *service) shell(script string) string {
	s.t.Helper()
	script = strings.Replace(script, "centre=http://127.0.0.1:8480", "centre="+s.address, 1)
	run := exec.CommandContext(s.t.Context(), "bash", "-euo", "pipefail", "-c", "[ ! -f said.sh ] || . ./said.sh; "+script+
		"\n{ declare -p key centre case 2>/dev/null || :; declare -f ask; } > said.sh")
	run.Dir, run.Env = s.folder, s.env
	out, err := run.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%v\n%s\n%s", err, script, out)
	}
	return string(out)
}

// post sends a form or a document and returns the answer's body.
func (s *service) post(client *http.Client, path, kind string, body []byte, headers ...string) []byte {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.address+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if s.token != "" && strings.HasPrefix(path, "/v1/") {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	answer, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 400 {
		s.t.Fatalf("POST %s: %d %s %v", path, answer.StatusCode, text, err)
	}
	return text
}

func posted[T any](s *service, path string, in any) T {
	s.t.Helper()
	var out T
	body, err := json.Marshal(in)
	if err == nil {
		err = json.Unmarshal(s.post(http.DefaultClient, path, wire.JSONType, body), &out)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// flag lets a bench be enrolled and find a flaw in the item.
func (s *service) flag(item qc.ItemID, order qc.OrderID) {
	s.t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.shell("flawmark-central staff add u12 王芳 --role inspector --badge B0012 --pin 2580")
	begun := posted[wire.Enrolment](s, "/v1/enrolments", wire.EnrolmentRequest{Name: "Bench 7", PublicKey: public})
	s.shell("flawmark-central station approve " + begun.UserCode)
	enrolled := posted[wire.Enrolled](s, "/v1/enrolments:poll", wire.EnrolmentPoll{DeviceCode: begun.DeviceCode})
	s.station = qc.StationID(enrolled.Station)
	nonce := posted[wire.Challenge](s, "/v1/token:challenge", wire.ChallengeRequest{Station: enrolled.Station}).Nonce
	s.token = posted[wire.Token](s, "/v1/token", wire.TokenRequest{
		Station: enrolled.Station, Nonce: nonce, Signature: ed25519.Sign(private, wire.TokenMessage(enrolled.Instance, enrolled.Station, nonce)),
	}).AccessToken

	preview := s.upload(image.NewGray(image.Rect(0, 0, 40, 30)))
	finding := qc.Finding{
		ID: "f-1", Revision: 1, Item: item, Order: order, Round: 1, Verdict: qc.Flag, Inspector: "u12", Station: s.station, RecordedAt: time.Now(),
		Photos: []qc.Photo{{ID: "p1", Digest: preview, MediaType: "image/jpeg", Width: 40, Height: 30, Preview: qc.Derivative{Digest: preview}, Thumb: qc.Derivative{Digest: preview}}},
		Flaws:  []qc.Flaw{{ID: "a", Code: "H11", Severity: qc.Major, Zone: qc.ZoneB, Quantity: 1}},
	}
	data, err := json.Marshal(finding)
	if err != nil {
		s.t.Fatal(err)
	}
	event := qc.Event{Seq: 1, ID: "e-1", Kind: qc.FindingRecorded, Version: 1, By: "u12", At: time.Now(), Data: data}
	sealed, err := qc.Seal(&event, qc.ChainStart)
	if err != nil {
		s.t.Fatal(err)
	}
	ack := posted[wire.Ack](s, "/v1/stations/"+enrolled.Station+"/events", wire.Batch{
		Epoch: "e1", First: 1, Prev: string(qc.ChainStart), Events: []json.RawMessage{sealed},
		Signature: ed25519.Sign(private, wire.BatchMessage("e1", string(event.Hash))),
	})
	if len(ack.Results) != 1 || ack.Results[0].Status != string(qc.Applied) {
		s.t.Fatalf("the finding: %+v", ack)
	}
}

func (s *service) upload(picture image.Image) qc.Digest {
	s.t.Helper()
	var file bytes.Buffer
	if err := jpeg.Encode(&file, picture, nil); err != nil {
		s.t.Fatal(err)
	}
	sum := sha256.Sum256(file.Bytes())
	digest := hex.EncodeToString(sum[:])
	s.post(http.DefaultClient, "/v1/uploads", wire.ChunkType, file.Bytes(), "Tus-Resumable: 1.0.0",
		fmt.Sprintf("Upload-Length: %d", file.Len()), "Upload-Metadata: sha256 "+base64.StdEncoding.EncodeToString([]byte(digest)))
	return qc.Digest(digest)
}

// settle lets a clerk bring the case to its end at the desk.
func (s *service) settle() {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.folder, "secret.txt"), []byte("a password of the desk\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.shell("flawmark-central staff add clerk3 李娜 --role clerk --password-file secret.txt")
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	form := func(path string, fields url.Values) {
		s.post(client, path, "application/x-www-form-urlencoded", []byte(fields.Encode()))
	}
	form("/desk/sign-in", url.Values{"id": {"clerk3"}, "password": {"a password of the desk"}})
	id := strings.TrimSpace(s.shell("echo $case"))
	version := func() string {
		return strings.TrimSpace(s.shell("ask $centre/v1/shop/cases/$case | jq -r .version"))
	}
	form("/desk/cases/"+id+"/events", url.Values{"version": {version()}, "event": {"agree_refund"}})
	form("/desk/cases/"+id+"/events", url.Values{"version": {version()}, "event": {"seller_paid"}, "amount": {"401.00"}, "seller_ref": {"R-1"}})
}

// The README's example does what it says, line for line.
func TestReadme_ShopsExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "### The system of a shop")
	section, _, _ = strings.Cut(section, "\n### ")
	var blocks []string
	for _, found := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(section, -1) {
		blocks = append(blocks, found[1])
	}
	if len(blocks) != 3 {
		t.Fatalf("the README's example has %d parts, want 3", len(blocks))
	}
	s := startService(t)
	says := func(out string, all ...string) {
		t.Helper()
		for _, want := range all {
			if !strings.Contains(out, want) {
				t.Errorf("it does not say %q:\n%s", want, out)
			}
		}
	}
	says(s.shell(blocks[0]), `"orders":1`, `"items":1`, "/o/AC-90001?t=")
	s.flag("AC-90001-1", "AC-90001")
	says(s.shell(blocks[1]), "case.qc_problem", "your decision needed", "choose_refund", "choose_keep", "negotiating")
	s.settle()
	says(s.shell(blocks[2]), `"minor": 40100`, "pending", "spent", "credit 40100", "-15000")
	if out := s.shell("flawmark-central shop list"); !strings.Contains(out, "acme") {
		t.Errorf("the key is not listed: %s", out)
	}
}
