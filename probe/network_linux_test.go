package probe

import (
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest/netns"
)

// at returns target on another host.
func at(target *Target, host string) *Target {
	moved := *target
	_, port, _ := net.SplitHostPort(target.Address)
	moved.Address = net.JoinHostPort(host, port)
	return &moved
}

// openFiles is the number of file descriptors of this process without the server's connections, of whose end a broken
// network may not let the server learn.
func openFiles(t *testing.T, server *mailtest.Server) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := len(entries)
	for _, v := range server.Conversations() {
		if v.Open {
			n--
		}
	}
	return n
}

// inTime probes, and fails the test unless the probe ends with reason ("" for success), on time, with nothing left open.
func inTime(t *testing.T, server *mailtest.Server, target *Target, phase Phase, reason Reason) *Result {
	t.Helper()
	before := openFiles(t, server)
	begin := time.Now()
	var r *Result
	if reason == "" {
		r = succeed(t, target)
	} else {
		r = fail(t, target, phase, reason)
	}
	if d := time.Since(begin); d > target.Timeout+ending {
		t.Errorf("ended after %v, want at most %v", d, target.Timeout)
	}
	for end := time.Now().Add(5 * time.Second); ; {
		now := openFiles(t, server)
		if now <= before {
			return r
		}
		if time.Now().After(end) {
			t.Fatalf("%d files are open, %d before", now, before)
		}
		<-time.After(10 * time.Millisecond) // The server learns of the end of a connection a little later.
	}
}

// when calls do before the server answers verb, in two segments.
func when(verb string, do func()) map[string]mailtest.Handler {
	return map[string]mailtest.Handler{verb: func(c *mailtest.Conn, cmd mailtest.Command) error {
		do()
		if verb != "GREETING" {
			c.Line("* OK wait")
			_ = c.Flush()
		}
		return c.Default(cmd)
	}}
}

// TestNetworkFaults: each failure of a network has its phase and reason, and the probe ends on time.
func TestNetworkFaults(t *testing.T) {
	t.Parallel()
	network := netns.Enter(t)
	if network == nil {
		return
	}
	for name, c := range map[string]struct {
		host   string // that is dialled; "" is the server's
		rule   string // of the firewall, from the beginning; PORT is the server's
		after  string // the same, once the server was sent the command of verb; KILL kills the connection instead
		verb   string
		phase  Phase
		reason Reason // "" for success
		times  int    // 0 is 1
	}{
		"nothing wrong":               {},
		"dropped":                     {host: netns.Silent4, phase: PhaseConnect, reason: ReasonTimeout},
		"dropped, IPv6":               {host: netns.Silent6, phase: PhaseConnect, reason: ReasonTimeout},
		"reset":                       {rule: "tcp dport PORT reject with tcp reset", phase: PhaseConnect, reason: ReasonRefused},
		"port unreachable":            {rule: "tcp dport PORT reject", phase: PhaseConnect, reason: ReasonRefused},
		"host unreachable":            {rule: "tcp dport PORT reject with icmp host-unreachable", phase: PhaseConnect, reason: ReasonUnreachable},
		"prohibited":                  {rule: "tcp dport PORT reject with icmp admin-prohibited", phase: PhaseConnect, reason: ReasonUnreachable},
		"no route":                    {host: netns.Nowhere4, phase: PhaseConnect, reason: ReasonUnreachable},
		"dropped before the greeting": {after: "tcp dport PORT drop; tcp sport PORT drop", verb: "GREETING", phase: PhaseGreeting, reason: ReasonTimeout},
		"dropped after LOGIN":         {after: "tcp dport PORT drop; tcp sport PORT drop", verb: "LOGIN", phase: PhaseAuth, reason: ReasonTimeout},
		"dropped in FETCH":            {after: "tcp sport PORT drop", verb: "FETCH", phase: PhaseFetch, reason: ReasonTimeout},
		"dropped at LOGOUT":           {after: "tcp sport PORT drop", verb: "LOGOUT"},
		"killed in EXAMINE":           {after: "KILL", verb: "EXAMINE", phase: PhaseSelect, reason: ReasonReset},
		"killed in STATUS":            {after: "KILL", verb: "STATUS", phase: PhaseStatus, reason: ReasonReset},
		"reset in EXAMINE":            {after: "tcp dport PORT reject with tcp reset", verb: "EXAMINE", phase: PhaseSelect, reason: ReasonReset},
		"a tenth is lost":             {rule: "tcp flags & syn == 0 numgen random mod 100 < 10 drop", times: 5},
	} {
		t.Run(name, func(t *testing.T) {
			var port string
			fault := func() {
				if c.after == "KILL" {
					network.Kill(t, port)
					return
				}
				for rule := range strings.SplitSeq(strings.ReplaceAll(c.after, "PORT", port), "; ") {
					network.Rule(t, rule)
				}
			}
			o := mailtest.Options{Host: netns.IPv4}
			if c.verb != "" {
				o.Handle = when(c.verb, fault)
			}
			server, target := serve(t, o)
			_, port, _ = net.SplitHostPort(server.Addr())
			target.Timeout = 2 * time.Second
			if c.host != "" {
				target = at(target, c.host)
			}
			if c.rule != "" {
				network.Rule(t, strings.ReplaceAll(c.rule, "PORT", port))
				target.Timeout = 10 * time.Second
			}
			for range max(c.times, 1) {
				inTime(t, server, target, c.phase, c.reason)
			}
		})
	}
}

// TestBlackHoledIPv6: if the first address doesn't answer, connect is the time of the one that did, and the time lost before
// is a phase of its own. Each attempt has its address family.
func TestBlackHoledIPv6(t *testing.T) {
	t.Parallel()
	network := netns.Enter(t)
	if network == nil {
		return
	}
	server, target := serve(t, mailtest.Options{Host: netns.IPv4})
	target.Timeout = 4 * time.Second
	network.NameServer(t, map[string]netns.Name{
		"both.test":  {A: []string{netns.IPv4}, AAAA: []string{netns.Silent6}},
		"twice.test": {A: []string{netns.IPv4}, AAAA: []string{netns.Silent6, netns.IPv6}}, // Nobody listens on the second one.
	})
	quarter := target.Timeout / 4
	for name, want := range map[string][]Connect{
		"both.test":  {{IPv6, ReasonTimeout}, {IPv4, ""}},
		"twice.test": {{IPv6, ReasonTimeout}, {IPv6, ReasonRefused}, {IPv4, ""}},
	} {
		r := inTime(t, server, at(target, name), "", "")
		if name == "twice.test" { // The resolver may choose among equals.
			slices.SortStableFunc(r.Connects[:2], func(a, b Connect) int { return -strings.Compare(string(a.Reason), string(b.Reason)) })
		}
		if !slices.Equal(r.Connects, want) {
			t.Errorf("%s: attempts %+v, want %+v", name, r.Connects, want)
		}
		if d := took(t, r, PhaseConnect); d > 100*time.Millisecond {
			t.Errorf("%s: connect took %v, though the address that answered did so at once", name, d)
		}
		if d := took(t, r, PhaseConnectFailed); d < quarter || d > quarter+ending {
			t.Errorf("%s: connect_failed took %v, want %v", name, d, quarter)
		}
	}
	v4 := at(target, "both.test")
	v4.IPFamily = IPv4
	if r := inTime(t, server, v4, "", ""); !slices.Equal(r.Connects, []Connect{{IPv4, ""}}) {
		t.Errorf("with ip_family 4: attempts %+v", r.Connects)
	}
}

// TestDelayedLink: on a link with a delay, connect and each command take one round trip.
func TestDelayedLink(t *testing.T) {
	network := netns.Enter(t)
	if network == nil {
		return
	}
	const roundTrip = 50 * time.Millisecond
	network.Link(t, roundTrip/2)
	server, target := serve(t, mailtest.Options{Host: netns.LinkServer})
	r := inTime(t, server, at(target, netns.LinkClient), "", "")
	if r.RTT == nil {
		t.Fatal("no round-trip time")
	}
	for what, d := range map[string]time.Duration{
		"TCP_INFO": *r.RTT, "connect": took(t, r, PhaseConnect), "greeting": took(t, r, PhaseGreeting), "select": took(t, r, PhaseSelect),
	} {
		if d < roundTrip || d > roundTrip+40*time.Millisecond {
			t.Errorf("%s took %v, want %v", what, d, roundTrip)
		}
	}
}

// TestSlowLink: on a slow link FETCH is slow, which has most of the bytes, and nothing fails.
func TestSlowLink(t *testing.T) {
	network := netns.Enter(t)
	if network == nil {
		return
	}
	u := user()
	inbox := u.Mailboxes[0]
	inbox.Messages[len(inbox.Messages)-1].Body = strings.Repeat("0123456789abcdef", 2048)
	server, target := serve(t, mailtest.Options{Host: netns.IPv4, Data: mailtest.Data{Users: []*mailtest.User{u}}})
	target.Fetch = FetchFull
	target.Timeout = 20 * time.Second
	network.Slow(t, "512kbit") // 64 kB/s, for 32 KiB
	r := inTime(t, server, target, "", "")
	if fetch, rest := took(t, r, PhaseFetch), took(t, r, PhaseSelect); fetch < 300*time.Millisecond || rest > fetch/2 {
		t.Errorf("fetch took %v, select %v", fetch, rest)
	}
}
