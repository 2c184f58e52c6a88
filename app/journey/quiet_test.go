package journey

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"flawmark/app/qc"
)

// quiet is a station that is worked with commands only, without a window.
type quiet struct{ data string }

// enrolQuiet makes a station known at a demo centre and fetches its items.
func enrolQuiet(t *testing.T, c *centre) quiet {
	t.Helper()
	q := quiet{data: filepath.Join(t.TempDir(), "station")}
	q.do(t, "enrol", "--central", c.url)
	q.do(t, "sync", "--once")
	return q
}

// try runs a command on the station's data.
func (q quiet) try(t *testing.T, args ...string) said {
	t.Helper()
	return run(t, stationProgram, append(slices.Clone(args), "--data", q.data)...)
}

// do runs a command that must succeed.
func (q quiet) do(t *testing.T, args ...string) said {
	t.Helper()
	got := q.try(t, args...)
	if got.exit != 0 {
		t.Fatalf("flawmark %q: exit %d: %s", args, got.exit, got.err)
	}
	return got
}

func (q quiet) queue(t *testing.T) []qc.Recorded {
	t.Helper()
	return rows[qc.Recorded](t, stationProgram, "queue", "--data", q.data)
}

// admin runs a command of the centre on data that must succeed.
func admin(t *testing.T, data string, args ...string) said {
	t.Helper()
	got := run(t, centralProgram, append(slices.Clone(args), "--data", data)...)
	if got.exit != 0 {
		t.Fatalf("flawmark-central %q: exit %d: %s", args, got.exit, got.err)
	}
	return got
}

// orderFile writes a file of n orders with one item each and returns its path
// and the items.
func orderFile(t *testing.T, n int) (string, []qc.ItemID) {
	t.Helper()
	lines := [][]string{{
		"order_id", "customer_id", "customer_name", "customer_language", "customer_email", "customer_time_zone", "placed_at",
		"item_id", "title_en", "title_zh", "variant_en", "variant_zh", "quantity", "unit_price_fen", "freight_in_fen",
		"platform", "platform_order", "seller", "waybill", "customer_note", "listing_photo", "category", "stocked_in_hours_ago",
	}}
	var items []qc.ItemID
	for i := range n {
		order := strconv.Itoa(30000 + i)
		item := order + "-1"
		items = append(items, qc.ItemID(item))
		lines = append(lines, []string{
			order, "C-" + order, "Ana", "en", "ana@example.com", "Europe/Lisbon", "2026-11-16T20:14:00Z",
			item, "Shoes", "鞋", "42", "42码", "1", strconv.Itoa(10000 + i), "1200",
			"taobao", "9" + order, "潮流前线鞋店", "", "", "", "shoes", "24",
		})
	}
	var text bytes.Buffer
	if err := csv.NewWriter(&text).WriteAll(lines); err != nil {
		t.Fatal(err)
	}
	return scratch(t, "orders.csv", text.Bytes()), items
}

// scratch writes a file into a folder of its own and returns its path.
func scratch(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// samplePhoto returns a photo that comes with the program.
func samplePhoto(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "assets", "photos", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// commented returns the JPEG with a comment in it: the same picture as another
// file.
func commented(jpeg []byte, comment string) []byte {
	const startOfImage = 2 // bytes
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xfe}, uint16(2+len(comment)))
	return slices.Concat(jpeg[:startOfImage], segment, []byte(comment), jpeg[startOfImage:])
}

// missing compares what findings name with a folder of files by their content
// and returns a complaint for each file that is not there, whole.
func missing(blobs string, findings []qc.Finding) []string {
	var complaints []string
	for _, f := range findings {
		for _, p := range f.Photos {
			for _, want := range []struct {
				digest qc.Digest
				bytes  int64
			}{{p.Digest, p.Bytes}, {p.Preview.Digest, p.Preview.Bytes}, {p.Thumb.Digest, p.Thumb.Bytes}} {
				data, err := os.ReadFile(filepath.Join(blobs, string(want.digest[:2]), string(want.digest)))
				switch {
				case err != nil:
					complaints = append(complaints, fmt.Sprintf("finding %s: %v", f.ID, err))
				case int64(len(data)) != want.bytes || qc.DigestOf(data) != want.digest:
					complaints = append(complaints, fmt.Sprintf("finding %s: file %.12s holds something else", f.ID, want.digest))
				}
			}
		}
	}
	return complaints
}
