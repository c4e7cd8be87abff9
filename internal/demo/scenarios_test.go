package demo

import (
	"slices"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

func TestCertificatesAreRenewed(t *testing.T) {
	t.Parallel()
	now := time.Now()
	clock := func() time.Time { return now }
	ca, err := mailtest.NewCAWithClock(clock)
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	s := &certificateSource{ca: ca, now: clock, name: "demo-certificate", lifetime: 5 * day}
	var serials []string
	for range 60 {
		cert, err := s.certificate(nil)
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

func TestGrowingMailbox(t *testing.T) {
	t.Parallel()
	now := time.Now()
	mailbox := newGrowingMailbox(now)
	user := mailtest.NewUser(now)
	server, err := mailtest.Start(mailtest.Options{Data: mailtest.Data{Users: []*mailtest.User{user}}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	deliver := func() { server.Update(func(*mailtest.Data) { mailbox.deliver(user, now) }) }
	inbox := user.Mailbox("INBOX")
	var uidNext uint32
	for range 2000 {
		now = now.Add(10 * time.Second)
		deliver()
		if n := len(inbox.Messages); n > maxMessages || n < keptMessages {
			t.Fatalf("%d messages", n)
		}
		if inbox.UIDNext <= uidNext {
			t.Fatalf("UIDNEXT went from %d to %d", uidNext, inbox.UIDNext)
		}
		uidNext = inbox.UIDNext
		if newest := inbox.Messages[len(inbox.Messages)-1].Date; newest.After(now) || now.Sub(newest) > 2*deliveryInterval {
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
	deliver()
	if n := mailbox.delivered; n > 20_000 {
		t.Errorf("%d messages were made", n)
	}
	if n := len(inbox.Messages); n > maxMessages {
		t.Errorf("%d messages after a long pause", n)
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
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
