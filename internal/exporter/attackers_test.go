package exporter

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"
)

// An attacker is what one hostile client does, on one connection after the other. It writes its requests, and reads answers or
// not.
type attacker func(ctx context.Context, conn net.Conn)

// asks writes a request, as often as it says, and never reads. A byte now and then tells whether the connection is still there.
func asks(request string, times int) attacker {
	return func(ctx context.Context, conn net.Conn) {
		_, err := io.WriteString(conn, strings.Repeat(request, times))
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for err == nil {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_, err = io.WriteString(conn, "G")
			}
		}
	}
}

// asksAndReads asks again and again, as fast as it is answered.
func asksAndReads(request func() string, pause time.Duration) attacker {
	return func(ctx context.Context, conn net.Conn) {
		for lines := bufio.NewReader(conn); ctx.Err() == nil; {
			if _, err := io.WriteString(conn, request()); err != nil {
				return
			}
			response, err := http.ReadResponse(lines, nil)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, response.Body); err != nil {
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}
}

// asksAndDrips reads a byte now and then.
func asksAndDrips(request string) attacker {
	return func(ctx context.Context, conn net.Conn) {
		if _, err := io.WriteString(conn, request); err != nil {
			return
		}
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for one := make([]byte, 1); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if _, err := conn.Read(one); err != nil {
					return
				}
			}
		}
	}
}

// httpGet is a request.
func httpGet(path string, headers ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: exporter\r\n" + strings.Join(append(headers, "\r\n"), "\r\n")
}

// attacks are all kinds of them. Those that need a password have the right one: without, they would be the same.
func attacks(authorization string) map[string]attacker {
	guesses := func() string {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth("prometheus", fmt.Sprint("canary-", rand.Int(), "-secret"))
		return httpGet("/metrics", "Authorization: "+r.Header.Get("Authorization"))
	}
	long := "X-Prometheus-Scrape-Timeout-Seconds: 3600"
	return map[string]attacker{
		"silent":              asks("", 1),
		"half a request":      asks("GET /metrics HTTP/1.1\r\nX-", 1),
		"never read metrics":  asks(httpGet("/metrics", authorization, long), 50),
		"never read targets":  asks(httpGet("/sd", authorization), 50),
		"never read a page":   asks(httpGet("/docs/metrics", authorization), 50),
		"never read a style":  asks(httpGet("/style.css", authorization), 300),
		"drip":                asksAndDrips(httpGet("/metrics", authorization, long)),
		"all formats":         asksAndReads(func() string { return httpGet("/metrics", authorization, randomFormat()) }, 0),
		"pages without pause": asksAndReads(func() string { return httpGet("/", authorization) }, 0),
		"probes":              asks(httpGet("/probe?target=canary", authorization, long), 1),
		"passwords":           asksAndReads(guesses, 50*time.Millisecond),
	}
}

// randomFormat asks for any format and encoding of metrics.
func randomFormat() string {
	types := []string{"text/plain;version=0.0.4", "application/openmetrics-text;version=1.0.0", "application/openmetrics-text;version=0.0.1", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"}
	escapings := []string{"", ";escaping=dots", ";escaping=values", ";escaping=allow-utf-8"}
	return "Accept: " + types[rand.IntN(len(types))] + escapings[rand.IntN(len(escapings))] + "\r\nAccept-Encoding: " + []string{"identity", "gzip", "zstd"}[rand.IntN(3)]
}
