package mailtest

import (
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

func newDemo(t *testing.T) *Demo {
	t.Helper()
	d, err := NewDemo()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// dialDemo connects to a demo server, and verifies its certificate by the server's name.
func dialDemo(t *testing.T, d *Demo, name string) *client {
	t.Helper()
	address, roots, err := d.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	if host, _, err := net.SplitHostPort(address); host != "localhost" {
		t.Errorf("%s listens on %s: %v", name, address, err)
	}
	c := dial(t, address)
	if name == "demo-starttls" {
		if greeting := c.line(); !strings.Contains(greeting, "STARTTLS") || !strings.Contains(greeting, "LOGINDISABLED") {
			t.Errorf("%s: %s", name, greeting)
		}
		c.want("STARTTLS", "T OK")
		return c.upgrade(&tls.Config{RootCAs: roots, ServerName: name})
	}
	c = c.upgrade(&tls.Config{RootCAs: roots, ServerName: name})
	if greeting := c.line(); !strings.HasPrefix(greeting, "* OK [CAPABILITY ") {
		t.Errorf("%s: %s", name, greeting)
	}
	return c
}

const demoLogin = "LOGIN demo@example.org canary-demo-secret"

func TestDemoHealthyServers(t *testing.T) {
	d := newDemo(t)
	for _, name := range d.Servers() {
		if name == "demo-rejected" {
			continue
		}
		c := dialDemo(t, d, name)
		began := time.Now()
		c.want(demoLogin, "T OK")
		if slow := time.Since(began) >= 400*time.Millisecond; slow != (name == "demo-slow") {
			t.Errorf("%s: LOGIN took %v", name, time.Since(began))
		}
		c.want("CAPABILITY", "STATUS=SIZE")
		c.want(`LIST "" *`, "INBOX", "Entw&APw-rfe", `"Team Notes"`)
		c.want("STATUS INBOX (MESSAGES UNSEEN SIZE)", "SIZE", "T OK")
		c.want("SELECT INBOX", "EXISTS", "T OK")
		c.want("FETCH 1 (INTERNALDATE BODY.PEEK[HEADER])", "* 1 FETCH (", "Subject: Report number", "T OK")
		c.want("LOGOUT", "* BYE", "T OK")
	}
}

func TestDemoFaults(t *testing.T) {
	d := newDemo(t)
	c := dialDemo(t, d, "demo-rejected")
	c.want(demoLogin, "T NO [AUTHENTICATIONFAILED]")
	c.want("AUTHENTICATE PLAIN "+b64("\x00demo@example.org\x00demo"), "T NO [AUTHENTICATIONFAILED]")

	var answers []string
	for range 14 {
		c := dialDemo(t, d, "demo-busy")
		line := c.do(demoLogin)
		answers = append(answers, strings.Fields(line[len(line)-1])[2])
		c.Close()
	}
	week := []string{"[CAPABILITY", "[CAPABILITY", "[LIMIT]", "[LIMIT]", "[CAPABILITY", "[CAPABILITY", "[UNAVAILABLE]"}
	if !slices.Equal(answers, append(slices.Clone(week), week...)) {
		t.Errorf("demo-busy: %q", answers)
	}

	for n := 1; n <= 3; n++ {
		c := dialDemo(t, d, "demo-hanging")
		c.want(demoLogin, "T OK")
		if n < 3 {
			c.want("SELECT INBOX", "T OK")
			continue
		}
		c.send("T SELECT INBOX")
		if err := c.SetDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if line, err := c.r.ReadString('\n'); err == nil {
			t.Errorf("demo-hanging answered: %s", line)
		}
	}
}

func TestDemoQuota(t *testing.T) {
	d := newDemo(t)
	address, roots, err := d.Lookup("demo-quota")
	if err != nil {
		t.Fatal(err)
	}
	c := goimap(t, address, &tls.Config{RootCAs: roots, ServerName: "demo-quota", MinVersion: tls.VersionTLS12})
	if err := c.Login(DemoUser, DemoPassword).Wait(); err != nil {
		t.Fatal(err)
	}
	quota, err := c.GetQuotaRoot("INBOX").Wait()
	if err != nil || len(quota) != 1 {
		t.Fatalf("%+v, %v", quota, err)
	}
	if q := quota[0].Resources[imap.QuotaResourceStorage]; q != (imapclient.QuotaResourceData{Usage: 95232, Limit: 102400}) {
		t.Errorf("%+v", q)
	}
}

func TestDemoLookup(t *testing.T) {
	d := newDemo(t)
	for range 2 {
		first, _, err := d.Lookup("demo")
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := d.Lookup("demo")
		if err != nil || first != again {
			t.Errorf("%s, then %s: %v", first, again, err)
		}
	}
	address, _, err := d.Lookup("demo")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	for _, host := range []string{"127.0.0.1", "::1"} {
		if host == "::1" && !hasIPv6(t.Context()) {
			t.Log("no IPv6 here")
			continue
		}
		dial(t, net.JoinHostPort(host, port)).Close()
	}
	if _, _, err := d.Lookup("demo-missing"); err == nil || !strings.Contains(err.Error(), "demo-slow") {
		t.Errorf("%v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := d.Lookup("demo"); err == nil {
		t.Error("a server was started after Close")
	}
}

func TestRenewal(t *testing.T) {
	now := time.Now()
	ca, err := NewCAWithClock(func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	r := &renewal{ca: ca, name: "demo-certificate", lifetime: 5 * day}
	var serials []string
	for range 60 {
		cert, err := r.certificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		if left := cert.Leaf.NotAfter.Sub(now); left < 4*day-time.Second || left > 5*day {
			t.Errorf("%v left", left)
		}
		if serial := cert.Leaf.SerialNumber.String(); !slices.Contains(serials, serial) {
			serials = append(serials, serial)
		}
		now = now.Add(6 * time.Hour)
	}
	if len(serials) != 15 {
		t.Errorf("%d certificates in 15 days", len(serials))
	}
}

func TestGrowth(t *testing.T) {
	now := time.Now()
	g := newGrowth(now)
	user := NewUser(now)
	data := &Data{Users: []*User{user}}
	inbox := user.Mailbox("INBOX")
	var uidNext uint32
	for range 2000 {
		now = now.Add(10 * time.Second)
		g.catchUp(user, now)
		data.settle()
		if n := len(inbox.Messages); n > growthLimit || n < growthKept {
			t.Fatalf("%d messages", n)
		}
		if inbox.UIDNext <= uidNext {
			t.Fatalf("UIDNEXT went from %d to %d", uidNext, inbox.UIDNext)
		}
		uidNext = inbox.UIDNext
		if newest := inbox.Messages[len(inbox.Messages)-1].Date; newest.After(now) || now.Sub(newest) > 2*growthPause {
			t.Fatalf("the newest message is of %v, now is %v", newest, now)
		}
		if used := user.Quota[0].Messages.Used; used > user.Quota[0].Messages.Limit {
			t.Fatalf("%d messages of quota used", used)
		}
		if used := user.Quota[0].Storage; used.Used > used.Limit {
			t.Fatalf("%d KiB used", used.Used)
		}
	}
	now = now.Add(10_000 * time.Hour)
	g.catchUp(user, now)
	if n := g.number; n > 20_000 {
		t.Errorf("%d messages were made", n)
	}
	if n := len(inbox.Messages); n > growthLimit {
		t.Errorf("%d messages after a long pause", n)
	}
}

func TestLatency(t *testing.T) {
	l := newLatency()
	seen := map[time.Duration]bool{}
	for range 1000 {
		d := l.next("LOGIN")
		if d < 6*time.Millisecond || d > 42*time.Millisecond {
			t.Errorf("LOGIN takes %v", d)
		}
		seen[d] = true
	}
	if len(seen) < 500 {
		t.Errorf("%d different latencies", len(seen))
	}
	if a, b := newLatency().next("LOGIN"), newLatency().next("LOGIN"); a != b {
		t.Errorf("%v and %v: not the same in each run", a, b)
	}
}
