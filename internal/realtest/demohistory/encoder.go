package demohistory

import (
	"bufio"
	"math"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// An encoder writes scrapes as Prometheus would store them, in the OpenMetrics format.
type encoder struct {
	w          *bufio.Writer
	labels     string // of the target
	histograms bool   // whether to write them
	// sums are the counters, and what histograms count, by series.
	sums map[string]*sum

	at     []byte // the time of the scrape
	weight float64
	line   []byte
}

// A sum is the value of a counter when each increase is weighted.
type sum struct{ last, weighted float64 }

// target sets the labels that a scrape adds.
func (e *encoder) target(pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		e.labels += pairs[i] + "=" + strconv.Quote(pairs[i+1]) + ","
	}
	e.labels = strings.TrimSuffix(e.labels, ",")
}

// scrape writes the families of one scrape. Increases since the previous scrape count weight times.
func (e *encoder) scrape(families []*dto.MetricFamily, at time.Time, weight float64) {
	e.at = strconv.AppendFloat(e.at[:0], float64(at.UnixMilli())/1000, 'f', 3, 64)
	e.weight = weight
	for _, f := range families {
		name := f.GetName()
		for _, m := range f.GetMetric() {
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				e.grown(name, m.GetLabel(), "", m.GetCounter().GetValue(), true)
			case dto.MetricType_HISTOGRAM:
				h := m.GetHistogram()
				for _, b := range h.GetBucket() {
					e.grown(name+"_bucket", m.GetLabel(), bound(b.GetUpperBound()), float64(b.GetCumulativeCount()), e.histograms)
				}
				e.grown(name+"_bucket", m.GetLabel(), "+Inf", float64(h.GetSampleCount()), e.histograms)
				e.grown(name+"_sum", m.GetLabel(), "", h.GetSampleSum(), e.histograms)
				e.grown(name+"_count", m.GetLabel(), "", float64(h.GetSampleCount()), e.histograms)
			default:
				e.series(name, m.GetLabel(), "")
				e.value(m.GetGauge().GetValue())
			}
		}
	}
}

// grown adds the value of a counter, and may write it.
func (e *encoder) grown(name string, labels []*dto.LabelPair, le string, value float64, write bool) {
	e.series(name, labels, le)
	s := e.sums[string(e.line)]
	if s == nil {
		s = &sum{}
		e.sums[string(e.line)] = s
	}
	s.weighted += (value - s.last) * e.weight
	s.last = value
	if write {
		e.value(s.weighted)
	}
}

// series begins a line.
func (e *encoder) series(name string, labels []*dto.LabelPair, le string) {
	e.line = append(append(append(e.line[:0], name...), '{'), e.labels...)
	for _, l := range labels {
		e.line = append(append(append(e.line, ','), l.GetName()...), '=')
		e.line = strconv.AppendQuote(e.line, l.GetValue())
	}
	if le != "" {
		e.line = append(append(append(e.line, `,le="`...), le...), '"')
	}
	e.line = append(e.line, "} "...)
}

// value ends it.
func (e *encoder) value(v float64) {
	e.line = strconv.AppendFloat(e.line, v, 'g', -1, 64)
	e.line = append(append(append(e.line, ' '), e.at...), '\n')
	_, _ = e.w.Write(e.line) // Errors stay until the end.
}

// end writes the end of the file.
func (e *encoder) end() error {
	if _, err := e.w.WriteString("# EOF\n"); err != nil {
		return err
	}
	return e.w.Flush()
}

// bound is the label le as OpenMetrics has it.
func bound(v float64) string {
	if v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
