package mailtest

import (
	"crypto/tls"
	"net"
	"slices"
)

// A Conversation is the record of one connection.
type Conversation struct {
	// Commands are in the order in which they came.
	Commands []Command
	// Pipelined says that a command arrived before the previous one was answered.
	Pipelined bool
	// BytesIn and BytesOut count the bytes on the TCP connection.
	BytesIn, BytesOut int64
	// Wire and Received are the first 64 KiB that the client sent: as on the wire, and as the server read them, which with
	// TLS is the clear text. Both are nil without Options.Wiretap.
	Wire, Received []byte
	// TLS is the state after the handshake; nil without one. DidResume is in it.
	TLS *tls.ConnectionState
	// Open says that the connection isn't closed yet.
	Open bool
}

// Verbs returns the verbs of the commands.
func (v *Conversation) Verbs() []string {
	verbs := make([]string, len(v.Commands))
	for i := range v.Commands {
		verbs[i] = v.Commands[i].Verb
	}
	return verbs
}

// LoggedOut reports whether the client sent LOGOUT.
func (v *Conversation) LoggedOut() bool { return slices.Contains(v.Verbs(), "LOGOUT") }

// Conversations returns what the server saw so far, one for each connection, in order.
func (s *Server) Conversations() []Conversation {
	s.mu.Lock()
	defer s.mu.Unlock()
	conversations := make([]Conversation, len(s.conversations))
	for i, v := range s.conversations {
		conversations[i] = *v
		conversations[i].Commands = slices.Clone(v.Commands)
		for j := range v.Commands {
			conversations[i].Commands[j].Replies = slices.Clone(v.Commands[j].Replies)
		}
	}
	return conversations
}

// Connections returns how many connections there were in all, and how many at once at most.
func (s *Server) Connections() (total, maxConcurrent int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted, s.maxConcurrent
}

// A countedConn counts its bytes in a Conversation.
type countedConn struct {
	net.Conn
	server       *Server
	conversation *Conversation
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.server.mu.Lock()
	c.conversation.BytesIn += int64(n)
	c.server.tap(&c.conversation.Wire, p[:n])
	c.server.mu.Unlock()
	return n, err
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.server.mu.Lock()
	c.conversation.BytesOut += int64(n)
	c.server.mu.Unlock()
	return n, err
}

// maxTapped is the maximum size of a wiretap's record in bytes.
const maxTapped = 64 << 10

// tap adds p to a record, if the wiretap is on. The caller holds s.mu.
func (s *Server) tap(record *[]byte, p []byte) {
	if s.options.Wiretap {
		*record = append(*record, p[:min(len(p), maxTapped-len(*record))]...)
	}
}

// A tappedReader records what the server reads.
type tappedReader struct{ c *Conn }

func (r tappedReader) Read(p []byte) (int, error) {
	n, err := r.c.nc.Read(p)
	r.c.record(func(v *Conversation) { r.c.server.tap(&v.Received, p[:n]) })
	return n, err
}
