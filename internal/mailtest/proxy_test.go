package mailtest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"
)

func proxyTo(t *testing.T, s *Server, roundTrip time.Duration) *Proxy {
	t.Helper()
	p, err := NewProxy(s.Addr(), ProxyOptions{RoundTrip: roundTrip})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestProxyDelaysEachRoundTrip(t *testing.T) {
	const added = 20 * time.Millisecond
	s := start(t, Options{})
	best := func(address string) time.Duration {
		c := dial(t, address)
		c.line()
		var took []time.Duration
		for range 21 {
			began := time.Now()
			c.want("NOOP", "T OK")
			took = append(took, time.Since(began))
		}
		return slices.Min(took) // The machine may be busy with others.
	}
	direct := best(s.Addr())
	delayed := best(proxyTo(t, s, added).Addr())
	t.Logf("direct %v, through the proxy %v, error %v", direct, delayed, delayed-direct-added)
	if delayed < added || delayed > direct+added+5*time.Millisecond {
		t.Errorf("a round trip of %v became one of %v", direct, delayed)
	}
}

func TestProxyKeepsBytesAndRate(t *testing.T) {
	sent := make([]byte, 8<<20)
	for i := range sent {
		sent[i] = byte(i * i >> 7)
	}
	s, err := StartRaw(func(nc net.Conn) { _, _ = nc.Write(sent) })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	began := time.Now()
	got, err := io.ReadAll(dial(t, proxyTo(t, s, 40*time.Millisecond).Addr()))
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes arrived as they were sent: %v", len(got), len(sent), err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("8 MiB took %v", took) // One delay for each read would be 256 × 20 ms.
	}
}

func TestProxyPassesOnReset(t *testing.T) {
	s := start(t, Options{Handle: map[string]Handler{"NOOP": func(c *Conn, _ Command) error { return c.Reset() }}})
	c := dial(t, proxyTo(t, s, 2*time.Millisecond).Addr())
	c.line()
	c.send("T NOOP")
	if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v", err)
	}
}

func TestProxyCloseEndsConnections(t *testing.T) {
	s := start(t, Options{})
	p, err := NewProxy(s.Addr(), ProxyOptions{RoundTrip: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, p.Addr())
	c.send("T NOOP")
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("still open after Close")
	}
}
