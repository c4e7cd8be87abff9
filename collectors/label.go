package collectors

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/common/model"

	"imap-exporter/probe"
)

// labelValue makes any text fit to be the value of a label: valid and printable UTF-8 of at most probe.MaxNameRunes
// runes. probe promises that already of what servers send; it is made sure here that no byte can spoil /metrics.
func labelValue(text string) string {
	var b strings.Builder
	runes := 0
	for _, r := range text {
		if runes == probe.MaxNameRunes {
			break
		}
		if !unicode.IsPrint(r) {
			r = utf8.RuneError
		}
		b.WriteRune(r)
		runes++
	}
	return b.String()
}

// ownLabelNames returns the names of all accounts' own labels, sorted. All series of imap_account_info have all of them:
// to Prometheus a label with the value "" is the same as none, and consistent names are what the format asks for.
// A name that the configuration should have refused is left out.
func ownLabelNames(accounts map[string]*account) []string {
	names := make(map[string]bool)
	for _, a := range accounts {
		for name := range a.Labels {
			if !refused(name) {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// refused reports whether a label can't be an account's own: its name is not valid, or taken.
func refused(name string) bool {
	switch name {
	case "account", "server", "job", "instance", "le":
		return true
	}
	return !model.LegacyValidation.IsValidLabelName(name) || strings.HasPrefix(name, model.ReservedLabelPrefix)
}
