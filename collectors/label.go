package collectors

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"

	"imap-exporter/internal/account"
	"imap-exporter/internal/text"
	"imap-exporter/probe"
)

// labels are the labels of a metric, sorted by name. They are never changed, since metrics share them.
type labels []*dto.LabelPair

// with returns labels with more of them.
func (l labels) with(more ...*dto.LabelPair) labels {
	if len(more) == 0 {
		return l
	}
	all := slices.Concat(l, more)
	slices.SortFunc(all, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	return all
}

// compare orders the labels of one metric by their values.
func (l labels) compare(other labels) int {
	for i, p := range l[:min(len(l), len(other))] {
		if c := strings.Compare(p.GetValue(), other[i].GetValue()); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(l), len(other))
}

// A label is a name and a value.
type label struct{ name, value string }

// commonPairs are the labels that most accounts have, so that there is one of each and not ten thousand.
var commonPairs = func() map[label]*dto.LabelPair {
	pairs := map[label]*dto.LabelPair{{"mailbox", "INBOX"}: newPair("mailbox", "INBOX")}
	for _, phase := range probe.IMAP.Phases {
		pairs[label{"phase", string(phase)}] = newPair("phase", string(phase))
	}
	for _, mode := range []probe.TLSMode{probe.TLSImplicit, probe.TLSStartTLS, probe.TLSNone} {
		pairs[label{"mode", string(mode)}] = newPair("mode", string(mode))
	}
	return pairs
}()

// pair returns a label. What isn't printable in its value is replaced, so that no label can spoil /metrics.
func pair[T ~string](name string, value T) *dto.LabelPair {
	if p := commonPairs[label{name, string(value)}]; p != nil {
		return p
	}
	return newPair(name, string(value))
}

// newPair makes a label in one piece of memory.
func newPair(name, value string) *dto.LabelPair {
	p := &struct {
		pair dto.LabelPair
		label
	}{label: label{name, text.LabelValue(value, math.MaxInt)}}
	p.pair.Name, p.pair.Value = &p.name, &p.value
	return &p.pair
}

// ownLabelNames returns the names of all accounts' own labels, sorted. All series of imap_account_info have all of them:
// to Prometheus a label with the value "" is the same as none, and consistent names are what the format asks for.
// A name that the configuration should have refused is left out.
func ownLabelNames(accounts []account.Account) []string {
	names := make(set)
	for _, a := range accounts {
		for name := range a.Labels {
			if model.LegacyValidation.IsValidLabelName(name) && !account.ReservedLabel(name) {
				names.add(name)
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
