package imap

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"imap-exporter/internal/wire"
)

// FuzzServer lets a server answer each command of a conversation with anything, in pieces of any size. TAG stands for the tag.
// The Conn and go-imap's client behind it must read the same: what one accepts, the other does.
func FuzzServer(f *testing.F) {
	const fetched = "* 3 FETCH (INTERNALDATE \" 1-Jan-2020 00:00:00 +0000\" BODY[HEADER]<0> {2}\r\nab)\r\nTAG OK"
	f.Add("* CAPABILITY A\r\nTAG OK", "TAG OK", "* 3 EXISTS\r\nTAG OK", fetched, "TAG OK", []byte{200})
	f.Add("* CAPABILITY (\r\nTAG OK", "TAG NO [X] y", "TAG NO", "* 3 FETCH (BODY[] \"x\")\r\nTAG NO [LIMIT (] x", "TAG BAD", []byte{0})
	f.Add("TAG OK", "+ go", "* 3 EXISTS\r\n* OK [UIDNEXT 4] x\r\nTAG OK", "* 3 FETCH (BODY[HEADER.FIELDS (A)] {1}\r\nx)\r\nTAG OK", "+ x\r\nTAG OK", []byte{5, 1})
	f.Add("TAG OK\r\n* OK more", "TAG OK", "* 4294967295 EXISTS\r\nTAG OK", "* 3 FETCH (BODY[TEXT] {99999999999999999999}\r\n", "TAG OK", []byte{255})
	f.Add("unrelated line\r\nTAG OK", "x y\r\n+ go\r\n", "* 3 EXISTS\r\nTAG OK", strings.Repeat("* 3 FETCH (BODY[] \"\\\"\")\r\n", 5)+"TAG OK", "* BYE\r\n", []byte{3})
	f.Add("* A "+strings.Repeat("(", 65)+"\r\nTAG OK", "* A "+strings.Repeat("{0}\r\n", 65)+"\r\n", "TAG OK", "TAG OK", "TAG OK", []byte{64})
	f.Fuzz(func(t *testing.T, first, second, third, fourth, fifth string, chunks []byte) {
		ours, server := net.Pipe()
		served := make(chan struct{})
		go func() {
			defer close(served)
			answer(server, chunks, first, second, third, fourth, fifth)
		}()
		socket, err := wire.NewSocket(ours, time.Now(), time.Now().Add(200*time.Millisecond), 1<<16)
		if err != nil {
			t.Fatal(err)
		}
		conn := wire.NewConn(socket)
		c := NewConn(conn)
		greet(t, c)
		_ = c.Do("CAPABILITY", nil)
		_ = c.Login("ü", "p", false)
		clientConn := c.ClientConn()
		client := imapclient.New(clientConn, nil)
		agree := func(what string, err error) {
			t.Helper()
			if (err == nil) != (clientConn.LastError() == nil) {
				t.Errorf("%s: the client says %v, the Conn %v", what, err, clientConn.LastError())
			}
		}
		data, err := client.Select("INBOX", nil).Wait()
		agree("SELECT", err)
		if err == nil && !strings.Contains(strings.ToUpper(first+second+third+fourth+fifth), "EXISTS") {
			t.Errorf("SELECT succeeded with %+v", data)
		}
		_, err = client.Fetch(goimap.SeqSetNum(3), &goimap.FetchOptions{InternalDate: true}).Collect()
		agree("FETCH", err)
		agree("UNSELECT", client.Unselect().Wait())
		_ = c.Do("LOGOUT", nil)
		for _, line := range conn.Transcript() {
			if len(line.Text) > wire.MaxText || strings.ContainsAny(line.Text, "\x00\x1b\r\n") {
				t.Errorf("transcript has %q", line.Text)
			}
		}
		clientConn.Close()
		client.Close()
		socket.Close()
		<-served
	})
}

// FuzzUpgrade lets a server send anything after its answer to STARTTLS: not one byte of it is read as an answer.
func FuzzUpgrade(f *testing.F) {
	f.Add("TAG OK begin", "", []byte{255})
	f.Add("TAG OK begin", "* CAPABILITY X\r\nA2 OK\r\n", []byte{255})
	f.Add("* OK [ALERT] x\r\nTAG OK begin", "*", []byte{255})
	f.Fuzz(func(t *testing.T, reply, more string, chunks []byte) {
		ours, server := net.Pipe()
		served := make(chan struct{})
		go func() {
			defer close(served)
			answer(server, chunks, reply+"\r\n"+more)
		}()
		socket, err := wire.NewSocket(ours, time.Now(), time.Now().Add(200*time.Millisecond), 1<<16)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			socket.Close()
			<-served
		}()
		conn := wire.NewConn(socket)
		c := NewConn(conn)
		greet(t, c)
		if err := c.Do("STARTTLS", nil); err != nil {
			return
		}
		secure, other := net.Pipe()
		defer secure.Close()
		defer other.Close()
		go func() { _, _ = io.WriteString(other, "* OK secure\r\n") }()
		if err := conn.Upgrade(secure); err != nil {
			return
		}
		c = NewConn(conn)
		if r, err := c.readResponse(); err != nil || r.Text != "secure" {
			t.Errorf("after the upgrade came %+v, %v", r, err)
		}
		if c.Alert() != nil {
			t.Errorf("alert %q is from clear text", c.Alert())
		}
	})
}

// silence is how long a server waits for a client that may be waiting for the server.
const silence = 20 * time.Millisecond

// answer greets, then answers each line with one of answers, in pieces of so many bytes, and further ones with OK.
func answer(server net.Conn, chunks []byte, answers ...string) {
	defer server.Close()
	send := func(s string) bool {
		for i := 0; s != ""; i++ {
			n := len(s)
			if len(chunks) > 0 {
				n = min(n, 1+int(chunks[i%len(chunks)]))
			}
			if _, err := io.WriteString(server, s[:n]); err != nil {
				return false
			}
			s = s[n:]
		}
		return true
	}
	buf := make([]byte, 4096)
	for next := "* OK hi"; send(next + "\r\n"); {
		_ = server.SetReadDeadline(time.Now().Add(silence))
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		tag, _, _ := bytes.Cut(bytes.TrimSpace(buf[:n]), []byte(" "))
		next = "TAG OK"
		if len(answers) > 0 {
			next, answers = answers[0], answers[1:]
		}
		next = strings.ReplaceAll(next, "TAG", string(tag))
	}
}
