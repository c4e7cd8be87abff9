package web

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

const (
	// maxConnections is how many clients may be connected at a time. Each may cost some 30 KiB.
	maxConnections = 320
	// pagesInFlight is how many pages may be made and read at a time; more are answered with 503.
	pagesInFlight = 4
	// reloadsInFlight is how many reloads may wait for one another.
	reloadsInFlight = 4
)

// atMost returns what limits handlers: together they serve n requests at a time, and more are answered with 503.
func atMost(n int) func(http.Handler) http.Handler {
	slots := make(chan struct{}, n)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				next.ServeHTTP(w, r)
			default:
				http.Error(w, "Busy: try again.", http.StatusServiceUnavailable)
			}
		})
	}
}

// A crowd is the connections of a server. When there are too many, the one that has waited longest without a request
// being answered on it makes room: neither clients that never finish a request nor idle ones can keep others out.
type crowd struct {
	mu    sync.Mutex
	limit int
	conns map[net.Conn]*list.Element
	order list.List // of *member, in the order in which they began to wait
}

// A member is one connection of a crowd.
type member struct {
	conn    net.Conn
	serving int // requests that are being answered
}

// memberKey is where a request's context has its member.
type memberKey struct{}

// limitConnections bounds a server's connections.
func limitConnections(server *http.Server, limit int) {
	c := &crowd{limit: limit, conns: map[net.Conn]*list.Element{}}
	server.ConnContext = c.join
	server.ConnState = c.watch
	server.Handler = c.serving(server.Handler)
}

// join takes a new connection in, before anything is read from it.
func (c *crowd) join(ctx context.Context, conn net.Conn) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := &member{conn: conn}
	if len(c.conns) >= c.limit {
		c.evict()
	}
	if len(c.conns) >= c.limit { // All are being answered.
		_ = bare(conn).Close()
		return ctx
	}
	c.conns[conn] = c.order.PushBack(m)
	return context.WithValue(ctx, memberKey{}, m)
}

// evict closes the connection that has waited longest.
func (c *crowd) evict() {
	for e := c.order.Front(); e != nil; e = e.Next() {
		if m := e.Value.(*member); m.serving == 0 {
			_ = bare(m.conn).Close() // Its goroutine meets the error.
			c.remove(m.conn)
			return
		}
	}
}

// bare returns the connection below TLS, whose own Close may wait for the other side.
func bare(conn net.Conn) net.Conn {
	if t, ok := conn.(*tls.Conn); ok {
		return t.NetConn()
	}
	return conn
}

func (c *crowd) remove(conn net.Conn) {
	if e := c.conns[conn]; e != nil {
		c.order.Remove(e)
		delete(c.conns, conn)
	}
}

// watch lets connections go that were closed.
func (c *crowd) watch(conn net.Conn, state http.ConnState) {
	if state == http.StateClosed || state == http.StateHijacked {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.remove(conn)
	}
}

// serving keeps connections from being evicted while a request on them is answered.
func (c *crowd) serving(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m, ok := r.Context().Value(memberKey{}).(*member); ok {
			c.count(m, 1)
			defer c.count(m, -1)
		}
		next.ServeHTTP(w, r)
	})
}

// count adds to the requests of a member. It waits from now on, if at all.
func (c *crowd) count(m *member, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m.serving += n
	if e := c.conns[m.conn]; e != nil {
		c.order.MoveToBack(e)
	}
}
