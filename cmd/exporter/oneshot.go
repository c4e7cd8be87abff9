package main

import (
	"context"
	"errors"
	"sync"

	"imap-exporter/collectors"
	"imap-exporter/internal/config"
	"imap-exporter/internal/output"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// A shot is a probe to make once, and then what came of it.
type shot struct {
	output.Probe
	target *probe.Target
}

func newShot(a *config.Account, target *probe.Target) shot {
	return shot{
		Probe: output.Probe{Account: collectors.Account{
			Name: target.Account, Server: target.Server, Interval: a.Interval, Labels: a.Labels,
		}},
		target: target,
	}
}

// bounds are how many probes run at a time; 0 leaves the choice to the schedule.
type bounds struct{ concurrent, perServer int }

var errCanceled = errors.New("canceled")

// probeOnce probes each once, as a schedule of jobs without intervals: the same bounds hold, and the same care after a
// rejected login. It calls each for every one, in their order, as soon as those before it have ended, and returns its
// first error. What ctx's end leaves undone has errCanceled.
func probeOnce(ctx context.Context, shots []shot, limit bounds, each func(i int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := schedule.New(schedule.Options{MaxConcurrent: limit.concurrent, MaxConcurrentPerServer: limit.perServer})
	jobs := make([]schedule.Job, len(shots))
	ended := make([]chan struct{}, len(shots))
	for i := range shots {
		ended[i] = make(chan struct{})
		jobs[i] = schedule.Job{
			Name: shots[i].target.Account, Server: shots[i].target.Server,
			Run: func(ctx context.Context) schedule.Outcome {
				result := probe.Run(ctx, shots[i].target)
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
	for i := range shots {
		all.Go(func() {
			defer close(ended[i])
			outcome, err := s.Do(ctx, schedule.Request{Name: jobs[i].Name})
			if result, ok := outcome.Report.(*probe.Result); ok && err == nil {
				shots[i].Result = result
			} else {
				shots[i].Err = errCanceled
			}
		})
	}
	for i := range shots {
		<-ended[i]
		if err := each(i); err != nil {
			return err
		}
	}
	return nil
}
