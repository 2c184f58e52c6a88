package journey

import (
	"bytes"
	"compress/zlib"
	"database/sql"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"flawmark/app/qc"
	"flawmark/assets"
	"flawmark/storage/storagetest"
	"flawmark/ui/bench"
)

// mistake is something that people do wrong, and the sentence it gets.
type mistake struct {
	args  []string // of the command
	key   string   // of the sentence
	pairs []string // that fill it
	// inside is a sentence that fills the placeholder {problem} of the first.
	inside      string
	insidePairs []string
}

// says returns the one line that the mistake must get in a language.
func (m mistake) says(words assets.Words, program string) string {
	pairs := m.pairs
	if m.inside != "" {
		pairs = append(slices.Clone(pairs), "problem", words.Text(m.inside, m.insidePairs...))
	}
	return program + ": " + words.Text(m.key, pairs...) + "\n"
}

// get has every mistake made in every language: each gets its sentence and
// exit 1, and leaves no trace in what unchanged looks at.
func get(t *testing.T, program func() (string, error), name string, mistakes map[string]mistake, unchanged func() string) {
	t.Helper()
	before := unchanged()
	for what, m := range mistakes {
		for _, lang := range assets.Languages() {
			words, err := assets.LoadWords(lang)
			if err != nil {
				t.Fatal(err)
			}
			got := run(t, program, append(slices.Clone(m.args), "--lang", lang)...)
			if got.exit != 1 || got.err != m.says(words, name) || got.out != "" {
				t.Errorf("%s, %s: exit %d\n got %q\nwant %q\nout  %q", what, lang, got.exit, got.err, m.says(words, name), got.out)
			}
			if strings.ContainsAny(got.err, "{}") {
				t.Errorf("%s, %s: something is not filled in: %s", what, lang, got.err)
			}
			after := unchanged()
			if after != before {
				t.Errorf("%s, %s: changed\n%s\nto\n%s", what, lang, before, after)
			}
			before = after
		}
	}
}

// contents says what a station holds.
func (q quiet) contents(t *testing.T) string {
	t.Helper()
	return q.do(t, "queue", "--json").out + q.do(t, "items", "--json").out + files(t, filepath.Join(q.data, "blobs"))
}

// contents says what a centre holds, whether it runs or not.
func contents(t *testing.T, data string) string {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, "central.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	said := files(t, filepath.Join(data, "blobs"))
	for _, table := range []string{"order_", "item", "customer", "staff", "station", "finding", "refund_case", "change", "audit"} {
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		said += fmt.Sprintf("%s %d\n", table, n)
	}
	return said
}

// files lists the files of a folder.
func files(t *testing.T, dir string) string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, "\n") + "\n"
}

func TestBadInput_AtTheStation(t *testing.T) {
	c := startCentre(t, t.TempDir(), "", "--demo")
	q := enrolQuiet(t, c)
	portal := answering(t, "text/html", "<html>Please sign in to the Wi-Fi</html>")
	another := answering(t, "application/json", `{"name": "another service"}`)
	nobody := "http://" + storagetest.FreeAddress(t)
	fresh := filepath.Join(t.TempDir(), "fresh")

	good := scratch(t, "good.jpg", samplePhoto(t, "eniko-kis-663725-unsplash.jpg"))
	pass := func(more ...string) []string {
		return append([]string{"pass", "--inspector", "u12", "--data", q.data}, more...)
	}
	mistakes := map[string]mistake{
		"unknown item":       {args: pass("--item", "777", "--photo", good), key: "error.unknown_item", pairs: []string{"item", "777"}},
		"unknown item, list": {args: []string{"items", "777", "--data", q.data}, key: "error.unknown_item", pairs: []string{"item", "777"}},
		"no item":            {args: pass("--photo", good), key: "cli.item_missing"},
		"no photo":           {args: pass("--item", "20481-1"), key: "error.finding_no_photo"},
		"missing file":       {args: pass("--item", "20481-1", "--photo", "/no/such.jpg"), key: "error.file_missing", pairs: []string{"file", "/no/such.jpg"}},
		"flaw on a pass":     {args: pass("--item", "20481-1", "--photo", good, "--flaw", "F04"), key: "error.finding_flaw_on_pass"},
		"unknown flaw":       {args: pass("--item", "20481-1", "--photo", good, "--flaw", "X99"), key: "error.finding_flaw_code"},
		"unknown severity":   {args: pass("--item", "20481-1", "--photo", good, "--flaw", "F04:BAD"), key: "cli.flaw_syntax", pairs: []string{"text", "F04:BAD"}},
		"mark of no photo":   {args: pass("--item", "20481-1", "--photo", good, "--mark", "2#rect:1,2,3,4"), key: "cli.mark_syntax", pairs: []string{"text", "2#rect:1,2,3,4"}},
		"flag without flaw":  {args: []string{"flag", "--inspector", "u12", "--data", q.data, "--item", "20481-1", "--photo", good}, key: "error.finding_no_flaw"},
		"unknown inspector":  {args: []string{"pass", "--inspector", "u99", "--data", q.data, "--item", "20481-1"}, key: "cli.inspector_unknown", pairs: []string{"id", "u99"}},
		"no inspector":       {args: []string{"pass", "--data", q.data, "--item", "20481-1"}, key: "cli.inspector_missing"},
		"a clerk inspects":   {args: []string{"pass", "--inspector", "clerk3", "--data", q.data, "--item", "20481-1"}, key: "cli.inspector_unknown", pairs: []string{"id", "clerk3"}},
		"no window to show":  {args: []string{"show", "--data", q.data}, key: "cli.no_window"},
		"not enrolled":       {args: []string{"sync", "--once", "--data", fresh}, key: "error.not_enrolled"},
		"no centre named":    {args: []string{"enrol", "--data", fresh}, key: "cli.central_missing"},
		"another service":    {args: []string{"enrol", "--data", fresh, "--central", another}, key: "error.not_a_centre", pairs: []string{"address", another}},
		"a sign-in page":     {args: []string{"enrol", "--data", fresh, "--central", portal}, key: "error.not_a_centre", pairs: []string{"address", portal}},
		"nobody there":       {args: []string{"enrol", "--data", fresh, "--central", nobody}, key: "error.network_offline"},
		"not an address": {
			args: []string{"enrol", "--data", fresh, "--central", "qc"}, key: "cli.setting_invalid",
			pairs: []string{"setting", "--central", "value", "qc", "want", "https://qc.example.com"},
		},
		"scale of ten": {
			args: []string{"items", "--data", fresh, "--scale", "10"}, key: "cli.setting_invalid",
			pairs: []string{"setting", "--scale", "value", "10", "want", "0.5 – 4"},
		},
		"a file as folder": {args: []string{"queue", "--data", good}, key: "cli.folder_unusable", pairs: []string{"folder", good}},
	}
	for name, bad := range badPhotos(t) {
		mistakes["photo: "+name] = mistake{
			args: pass("--item", "20481-1", "--photo", good, "--photo", bad.path), key: "cli.photo_problem",
			pairs: []string{"file", bad.path}, inside: bad.key, insidePairs: bad.pairs,
		}
	}
	// The good photo before a bad one is kept once; it harms nobody.
	q.try(t, pass("--item", "20481-1", "--photo", good, "--photo", "/no/such.jpg")...)
	get(t, stationProgram, "flawmark", mistakes, func() string { return q.contents(t) })

	again := q.try(t, "enrol", "--lang", "en")
	if again.exit != 1 || !strings.HasPrefix(again.err, "flawmark: This station is already enrolled as st-") {
		t.Errorf("a second enrolment: exit %d, %s", again.exit, again.err)
	}
}

// answering is a server that answers everything with the same.
func answering(t *testing.T, kind, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// badPhoto is a file that is no photo we can use, and its sentence.
type badPhoto struct {
	path  string
	key   string
	pairs []string
}

func badPhotos(t *testing.T) map[string]badPhoto {
	t.Helper()
	real := samplePhoto(t, "mitch-lensink-256007-unsplash.jpg")
	huge := slices.Clone(real)
	frame := bytes.Index(huge, []byte{0xff, 0xc2}) // progressive
	if frame < 0 {
		frame = bytes.Index(huge, []byte{0xff, 0xc0})
	}
	const toHeight, toWidth = 5, 7 // bytes from the marker
	binary.BigEndian.PutUint16(huge[frame+toHeight:], 60_000)
	binary.BigEndian.PutUint16(huge[frame+toWidth:], 60_000)
	return map[string]badPhoto{
		"text":           {path: scratch(t, "note.jpg", []byte("This is not a photo.\n")), key: "error.not_a_photo"},
		"empty":          {path: scratch(t, "empty.jpg", nil), key: "error.empty_file"},
		"a folder":       {path: t.TempDir(), key: "error.not_a_photo"},
		"60,000 squared": {path: scratch(t, "huge.jpg", huge), key: "error.photo_too_large", pairs: []string{"pixels", "3600", "limit", "200"}},
		"cut off":        {path: scratch(t, "cut.jpg", real[:len(real)/2]), key: "error.photo_truncated"},
		"PNG of 2.5 GP":  {path: scratch(t, "wide.png", pngOf(50_000, 50_000, 1<<20)), key: "error.photo_too_large", pairs: []string{"pixels", "2500", "limit", "200"}},
		"PNG bomb":       {path: scratch(t, "bomb.png", pngOf(16, 16, 200<<20)), key: "error.photo_unreadable"},
	}
}

// pngOf returns a PNG whose header tells one size and whose pixels unpack to
// another.
func pngOf(width, height uint32, unpacked int) []byte {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	zeros := make([]byte, 1<<20)
	for range unpacked >> 20 {
		_, _ = w.Write(zeros) // into memory
	}
	_ = w.Close()
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	header = append(header, 8, 2, 0, 0, 0) // 8 bits, RGB
	png := []byte("\x89PNG\r\n\x1a\n")
	for _, chunk := range []struct {
		kind string
		data []byte
	}{{"IHDR", header}, {"IDAT", packed.Bytes()}, {"IEND", nil}} {
		body := append([]byte(chunk.kind), chunk.data...)
		png = binary.BigEndian.AppendUint32(png, uint32(len(chunk.data)))
		png = append(png, body...)
		png = binary.BigEndian.AppendUint32(png, crc32.ChecksumIEEE(body))
	}
	return png
}

// TestBadInput_AtTheStationsFolder: folders that somebody else uses, that a
// later version wrote or that somebody has edited.
func TestBadInput_AtTheStationsFolder(t *testing.T) {
	c := startCentre(t, t.TempDir(), "", "--demo")
	q := enrolQuiet(t, c)
	copied := func(damage func(dir string) error) string {
		dir := filepath.Join(t.TempDir(), "copy")
		keepCopy(t, q.data, dir)
		if err := damage(dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	newer := copied(func(dir string) error { return fromLater(filepath.Join(dir, "station.db")) })
	broken := copied(func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "settings.json"), []byte(`{"central": 7, oops`), 0o600)
	})
	keyless := copied(func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "station.key"), []byte("short"), 0o600)
	})
	unforeseen := copied(func(dir string) error {
		journal := filepath.Join(dir, "journal")
		if err := os.RemoveAll(journal); err != nil {
			return err
		}
		return os.WriteFile(journal, []byte("a file where a folder belongs"), 0o600)
	})
	// The follower holds the folder until it is stopped.
	program, err := stationProgram()
	if err != nil {
		t.Fatal(err)
	}
	start(t, nil, program, "sync", "--data", q.data)
	until(t, "the folder in use", func() bool { return q.try(t, "queue").exit != 0 })

	get(t, stationProgram, "flawmark", map[string]mistake{
		"second station":     {args: []string{"queue", "--data", q.data}, key: "error.already_running", pairs: []string{"folder", q.data}},
		"of a later version": {args: []string{"queue", "--data", newer}, key: "error.newer_store", pairs: []string{"folder", newer}},
		"garbage settings": {
			args: []string{"queue", "--data", broken}, key: "cli.settings_broken",
			pairs: []string{"file", filepath.Join(broken, "settings.json")},
		},
		"garbage key": {args: []string{"queue", "--data", keyless}, key: "cli.key_unusable", pairs: []string{"folder", keyless}},
		"unforeseen":  {args: []string{"queue", "--data", unforeseen}, key: "error.unexpected"},
	}, func() string {
		data, err := os.ReadFile(filepath.Join(newer, "station.db"))
		if err != nil {
			t.Fatal(err)
		}
		return string(qc.DigestOf(data)) + files(t, filepath.Join(newer, "journal"))
	})
	// What lies behind a sentence is for the administrator.
	for dir, cause := range map[string]string{keyless: "5 bytes instead of 32", unforeseen: "journal: not a directory"} {
		if log, err := os.ReadFile(filepath.Join(dir, "station.log")); err != nil || !strings.Contains(string(log), cause) {
			t.Errorf("the log does not say %q: %v\n%s", cause, err, log)
		}
	}
}

// fromLater makes a station's database one of a version that is yet to come.
func fromLater(path string) error {
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte("999")) })
}

func TestBadInput_AtTheCentre(t *testing.T) {
	data := t.TempDir()
	c := startCentre(t, data, "", "--demo")
	newer := filepath.Join(t.TempDir(), "newer")
	admin(t, newer, "cases") // makes the folder
	db, err := sql.Open("sqlite", filepath.Join(newer, "central.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`,
		`UPDATE meta SET value = '9999' WHERE name = 'oldest_program'`, // it has done more than add
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "settings.json"), []byte("listen: here"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := c.address()
	mistakes := map[string]mistake{
		"second centre": {args: []string{"serve", "--data", data, "--listen", storagetest.FreeAddress(t)}, key: "error.centre_already_running", pairs: []string{"folder", data}},
		"port in use":   {args: []string{"serve", "--data", t.TempDir(), "--listen", address}, key: "cli.listen_failed", pairs: []string{"address", address}},
		"no such port": {
			args: []string{"serve", "--data", t.TempDir(), "--listen", "8480"}, key: "cli.setting_invalid",
			pairs: []string{"setting", "--listen", "value", "8480", "want", "0.0.0.0:8480"},
		},
		"key without certificate": {
			args: []string{"serve", "--data", t.TempDir(), "--tls-key", "key.pem"}, key: "cli.setting_pair",
			pairs: []string{"setting", "--tls-cert", "value", "--tls-key"},
		},
		"no certificate": {
			args: []string{"serve", "--data", t.TempDir(), "--listen", storagetest.FreeAddress(t), "--tls-cert", "/no/c.pem", "--tls-key", "/no/k.pem"},
			key:  "cli.certificate_unusable", pairs: []string{"file", "/no/c.pem"},
		},
		"of a later version": {args: []string{"cases", "--data", newer}, key: "error.newer_store", pairs: []string{"folder", newer}},
		"garbage settings":   {args: []string{"cases", "--data", broken}, key: "cli.settings_broken", pairs: []string{"file", filepath.Join(broken, "settings.json")}},
		"unknown order":      {args: []string{"order", "link", "99999", "--data", data}, key: "error.order_unknown", pairs: []string{"order", "99999"}},
		"no order":           {args: []string{"order", "link", "--data", data}, key: "cli.args_missing", pairs: []string{"args", "ORDER"}},
		"wrong code":         {args: []string{"station", "approve", "AAAA-AAAA", "--data", data}, key: "error.code_wrong"},
		"PIN of letters":     {args: []string{"staff", "add", "u77", "Eve", "--pin", "abcd", "--data", data}, key: "error.pin_format"},
		"unknown role":       {args: []string{"staff", "add", "u77", "Eve", "--role", "king", "--data", data}, key: "cli.role_unknown", pairs: []string{"role", "king"}},
		"nameless":           {args: []string{"staff", "add", "u77", " ", "--pin", "2580", "--data", data}, key: "cli.staff_incomplete"},
		"password file gone": {
			args: []string{"staff", "add", "u77", "Eve", "--role", "clerk", "--password-file", "/no/pw", "--data", data},
			key:  "error.file_missing", pairs: []string{"file", "/no/pw"},
		},
	}
	for name, bad := range badOrders(t) {
		bad.args = append([]string{"orders", "import", "--data", data}, bad.args...)
		mistakes["import: "+name] = bad
	}
	get(t, centralProgram, "flawmark-central", mistakes, func() string { return contents(t, data) })
	admin(t, data, "verify")
}

// badOrders are files of orders that must be refused whole.
func badOrders(t *testing.T) map[string]mistake {
	t.Helper()
	path, _ := orderFile(t, 3)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	good := string(data)
	lines := strings.SplitAfter(good, "\n")
	csv := func(text string) []string { return []string{scratch(t, "orders.csv", []byte(text))} }
	place := func(line, column string) []string { return []string{"line", line, "column", column} }
	folder := t.TempDir()

	photos := t.TempDir()
	for name, content := range map[string][]byte{
		"good.jpg": samplePhoto(t, "eniko-kis-663725-unsplash.jpg"), "bad.jpg": []byte("no photo"),
	} {
		if err := os.WriteFile(filepath.Join(photos, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	withPhotos := func(first, second string) []string {
		text := strings.Replace(good, ",,,shoes,", ",,"+first+",shoes,", 1)
		path := filepath.Join(photos, "with-"+second+".csv")
		if err := os.WriteFile(path, []byte(strings.Replace(text, ",,,shoes,", ",,"+second+",shoes,", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{path}
	}
	return map[string]mistake{
		"empty":           {args: csv(""), key: "cli.import_line", pairs: place("1", "")},
		"header only":     {args: csv(lines[0]), key: "cli.import_nothing"},
		"a photo":         {args: csv(string(samplePhoto(t, "eniko-kis-663725-unsplash.jpg"))), key: "cli.import_line", pairs: place("1", "")},
		"a column gone":   {args: csv(strings.Replace(good, "seller,", "", 1)), key: "error.csv_broken", pairs: place("1", "seller")},
		"unknown column":  {args: csv(strings.Replace(good, "seller", "vendor", 1)), key: "error.csv_broken", pairs: place("1", "vendor")},
		"a field gone":    {args: csv(lines[0] + lines[1] + strings.Replace(lines[2], "taobao,", "", 1)), key: "cli.import_line", pairs: place("3", "")},
		"an open quote":   {args: csv(lines[0] + lines[1] + `"` + lines[2]), key: "cli.import_line", pairs: place("3", "")},
		"not a number":    {args: csv(lines[0] + lines[1] + strings.Replace(lines[2], "10001", "1e4", 1)), key: "error.csv_broken", pairs: place("3", "unit_price_fen")},
		"below zero":      {args: csv(lines[0] + strings.Replace(lines[1], "1200", "-1200", 1)), key: "error.csv_broken", pairs: place("2", "freight_in_fen")},
		"twice an item":   {args: csv(good + lines[3]), key: "error.csv_broken", pairs: place("5", "item_id")},
		"GBK":             {args: csv(lines[0] + lines[1] + strings.Replace(lines[2], "潮", "\xb3\xb1", 1)), key: "cli.import_line", pairs: place("3", "")},
		"item of another": {args: csv(strings.Replace(good, "30002-1", "20481-1", 1)), key: "cli.order_conflict"},
		"photo gone":      {args: withPhotos("good.jpg", "none.jpg"), key: "error.file_missing", pairs: []string{"file", "none.jpg"}},
		"photo broken": {
			args: withPhotos("good.jpg", "bad.jpg"), key: "cli.listing_photo_broken",
			pairs: []string{"file", "bad.jpg", "item", "30001-1"},
		},
		"photo elsewhere": {args: withPhotos("good.jpg", "../secret.jpg"[0:2]+"x.jpg"), key: "error.csv_broken", pairs: place("3", "listing_photo")},
		"JSON broken":     {args: []string{scratch(t, "orders.json", []byte("{\n\"orders\": [\n{]"))}, key: "cli.import_line", pairs: place("3", "")},
		"JSON, no items":  {args: []string{scratch(t, "orders.json", []byte(`{"orders": [{"id": "1"}]}`))}, key: "cli.import_member", pairs: place("0", "items")},
		"file gone":       {args: []string{"/no/orders.csv"}, key: "error.file_missing", pairs: []string{"file", "/no/orders.csv"}},
		"a folder":        {args: []string{folder}, key: "cli.file_unreadable", pairs: []string{"file", folder}},
		"11 MB":           {args: csv(strings.Repeat("x", 11<<20)), key: "error.file_too_big", pairs: []string{"limit", "10 MB"}},
		"nothing named":   {key: "cli.args_missing", pairs: []string{"args", "FILE"}},
	}
}

// TestBadInput_InTheWindow lets the camera's folder receive what is no photo.
func TestBadInput_InTheWindow(t *testing.T) {
	words, err := assets.LoadWords("zh")
	if err != nil {
		t.Fatal(err)
	}
	s := startScreen(t, 1366, 768)
	c := startCentre(t, t.TempDir(), "", "--demo")
	b := startStation(t, s, t.TempDir(), c.url, "zh")
	until(t, "items at the station", func() bool {
		return len(rows[qc.Item](t, stationProgram, "items", "--data", b.data)) >= 10
	})
	b.hasListings(t)
	b.signIn(t, "B0012", "u12")
	b.opens(t, anaItem)
	blobs := files(t, filepath.Join(b.data, "blobs"))
	for name, bad := range map[string]struct{ content, key string }{
		"text.jpg": {"This is not a photo.\n", "error.not_a_photo"},
		"cut.jpg":  {string(samplePhoto(t, "mitch-lensink-256007-unsplash.jpg")[:50_000]), "error.photo_truncated"},
	} {
		if err := os.WriteFile(filepath.Join(b.watch, name), []byte(bad.content), 0o600); err != nil {
			t.Fatal(err)
		}
		d := b.sees(t, "the notice about "+name, func(d bench.Description) bool { return d.Bad && d.Notice == words.Text(bad.key) })
		if d.Photos != 0 || d.Item != anaItem {
			t.Errorf("%s: the inspection of %s has %d photos", name, d.Item, d.Photos)
		}
	}
	if after := files(t, filepath.Join(b.data, "blobs")); after != blobs {
		t.Errorf("files were kept: %s", after)
	}
	b.photographs(t, "xavier-teo-469050-unsplash.jpg") // and goes on working
	if code := b.stop(t); code != 0 {
		t.Fatalf("the station ended with %d", code)
	}
}
