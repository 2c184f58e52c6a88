package central_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"flawmark/app/qc"
	"flawmark/storage/central"
)

// killedCentre names the folder that this process, when it is the child of
// TestStore_KilledWhileWriting, writes to until it is killed.
const killedCentre = "FLAWMARK_TEST_KILLED_CENTRE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedCentre); dir != "" {
		if err := writeForEver(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if at := os.Getenv(mortalCentre); at != "" {
		if err := serveDeeds(at); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if dir := os.Getenv(killedCopy); dir != "" {
		if err := copyUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeForEver stores photos and says of each that it is stored.
func writeForEver(dir string) error {
	ctx := context.Background()
	store, err := central.Open(ctx, central.Config{Dir: dir})
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		d := qc.DigestOf(fmt.Appendf(nil, "%s %d", time.Now(), i))
		if err := store.BlobStored(ctx, d, 1, "image/jpeg", noon); err != nil {
			return err
		}
		fmt.Println(d)
	}
}

// TestStore_KilledWhileWriting kills a centre again and again in the middle of
// its work: what it said it had is there, all chains hold, and the next centre
// gets the folder at once.
func TestStore_KilledWhileWriting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var promised []qc.Digest
	for round := range 5 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), killedCentre+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			promised = append(promised, qc.Digest(lines.Text()))
			if n == 10+7*round {
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the centre ended by itself")
		}
		w := world{Store: reopen(dir)(t), t: t}
		lacked, err := w.LackedBlobs(t.Context(), promised)
		w.must(err)
		if len(lacked) > 0 || len(promised) == 0 {
			t.Fatalf("of %d promised photos %d are lost", len(promised), len(lacked))
		}
		w.sound()
		w.must(w.Close())
	}
}
