package web

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A page that is kept up to date stays connected, however long nothing happens.
func TestEventsOutliveDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := serve(t, testOptions())
		client, server := net.Pipe()
		defer client.Close()
		p.conns <- server
		if _, err := io.WriteString(client, "GET /events/ HTTP/1.1\r\nHost: exporter\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		answer, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		alive := 0
		for lines := bufio.NewReader(answer.Body); time.Since(begin) < 3*writeTimeout; {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatalf("the stream ended after %v: %v", time.Since(begin), err)
			}
			if strings.HasPrefix(line, ":") {
				alive++
			}
		}
		if alive == 0 {
			t.Error("nothing was said all the time")
		}
	})
}
