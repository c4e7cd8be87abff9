package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// A setting is a key at the top level of the configuration file that a flag or the environment may give as well. All of
// them are in the table that settings returns: another one needs an entry there, and its fields in rawConfig and Config.
type setting struct {
	// key is the path of its key in the file, and of its field in rawConfig.
	key string
	// flag is the name of its flag, "" for none, and usage is the flag's help text.
	flag, usage string
	// fallback is the default, written as a flag or variable has it.
	fallback string
	// needsRestart says that a change takes effect only at the next start.
	needsRestart bool
	// isPath says that in the file it is a path relative to the file.
	isPath bool
	binding
}

// A binding connects a setting to its field of a Config.
type binding struct {
	// set parses a text and stores its value. Its error says what to write instead, and doesn't repeat the text.
	set func(c *Config, text string) error
	// get returns the value.
	get func(c *Config) any
}

func bind[T any](field func(*Config) *T, parse func(string) (T, error)) binding {
	return binding{
		set: func(c *Config, text string) (err error) {
			*field(c), err = parse(text)
			return err
		},
		get: func(c *Config) any { return *field(c) },
	}
}

// settings returns the table of settings, in the order of docs/configuration.md. All are shown by Show.
func settings() []setting {
	return []setting{
		{
			key: "web.listen_address", flag: "web.listen-address", usage: "`host:port` to serve pages and metrics on", fallback: ":10993", needsRestart: true,
			binding: bind(func(c *Config) *string { return &c.Web.ListenAddress }, parseListenAddress),
		},
		{
			key: "web.config_file", flag: "web.config.file", usage: "`file` that enables TLS or basic auth, in the format of the Prometheus exporter-toolkit",
			needsRestart: true, isPath: true,
			binding: bind(func(c *Config) *string { return &c.Web.ConfigFile }, parseWebConfigPath),
		},
		{
			key: "web.allowed_hosts", flag: "web.allowed-hosts",
			usage:        "comma-separated `hosts` to accept in the Host header besides localhost; checked on loopback, or if any are given",
			needsRestart: true,
			binding:      bind(func(c *Config) *[]string { return &c.Web.AllowedHosts }, parseHosts),
		},
		{
			key: "web.debug_listen_address", flag: "web.debug-listen-address", usage: "`host:port` on localhost to serve the exporter's profiles on",
			needsRestart: true,
			binding:      bind(func(c *Config) *string { return &c.Web.DebugListenAddress }, parseLoopbackAddress),
		},
		{key: "web.prometheus_url", binding: bind(func(c *Config) *string { return &c.Web.PrometheusURL }, parseURL)},
		{key: "web.grafana_url", binding: bind(func(c *Config) *string { return &c.Web.GrafanaURL }, parseURL)},
		{
			key: "log.level", flag: "log.level", usage: "lowest `level` to log: debug, info, warn or error", fallback: "info",
			binding: bind(func(c *Config) *string { return &c.Log.Level }, oneOf("debug", "info", "warn", "error")),
		},
		{
			key: "log.format", flag: "log.format", usage: "`format` of the log: logfmt or json", fallback: "logfmt", needsRestart: true,
			binding: bind(func(c *Config) *string { return &c.Log.Format }, oneOf("logfmt", "json")),
		},
		{
			key: "max_concurrent", fallback: "0", needsRestart: true,
			binding: bind(func(c *Config) *int { return &c.MaxConcurrent }, wholeNumber(0, 10000)),
		},
		{
			key: "max_concurrent_per_server", fallback: "16", needsRestart: true,
			binding: bind(func(c *Config) *int { return &c.MaxConcurrentPerServer }, wholeNumber(1, 10000)),
		},
		{
			key: "histograms", fallback: string(HistogramsBoth), needsRestart: true,
			binding: bind(func(c *Config) *Histograms { return &c.Histograms }, oneOf(HistogramsBoth, HistogramsClassic, HistogramsNative)),
		},
		{key: "demo.enabled", fallback: "false", binding: bind(func(c *Config) *bool { return &c.Demo }, parseBool)},
	}
}

// env returns the name of the setting's environment variable.
func (s setting) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// AddFlags adds the flags of the settings, with their defaults. Load ignores the default of a flag that isn't given:
// environment and file come first.
func AddFlags(flags *pflag.FlagSet) {
	for _, s := range settings() {
		if s.flag != "" {
			flags.String(s.flag, s.fallback, s.usage)
		}
	}
}

// rawField returns the setting's field of a configuration file: a pointer, or a slice.
func (s setting) rawField(raw *rawConfig) reflect.Value {
	field := reflect.ValueOf(raw).Elem()
	for key := range strings.SplitSeq(s.key, ".") {
		field = field.Field(fieldByKey(field.Type(), key))
	}
	return field
}

// inFile returns what the file has, as a flag or variable would have it.
func (s setting) inFile(raw *rawConfig) (text string, given bool) {
	field := s.rawField(raw)
	if field.IsNil() {
		return "", false
	}
	if list, ok := reflect.TypeAssert[[]string](field); ok {
		return strings.Join(list, ","), true
	}
	return fmt.Sprint(field.Elem()), true
}

// show stores the value in force where rawConfig has the setting.
func (s setting) show(c *Config, raw *rawConfig) {
	field, value := s.rawField(raw), reflect.ValueOf(s.get(c))
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(value.Type()))
		field = field.Elem()
	}
	field.Set(value)
}

// origin names the flag or environment variable that gives the setting; "" when neither does.
func (s setting) origin(flags *pflag.FlagSet) string {
	if f := lookupFlag(flags, s.flag); f != nil && f.Changed {
		return "--" + s.flag
	}
	if os.Getenv(s.env()) != "" { // Viper takes an empty variable for an unset one.
		return s.env()
	}
	return ""
}

func lookupFlag(flags *pflag.FlagSet, name string) *pflag.Flag {
	if flags == nil || name == "" {
		return nil
	}
	return flags.Lookup(name)
}

// newViper returns what finds the text of each setting: the flag's, the environment's, the file's or the default, in this
// order. It is given the file's values ready decoded, because Viper reads YAML leniently.
func newViper(raw *rawConfig, flags *pflag.FlagSet) (*viper.Viper, error) {
	// With this delimiter a dotted key is one key.
	v := viper.NewWithOptions(viper.KeyDelimiter("\x1f"))
	file := map[string]any{}
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
		if text, given := s.inFile(raw); given {
			file[s.key] = text
		}
	}
	if err := v.MergeConfigMap(file); err != nil {
		return nil, fmt.Errorf("merging the file's values: %w", err)
	}
	return v, nil
}

// applySettings sets the fields of c for all settings whose key begins with prefix, and reports each error where the value
// was given.
func (l *loader) applySettings(c *Config, raw *rawConfig, root position, prefix string) {
	v, err := newViper(raw, l.flags)
	if err != nil {
		root.errorf("%s", err)
		return
	}
	for _, s := range settings() {
		if !strings.HasPrefix(s.key, prefix) {
			continue
		}
		text, origin := v.GetString(s.key), s.origin(l.flags)
		if s.isPath && text != "" && origin == "" && !filepath.IsAbs(text) {
			text = filepath.Join(l.dir, text)
		}
		switch err := s.set(c, text); {
		case err == nil:
		case origin != "":
			l.diagnostics.add(&diagnostic{source: origin, text: err.Error()})
		default:
			root.key(s.key).errorf("%s", err)
		}
	}
}
