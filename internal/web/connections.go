package web

import (
	"net"
	"sync"
	"time"
)

const (
	// maxConnections is how many connections a server has at a time. Each takes some 50 KiB of memory.
	maxConnections = 512
	// minWait is how long a client may keep us waiting, with its requests and between them, before its connection may have to
	// make room for another, and minSendWait how long with one answer that it doesn't take.
	minWait     = time.Second
	minSendWait = 2 * time.Second
	// requestCharge is added to a connection's waiting time for each request, so that a client that never pauses between
	// its requests isn't kept for ever either.
	requestCharge = 20 * time.Millisecond
	// makeRoomInterval is the longest time between two looks for a connection that may make room.
	makeRoomInterval = 50 * time.Millisecond
	// sendBuffer is how many bytes of an answer the system buffers for a connection; by default it would be some MiB.
	sendBuffer = 128 << 10
)

// A connLimiter bounds the connections of a server. When there are too many, the one that has kept us waiting longest makes
// room for a new one: clients that send no request, don't read the answer, or ask for ever, can't keep others out. While a
// request is being answered, a connection is safe.
type connLimiter struct {
	limit int

	mu    sync.Mutex
	conns map[*clientConn]struct{}
	freed chan struct{} // has an element if a connection was closed
}

func newConnLimiter(limit int) *connLimiter {
	return &connLimiter{limit: limit, conns: map[*clientConn]struct{}{}, freed: make(chan struct{}, 1)}
}

// listen returns a listener whose connections are counted.
func (l *connLimiter) listen(listener net.Listener) net.Listener {
	return &limitedListener{Listener: listener, limiter: l, closed: make(chan struct{})}
}

// makeRoom waits until there is room for one more connection, and closes another one if that is what it takes. It returns
// false if closed is closed first.
func (l *connLimiter) makeRoom(closed <-chan struct{}) bool {
	for {
		victim, wait := l.choose(time.Now())
		switch {
		case victim != nil:
			_ = victim.Close()
			return true
		case wait <= 0:
			return true
		}
		timer := time.NewTimer(wait)
		select {
		case <-closed:
			timer.Stop()
			return false
		case <-l.freed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// choose returns the connection to close, if any. If none may be closed yet, it returns after which time to look again; 0 if
// there is room.
func (l *connLimiter) choose(now time.Time) (victim *clientConn, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) < l.limit {
		return nil, 0
	}
	var busy *clientConn // of those that are being answered, the one that kept us waiting longest
	var longest, longestBusy time.Duration
	for c := range l.conns {
		waited, answering := c.waited(now)
		switch {
		case answering && waited > longestBusy:
			busy, longestBusy = c, waited
		case !answering && waited > longest:
			victim, longest = c, waited
		}
	}
	if victim != nil {
		return victim, 0
	}
	if busy != nil {
		busy.leave()
	}
	return nil, makeRoomInterval
}

// add counts a connection.
func (l *connLimiter) add(conn net.Conn) *clientConn {
	c := &clientConn{Conn: conn, limiter: l, cancel: func() {}, waitingSince: time.Now()}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = struct{}{}
	return c
}

// remove forgets a connection.
func (l *connLimiter) remove(c *clientConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
	select {
	case l.freed <- struct{}{}:
	default:
	}
}

// A limitedListener accepts a connection when there is room for it. Others wait in the system's queue.
type limitedListener struct {
	net.Listener
	limiter *connLimiter
	once    sync.Once
	closed  chan struct{}
}

// Accept returns a *clientConn.
func (l *limitedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !l.limiter.makeRoom(l.closed) {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // It works without.
	}
	return l.limiter.add(conn), nil
}

// Close ends a waiting Accept.
func (l *limitedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}
