package config

import (
	"cmp"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"imap-exporter/internal/account"
)

// DefaultFile is the configuration file when none is named.
const DefaultFile = "config.yaml"

// Options say where the configuration comes from.
type Options struct {
	// File is the path of the configuration file; "" means that of FilePath.
	File string
	// Flags may hold the flags of AddFlags. Those that the user gave win over the environment and the file; the others are
	// ignored, their defaults too. It may also hold config.file, shard, a number or auto, and total-shards. It
	// may be nil.
	Flags *pflag.FlagSet
	// Demo has the embedded servers; nil means that there are none.
	Demo Demo
}

// Demo starts the embedded mail servers.
type Demo interface {
	// Names returns the reserved names: demo, demo-slow and so on.
	Names() []string
	// Lookup returns the host:port to dial and the authority to trust for one of Names. It may start the server.
	Lookup(name string) (address string, roots *x509.CertPool, err error)
}

// A Config is a validated configuration. It is never changed once Load has returned it.
type Config struct {
	Web Web
	Log Log
	// MaxConcurrent is how many probes may run at a time; 0 leaves the choice to the scheduler.
	MaxConcurrent int
	// MaxConcurrentPerServer is how many probes of one server may run at a time, at least 1.
	MaxConcurrentPerServer int
	// Histograms are the kinds of histogram to export.
	Histograms Histograms
	// Demo says that accounts may use the embedded servers.
	Demo bool
	// Shard is the part of all accounts that Accounts are.
	Shard Shard
	// Accounts are in the order of the file, those of account_files last. With a single shard there is at least one.
	Accounts []Account
	// AllAccounts is how many accounts all shards have together.
	AllAccounts int
	// Sources are the files that were read.
	Sources *Sources
	// Warnings are about what is allowed and probably not meant. Each is one line, like the errors of Load.
	Warnings []string

	modules map[string]*module
	byName  map[string]int // indices of Accounts
	// shown are the modules that accounts use, for Show.
	shown []rawModule
}

// Web is how the metrics are served.
type Web struct {
	// ListenAddress is a host:port; an empty host means every address.
	ListenAddress string
	// ConfigFile is a web configuration of the Prometheus exporter-toolkit (TLS, basic auth); "" means none.
	ConfigFile string
	// AllowedHosts are Host header values to accept besides those of loopback, without port. Without any, every value is accepted
	// unless ListenAddress is on loopback.
	AllowedHosts []string
	// DebugListenAddress is where profiles of the program are served, on loopback; "" means nowhere.
	DebugListenAddress string
	// PrometheusURL and GrafanaURL are where people look at the metrics, for links: without a slash at the end, or "".
	PrometheusURL, GrafanaURL string
}

// Log is what is logged, and how.
type Log struct {
	// Level is debug, info, warn or error.
	Level string
	// Format is logfmt or json.
	Format string
}

// Histograms are the kinds of histogram to export.
type Histograms string

// The kinds: classic buckets with a line each in /metrics, native ones, which only Prometheus' protobuf format transports, or
// both.
const (
	HistogramsBoth    Histograms = "both"
	HistogramsClassic Histograms = "classic"
	HistogramsNative  Histograms = "native"
)

// An Account is a configured account.
type Account struct {
	account.Account

	server server
	// probeModules are the names of other modules that callers of /probe may use.
	probeModules []string
	// secret identifies the secret: the path of its file, or the fingerprint of one that is read only once.
	secret string
	// raw is the account as written, without the password, for Show.
	raw rawAccount
}

// Load reads and validates the configuration. Its error joins all errors found, one line each:
// "file:line: key: what is wrong, what to write", or "--flag: …" or "VARIABLE: …" where a flag or environment variable is
// wrong. No secret is ever part of it.
func Load(o Options) (*Config, error) {
	l := newLoader(o)
	l.readShard()
	var raw rawConfig
	root := l.read(l.main, &raw)
	if !root.file.usable {
		return nil, l.diagnostics.err()
	}
	c := &Config{}
	l.applySettings(c, &raw, root, "")
	l.demoEnabled = c.Demo
	l.loadModules(raw.Modules, root.key("modules"))
	all := l.loadAccounts(&raw, root)
	if err := l.diagnostics.err(); err != nil {
		return nil, err
	}
	l.permissions.warn()
	l.warnOfUnknownVariables(all)
	warnOfMissingAuthorities(all, root)
	c.Shard, c.Sources, c.Warnings, c.AllAccounts = l.shard, l.sources, l.diagnostics.warnings, len(all)
	c.shown = l.usedModules(all)
	c.Accounts = slices.DeleteFunc(all, func(a Account) bool { return !l.shard.Has(a.Name) })
	c.modules, c.byName = l.modules, make(map[string]int, len(c.Accounts))
	for i := range c.Accounts {
		c.byName[c.Accounts[i].Name] = i
	}
	return c, nil
}

// A loader holds the state of one Load.
type loader struct {
	// flags are Options.Flags.
	flags *pflag.FlagSet
	// main is the path of the configuration file, and dir its directory: relative paths start there.
	main, dir string
	// credentials is systemd's directory of credentials, or "".
	credentials string
	demo        Demo
	demoEnabled bool
	shard       Shard
	sources     *Sources
	permissions *permissionCheck
	diagnostics *diagnostics
	modules     map[string]*module
	// modulesBroken says that a module's name could not be read, so that an unknown name may be that one.
	modulesBroken bool
	// files are the files read so far, so that none is read twice.
	files []string
	// accountNames has the position of each account's name, in all files.
	accountNames map[string]position
}

func newLoader(o Options) *loader {
	file := cmp.Or(o.File, FilePath(o.Flags))
	credentials := os.Getenv("CREDENTIALS_DIRECTORY")
	return &loader{
		flags:        o.Flags,
		main:         file,
		dir:          filepath.Dir(file),
		files:        []string{filepath.Clean(file)},
		credentials:  credentials,
		demo:         o.Demo,
		shard:        Shard{Total: 1},
		sources:      newSources(),
		permissions:  newPermissionCheck(credentials),
		diagnostics:  &diagnostics{},
		modules:      map[string]*module{},
		accountNames: map[string]position{},
	}
}

// choose returns the given word, or fallback where none is given. A word that isn't allowed is an error.
func choose[T ~string](p position, given *string, fallback T, allowed ...T) T {
	word := T(valueOr(given, string(fallback)))
	if !slices.Contains(allowed, word) {
		p.errorf("must be one of %s", join(allowed))
	}
	return word
}

// valueOr returns what is given, or else the fallback.
func valueOr[T any](given *T, fallback T) T {
	if given == nil {
		return fallback
	}
	return *given
}

func join[T ~string](words []T) string {
	plain := make([]string, len(words))
	for i, w := range words {
		plain[i] = string(w)
	}
	return strings.Join(plain, ", ")
}

// fileError returns what is wrong with a file of that name in the configuration.
func fileError(name string, err error) string {
	text := causeOf(err).Error()
	if strings.HasPrefix(name, "~") {
		text += ": ~ doesn't stand for a home directory here"
	}
	return text
}

// causeOf takes the path out of an error of package os, because our messages name it themselves.
func causeOf(err error) error {
	if pathErr, ok := errors.AsType[*os.PathError](err); ok {
		return pathErr.Err
	}
	return err
}
