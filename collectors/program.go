package collectors

import (
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"imap-exporter/internal/schedule"
)

// A program is what is known about the exporter itself.
type program struct {
	// since is when the counters started at 0.
	since           *timestamppb.Timestamp
	accounts        int
	shard, shards   int
	reloaded        bool
	reloadOK        bool
	reloadAt        time.Time
	timestampSource *dto.LabelPair
	// inFlight, counts and linesDropped are nil if Options don't have them.
	inFlight     *int
	counts       *schedule.Counts
	linesDropped *int
}

// samples are what is known about the exporter itself.
func (p *program) samples() []sample {
	out := []sample{
		{id: exporterAccounts, value: float64(p.accounts)},
		{id: exporterShard, value: float64(p.shard)},
		{id: exporterShards, value: float64(p.shards)},
	}
	if p.inFlight != nil {
		out = append(out, sample{id: exporterProbesInFlight, value: float64(*p.inFlight)})
	}
	if p.counts != nil {
		out = append(out, countSamples(p.counts, p.since)...)
	}
	if p.linesDropped != nil {
		out = append(out, sample{id: exporterLinesDropped, value: float64(*p.linesDropped), since: p.since})
	}
	if p.timestampSource != nil {
		out = append(out, sample{id: exporterTimestampSource, value: 1, labels: labels{p.timestampSource}})
	}
	if p.reloaded {
		out = append(out, sample{id: exporterReloadSuccessful, value: boolean(p.reloadOK)})
	}
	if !p.reloadAt.IsZero() {
		out = append(out, sample{id: exporterReloadSuccess, value: unix(p.reloadAt)})
	}
	return out
}

// countSamples are what became of the schedule's slots.
func countSamples(c *schedule.Counts, since *timestamppb.Timestamp) []sample {
	out := []sample{
		{id: exporterProbesScheduled, value: float64(c.Scheduled), since: since},
		{id: exporterProbesStarted, value: float64(c.Started), since: since},
	}
	for reason, n := range c.Skipped {
		out = append(out, sample{
			id: exporterProbesSkipped, value: float64(n), labels: labels{pair("reason", reason)}, since: since,
		})
	}
	return out
}
