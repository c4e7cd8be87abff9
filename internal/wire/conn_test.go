package wire

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pipe returns a Conn, the Socket below it, and the server's end.
func pipe(t *testing.T, timeout time.Duration, budget int64) (*Conn, *Socket, net.Conn) {
	t.Helper()
	ours, server := net.Pipe()
	socket, err := NewSocket(ours, time.Now(), time.Now().Add(timeout), budget)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close(); server.Close() })
	return NewConn(socket), socket, server
}

func TestConn(t *testing.T) {
	c, _, server := pipe(t, 5*time.Second, 1<<20)
	c.Hide("sentinel")
	go func() {
		buf := make([]byte, 100)
		for _, answer := range []string{"250 sentinel is welcome\r\n", "{3}\r\nabc)\r\n"} {
			n, _ := server.Read(buf)
			if string(buf[n-2:n]) != "\r\n" {
				t.Errorf("received %q", buf[:n])
			}
			_, _ = io.WriteString(server, answer)
		}
	}()
	if err := c.Begin("EHLO sentinel", "EHLO ***"); err != nil {
		t.Fatal(err)
	}
	line, err := c.ReadLine()
	if err != nil || string(line) != "250 sentinel is welcome\r\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	c.LogReceived(string(line))
	c.Answered()
	if spent := c.Spent(); spent.Commands != 1 || spent.Time <= 0 || c.Spent().Commands != 0 {
		t.Errorf("spent %+v", spent)
	}
	if err := c.Begin("READ", "READ"); err != nil {
		t.Fatal(err)
	}
	if line, err = c.ReadLine(); err != nil {
		t.Fatal(err)
	}
	raw, err := c.ReadLiteral(bytes.Clone(line), 3)
	rest, restErr := c.ReadRest(MaxLine)
	if err != nil || restErr != nil || string(raw) != "{3}\r\nabc" || string(rest) != ")\r\n" {
		t.Errorf("got %q, %v and %q, %v", raw, err, rest, restErr)
	}
	c.Exclude(time.Hour)
	if spent := c.Spent(); spent.Commands != 1 || spent.Time != 0 {
		t.Errorf("spent %+v", spent)
	}
	got := c.Transcript()
	if len(got) != 3 || !got[0].Sent || got[0].Text != "EHLO ***" || got[1].Sent || got[1].Text != `250 *** is welcome\u{d}\u{a}` {
		t.Errorf("transcript %+v", got)
	}
}

func TestInterrupt(t *testing.T) {
	c, socket, server := pipe(t, 5*time.Second, 1<<20)
	go func() { _, _ = io.Copy(io.Discard, server) }()
	time.AfterFunc(10*time.Millisecond, func() { socket.Interrupt(ErrCanceled) })
	if _, err := c.ReadLine(); !errors.Is(err, ErrCanceled) {
		t.Errorf("got %v", err)
	}
	if err := c.Begin("NOOP", "NOOP"); !errors.Is(err, ErrCanceled) {
		t.Errorf("got %v, want the error that ended the conversation", err)
	}
	if !socket.Reopen(time.Now().Add(time.Second)) {
		t.Error("an interrupted connection can't be used for a last LOGOUT")
	}
}

func TestDeadlineStands(t *testing.T) {
	c, socket, _ := pipe(t, 20*time.Millisecond, 1<<20)
	if err := socket.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadLine(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if socket.Reopen(time.Now()); socket.Cause() != nil {
		t.Errorf("a connection that timed out can't be used for a last LOGOUT: %v", socket.Cause())
	}
}

// flood has server send s until the connection is closed.
func flood(server net.Conn, s string) {
	go func() {
		for {
			if _, err := io.WriteString(server, s); err != nil {
				return
			}
		}
	}()
}

func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		sent   string
		budget int64
	}{
		"budget":         {"* OK more of this\r\n", 1000},
		"lines":          {"\r\n", 1 << 30},
		"length of line": {"x", 1 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			conn, _, server := pipe(t, 5*time.Second, c.budget)
			flood(server, c.sent)
			var err error
			lines := 0
			for ; err == nil; lines++ {
				_, err = conn.ReadLine()
			}
			if !errors.Is(err, ErrTooLarge) || !errors.Is(conn.Err(), ErrTooLarge) || lines > maxLines+1 {
				t.Errorf("%d lines, then %v", lines, err)
			}
		})
	}
	conn, _, _ := pipe(t, 5*time.Second, 1000)
	if _, err := conn.ReadLiteral(nil, 1001); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a literal beyond the budget: %v", err)
	}
}

// A server that sends byte by byte can't make us read a million times.
func TestSingleBytesCost(t *testing.T) {
	_, socket, server := pipe(t, 5*time.Second, 10*minReadCost)
	flood(server, "x")
	var err error
	reads := 0
	for buf := make([]byte, 100); err == nil; reads++ {
		_, err = socket.Read(buf)
	}
	if !errors.Is(err, ErrTooLarge) || reads != 10+1 {
		t.Errorf("%d reads, then %v", reads, err)
	}
}

// A rewording is a layer above the Socket that replaces the text of errors, as TLS does.
type rewording struct{ net.Conn }

func (r rewording) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	if err != nil {
		err = errors.New("something is wrong")
	}
	return n, err
}

// The Socket's cause is truer than what a layer above made of it, but not than TLS's verdict or the server's own word.
func TestCauseOfTheSocketCounts(t *testing.T) {
	c, socket, server := pipe(t, 5*time.Second, 1<<20)
	if err := c.Upgrade(rewording{socket}); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if _, err := c.ReadLine(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the Socket's", err)
	}
	for name, end := range map[string]func(*Conn, error) error{"Fail": (*Conn).Fail, "End": (*Conn).End} {
		c, socket, _ = pipe(t, 5*time.Second, 1<<20)
		socket.Interrupt(ErrCanceled)
		said := &tls.CertificateVerificationError{Err: errors.New("expired")}
		if err := end(c, said); !errors.Is(err, said) {
			t.Errorf("%s: got %v, want the verdict", name, err)
		}
	}
	c, socket, _ = pipe(t, 5*time.Second, 1<<20)
	socket.Interrupt(ErrCanceled)
	if bye := errors.New("BYE"); !errors.Is(c.End(bye), bye) {
		t.Errorf("got %v, want the server's own word", c.Err())
	}
}
