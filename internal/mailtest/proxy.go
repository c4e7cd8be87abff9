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
	// proxyRead is the size of one read in bytes, proxyQueue the maximum number of reads in flight in one direction.
	proxyRead  = 32 << 10
	proxyQueue = 1024
	// timerSlack is how late a timer may fire: an idle Go program rounds its timers to whole milliseconds.
	timerSlack = 1200 * time.Microsecond
)

// ProxyOptions say how a [Proxy] forwards bytes. The zero ProxyOptions change nothing.
type ProxyOptions struct {
	// RoundTrip is added to each round trip, half of it in each direction.
	RoundTrip time.Duration
	// Jitter is the maximum random delay that is added to that in each direction. The order is kept.
	Jitter time.Duration
	// Piece is the maximum size in bytes of a write to the client; 0 means no limit.
	Piece int
	// End says what happens to a connection after the server has sent After bytes.
	End   End
	After int64
}

// An End is how a connection through a [Proxy] ends.
type End int

// The ends: none; closed as by the server (FIN); a TCP reset; or the connection stays open, but nothing more arrives from
// the server.
const (
	EndNever End = iota
	EndClose
	EndReset
	EndSilence
)

// A Proxy forwards TCP connections to a server and delays their bytes in each direction by half a round trip. It keeps the
// order and doesn't limit the rate. It can't delay the TCP handshake, which the client makes with the proxy.
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

// serve forwards one connection until both directions have ended.
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

// A segment is the result of one read, and when to write it. err is set if reading ended.
type segment struct {
	due   time.Time
	bytes []byte
	err   error
}

// forward copies from src to dst until src ends. It passes on a FIN as a FIN, a reset as a reset.
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
	for next := range queue { // Drains the queue even if dst is closed: otherwise the reader would block.
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

// write writes the bytes that may pass, subtracts them from After, and reports whether the end is reached.
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

// waitUntil waits until due or the end of ctx. It is precise to some microseconds, for which it spins at the end.
func waitUntil(ctx context.Context, due time.Time) {
	if !wait(ctx, time.Until(due)-timerSlack) {
		return
	}
	for time.Now().Before(due) && ctx.Err() == nil {
		runtime.Gosched()
	}
}
