package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// envPrefix is what the names of our environment variables begin with.
const envPrefix = "IMAP_EXPORTER_"

// A setting is a scalar of the top level, which a flag or the environment may give as well.
type setting struct {
	key string
	// flag is the name of its flag, or "".
	flag     string
	fallback any
}

// Keys of settings that are named more than once.
const (
	allowedHosts       = "web.allowed_hosts"
	debugListenAddress = "web.debug_listen_address"
)

// env returns the setting's environment variable.
func (s setting) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

func settings() []setting {
	return []setting{
		{"web.listen_address", "web.listen-address", ":10993"},
		{"web.config_file", "web.config.file", ""},
		{allowedHosts, "web.allowed-hosts", ""},
		{debugListenAddress, "web.debug-listen-address", ""},
		{"web.prometheus_url", "", ""},
		{"web.grafana_url", "", ""},
		{"log.level", "log.level", "info"},
		{"log.format", "log.format", "logfmt"},
		{"max_concurrent", "", 0},
		{"max_concurrent_per_server", "", 16},
		{"demo.enabled", "", false},
	}
}

// A resolver finds the value of each setting: the flag's, the environment's, the file's or the default, in this order.
// Viper is given the file's values ready decoded, because it reads YAML leniently.
type resolver struct {
	viper *viper.Viper
	root  place
	flags *pflag.FlagSet
}

func newResolver(tree *fileTree, root place, flags *pflag.FlagSet) (*resolver, error) {
	// With this delimiter a dotted key is one key.
	v := viper.NewWithOptions(viper.KeyDelimiter("\x1f"))
	for _, s := range settings() {
		v.SetDefault(s.key, s.fallback)
		if err := v.BindEnv(s.key, s.env()); err != nil {
			return nil, fmt.Errorf("binding %s: %w", s.env(), err)
		}
		if f := lookupFlag(flags, s.flag); f != nil {
			if err := v.BindPFlag(s.key, f); err != nil {
				return nil, fmt.Errorf("binding --%s: %w", s.flag, err)
			}
		}
	}
	file := map[string]any{}
	put(file, "web.listen_address", tree.Web.ListenAddress)
	put(file, "web.config_file", tree.Web.ConfigFile)
	put(file, debugListenAddress, tree.Web.DebugListenAddress)
	if hosts := tree.Web.AllowedHosts; hosts != nil {
		file[allowedHosts] = strings.Join(hosts, ",") // As a flag or variable has them.
	}
	put(file, "web.prometheus_url", tree.Web.PrometheusURL)
	put(file, "web.grafana_url", tree.Web.GrafanaURL)
	put(file, "log.level", tree.Log.Level)
	put(file, "log.format", tree.Log.Format)
	put(file, "max_concurrent", tree.MaxConcurrent)
	put(file, "max_concurrent_per_server", tree.MaxConcurrentPerServer)
	put(file, "demo.enabled", tree.Demo.Enabled)
	if err := v.MergeConfigMap(file); err != nil {
		return nil, fmt.Errorf("merging the file's values: %w", err)
	}
	return &resolver{v, root, flags}, nil
}

func put[T any](values map[string]any, key string, value *T) {
	if value != nil {
		values[key] = *value
	}
}

func lookupFlag(flags *pflag.FlagSet, name string) *pflag.Flag {
	if flags == nil || name == "" {
		return nil
	}
	return flags.Lookup(name)
}

// origin names the flag or environment variable that gives a setting; "" when neither does.
func (r *resolver) origin(key string) string {
	all := settings()
	s := all[slices.IndexFunc(all, func(s setting) bool { return s.key == key })]
	if f := lookupFlag(r.flags, s.flag); f != nil && f.Changed {
		return "--" + s.flag
	}
	// Viper takes an empty variable for an unset one.
	if os.Getenv(s.env()) != "" {
		return s.env()
	}
	return ""
}

// refuse reports a setting's value where it was given.
func (r *resolver) refuse(key, text string) {
	if origin := r.origin(key); origin != "" {
		r.root.doc.report.add(&problem{source: origin, text: text})
		return
	}
	r.root.key(key).refuse("%s", text)
}

func (r *resolver) word(key string, allowed ...string) string {
	value := r.viper.GetString(key)
	if !slices.Contains(allowed, value) {
		r.refuse(key, "must be one of "+strings.Join(allowed, ", "))
	}
	return value
}

func (r *resolver) number(key string, least, most int) int {
	n, err := strconv.Atoi(r.viper.GetString(key))
	if err != nil || n < least || n > most {
		r.refuse(key, fmt.Sprintf("must be a whole number from %d to %d", least, most))
	}
	return n
}

func (r *resolver) boolean(key string) bool {
	value, err := strconv.ParseBool(r.viper.GetString(key))
	if err != nil {
		r.refuse(key, "must be true or false")
	}
	return value
}

// hosts returns a list of host names and addresses, in small letters.
func (r *resolver) hosts(key string) []string {
	var hosts []string
	for host := range strings.SplitSeq(r.viper.GetString(key), ",") {
		if host = strings.ToLower(strings.TrimSpace(host)); host == "" {
			continue
		}
		if !isHostName(host) && !isAddress(host) {
			r.refuse(key, "must be host names and addresses, without port")
			return nil
		}
		if ip, err := netip.ParseAddr(host); err == nil {
			host = ip.String() // Of many spellings, one.
		}
		hosts = append(hosts, strings.TrimSuffix(host, "."))
	}
	return hosts
}

// loopback returns a host:port that only this machine can reach, or "".
func (r *resolver) loopback(key string) string {
	address := r.viper.GetString(key)
	if address == "" {
		return ""
	}
	host, _, err := net.SplitHostPort(address)
	ip, ipErr := netip.ParseAddr(host)
	if err != nil || !isListenAddress(address) || host != "localhost" && (ipErr != nil || !ip.IsLoopback()) {
		r.refuse(key, "must be a port of localhost, such as localhost:10994: what it serves is for nobody else")
	}
	return address
}

// url returns the address of a web site, without a slash at the end.
func (r *resolver) url(key string) string {
	value := r.viper.GetString(key)
	if value == "" {
		return ""
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		r.refuse(key, "must be an address such as https://prometheus.example.org, without user, password, ? or #")
	}
	return strings.TrimRight(value, "/")
}

// settings fills in what flags and environment may give.
func (l *loader) settings(c *Config, tree *fileTree, root place, flags *pflag.FlagSet) {
	r, err := newResolver(tree, root, flags)
	if err != nil {
		root.refuse("%s", err)
		return
	}
	c.Web = l.web(r)
	c.Log.Level = r.word("log.level", "debug", "info", "warn", "error")
	c.Log.Format = r.word("log.format", "logfmt", "json")
	c.MaxConcurrent = r.number("max_concurrent", 0, 10000)
	c.MaxConcurrentPerServer = r.number("max_concurrent_per_server", 1, 10000)
	c.Demo = r.boolean("demo.enabled")
}

// web returns how the metrics are served.
func (l *loader) web(r *resolver) Web {
	w := Web{ListenAddress: r.viper.GetString("web.listen_address")}
	if !isListenAddress(w.ListenAddress) {
		r.refuse("web.listen_address", "must be host:port or :port, with a port from 0 to 65535")
	}
	w.ConfigFile = l.webConfigFile(r)
	w.AllowedHosts = r.hosts(allowedHosts)
	w.DebugListenAddress = r.loopback(debugListenAddress)
	w.PrometheusURL, w.GrafanaURL = r.url("web.prometheus_url"), r.url("web.grafana_url")
	return w
}

// webConfigFile makes a path in the file relative to the file's folder; one from elsewhere is relative to the working directory.
func (l *loader) webConfigFile(r *resolver) string {
	const key = "web.config_file"
	path := r.viper.GetString(key)
	if path == "" {
		return ""
	}
	if r.origin(key) == "" && !filepath.IsAbs(path) {
		path = filepath.Join(l.folder, path)
	}
	if _, err := readRegular(path, maxFileBytes); err != nil {
		r.refuse(key, fmt.Sprintf("%s: %s", path, causeOf(err)))
	}
	return path
}

func isListenAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	_, portErr := strconv.ParseUint(port, 10, 16)
	return err == nil && portErr == nil
}
