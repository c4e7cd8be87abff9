package exporter

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"imap-exporter/internal/config"
	"imap-exporter/internal/realtest"
)

// stopTimeout is how long the program may take to stop, as docs/security.md promises.
const stopTimeout = 5 * time.Second

// A load that never ends, as on a network file system whose server is gone, delays no stop: neither at the start, nor when a signal
// or a request asked for it.
func TestStuckLoadDelaysNoStop(t *testing.T) {
	for _, trigger := range []string{"the start", "SIGHUP", "HTTP"} {
		t.Run(trigger, func(t *testing.T) {
			port, err := realtest.FreePort()
			if err != nil {
				t.Fatal(err)
			}
			address := "127.0.0.1:" + port
			entered, release := make(chan struct{}), make(chan struct{})
			defer close(release)
			loads := 0
			hangup := make(chan os.Signal, 1)
			opts := Options{Hangup: hangup, Lifecycle: true, Stderr: io.Discard, Load: func() (*config.Config, error) {
				if loads++; loads == 1 && trigger != "the start" {
					return &config.Config{
						Web: config.Web{ListenAddress: address}, Log: config.Log{Level: "info", Format: "logfmt"},
						MaxConcurrentPerServer: 1, Shard: config.Shard{Total: 1},
					}, nil
				}
				close(entered)
				<-release
				return nil, errors.New("too late")
			}}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			ended := make(chan error, 1)
			go func() { ended <- Run(ctx, opts) }()
			switch trigger {
			case "SIGHUP":
				hangup <- syscall.SIGHUP
			case "HTTP":
				go postUntilAnswered(ctx, "http://"+address+"/-/reload")
			}
			select {
			case <-entered:
			case <-time.After(time.Minute):
				t.Fatal("nothing was loaded")
			}
			begun := time.Now()
			stop()
			select {
			case err := <-ended:
				if wantErr := trigger == "the start"; (err != nil) != wantErr {
					t.Errorf("it ended with %v", err)
				}
				if took := time.Since(begun); took > stopTimeout {
					t.Errorf("it took %s to stop", took)
				}
			case <-time.After(time.Minute):
				t.Error("it doesn't stop")
			}
		})
	}
}

// postUntilAnswered posts until somebody listens, and waits for the answer.
func postUntilAnswered(ctx context.Context, url string) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, url, nil)
		if err != nil {
			return
		}
		request.Close = true
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
