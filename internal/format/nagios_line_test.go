package format

import (
	"testing"
)

func TestRanges(t *testing.T) {
	for text, alerts := range map[string]map[float64]bool{
		"10":     {-0.1: true, 0: false, 10: false, 10.1: true},
		"10:":    {9.9: true, 10: false, 1e9: false},
		"~:10":   {-1e9: false, 10: false, 10.1: true},
		"10:20":  {9: true, 10: false, 20: false, 21: true},
		"@10:20": {9: false, 10: true, 20: true, 21: false},
		"@10":    {-1: false, 0: true, 10: true, 11: false},
		"-5:5":   {-6: true, -5: false, 6: true},
		".5:1.5": {0.4: true, 0.5: false, 1.6: true},
		"~:":     {-1: false, 1: false},
	} {
		r, err := ParseRange(text)
		if err != nil || r.String() != text {
			t.Errorf("%s: %v, %q", text, err, r.String())
			continue
		}
		for value, want := range alerts {
			if r.Alerts(value) != want {
				t.Errorf("%s alerts at %v: %v, want %v", text, value, !want, want)
			}
		}
	}
	for _, text := range []string{"", ":", "@", "a", "1:2:3", "20:10", "10:a", "~", "1e5", "0x10", "inf", "1 2", "--1", "."} {
		if r, err := ParseRange(text); err == nil {
			t.Errorf("%q is taken for %+v", text, r)
		}
	}
}

func TestLine(t *testing.T) {
	warning, _ := ParseRange("1")
	critical, _ := ParseRange("~:2")
	slow := perfValue{label: "time", value: 1.5, unit: "s", warning: &warning, critical: &critical}
	for _, c := range []struct {
		state  NagiosState
		text   string
		values []perfValue
		want   string
	}{
		{NagiosOK, "fine", nil, "IMAP OK - fine"},
		{slow.state(), "slow", []perfValue{slow, {label: "it's = all", value: -3}}, "IMAP WARNING - slow | time=1.5s;1;~:2;0 'it''s _ all'=-3;;"},
		{NagiosCritical, "a|b\nc", []perfValue{{label: "x", value: 0.0000001}}, "IMAP CRITICAL - a¦b c | x=0.0000001;;;0"},
		{NagiosUnknown, "?", nil, "IMAP UNKNOWN - ?"},
	} {
		if got := nagiosLine(c.state, c.text, c.values); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}

func TestWorst(t *testing.T) {
	order := []NagiosState{NagiosOK, NagiosUnknown, NagiosWarning, NagiosCritical}
	for i, a := range order {
		for j, b := range order {
			if got, want := a.worse(b), order[max(i, j)]; got != want {
				t.Errorf("of %s and %s the worse is %s, want %s", a, b, got, want)
			}
		}
	}
}
