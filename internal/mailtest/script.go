package mailtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// Mode says when TLS starts.
type Mode string

// The modes.
const (
	ModeImplicit Mode = "implicit"
	ModeStartTLS Mode = "starttls"
	ModePlain    Mode = "plain"
)

// settle sets the default mode, which depends on whether there is a TLS configuration.
func (m *Mode) settle(config *tls.Config) error {
	switch {
	case *m == "" && config != nil:
		*m = ModeImplicit
	case *m == "":
		*m = ModePlain
	case *m != ModePlain && config == nil:
		return fmt.Errorf("mailtest: mode %s needs a TLS configuration", *m)
	}
	return nil
}

// A Handler answers one command instead of the built-in answer, which it may call ([Conn.Default]). An error closes the
// connection after what was written has been sent.
type Handler func(c *Conn, cmd Command) error

// Options change the behaviour of a [Server]. The zero Options are a plain server with the user of [NewUser].
type Options struct {
	// Mode is ModeImplicit by default if there is a TLS configuration, else ModePlain.
	Mode Mode
	TLS  *tls.Config
	// Host is the IP address to listen on; "" is 127.0.0.1.
	Host string
	// IPv6 also listens on ::1, on the same port, if the machine has it.
	IPv6 bool

	// Data has the server's users. After the start, only Update may change it. The default is one user, NewUser.
	Data Data
	// Mechanisms are the supported SASL mechanisms, instead of the usual ones:
	// PLAIN, LOGIN, SCRAM-SHA-256, XOAUTH2, OAUTHBEARER, and EXTERNAL once a client has shown a certificate.
	Mechanisms []string
	// Greeting replaces the greeting. It is sent unchanged, and needs its own CRLF.
	Greeting string
	// Capabilities changes the announced capabilities. The server behaves accordingly: without QUOTA, GETQUOTAROOT is BAD;
	// with LOGINDISABLED, LOGIN is refused; without SASL-IR, an initial response is refused.
	Capabilities func(stage Stage, usual []string) []string
	// Reticent sends capabilities only in answer to CAPABILITY, never with the greeting or after a login.
	Reticent bool

	// Delay is the delay before each command's answer, by command; "CONNECT" is the delay before anything else, "TLS" before
	// the server's handshake, "GREETING" before the greeting.
	Delay map[string]time.Duration
	// Before is called before each command, and before the greeting as "GREETING".
	Before Handler
	// Handle has the handlers of commands, by name in upper case: "LOGIN", "UID FETCH"; also "CONNECT" and "GREETING".
	Handle map[string]Handler
	// Chunk is the maximum size in bytes of a write, ChunkDelay the pause between writes. 0 means one write for each answer.
	Chunk      int
	ChunkDelay time.Duration

	// IdleTimeout closes connections on which nothing is sent or received for this time; 0 means ten minutes.
	IdleTimeout time.Duration
	// NoRecord records no Conversations, for servers that run long.
	NoRecord bool
	// Wiretap records the first bytes that clients send, both as sent on the wire and after TLS.
	Wiretap bool
}

// defaultIdleTimeout is long for a test and short enough for a forgotten connection.
const defaultIdleTimeout = 10 * time.Minute

// A Server is a small IMAP4rev1 server whose answers can be scripted.
type Server struct {
	options   Options
	listeners []net.Listener
	ctx       context.Context
	cancel    context.CancelFunc
	wg        sync.WaitGroup

	mu            sync.Mutex
	data          Data
	conns         map[*Conn]bool
	idle          chan struct{} // Closed while there are no connections.
	accepted      int
	maxConcurrent int
	conversations []*Conversation
}

// Start runs a server on a free port of loopback until its Close.
func Start(o Options) (*Server, error) {
	if err := o.Mode.settle(o.TLS); err != nil {
		return nil, err
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = defaultIdleTimeout
	}
	if o.Data.Users == nil {
		o.Data.Users = []*User{NewUser(time.Now())}
	}
	if o.Mechanisms == nil {
		o.Mechanisms = []string{"PLAIN", "LOGIN", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER", "EXTERNAL"}
	}
	o.Data.settle()
	listeners, err := listen(o.Host, o.IPv6)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, listeners: listeners, data: o.Data, conns: map[*Conn]bool{}, idle: make(chan struct{})}
	close(s.idle)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, ln := range listeners {
		s.wg.Go(func() { s.accept(ln) })
	}
	return s, nil
}

// StartRaw runs a server that calls handle for each connection, and closes the connection when handle returns. Close closes
// all connections, so that a handle that reads or writes ends, too.
func StartRaw(handle func(net.Conn)) (*Server, error) {
	return Start(Options{Handle: map[string]Handler{"CONNECT": func(c *Conn, _ Command) error {
		handle(c.wire)
		return ErrClosed
	}}})
}

// Addr returns host and port of the server, such as 127.0.0.1:41234.
func (s *Server) Addr() string { return s.listeners[0].Addr().String() }

// Port returns the server's port.
func (s *Server) Port() int { return port(s.listeners[0]) }

// Update changes what the server holds, while nobody else reads it.
func (s *Server) Update(change func(*Data)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.data)
	s.data.settle()
}

// WaitIdle waits until no client is connected.
func (s *Server) WaitIdle(ctx context.Context) error {
	s.mu.Lock()
	idle := s.idle
	s.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close closes all connections and waits until every goroutine of the server has ended.
func (s *Server) Close() error {
	s.mu.Lock()
	s.cancel()
	var errs []error
	for _, ln := range s.listeners {
		if err := ln.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	for c := range s.conns {
		_ = c.tcp.Close() // Its goroutine meets the error.
	}
	s.mu.Unlock()
	s.wg.Wait()
	return errors.Join(errs...)
}

// accept serves connections until the listener is closed.
func (s *Server) accept(ln net.Listener) {
	for {
		nc, err := ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || !wait(s.ctx, acceptRetry) {
				return
			}
			continue
		}
		if c := s.add(nc.(*net.TCPConn)); c != nil {
			s.wg.Go(func() {
				defer s.remove(c)
				c.serve()
			})
		}
	}
}

// acceptRetry is the pause after a failed accept, for example if there are no file descriptors left.
const acceptRetry = 50 * time.Millisecond

// add registers a connection, or closes it if the server is closing.
func (s *Server) add(tcp *net.TCPConn) *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		_ = tcp.Close()
		return nil
	}
	s.accepted++
	c := newConn(s, tcp, s.accepted)
	if len(s.conns) == 0 {
		s.idle = make(chan struct{})
	}
	s.conns[c] = true
	s.maxConcurrent = max(s.maxConcurrent, len(s.conns))
	if !s.options.NoRecord {
		s.conversations = append(s.conversations, c.conversation)
	}
	return c
}

// remove closes a connection and forgets it.
func (s *Server) remove(c *Conn) {
	_ = c.nc.Close()
	_ = c.tcp.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	c.conversation.Open = false
	delete(s.conns, c)
	if len(s.conns) == 0 {
		close(s.idle)
	}
}

// wait waits for d, and reports whether it did: false means that ctx ended before.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Stage is a stage of a conversation at which capabilities are announced.
type Stage int

// The stages. BeforeTLS is there with ModeStartTLS only.
const (
	BeforeTLS Stage = iota
	BeforeAuth
	AfterAuth
)

// capabilities returns what is announced at a stage.
func (s *Server) capabilities(stage Stage, clientCertificate bool) []string {
	caps := []string{"IMAP4rev1", "LITERAL+", "ID", "SASL-IR"}
	switch stage {
	case BeforeTLS:
		caps = append(caps, "STARTTLS", "LOGINDISABLED")
	case BeforeAuth:
		for _, mechanism := range s.options.Mechanisms {
			if mechanism != "EXTERNAL" || clientCertificate {
				caps = append(caps, "AUTH="+mechanism)
			}
		}
	case AfterAuth:
		caps = append(caps, "NAMESPACE", "UNSELECT", "STATUS=SIZE", "CONDSTORE", "QUOTA", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE")
	}
	if s.options.Capabilities != nil {
		caps = s.options.Capabilities(stage, slices.Clone(caps))
	}
	return caps
}
