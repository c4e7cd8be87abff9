// Package demohistory generates history for the shipped demo: what a Prometheus would have stored if it had scraped the demo
// for days. So panels that compare with last week, and rules over long windows, have data from the beginning.
//
// It probes each account of the configuration once. Then it passes variations of this Result to the exporter's own
// collectors, with a simulated clock: durations vary with the hour of the day, and failures are those of the demo's servers.
// The same End generates the same history, except for the values of the one real probe.
//
// Only tests, and the contributors' demo stack, import this package.
package demohistory

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Options describe the history to generate.
type Options struct {
	// Config is the configuration file; all its accounts must be on demo servers.
	Config string
	// Job and Instance are the labels of the real scrapes that follow the history.
	Job, Instance string
	// End is when the history ends, and Age its length; 0 means 8 days.
	End time.Time
	Age time.Duration
	// Step is the time between two scrapes; 0 is 5 minutes. Near the End, and at the same time a day and a week before,
	// they are denseStep apart: from Dense before to Dense after. 0 is half an hour.
	Step, Dense time.Duration
}

const (
	day       = 24 * time.Hour
	denseStep = 15 * time.Second
	// Far from there, probes are seldom, too, and each counts as many: so many between two scrapes. It is no multiple of the
	// numbers by which the demo's servers count, so that not each scrape sees the same.
	sparseProbes = 4
	// Histograms are three quarters of a page. Far from there, only one scrape of so many writes them.
	histogramsEvery = 3
)

func (o *Options) setDefaults() {
	if o.Age == 0 {
		o.Age = 8 * day
	}
	if o.Step == 0 {
		o.Step = 5 * time.Minute
	}
	if o.Dense == 0 {
		o.Dense = 30 * time.Minute
	}
}

// next returns when the scrape after one is, and whether all is dense between them.
func (o *Options) next(at time.Time) (next time.Time, dense bool) {
	next = at.Add(o.Step)
	for _, offset := range []time.Duration{7 * day, day, 0} {
		begin, end := o.End.Add(-offset-o.Dense), o.End.Add(-offset+o.Dense)
		if !at.Before(begin) && at.Before(end) {
			return at.Add(denseStep), true
		}
		if at.Before(begin) && next.After(begin) {
			next = begin
		}
	}
	return next, false
}

// Write writes the history in the OpenMetrics format for `promtool tsdb create-blocks-from openmetrics`.
func Write(ctx context.Context, w io.Writer, o Options) error {
	o.setDefaults()
	past, err := newPast(ctx, o)
	if err != nil {
		return err
	}
	out := &encoder{w: bufio.NewWriterSize(w, 1<<20), sums: map[string]*sum{}}
	out.target("instance", o.Instance, "job", o.Job)
	at, number := o.End.Add(-o.Age), 0
	for at.Before(o.End) {
		if err := ctx.Err(); err != nil {
			return err
		}
		next, dense := o.next(at)
		weight := past.advance(next, dense)
		out.histograms = dense || number%histogramsEvery == 0
		out.scrape(past.gather(), next, weight)
		at, number = next, number+1
	}
	return out.end()
}

// Backfill writes the history into the data directory of a stopped Prometheus, with the promtool at that path.
func Backfill(ctx context.Context, promtool, dataDir string, o Options) error {
	dir, err := os.MkdirTemp("", "demohistory-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "past.om")
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := Write(ctx, file, o); err != nil {
		_ = file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	// promtool reads the whole file for each block; by default a block has 2 hours.
	out, err := exec.CommandContext(ctx, promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet",
		"--max-block-duration=486h", path, dataDir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", promtool, err, out)
	}
	return nil
}
