package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script connects a Gate to a peer that sends each answer after one line of ours, and closes after the last; TAG stands for that line's tag.
func script(t testing.TB, answers ...string) *Gate {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { client.Close(); server.Close() })
	go func() {
		defer server.Close()
		buf := make([]byte, 4096)
		tag := ""
		for i, answer := range answers {
			if i > 0 {
				n, err := server.Read(buf)
				if err != nil {
					return
				}
				if line := string(buf[:n]); strings.Contains(line, " ") {
					tag, _, _ = strings.Cut(line, " ")
				}
			}
			if _, err := io.WriteString(server, strings.ReplaceAll(answer, "TAG", tag)); err != nil {
				return
			}
		}
	}()
	socket, err := NewSocket(client, time.Now(), time.Now().Add(5*time.Second), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return NewGate(socket)
}

func greet(t testing.TB, g *Gate) {
	t.Helper()
	if _, err := g.Greeting(time.Now()); err != nil {
		t.Fatal(err)
	}
}

func TestDo(t *testing.T) {
	g := script(t, "* OK hi\r\n", "* STATUS x (MESSAGES 5)\r\n* OK [ALERT] look\r\nTAG OK done\r\n", "* NO [ALERT] full\r\nTAG NO [LIMIT] no\r\n", "TAG OK\r\n")
	greet(t, g)
	reply, err := g.Do("STATUS x (MESSAGES)")
	if err != nil || len(reply.Untagged) != 2 || reply.OK.Text != "done" {
		t.Fatalf("got %+v, %v", reply, err)
	}
	var status *StatusError
	if _, err = g.Do("NOOP"); !errors.As(err, &status) || status.Code != "LIMIT" || status.Error() != "NO [LIMIT] no" {
		t.Errorf("got %v", err)
	}
	if g.Alert() != "NO [ALERT] full" {
		t.Errorf("alert %q", g.Alert())
	}
	if _, err = g.Do("NOOP"); err != nil {
		t.Errorf("after a NO the conversation goes on: %v", err)
	}
}

func TestErrorsAreFinal(t *testing.T) {
	g := script(t, "* OK hi\r\n", "wrong OK\r\nTAG OK\r\n", "TAG OK\r\n")
	greet(t, g)
	_, err := g.Do("NOOP")
	if !errors.Is(err, ErrProtocol) {
		t.Fatalf("got %v", err)
	}
	if _, again := g.Do("NOOP"); !errors.Is(again, err) || !errors.Is(g.Err(), err) {
		t.Errorf("got %v", again)
	}
}

func TestTagsCannotBeGuessed(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		tag := newTag()
		if seen[tag] {
			t.Fatalf("%s twice", tag)
		}
		seen[tag] = true
	}
}

func TestInterrupt(t *testing.T) {
	g := script(t, "* OK hi\r\n", "* OK wait\r\n", "never sent")
	greet(t, g)
	time.AfterFunc(10*time.Millisecond, func() { g.socket.Interrupt(ErrCanceled) })
	if _, err := g.Do("NOOP"); !errors.Is(err, ErrCanceled) {
		t.Errorf("got %v", err)
	}
	if !g.socket.Revive(time.Now().Add(time.Second)) {
		t.Error("an interrupted connection can't be used for a last LOGOUT")
	}
}

func TestDeadlineStands(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	socket, err := NewSocket(client, time.Now(), time.Now().Add(20*time.Millisecond), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := socket.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := NewGate(socket).Greeting(time.Now()); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if socket.Revive(time.Now()); socket.Cause() != nil {
		t.Errorf("a connection that timed out stays dead: %v", socket.Cause())
	}
}

func TestBudget(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	go func() {
		for {
			if _, err := server.Write([]byte("* OK more of this\r\n")); err != nil {
				return
			}
		}
	}()
	socket, err := NewSocket(client, time.Now(), time.Now().Add(5*time.Second), 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	g := NewGate(socket)
	for err == nil {
		_, err = g.next()
	}
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

// A server that sends byte by byte may not make us read a million times.
func TestSingleBytesCost(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	go func() {
		for {
			if _, err := server.Write([]byte("x")); err != nil {
				return
			}
		}
	}()
	socket, err := NewSocket(client, time.Now(), time.Now().Add(5*time.Second), 10*leastRead)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	reads := 0
	for buf := make([]byte, 100); err == nil; reads++ {
		_, err = socket.Read(buf)
	}
	if !errors.Is(err, ErrTooLarge) || reads != 10+1 {
		t.Errorf("%d reads, then %v", reads, err)
	}
}

// A flattening is a layer above the Socket that words its errors anew.
type flattening struct{ net.Conn }

func (f flattening) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	if err != nil {
		err = errors.New("something is wrong")
	}
	return n, err
}

// What the Socket knows is truer than what a layer above made of it; but not than a verdict of that layer.
func TestCauseBeatsTheLayerAbove(t *testing.T) {
	g := script(t, "* OK hi\r\n", "")
	greet(t, g)
	if err := g.Upgrade(flattening{g.socket}); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Do("NOOP"); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the Socket's", err)
	}
	g = script(t, "* OK hi\r\n")
	g.socket.Interrupt(ErrCanceled)
	said := &StatusError{Status: BYE}
	if err := g.Fail(said); !errors.Is(err, said) {
		t.Errorf("got %v, want the server's own word", err)
	}
}

// TestClient holds go-imap's client against a server that says more than was asked.
func TestClient(t *testing.T) {
	noise := "* FLAGS (a]b)\r\n* XVENDOR (\r\n* CAPABILITY (\r\n* OK [CAPABILITY (] x\r\n* 5 EXPUNGE\r\n"
	g := script(t, "* OK hi\r\n",
		noise+"TAG OK [CAPABILITY (\r\n",
		noise+"*  2  EXISTS\r\n* OK [UIDNEXT 7] x\r\n* OK [UIDVALIDITY 0] x\r\nTAG OK [READ-ONLY] x\r\n",
		noise+"* 2 FETCH (FLAGS (a]b))\r\n* 2 FETCH (FLAGS (a]b) INTERNALDATE \" 1-Jan-2020 00:00:00 +0000\" BODY[HEADER]<0> {2}\r\nhi)\r\nTAG OK\r\n",
		noise+"TAG NO [UNAVAILABLE] not now\r\n",
		"* BYE bye\r\n")
	greet(t, g)
	conn := g.Conn()
	client := imapclient.New(conn, nil)
	if err := g.Login("alice", "secret", false); err != nil {
		t.Fatal(err)
	}
	data, err := client.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil || data.NumMessages != 2 || data.UIDNext != 7 || data.UIDValidity != 0 {
		t.Fatalf("got %+v, %v", data, err)
	}
	messages, err := client.Fetch(imap.SeqSetNum(2), &imap.FetchOptions{InternalDate: true}).Collect()
	if err != nil || len(messages) != 1 || string(messages[0].BodySection[0].Bytes) != "hi" || messages[0].InternalDate.Year() != 2020 {
		t.Fatalf("got %+v, %v", messages, err)
	}
	var status *StatusError
	if err := client.Unselect().Wait(); err == nil || !errors.As(conn.LastError(), &status) || status.Code != "UNAVAILABLE" {
		t.Errorf("got %v, and of it %v", err, conn.LastError())
	}
	_, _ = g.Do("LOGOUT")
	conn.Close()
	client.Close()
}
