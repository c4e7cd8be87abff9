package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"imap-exporter/internal/realtest/program"
)

// The scripts drive the program as its users do. Beside testscript's own commands they have:
//
//	start [arguments]                     run the exporter on a free port, and wait until it listens
//	get [-user name:password] path text   get a page until it has the text
//	absent path text                      get a page until it no longer has the text
//	refuse path status                    get a page, and expect this status
//	post path status text                 post to a page, and expect this status and text
//	hold                                  begin a request, and never end it
//	logged text                           wait until the exporter has logged the text
//	signal TERM|INT|HUP                   send a signal to the exporter
//	exits status program [arguments]      run a program, and expect this exit status
//	nagios state                          expect on stdout what Nagios takes for this state
//	stopped status                        expect it to exit within 5 s with this status; then stderr is its log
//
// Each has a mute.yaml with an account whose server, $MUTE, accepts connections and never says a word.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start":   start,
			"get":     get,
			"absent":  absent,
			"refuse":  refuse,
			"post":    post,
			"hold":    hold,
			"logged":  logged,
			"signal":  sendSignal,
			"stopped": stopped,
			"exits":   exits,
			"nagios":  nagiosLine,
		},
	})
}

// setUp gives a script its mute server, and the program as it is shipped.
func setUp(env *testscript.Env) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env.Defer(func() { listener.Close() })
	env.Setenv("MUTE", listener.Addr().String())
	binary, err := program.Build()
	if err != nil {
		return err
	}
	env.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+env.Getenv("PATH"))
	env.Values[exporterKey{}] = new(*program.Process)
	const config = `
modules:
  - {name: mute, interval: 10s, timeout: 10s, tls: none, allow_plaintext_auth: true}
accounts:
  - {name: mute, server: "%s", username: canary, password: canary-mute-secret, module: mute}
`
	return os.WriteFile(filepath.Join(env.WorkDir, "mute.yaml"), fmt.Appendf(nil, config, listener.Addr()), 0o600)
}
