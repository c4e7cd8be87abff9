package web

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"
)

// BenchmarkPage measures the cost of pages with ten thousand accounts.
func BenchmarkPage(b *testing.B) {
	w := manyAccounts(10_000)
	handler := NewServer(w.Options).Handler
	for _, path := range []string{"/", "/?sort=latency&page=100", "/?account=9&state=failing", "/accounts/account00007"} {
		b.Run(path, func(b *testing.B) {
			var size int
			begin := cpuTime(b)
			for b.Loop() {
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
				if answer.Code != http.StatusOK {
					b.Fatal(answer.Code)
				}
				size = answer.Body.Len()
			}
			b.ReportMetric((cpuTime(b)-begin).Seconds()*1000/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(size)/1024, "KiB")
		})
	}
}

// BenchmarkLive measures the cost of one second with ten thousand accounts at an interval of a minute, while the maximum
// number of live pages is open: 170 probes begin and end, and each page gets the changes of its accounts.
func BenchmarkLive(b *testing.B) {
	w := manyAccounts(10_000)
	p := newPages(w.Options)
	lists := make([]*liveList, maxWatchers)
	watchers := make([]*watcher, maxWatchers)
	for i := range lists {
		lists[i] = &liveList{pages: p, query: query{Sort: "name", Page: 1 + i%4}}
		watchers[i] = p.updates.register()
	}
	second, bytesSent := 0, 0
	begin := cpuTime(b)
	for b.Loop() {
		for i := range 170 {
			name := fmt.Sprintf("account%05d", (second*170+i)%10_000)
			for range 3 {
				p.updates.Changed(key(name))
			}
		}
		for i, l := range lists {
			if second%60 > 0 { // The look through all accounts is bounded by listTimeDivisor.
				l.next = time.Now().Add(time.Hour)
			}
			answer := httptest.NewRecorder()
			if err := l.poll(&stream{w: answer, ctrl: http.NewResponseController(&patient{ResponseWriter: answer})}, watchers[i]); err != nil {
				b.Fatal(err)
			}
			bytesSent += answer.Body.Len()
		}
		second++
	}
	b.ReportMetric(100*(cpuTime(b)-begin).Seconds()/float64(second), "%core")
	b.ReportMetric(float64(bytesSent)/float64(second)/1024, "KiB/s")
}

func BenchmarkRow(b *testing.B) {
	w := manyAccounts(1)
	p := newPages(w.Options)
	accounts := p.accounts()
	for b.Loop() {
		var html bytes.Buffer
		if err := p.templates.ExecuteTemplate(&html, "row", p.newRow(&accounts[0], time.Now())); err != nil {
			b.Fatal(err)
		}
	}
}

// cpuTime is what the process has taken of all cores: on a busy machine a page's own cost.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
