package probe

import "testing"

func TestFullest(t *testing.T) {
	quarter, half, none := &Resource{25, 100}, &Resource{1, 2}, &Resource{7, 0}
	for name, c := range map[string]struct {
		quota   *Quota
		want    *Resource
		inBytes bool
	}{
		"no quota":             {},
		"no roots":             {quota: &Quota{Supported: true}},
		"a limit of 0 is none": {quota: &Quota{Roots: []QuotaRoot{{Storage: none, Messages: none}}}},
		"bytes":                {&Quota{Roots: []QuotaRoot{{Messages: quarter}, {Storage: half}}}, half, true},
		"messages":             {&Quota{Roots: []QuotaRoot{{Storage: quarter, Messages: half}, {Storage: none}}}, half, false},
		"nothing used":         {&Quota{Roots: []QuotaRoot{{Storage: &Resource{0, 1}}}}, &Resource{0, 1}, true},
	} {
		got, inBytes := c.quota.Fullest()
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want || inBytes != c.inBytes {
			t.Errorf("%s: got %v, %t, want %v, %t", name, got, inBytes, c.want, c.inBytes)
		}
	}
}
