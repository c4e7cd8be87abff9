package web

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// busyText is the body of most answers with 503.
const busyText = "Busy: try again."

const (
	// maxConnections is how many connections a server has at a time. Each may take some 30 KiB of memory.
	maxConnections = 320
	// pagesInFlight is how many pages may be rendered and sent at a time.
	pagesInFlight = 4
	// reloadsInFlight is how many reloads may run or wait at a time.
	reloadsInFlight = 4
)

// limitInFlight returns a middleware: all handlers that it wraps together serve n requests at a time. Further ones are
// answered with 503 and this text.
func limitInFlight(n int, busy string) func(http.Handler) http.Handler {
	slots := make(chan struct{}, n)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				next.ServeHTTP(w, r)
			default:
				http.Error(w, busy, http.StatusServiceUnavailable)
			}
		})
	}
}

// A connLimiter bounds the connections of a server. When there are too many, it closes the one that has been idle longest,
// so that neither clients that never finish a request nor idle ones keep others out. A connection is idle while no request
// on it is being answered.
type connLimiter struct {
	mu    sync.Mutex
	limit int
	conns map[net.Conn]*list.Element
	order list.List // of *trackedConn, the longest idle first
}

// A trackedConn is one connection that a connLimiter counts.
type trackedConn struct {
	conn    net.Conn
	serving int // requests that are being answered
}

// trackedConnKey is the key of the trackedConn in a request's context.
type trackedConnKey struct{}

// limitConnections has a server serve at most limit connections at a time.
func limitConnections(server *http.Server, limit int) {
	c := &connLimiter{limit: limit, conns: map[net.Conn]*list.Element{}}
	server.ConnContext = c.add
	server.ConnState = c.connState
	server.Handler = c.trackRequests(server.Handler)
}

// add counts a new connection, before anything is read from it. It is the server's ConnContext.
func (c *connLimiter) add(ctx context.Context, conn net.Conn) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := &trackedConn{conn: conn}
	if len(c.conns) >= c.limit {
		c.evictLongestIdle()
	}
	if len(c.conns) >= c.limit { // None is idle.
		_ = underlyingConn(conn).Close()
		return ctx
	}
	c.conns[conn] = c.order.PushBack(m)
	return context.WithValue(ctx, trackedConnKey{}, m)
}

// evictLongestIdle closes the connection that has been idle longest, if any is.
func (c *connLimiter) evictLongestIdle() {
	for e := c.order.Front(); e != nil; e = e.Next() {
		if m := e.Value.(*trackedConn); m.serving == 0 {
			_ = underlyingConn(m.conn).Close() // Its goroutine meets the error.
			c.remove(m.conn)
			return
		}
	}
}

// underlyingConn returns the connection below TLS, whose own Close may wait for the other side.
func underlyingConn(conn net.Conn) net.Conn {
	if t, ok := conn.(*tls.Conn); ok {
		return t.NetConn()
	}
	return conn
}

func (c *connLimiter) remove(conn net.Conn) {
	if e := c.conns[conn]; e != nil {
		c.order.Remove(e)
		delete(c.conns, conn)
	}
}

// connState forgets connections that were closed. It is the server's ConnState.
func (c *connLimiter) connState(conn net.Conn, state http.ConnState) {
	if state == http.StateClosed || state == http.StateHijacked {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.remove(conn)
	}
}

// trackRequests keeps a connection from being evicted while a request on it is being answered.
func (c *connLimiter) trackRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m, ok := r.Context().Value(trackedConnKey{}).(*trackedConn); ok {
			c.addRequests(m, 1)
			defer c.addRequests(m, -1)
		}
		next.ServeHTTP(w, r)
	})
}

// addRequests adds n to the requests that are being answered on a connection, and restarts its idle time.
func (c *connLimiter) addRequests(m *trackedConn, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m.serving += n
	if e := c.conns[m.conn]; e != nil {
		c.order.MoveToBack(e)
	}
}
