package load

import (
	"context"
	"net"
	"net/http"
	"time"

	"golang.org/x/time/rate"
)

// NarrowLine returns a way to a centre that carries so many bytes a second from
// the station, over all its connections together.
func NarrowLine(bytesPerSecond int) *http.Transport {
	// What is let through at once is small, as in the buffers of a real line.
	const burst = 16 << 10
	limit := rate.NewLimiter(rate.Limit(bytesPerSecond), burst)
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &narrowConn{Conn: conn, limit: limit, burst: burst}, nil
		},
		ResponseHeaderTimeout: time.Minute,
	}
}

type narrowConn struct {
	net.Conn
	limit *rate.Limiter
	burst int
}

// Write implements net.Conn.
func (c *narrowConn) Write(data []byte) (int, error) {
	sent := 0
	for len(data) > 0 {
		piece := data[:min(c.burst, len(data))]
		if err := c.limit.WaitN(context.Background(), len(piece)); err != nil {
			return sent, err
		}
		n, err := c.Conn.Write(piece)
		sent += n
		if err != nil {
			return sent, err
		}
		data = data[n:]
	}
	return sent, nil
}
