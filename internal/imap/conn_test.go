package imap

import (
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/goleak"

	"imap-exporter/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script starts a server that sends each answer after one line of ours, and closes after the last; TAG stands for that
// line's tag.
func script(t testing.TB, answers ...string) *Conn {
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
	socket, err := wire.NewSocket(client, time.Now(), time.Now().Add(5*time.Second), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return NewConn(wire.NewConn(socket))
}

func greet(t testing.TB, c *Conn) {
	t.Helper()
	if _, err := c.Greeting(time.Now()); err != nil {
		t.Fatal(err)
	}
}

func TestDo(t *testing.T) {
	c := script(t, "* OK hi\r\n", "* STATUS x (MESSAGES 5)\r\n* OK [ALERT] look\r\nTAG OK done\r\n", "* NO [ALERT] full\r\nTAG NO [LIMIT] no\r\n", "TAG OK\r\n")
	greet(t, c)
	var untagged []string
	err := c.Do("STATUS x (MESSAGES)", func(r *Response) { untagged = append(untagged, r.Name) })
	if err != nil || !slices.Equal(untagged, []string{"STATUS", "OK"}) {
		t.Fatalf("got %v, %v", untagged, err)
	}
	var status *StatusError
	if err = c.Do("NOOP", nil); !errors.As(err, &status) || status.Code != "LIMIT" || status.Error() != "NO [LIMIT] no" {
		t.Errorf("got %v", err)
	}
	if c.Alert().Error() != "NO [ALERT] full" {
		t.Errorf("alert %q", c.Alert())
	}
	if err = c.Do("NOOP", nil); err != nil {
		t.Errorf("after a NO the conversation goes on: %v", err)
	}
}

// Some servers refuse a login by an untagged NO, or by a line of text: it counts for the command that it followed.
func TestRefusal(t *testing.T) {
	c := script(t, "* OK hi\r\n", "* NO [ALERT] full\r\nTAG OK\r\n", "* CAPABILITY A B\r\nTAG NO\r\n", "* Too many logins.\r\nTAG BAD Goodbye\r\n")
	greet(t, c)
	if err := c.Do("NOOP", nil); err != nil || c.Refusal() == nil || c.Refusal().Code != "ALERT" {
		t.Errorf("refusal %v, %v", c.Refusal(), err)
	}
	if err := c.Login("alice", "sentinel", false); err == nil || c.Refusal() != nil || c.Alert() == nil {
		t.Errorf("refusal %v, alert %v, %v: only data came since the last command", c.Refusal(), c.Alert(), err)
	}
	if err := c.Login("alice", "sentinel", false); err == nil || c.Refusal() == nil || c.Refusal().Error() != "Too many logins." {
		t.Errorf("refusal %v, %v", c.Refusal(), err)
	}
}

func TestErrorsAreFinal(t *testing.T) {
	c := script(t, "* OK hi\r\n", "wrong OK\r\nTAG OK\r\n", "TAG OK\r\n")
	greet(t, c)
	err := c.Do("NOOP", nil)
	if !errors.Is(err, ErrProtocol) {
		t.Fatalf("got %v", err)
	}
	if again := c.Do("NOOP", nil); !errors.Is(again, err) || !errors.Is(c.Err(), err) {
		t.Errorf("got %v", again)
	}
}

// An error names the size of a literal as the server sent it, however large.
func TestLiteralThatIsTooLarge(t *testing.T) {
	for _, size := range []string{"2097152", "9223372036854775807", "9223372036854775808", "99999999999999999999999"} {
		c := script(t, "* OK hi\r\n", "* STATUS {"+size+"}\r\n")
		greet(t, c)
		if err := c.Do("NOOP", nil); !errors.Is(err, wire.ErrTooLarge) || !strings.HasSuffix(err.Error(), " a literal of "+size+" bytes") {
			t.Errorf("{%s}: %v", size, err)
		}
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

// TestClient: go-imap's client works with a server that says more than was asked.
func TestClient(t *testing.T) {
	noise := "* FLAGS (a]b)\r\n* XVENDOR (\r\n* CAPABILITY (\r\n* OK [CAPABILITY (] x\r\n* 5 EXPUNGE\r\n"
	c := script(t, "* OK hi\r\n",
		noise+"TAG OK [CAPABILITY (\r\n",
		noise+"*  2  EXISTS\r\n* OK [UIDNEXT 7] x\r\n* OK [UIDVALIDITY 0] x\r\nTAG OK [READ-ONLY] x\r\n",
		noise+"* 2 FETCH (FLAGS (a]b))\r\n* 2 FETCH (FLAGS (a]b) INTERNALDATE \" 1-Jan-2020 00:00:00 +0000\" BODY[HEADER]<0> {2}\r\nhi)\r\nTAG OK\r\n",
		noise+"TAG NO [UNAVAILABLE] not now\r\n",
		"* BYE bye\r\n")
	greet(t, c)
	conn := c.ClientConn()
	client := imapclient.New(conn, nil)
	if err := c.Login("alice", "secret", false); err != nil {
		t.Fatal(err)
	}
	data, err := client.Select("INBOX", &goimap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil || data.NumMessages != 2 || data.UIDNext != 7 || data.UIDValidity != 0 {
		t.Fatalf("got %+v, %v", data, err)
	}
	messages, err := client.Fetch(goimap.SeqSetNum(2), &goimap.FetchOptions{InternalDate: true}).Collect()
	if err != nil || len(messages) != 1 || string(messages[0].BodySection[0].Bytes) != "hi" || messages[0].InternalDate.Year() != 2020 {
		t.Fatalf("got %+v, %v", messages, err)
	}
	var status *StatusError
	if err := client.Unselect().Wait(); err == nil || !errors.As(conn.LastError(), &status) || status.Code != "UNAVAILABLE" {
		t.Errorf("got %v, and of it %v", err, conn.LastError())
	}
	_ = c.Do("LOGOUT", nil)
	conn.Close()
	client.Close()
}

// A server that sends thousands of responses to a command, and then nothing, must not fill our memory meanwhile.
func TestUntaggedResponsesAreNotKept(t *testing.T) {
	const responses = 9_000
	line := "* STATUS INBOX (MESSAGES 1 UNSEEN 1 UIDNEXT 1 UIDVALIDITY 1)\r\n"
	c := script(t, "* OK hi\r\n", strings.Repeat(line, responses)+"TAG OK done\r\n")
	greet(t, c)
	var first, last uint64
	n := 0
	err := c.Do("STATUS INBOX (MESSAGES)", func(*Response) {
		if n++; n == 1 {
			first = heap()
		} else if n == responses {
			last = heap()
		}
	})
	if err != nil || n != responses {
		t.Fatalf("%d responses, %v", n, err)
	}
	if kept := int64(last) - int64(first); kept > 64<<10 {
		t.Errorf("%d bytes are kept while the command is not answered yet", kept)
	}
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
