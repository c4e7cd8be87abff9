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
	saveMemory()
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel() // The first one asks for an orderly end,
		<-signals
		os.Exit(1) // the second one wants it now.
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// saveMemory collects garbage three times as often as Go does by itself, unless GOGC says otherwise. What /metrics shows of ten
// thousand accounts lives long; the probes' own garbage beside it need not double the memory.
func saveMemory() {
	const ordinary = 100
	if given := debug.SetGCPercent(ordinary / 3); given != ordinary {
		debug.SetGCPercent(given)
	}
}
