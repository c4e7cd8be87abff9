package mailtest

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// handshakeTimeout bounds the time until a client's first byte, where the server has no such bound.
const handshakeTimeout = 30 * time.Second

// A tracker knows listeners and their connections, to close them and to wait for those who serve them:
// imapserver's own Close doesn't wait, and misses connections that have only just come.
type tracker struct {
	listeners []net.Listener
	ctx       context.Context
	cancel    context.CancelFunc
	wg        sync.WaitGroup

	mu    sync.Mutex
	conns map[*trackedConn]bool
}

func newTracker(listeners []net.Listener) *tracker {
	t := &tracker{listeners: listeners, conns: map[*trackedConn]bool{}}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// Addr returns host and port of the server, such as 127.0.0.1:41234.
func (t *tracker) Addr() string { return t.listeners[0].Addr().String() }

// Port returns the server's port.
func (t *tracker) Port() int { return port(t.listeners[0]) }

func (t *tracker) closeAndWait() error {
	t.mu.Lock()
	t.cancel()
	var errs []error
	for _, ln := range t.listeners {
		errs = append(errs, ln.Close())
	}
	for conn := range t.conns {
		_ = conn.Conn.Close() // Who serves it meets the error, and closes the trackedConn.
	}
	t.mu.Unlock()
	t.wg.Wait()
	return errors.Join(errs...)
}

// A trackedListener accepts connections that its tracker knows.
type trackedListener struct {
	net.Listener
	tracker *tracker
}

// Accept is net.Listener's.
func (ln trackedListener) Accept() (net.Conn, error) {
	conn, err := ln.Listener.Accept()
	if err != nil {
		return nil, err
	}
	t := ln.tracker
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() != nil {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	_ = conn.SetReadDeadline(time.Now().Add(handshakeTimeout)) // imapserver sets its own later.
	tracked := &trackedConn{Conn: conn, tracker: t}
	t.conns[tracked] = true
	t.wg.Add(1)
	return tracked, nil
}

// A trackedConn notifies its tracker when it is closed.
type trackedConn struct {
	net.Conn
	tracker *tracker
	once    sync.Once
}

// Close is net.Conn's.
func (c *trackedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.tracker.mu.Lock()
		defer c.tracker.mu.Unlock()
		delete(c.tracker.conns, c)
		c.tracker.wg.Done()
	})
	return err
}
