package exporter

import (
	"context"
	"sync"

	"imap-exporter/internal/schedule"
	"imap-exporter/internal/wire"
	"imap-exporter/probe"
)

// OnceOptions says how ProbeOnce probes.
type OnceOptions struct {
	// MaxConcurrent and MaxConcurrentPerServer limit the concurrent probes; 0 means the schedule's default.
	MaxConcurrent, MaxConcurrentPerServer int
	// Ended is called for each target, in their order, as soon as its probe and those before it have ended. The Result is nil
	// if there was no probe because ctx ended first. An error ends the rest.
	Ended func(i int, result *probe.Result) error
	// Warn is called if the measurements may be less exact than usual.
	Warn func(error)
}

// ProbeOnce probes each target once. It uses a schedule of jobs without intervals, so that the same limits apply, and the same
// pauses after a rejected login. It returns the first error of Ended.
func ProbeOnce(ctx context.Context, targets []*probe.Target, opts OnceOptions) error {
	release, err := wire.KeepTimestamps()
	if err != nil {
		opts.Warn(err)
	}
	defer release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := schedule.New(schedule.Options{MaxConcurrent: opts.MaxConcurrent, MaxConcurrentPerServer: opts.MaxConcurrentPerServer})
	jobs := make([]schedule.Job, len(targets))
	results := make([]chan *probe.Result, len(targets))
	for i, target := range targets {
		results[i] = make(chan *probe.Result, 1)
		jobs[i] = schedule.Job{
			Name: target.Account, Server: target.Server,
			Run: func(ctx context.Context) schedule.Outcome {
				result := probe.Run(ctx, target)
				outcome := outcomeOf(result)
				outcome.Report = result
				return outcome
			},
		}
	}
	s.Set(jobs)
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { s.Run(ctx) })
	defer cancel() // So that Run ends.
	for i := range jobs {
		all.Go(func() {
			outcome, err := s.Do(ctx, schedule.Request{Name: jobs[i].Name})
			result, ok := outcome.Report.(*probe.Result)
			if !ok || err != nil {
				result = nil
			}
			results[i] <- result
		})
	}
	for i := range results {
		if err := opts.Ended(i, <-results[i]); err != nil {
			return err
		}
	}
	return nil
}
