package dashboards

import "imap-exporter/probe"

// Units, by Grafana's names.
const (
	seconds   = "s"
	octets    = "bytes"
	percent   = "percent"     // of 100
	share     = "percentunit" // of 1
	count     = "short"
	times     = "suffix:×"
	days      = "suffix:d"
	perSecond = "suffix:/s"
	perMinute = "suffix:/min"
	ago       = "dateTimeFromNow" // of Unix time in milliseconds
	text      = "string"
)

// Colours with a meaning.
const (
	good     = "semi-dark-green"
	warning  = "dark-orange"
	bad      = "dark-red"
	paused   = "dark-purple"
	unprobed = "dark-blue"
	neutral  = "text"
	unknown  = "#5D616B" // grey, readable as text and as background
)

// A step is a colour and the value that it begins at.
type step struct {
	colour string
	from   float64
}

// thresholds returns steps in Grafana's JSON. The first one has no lower bound; it is also the colour of a missing value.
func thresholds(steps []step) object {
	var list []object
	for i, s := range steps {
		value := any(s.from)
		if i == 0 {
			value = nil
		}
		list = append(list, object{"color": s.colour, "value": value})
	}
	return object{"mode": "absolute", "steps": list}
}

// The thresholds of colours. They agree with those of the alerts in rules/imap-thresholds.yaml.
var (
	redIfAny     = []step{{unknown, 0}, {good, 0}, {bad, 1}}
	orangeIfAny  = []step{{unknown, 0}, {good, 0}, {warning, 1}}
	purpleIfAny  = []step{{unknown, 0}, {good, 0}, {paused, 1}}
	blueIfAny    = []step{{unknown, 0}, {good, 0}, {unprobed, 1}}
	certificate  = []step{{unknown, 0}, {bad, -36500}, {warning, 3}, {good, 21}}
	fullness     = []step{{unknown, 0}, {good, 0}, {warning, 80}, {bad, 90}}
	slowness     = []step{{unknown, 0}, {good, 0}, {warning, 1.5}, {bad, 3}}
	availability = []step{{unknown, 0}, {bad, 0}, {warning, 0.99}, {good, 0.995}}
	loginTime    = []step{{neutral, 0}, {warning, 0.5}, {bad, 2}}
	probeTime    = []step{{neutral, 0}, {warning, 1}, {bad, 5}}
	yellowIfAny  = []step{{unknown, 0}, {good, 0}, {"dark-yellow", 1}}
	greenIfAny   = []step{{unknown, 0}, {good, 1}}
	nothing      = []step{{neutral, 0}}
)

// A word is shown instead of a number.
type word struct {
	value  string
	text   string
	colour string
}

func mappings(words []word) []object {
	options := object{}
	for i, w := range words {
		options[w.value] = object{"text": w.text, "color": w.colour, "index": i}
	}
	return []object{{"type": "value", "options": options}}
}

// phaseColour is the same on every dashboard. Blue is the network, green is TLS, yellow is the server before the login,
// orange is the login, violet and pink are the mailbox, red is lost time.
func phaseColour(phase probe.Phase) string {
	switch phase {
	case probe.PhaseResolve:
		return "#8AB8FF"
	case probe.PhaseConnectFailed:
		return "#C4162A"
	case probe.PhaseConnect:
		return "#3274D9"
	case probe.PhaseTLS:
		return "#37872D"
	case probe.PhaseStartTLS:
		return "#96D98D"
	case probe.PhaseGreeting:
		return "#FADE2A"
	case probe.PhaseCapability:
		return "#CCA300"
	case probe.PhaseAuth:
		return "#FF780A"
	case probe.PhaseID:
		return "#FFCB7D"
	case probe.PhaseSelect:
		return "#8F3BB8"
	case probe.PhaseFetch:
		return "#CA95E5"
	case probe.PhaseList:
		return "#705DA0"
	case probe.PhaseStatus:
		return "#E377C2"
	case probe.PhaseQuota:
		return "#F2A9C4"
	case probe.PhaseUnselect:
		return "#A0A4AA"
	case probe.PhaseLogout:
		return "#6E7278"
	default:
		return "#D8D9DA"
	}
}

// byPhase gives the series of each phase its colour.
func (p panel) byPhase() panel {
	for _, phase := range probe.IMAP.Phases {
		p = p.field(string(phase), fieldColour(phaseColour(phase)))
	}
	return p
}
