// Package demohistory makes a past for the shipped demo: what a Prometheus would have stored, had it scraped the demo for
// days. Panels that compare with last week, and rules over long windows, have something to show from the first minute on.
//
// Nothing about the form is made up. Each account of the configuration is really probed, once; then the finding is told to
// the exporter's own collectors again and again, under a clock that runs through the past, with times that follow the
// hours of the day, and with the failures that the demo's servers are there to show. The same End gives the same past, but
// for what the one real probe found.
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

// Options say which past is wanted.
type Options struct {
	// Config is the configuration file; all its accounts must be on demo servers.
	Config string
	// Job and Instance are the labels of the scrape that goes on where the past ends.
	Job, Instance string
	// End is when it ends, and Age how long before it began; 0 is 8 days.
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

// Write writes the past in the OpenMetrics format, as `promtool tsdb create-blocks-from openmetrics` takes it.
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

// Backfill writes the past into the data directory of a Prometheus that doesn't run, by the promtool at that path.
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
	// promtool reads all of the file for each block, of 2 hours unless told otherwise.
	out, err := exec.CommandContext(ctx, promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet",
		"--max-block-duration=486h", path, dataDir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", promtool, err, out)
	}
	return nil
}
