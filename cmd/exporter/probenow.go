package main

import (
	"context"
	"fmt"

	"imap-exporter/internal/web"
	"imap-exporter/probe"
)

// probeNow probes an account now, through the schedule.
func (e *exporter) probeNow(ctx context.Context, r web.ProbeRequest) (*probe.Result, error) {
	outcome, err := e.schedule.Do(ctx, r.Account)
	if err != nil {
		return nil, err
	}
	result, ok := outcome.Report.(*probe.Result)
	if !ok {
		return nil, fmt.Errorf("the run of %s has no Result", r.Account)
	}
	return result, nil
}
