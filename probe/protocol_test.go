package probe_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/probe"
)

const (
	phaseHello probe.Phase = "hello"
	phaseQuit  probe.Phase = "quit"
)

// toy is a protocol of three steps, made only of what package probe exports. Its server answers HELLO with a line.
var toy = &probe.Protocol{
	Name:    "toy",
	Phases:  []probe.Phase{probe.PhaseConnect, phaseHello, phaseQuit},
	Reasons: []probe.Reason{probe.ReasonRefused, probe.ReasonTimeout, probe.ReasonUnavailable},
	Steps: func(s *probe.Session) []probe.Step {
		ask := func(line string) (string, error) {
			if err := s.Conn.Begin(line, line); err != nil {
				return "", s.Conn.Fail(err)
			}
			answer, err := s.Conn.ReadLine()
			if err != nil {
				return "", err
			}
			s.Conn.Answered()
			s.Conn.LogReceived(strings.TrimSpace(string(answer)))
			return string(answer), nil
		}
		return []probe.Step{
			{Phase: probe.PhaseConnect, Run: func(ctx context.Context) error {
				if err := s.Resolve(ctx); err != nil {
					return err
				}
				return s.Connect(ctx)
			}},
			{Phase: phaseHello, Run: func(context.Context) error {
				answer, err := ask("HELLO")
				if err == nil && !strings.HasPrefix(answer, "hello") {
					err = probe.Errorf(probe.ReasonUnavailable, "it said %q", answer)
				}
				return err
			}},
			{Phase: phaseQuit, AtEnd: true, Run: func(context.Context) error {
				_, err := ask("QUIT")
				return err
			}},
		}
	},
	LogoutLine: func() string { return "QUIT" },
}

func TestAnotherProtocol(t *testing.T) {
	for name, c := range map[string]struct {
		answer     string // to HELLO; "" is none
		reason     probe.Reason
		phases     []probe.Phase
		transcript []string
	}{
		"success": {"hello you", "", []probe.Phase{"connect", "hello", "quit"}, []string{"HELLO", "hello you", "QUIT", "bye"}},
		"refused": {"not now", probe.ReasonUnavailable, []probe.Phase{"connect", "hello", "quit"}, []string{"HELLO", "not now", "QUIT", "bye"}},
		"silent":  {"", probe.ReasonTimeout, []probe.Phase{"connect", "hello"}, []string{"HELLO", "QUIT"}},
	} {
		t.Run(name, func(t *testing.T) {
			server, err := mailtest.StartRaw(func(conn net.Conn) {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					switch {
					case lines.Text() == "QUIT":
						_, _ = io.WriteString(conn, "bye\r\n")
						return
					case c.answer != "":
						_, _ = io.WriteString(conn, c.answer+"\r\n")
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			r := probe.Run(t.Context(), &probe.Target{
				Protocol: toy, Account: "a", Server: "toy:1", Address: server.Addr(), Timeout: 400 * time.Millisecond,
				IPFamily: probe.IPAuto, TLSMode: probe.TLSNone,
			})
			if r.OK() != (c.reason == "") || !r.OK() && (r.Err.Phase != phaseHello || r.Err.Reason != c.reason) {
				t.Errorf("got %v, want hello/%s", r.Err, c.reason)
			}
			var ran []probe.Phase
			for _, p := range r.Phases {
				ran = append(ran, p.Phase)
			}
			var said []string
			for _, line := range r.Transcript {
				said = append(said, line.Text)
			}
			if r.Protocol != toy || !slices.Equal(ran, c.phases) || !slices.Equal(said, c.transcript) {
				t.Errorf("protocol %s, phases %v, transcript %q", r.Protocol.Name, ran, said)
			}
		})
	}
}
