package exporter

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"

	toolkit "github.com/prometheus/exporter-toolkit/web"

	"imap-exporter/internal/config"
	"imap-exporter/internal/web"
)

// errNotAccepting is what a notAccepting listener fails with.
var errNotAccepting = errors.New("this listener accepts nothing")

// A notAccepting listener has an address, and accepts no connection.
type notAccepting struct{ address net.Addr }

func (notAccepting) Accept() (net.Conn, error) { return nil, errNotAccepting }
func (notAccepting) Close() error              { return nil }
func (l notAccepting) Addr() net.Addr          { return l.address }

// serveWeb serves until the server is shut down, with the TLS and the authentication of a web configuration; path is "" for
// none. The toolkit reads its file at each request, and certificates at each handshake. Before it does, they are checked: a named
// pipe would make it wait for ever, and /dev/zero would take all memory.
func serveWeb(listener net.Listener, server *web.Server, path string, logger *slog.Logger) error {
	if path != "" {
		if err := config.CheckWebFiles(path); err != nil {
			return err
		}
	}
	// The toolkit sets the server up and serves in one function. This lets it do the former alone.
	flags := &toolkit.FlagConfig{WebConfigFile: &path}
	if err := toolkit.Serve(notAccepting{listener.Addr()}, server.Server, flags, logger); !errors.Is(err, errNotAccepting) {
		return err
	}
	if path == "" {
		return server.Serve(listener)
	}
	authenticated := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := config.CheckWebFile(path); err != nil {
			logger.ErrorContext(r.Context(), "Can't read the web configuration", "err", err)
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		authenticated.ServeHTTP(w, r)
	})
	if server.TLSConfig == nil || server.TLSConfig.GetConfigForClient == nil {
		return server.Serve(listener)
	}
	configure := server.TLSConfig.GetConfigForClient
	server.TLSConfig.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if err := config.CheckWebFiles(path); err != nil {
			logger.Error("Can't read the web configuration", "err", err)
			return nil, err
		}
		return configure(hello)
	}
	return server.ServeTLS(listener)
}
