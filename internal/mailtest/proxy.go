package mailtest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"
)

const (
	// proxyRead is how many bytes are read at once, proxyQueue how many reads are under way in one direction at most.
	proxyRead  = 32 << 10
	proxyQueue = 1024
	// timerSlack is by how much a timer may be late: an idle Go program waits for its timers in whole milliseconds.
	timerSlack = 1200 * time.Microsecond
)

// A Way is what a [Proxy] does to what crosses it. The zero Way does nothing.
type Way struct {
	// RoundTrip is added to each round trip, half of it each way.
	RoundTrip time.Duration
	// Jitter is added to that at random, up to so much each way. Order is kept.
	Jitter time.Duration
	// Piece is how many bytes of the server's arrive at once at most; 0 is as many as it sends.
	Piece int
	// End says what happens to a connection after so many bytes of the server's have passed.
	End   End
	After int64
}

// An End is how a [Way] ends.
type End int

// The ends: none; in order, as if the server had closed the connection; by a TCP reset; or no more arrives of what the
// server sends, while the connection stays open.
const (
	EndNever End = iota
	EndClose
	EndReset
	EndSilence
)

// A Proxy is another way to a server: it carries TCP connections and delays what crosses them, each way by half of a
// round trip. Order is kept, and the rate isn't limited: it is the bytes in flight that wait, not the proxy.
// It can't delay the TCP handshake, which is with the proxy itself.
type Proxy struct {
	target    string
	way       Way
	listeners []net.Listener
	ctx       context.Context
	cancel    context.CancelFunc
	wg        sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// NewProxy runs a proxy to target (host:port) until its Close.
func NewProxy(target string, way Way) (*Proxy, error) {
	listeners, err := listen("", false)
	if err != nil {
		return nil, err
	}
	p := &Proxy{target: target, way: way, listeners: listeners, conns: map[net.Conn]bool{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	for _, ln := range listeners {
		p.wg.Go(func() { p.accept(ln) })
	}
	return p, nil
}

// Addr returns host and port of the proxy.
func (p *Proxy) Addr() string { return p.listeners[0].Addr().String() }

// Close closes all connections and waits until every goroutine of the proxy has ended.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.cancel()
	var errs []error
	for _, ln := range p.listeners {
		errs = append(errs, ln.Close())
	}
	for conn := range p.conns {
		_ = conn.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
	return errors.Join(errs...)
}

func (p *Proxy) accept(ln net.Listener) {
	for {
		client, err := ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || !wait(p.ctx, acceptRetry) {
				return
			}
			continue
		}
		if p.add(client) {
			p.wg.Go(func() {
				defer p.remove(client)
				p.serve(client.(*net.TCPConn))
			})
		}
	}
}

// add registers a connection, or closes it if the proxy is closing.
func (p *Proxy) add(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		_ = conn.Close()
		return false
	}
	p.conns[conn] = true
	return true
}

func (p *Proxy) remove(conn net.Conn) {
	_ = conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}

// serve carries one connection until both directions have ended.
func (p *Proxy) serve(client *net.TCPConn) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(p.ctx, "tcp", p.target)
	if err != nil {
		_ = client.SetLinger(0) // The client meets a reset.
		return
	}
	if !p.add(conn) {
		return
	}
	defer p.remove(conn)
	server := conn.(*net.TCPConn)
	var directions sync.WaitGroup
	directions.Go(func() { p.carry(server, client, Way{RoundTrip: p.way.RoundTrip, Jitter: p.way.Jitter}) })
	directions.Go(func() { p.carry(client, server, p.way) })
	directions.Wait()
}

// A parcel is what was read at once, and when it is to arrive. An error is how the reading ended.
type parcel struct {
	due   time.Time
	bytes []byte
	err   error
}

// carry copies from src to dst until src ends. An end in order is passed on as one, a reset as a reset.
func (p *Proxy) carry(dst, src *net.TCPConn, way Way) {
	queue := make(chan parcel, proxyQueue)
	var reader sync.WaitGroup
	defer reader.Wait()
	reader.Go(func() {
		defer close(queue)
		buffer := make([]byte, proxyRead)
		for {
			n, err := src.Read(buffer)
			queue <- parcel{time.Now().Add(way.delay()), append([]byte(nil), buffer[:n]...), err}
			if err != nil {
				return
			}
		}
	})
	broken := false
	for next := range queue { // To its end even when dst is gone: the reader must never be left waiting.
		if broken {
			continue
		}
		waitUntil(p.ctx, next.due)
		if p.ctx.Err() != nil {
			broken = true // What is still under way when the proxy closes never arrives.
			continue
		}
		ended, err := way.write(dst, next.bytes)
		switch {
		case ended:
			broken = true
			p.end(way.End, dst, src)
		case next.err != nil && errors.Is(next.err, io.EOF):
			_ = dst.CloseWrite()
		case next.err != nil, err != nil:
			broken = true
			abort(dst)
			abort(src)
		}
	}
}

// delay is how long bytes are under way.
func (w *Way) delay() time.Duration {
	d := w.RoundTrip / 2
	if w.Jitter > 0 {
		d += rand.N(w.Jitter) //nolint:gosec // Nobody's secret depends on it.
	}
	return d
}

// write writes what may pass, and reports whether that was the last.
func (w *Way) write(dst io.Writer, bytes []byte) (ended bool, err error) {
	if w.End != EndNever {
		ended = int64(len(bytes)) >= w.After
		bytes = bytes[:min(w.After, int64(len(bytes)))]
		w.After -= int64(len(bytes))
	}
	for piece := range slices.Chunk(bytes, cmp.Or(w.Piece, proxyRead)) {
		if _, err = dst.Write(piece); err != nil {
			break
		}
	}
	return ended, err
}

// end ends a connection, and lets the server think what it likes.
func (p *Proxy) end(how End, client, server *net.TCPConn) {
	switch how {
	case EndClose:
		_ = client.Close()
		_ = server.Close()
	case EndReset:
		abort(client)
		abort(server)
	case EndSilence:
		<-p.ctx.Done()
	case EndNever:
	}
}

func abort(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

// waitUntil waits until due or the end of ctx. It is exact to some microseconds, for which it keeps a processor busy at the end.
func waitUntil(ctx context.Context, due time.Time) {
	if !wait(ctx, time.Until(due)-timerSlack) {
		return
	}
	for time.Now().Before(due) && ctx.Err() == nil {
		runtime.Gosched()
	}
}
