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

// ProxyOptions are what a [Proxy] does to the bytes that it forwards. The zero ProxyOptions change nothing.
type ProxyOptions struct {
	// RoundTrip is added to each round trip, half of it in each direction.
	RoundTrip time.Duration
	// Jitter is added to that at random, up to so much in each direction. Order is kept.
	Jitter time.Duration
	// Piece is how many bytes of the server's are written at once at most; 0 is no limit.
	Piece int
	// End says what happens to a connection after so many bytes of the server's have passed.
	End   End
	After int64
}

// An End is how a connection through a [Proxy] ends.
type End int

// The ends: none; in order, as if the server had closed the connection; by a TCP reset; or nothing more arrives of what the
// server sends, while the connection stays open.
const (
	EndNever End = iota
	EndClose
	EndReset
	EndSilence
)

// A Proxy forwards TCP connections to a server and delays their bytes, in each direction by half of a round trip. Order is
// kept, and the rate isn't limited: bytes in flight wait, not the proxy. It can't delay the TCP handshake, which is with the
// proxy itself.
type Proxy struct {
	target    string
	options   ProxyOptions
	listeners []net.Listener
	ctx       context.Context
	cancel    context.CancelFunc
	wg        sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// NewProxy runs a proxy to target (host:port) until its Close.
func NewProxy(target string, o ProxyOptions) (*Proxy, error) {
	listeners, err := listen("", false)
	if err != nil {
		return nil, err
	}
	p := &Proxy{target: target, options: o, listeners: listeners, conns: map[net.Conn]bool{}}
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
	directions.Go(func() {
		p.forward(server, client, ProxyOptions{RoundTrip: p.options.RoundTrip, Jitter: p.options.Jitter})
	})
	directions.Go(func() { p.forward(client, server, p.options) })
	directions.Wait()
}

// A segment is what was read at once, and when to write it. An error is how reading ended.
type segment struct {
	due   time.Time
	bytes []byte
	err   error
}

// forward copies from src to dst until src ends. An end in order is passed on as one, a reset as a reset.
func (p *Proxy) forward(dst, src *net.TCPConn, o ProxyOptions) {
	queue := make(chan segment, proxyQueue)
	var reader sync.WaitGroup
	defer reader.Wait()
	reader.Go(func() {
		defer close(queue)
		buffer := make([]byte, proxyRead)
		for {
			n, err := src.Read(buffer)
			queue <- segment{time.Now().Add(o.delay()), append([]byte(nil), buffer[:n]...), err}
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
		ended, err := o.write(dst, next.bytes)
		switch {
		case ended:
			broken = true
			p.end(o.End, dst, src)
		case next.err != nil && errors.Is(next.err, io.EOF):
			_ = dst.CloseWrite()
		case next.err != nil, err != nil:
			broken = true
			abort(dst)
			abort(src)
		}
	}
}

// delay returns how long a segment waits.
func (o *ProxyOptions) delay() time.Duration {
	d := o.RoundTrip / 2
	if o.Jitter > 0 {
		d += rand.N(o.Jitter) //nolint:gosec // Nobody's secret depends on it.
	}
	return d
}

// write writes what may pass, counts it off After, and reports whether that was the last.
func (o *ProxyOptions) write(dst io.Writer, bytes []byte) (ended bool, err error) {
	if o.End != EndNever {
		ended = int64(len(bytes)) >= o.After
		bytes = bytes[:min(o.After, int64(len(bytes)))]
		o.After -= int64(len(bytes))
	}
	for piece := range slices.Chunk(bytes, cmp.Or(o.Piece, proxyRead)) {
		if _, err = dst.Write(piece); err != nil {
			break
		}
	}
	return ended, err
}

// end ends a connection.
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
