package demo

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// A latency generates response times: short and varying, but reproducible.
type latency struct {
	mu     sync.Mutex
	random *rand.Rand
}

func newLatency() *latency {
	return &latency{random: rand.New(rand.NewPCG(143, 993))} //nolint:gosec // It is to be the same in each run.
}

// next returns how long a command takes.
func (l *latency) next(verb string) time.Duration {
	usual := 500 * time.Microsecond
	switch verb {
	case "GREETING":
		usual = 2 * time.Millisecond
	case "LOGIN", "AUTHENTICATE":
		usual = 12 * time.Millisecond
	case "SELECT", "EXAMINE":
		usual = 4 * time.Millisecond
	case "FETCH", "STATUS":
		usual = 2 * time.Millisecond
	case "GETQUOTAROOT":
		usual = time.Millisecond
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// An exponential distribution: mostly near the usual time, sometimes a few times as long.
	return usual/2 + time.Duration(min(l.random.ExpFloat64(), 6)*float64(usual)/2)
}

// between returns a time from least to most.
func (l *latency) between(least, most time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return least + time.Duration(l.random.Int64N(int64(most-least)))
}

// wait waits for d or the end of ctx.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
