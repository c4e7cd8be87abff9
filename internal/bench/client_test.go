package bench

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/probe"
)

// target is a probe of everything but patterns.
func target(address string, config *tls.Config) *probe.Target {
	return &probe.Target{
		Account: "bench", Server: "localhost:993", Address: address, Timeout: 30 * time.Second, IPFamily: probe.IPAuto,
		TLSMode: probe.TLSImplicit, TLSConfig: config, Auth: probe.AuthLogin, AllowPlaintextAuth: true,
		Username: user(0), Secret: func(context.Context) (string, error) { return mailtest.DemoPassword, nil },
		Select: "INBOX", ReadOnly: true, Fetch: probe.FetchHeader, FetchBytes: 65536, Mailboxes: []string{"INBOX"}, Quota: true,
	}
}

func mustProbe(b *testing.B, t *probe.Target) *probe.Result {
	b.Helper()
	r := probe.Run(b.Context(), t)
	if r.Err != nil {
		b.Fatal(r.Err)
	}
	return r
}

var literal = regexp.MustCompile(`\{(\d+)\}\r\n$`)

// barest holds the same conversation as a probe with the least that can: no limits, no times, no parsing but for what ends
// an answer.
func barest(b *testing.B, address string, config *tls.Config) {
	b.Helper()
	tcp, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	conn := tls.Client(tcp, config)
	defer conn.Close()
	r := bufio.NewReader(conn)
	if _, err := r.ReadString('\n'); err != nil {
		b.Fatal(err)
	}
	for i, command := range []string{
		"CAPABILITY", fmt.Sprintf("LOGIN %s %s", user(0), mailtest.DemoPassword), "CAPABILITY", "EXAMINE INBOX",
		"FETCH 24 (INTERNALDATE BODY.PEEK[HEADER]<0.65536>)", "FETCH 1 (INTERNALDATE)", "UNSELECT",
		"STATUS INBOX (MESSAGES UNSEEN UIDNEXT UIDVALIDITY RECENT SIZE HIGHESTMODSEQ)", "GETQUOTAROOT INBOX", "LOGOUT",
	} {
		tag := "a" + strconv.Itoa(i)
		if _, err := io.WriteString(conn, tag+" "+command+"\r\n"); err != nil {
			b.Fatal(err)
		}
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				b.Fatal(err)
			}
			if m := literal.FindStringSubmatch(line); strings.HasSuffix(line, "}\r\n") && m != nil {
				n, _ := strconv.Atoi(m[1])
				if _, err := r.Discard(n); err != nil {
					b.Fatal(err)
				}
			}
			if strings.HasPrefix(line, tag) {
				break
			}
		}
	}
}
