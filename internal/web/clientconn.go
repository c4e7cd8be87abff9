package web

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// writeStallTimeout is how long a client may take no byte of what is sent to it. Then its connection is closed.
const writeStallTimeout = 5 * time.Second

// A clientConn is a connection that a connLimiter counts. It keeps account of how long we waited for the client, and fails if
// the client takes no byte for writeStallTimeout.
type clientConn struct {
	net.Conn
	limiter *connLimiter
	closing sync.Once

	mu sync.Mutex
	// cancel ends the context of its requests: net/http doesn't notice that a connection was closed if the client has sent
	// more than the request.
	cancel context.CancelFunc
	// handling says that a handler is at work, and answering that, or that the rest of its answer is being sent.
	handling, answering bool
	// waitingSince is when we began to wait for the client; zero while it waits for us.
	waitingSince time.Time
	// waitedBefore is how long we had waited for the client until then, charges included, and waitedForRequest how much of
	// that was before the request that is being answered.
	waitedBefore, waitedForRequest time.Duration
	// leaving says that the connection is to be closed when the answer has been sent.
	leaving bool
	// writeDeadline is the server's own; zero is none.
	writeDeadline time.Time
}

// waited returns how long we have waited for the client so far, as far as that counts against its connection, and whether it
// waits for us now. It is 0 if the connection has nothing to fear.
func (c *clientConn) waited(now time.Time) (waited time.Duration, answering bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	waited, least := c.waitedBefore, minWait
	switch {
	case c.waitingSince.IsZero():
		if answering = true; c.leaving {
			return 0, answering
		}
	case c.answering:
		waited, least = waited+now.Sub(c.waitingSince)-c.waitedForRequest, minSendWait
	default:
		waited += now.Sub(c.waitingSince)
	}
	if waited < least {
		waited = 0
	}
	return waited, answering
}

// setWaiting says whether we wait for the client from now on.
func (c *clientConn) setWaiting(waiting bool) {
	switch now := time.Now(); {
	case !waiting && !c.waitingSince.IsZero():
		c.waitedBefore += now.Sub(c.waitingSince)
		c.waitingSince = time.Time{}
	case waiting && c.waitingSince.IsZero():
		c.waitingSince = now
	}
}

// beginAnswer notes that a request has come.
func (c *clientConn) beginAnswer() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handling, c.answering = true, true
	c.setWaiting(false)
	c.waitedBefore += requestCharge
	c.waitedForRequest = c.waitedBefore
}

// endHandling notes that the handler has returned. What it wrote last may still have to be sent.
func (c *clientConn) endHandling() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handling = false
	c.setWaiting(true)
}

// leave has the connection closed when the answer has been sent.
func (c *clientConn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = true
}

// endAnswer notes that the answer has been sent. It closes a connection that is to leave.
func (c *clientConn) endAnswer() {
	c.mu.Lock()
	leaving := c.leaving
	c.answering = false
	c.mu.Unlock()
	if leaving {
		_ = c.Close()
	}
}

// beginWrite notes that we wait for the client to take bytes, and returns until when it may take none.
func (c *clientConn) beginWrite() (deadline time.Time, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setWaiting(true)
	deadline = time.Now().Add(writeStallTimeout)
	if !c.writeDeadline.IsZero() && !c.writeDeadline.After(deadline) {
		return c.writeDeadline, true
	}
	return deadline, false
}

func (c *clientConn) endWrite() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setWaiting(!c.handling)
}

// Write writes p, for as long as the client takes some of it every writeStallTimeout.
func (c *clientConn) Write(p []byte) (n int, err error) {
	defer c.endWrite()
	for {
		deadline, last := c.beginWrite()
		if err := c.Conn.SetWriteDeadline(deadline); err != nil {
			return n, err
		}
		written, err := c.Conn.Write(p[n:])
		n += written
		if err == nil || written == 0 || last || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
}

// SetWriteDeadline sets a deadline, beside which writeStallTimeout holds.
func (c *clientConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeDeadline = t
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline sets both deadlines.
func (c *clientConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// Close closes the connection at once; a TLS connection above it meets the error.
func (c *clientConn) Close() error {
	c.closing.Do(func() {
		c.limiter.remove(c)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.cancel()
	})
	return c.Conn.Close()
}

// clientConnOf returns the connection below TLS; nil where none is counted, as in tests of a handler alone.
func clientConnOf(conn net.Conn) *clientConn {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	c, _ := conn.(*clientConn)
	return c
}

// clientConnKey is the key of the *clientConn in a request's context.
type clientConnKey struct{}

// contextWithConn is a server's ConnContext.
func contextWithConn(ctx context.Context, conn net.Conn) context.Context {
	c := clientConnOf(conn)
	if c == nil {
		return ctx
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, c.cancel = context.WithCancel(ctx)
	return context.WithValue(ctx, clientConnKey{}, c)
}

// connOf returns the connection of a request, or nil.
func connOf(r *http.Request) *clientConn {
	c, _ := r.Context().Value(clientConnKey{}).(*clientConn)
	return c
}

// connState is a server's ConnState. A connection is idle when an answer has been sent.
func connState(conn net.Conn, state http.ConnState) {
	if c := clientConnOf(conn); c != nil && state == http.StateIdle {
		c.endAnswer()
	}
}

// trackAnswers tells connections when requests on them are being answered.
func trackAnswers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := connOf(r); c != nil {
			c.beginAnswer()
			defer c.endHandling()
		}
		next.ServeHTTP(w, r)
	})
}
