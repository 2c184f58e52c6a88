package storagetest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// Systems lend ports from these on to connections that go out: a server that is
// started again there may find its own gone.
const (
	firstPort = 12000
	lastPort  = 32000
)

var given sync.Map // ports, in this process

// FreeAddress returns a loopback address for a server that listens there later,
// and again when it has been restarted. Nobody listens on it now.
func FreeAddress(tb testing.TB) string {
	tb.Helper()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // it only has to differ
		if _, taken := given.LoadOrStore(port, true); taken {
			continue
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			tb.Fatal(err)
		}
		return listener.Addr().String()
	}
	tb.Fatal("no port is free")
	return ""
}
