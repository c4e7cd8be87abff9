// Command exporter logs in to mail accounts on a schedule, measures each step of the IMAP conversation on the wire, and
// serves the results to Prometheus.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

func main() {
	collectGarbageEarlier()
	if os.Getpid() == 1 {
		go reapOrphans()
	}
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel() // The first signal asks for an orderly stop,
		<-signals
		os.Exit(1) // the second one stops at once.
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// collectGarbageEarlier lets the heap grow by a third between collections instead of doubling, unless GOGC is set. Most
// of the heap is what /metrics shows of each account, which lives long: with ten thousand accounts, doubling would waste
// that much.
func collectGarbageEarlier() {
	const goDefault = 100
	if configured := debug.SetGCPercent(goDefault / 3); configured != goDefault {
		debug.SetGCPercent(configured)
	}
}
