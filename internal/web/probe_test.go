package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/collectors"
	"imap-exporter/internal/account"
	"imap-exporter/internal/config"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// probing are options whose ProbeMetrics notes what it is asked for, and answers err or a Result.
func probing(asked *[]ProbeRequest, err error) Options {
	opts := testOptions()
	opts.TimeoutOffset = 500 * time.Millisecond
	opts.ProbeMetrics = func(_ context.Context, r ProbeRequest) (ProbeAnswer, error) {
		*asked = append(*asked, r)
		result := &probe.Result{
			Account: r.Account, Server: "imap.example.org:993", Duration: 3 * time.Millisecond,
			Spans:      []probe.Span{{Phase: probe.PhaseConnect, Duration: time.Millisecond, OK: true}},
			Transcript: []probe.TranscriptLine{{Text: "* OK <b>ready</b>"}},
			Notes:      []string{"STATUS refused"},
		}
		answer := ProbeAnswer{Result: result, Metrics: collectors.Gather(collectors.OnDemand{
			Account: account.Account{Name: r.Account, Server: result.Server}, Result: result,
		})}
		return answer, err
	}
	return opts
}

func TestProbe(t *testing.T) {
	for query, want := range map[string]struct {
		status  int
		request ProbeRequest
		text    string
	}{
		"target=canary":                   {http.StatusOK, ProbeRequest{Account: "canary"}, `probe_success{account="canary",server="imap.example.org:993"} 1`},
		"account=canary&module=default":   {http.StatusOK, ProbeRequest{Account: "canary", Module: "default"}, "probe_duration_seconds"},
		"target=a%20b%26c%3Dd":            {http.StatusOK, ProbeRequest{Account: "a b&c=d"}, "probe_success"},
		"target=canary&debug=true":        {http.StatusOK, ProbeRequest{Account: "canary"}, "  connect "},
		"target=canary&debug=false&x=y":   {http.StatusOK, ProbeRequest{Account: "canary"}, "# TYPE probe_success gauge"},
		"":                                {http.StatusBadRequest, ProbeRequest{}, "write ?target="},
		"target=canary&target=canary":     {http.StatusBadRequest, ProbeRequest{}, "target is there twice"},
		"target=canary&account=canary":    {http.StatusBadRequest, ProbeRequest{}, "write ?target="},
		"target=canary&module=a&module=b": {http.StatusBadRequest, ProbeRequest{}, "module is there twice"},
		"target=canary;account=other":     {http.StatusBadRequest, ProbeRequest{}, "not well-formed"},
		"target=%zz":                      {http.StatusBadRequest, ProbeRequest{}, "not well-formed"},
		"target=canary&debug=what":        {http.StatusBadRequest, ProbeRequest{}, "debug must be true or false"},
	} {
		var asked []ProbeRequest
		w := request(probing(&asked, nil), http.MethodGet, "/probe?"+query, "")
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: status %d, want %d and %q:\n%s", query, w.Code, want.status, want.text, w.Body)
		}
		if want.status != http.StatusOK {
			if len(asked) > 0 {
				t.Errorf("%s: probed %+v", query, asked)
			}
			continue
		}
		want.request.Timeout = probeTimeout
		if diff := cmp.Diff([]ProbeRequest{want.request}, asked); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

// People get the waterfall, the conversation and the metrics, and a browser doesn't take them for anything else.
func TestProbeDebug(t *testing.T) {
	var asked []ProbeRequest
	w := request(probing(&asked, nil), http.MethodGet, "/probe?target=canary&debug=true", "")
	for _, want := range []string{"canary  imap.example.org:993  ok  3.0 ms", "S: * OK <b>ready</b>", "note           STATUS refused", "probe_success{"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %q in\n%s", want, w.Body)
		}
	}
	if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
}

func TestProbeErrors(t *testing.T) {
	for err, want := range map[error]int{
		config.ErrUnknownAccount:                     http.StatusNotFound,
		config.ErrUnknownModule:                      http.StatusBadRequest,
		fmt.Errorf("%w: because", config.ErrRefused): http.StatusForbidden,
		schedule.ErrNoRoom:                           http.StatusServiceUnavailable,
		schedule.ErrCanceled:                         http.StatusServiceUnavailable,
		context.Canceled:                             http.StatusServiceUnavailable,
		errors.New("what nobody has thought of"):     http.StatusInternalServerError,
	} {
		var asked []ProbeRequest
		if w := request(probing(&asked, err), http.MethodGet, "/probe?target=canary", ""); w.Code != want {
			t.Errorf("%v: status %d, want %d", err, w.Code, want)
		}
	}
}

// The probe ends before the scrape does.
func TestProbeTimeout(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"":      probeTimeout,
		"10":    9500 * time.Millisecond,
		"2.5":   2 * time.Second,
		"0.4":   minProbeTimeout,
		"1e9":   probeTimeout - 500*time.Millisecond,
		"NaN":   probeTimeout,
		"-1":    probeTimeout,
		"0":     probeTimeout,
		"three": probeTimeout,
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked []ProbeRequest
			opts := probing(&asked, nil)
			inner, begun := opts.ProbeMetrics, time.Now()
			opts.ProbeMetrics = func(ctx context.Context, r ProbeRequest) (ProbeAnswer, error) {
				if deadline, _ := ctx.Deadline(); deadline.Sub(begun) != want+250*time.Millisecond {
					t.Errorf("%q: it is waited for %v", header, deadline.Sub(begun))
				}
				return inner(ctx, r)
			}
			r := httptest.NewRequest(http.MethodGet, "/probe?target=canary", nil)
			r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", header)
			NewServer(opts).Handler.ServeHTTP(httptest.NewRecorder(), r)
			if len(asked) != 1 || asked[0].Timeout != want {
				t.Errorf("%q: %+v, want %v", header, asked, want)
			}
		})
	}
}

// More than enough requests are refused at once, and there is room again when they are done.
func TestProbeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []ProbeRequest
		opts := probing(&asked, nil)
		enough := make(chan struct{})
		opts.ProbeMetrics = func(context.Context, ProbeRequest) (ProbeAnswer, error) {
			<-enough
			return ProbeAnswer{}, nil
		}
		handler := NewServer(opts).Handler
		get := func() int {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/probe?target=canary", nil))
			return w.Code
		}
		for range probesInFlight {
			go get()
		}
		synctest.Wait()
		if got := get(); got != http.StatusServiceUnavailable {
			t.Errorf("status %d of one too many", got)
		}
		close(enough)
		synctest.Wait()
		if got := get(); got != http.StatusOK {
			t.Errorf("status %d afterwards", got)
		}
	})
}

func TestDiscovery(t *testing.T) {
	for _, test := range []struct {
		groups []TargetGroup
		want   string
	}{
		{nil, "[]\n"},
		{
			[]TargetGroup{{Targets: []string{"ca\"nary"}, Labels: map[string]string{"__meta_imap_account": "ca\"nary"}}},
			`[{"targets":["ca\"nary"],"labels":{"__meta_imap_account":"ca\"nary"}}]` + "\n",
		},
	} {
		opts := testOptions()
		opts.Discover = func() []TargetGroup { return test.groups }
		w := request(opts, http.MethodGet, "/sd", "")
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json; charset=utf-8" || w.Body.String() != test.want {
			t.Errorf("status %d, %q:\n%s", w.Code, w.Header(), w.Body)
		}
	}
}
