package netns

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// A Name says how a name server answers queries for one name.
type Name struct {
	// A and AAAA are its addresses.
	A, AAAA []string
	// RCode is the answer's code, such as dnsmessage.RCodeServerFailure.
	RCode dnsmessage.RCode
	// Delay comes before each answer.
	Delay time.Duration
	// Truncated answers over UDP with only the truncation bit, so that the client must use TCP.
	Truncated bool
	// Mute never answers.
	Mute bool
}

// A NameServer is the namespaces' DNS.
type NameServer struct {
	names map[string]Name
	done  chan struct{}
	wg    sync.WaitGroup

	mu        sync.Mutex
	questions map[string]int
}

// NameServer runs a name server for these names, in lower case and without a final dot, until the end of the test. All
// processes in the namespaces use it, with one attempt and a timeout of 1 s.
func (n *Net) NameServer(t testing.TB, names map[string]Name) *NameServer {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(conf, []byte("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(conf, "/etc/resolv.conf", "", unix.MS_BIND, ""); err != nil {
		t.Fatalf("mounting resolv.conf: %v", err)
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	s := &NameServer{names: names, done: make(chan struct{}), questions: map[string]int{}}
	s.wg.Go(func() { s.serveUDP(udp) })
	s.wg.Go(func() { s.serveTCP(tcp) })
	t.Cleanup(func() {
		close(s.done)
		_ = udp.Close()
		_ = tcp.Close()
		s.wg.Wait()
		if err := unix.Unmount("/etc/resolv.conf", unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Questions returns the number of queries for a name, of any type.
func (s *NameServer) Questions(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.questions[name]
}

func (s *NameServer) serveUDP(conn net.PacketConn) {
	query := make([]byte, 4096)
	for {
		size, from, err := conn.ReadFrom(query)
		if err != nil {
			return
		}
		question := append([]byte(nil), query[:size]...)
		s.wg.Go(func() {
			if answer := s.answer(question, false); answer != nil {
				_, _ = conn.WriteTo(answer, from)
			}
		})
	}
}

func (s *NameServer) serveTCP(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			var size [2]byte
			if _, err := io.ReadFull(conn, size[:]); err != nil {
				return
			}
			query := make([]byte, binary.BigEndian.Uint16(size[:]))
			if _, err := io.ReadFull(conn, query); err != nil {
				return
			}
			if answer := s.answer(query, true); answer != nil {
				_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
			}
		})
	}
}

// answer is nil for a question that gets none.
func (s *NameServer) answer(query []byte, byTCP bool) []byte {
	var message dnsmessage.Message
	if err := message.Unpack(query); err != nil || len(message.Questions) != 1 {
		return nil
	}
	question := message.Questions[0]
	host := strings.TrimSuffix(strings.ToLower(question.Name.String()), ".")
	s.mu.Lock()
	s.questions[host]++
	name, known := s.names[host]
	s.mu.Unlock()
	if name.Mute || !s.wait(name.Delay) {
		return nil
	}
	answer := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: message.ID, Response: true, RecursionAvailable: true, RCode: name.RCode},
		Questions: message.Questions,
	}
	switch {
	case !known:
		answer.RCode = dnsmessage.RCodeNameError
	case name.Truncated && !byTCP:
		answer.Truncated = true
	default:
		answer.Answers = name.records(question)
	}
	packed, err := answer.Pack()
	if err != nil {
		return nil
	}
	return packed
}

func (s *NameServer) wait(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.done:
		return false
	}
}

// records are the addresses of the type that is asked for.
func (n Name) records(question dnsmessage.Question) []dnsmessage.Resource {
	header := dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class}
	var records []dnsmessage.Resource
	switch question.Type { //nolint:exhaustive // Other types have no records here.
	case dnsmessage.TypeA:
		for _, address := range n.A {
			records = append(records, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: netip.MustParseAddr(address).As4()}})
		}
	case dnsmessage.TypeAAAA:
		for _, address := range n.AAAA {
			records = append(records, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(address).As16()}})
		}
	}
	return records
}
