package config

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"imap-exporter/internal/text"
	"imap-exporter/probe"
)

// hidden replaces secret and personal values in the output of Show.
const hidden = "<hidden>"

// shownKeys returns the keys whose values Show writes. All others are hidden, so that a new key of modules or accounts is
// hidden until somebody has thought about it: passwords of course, and login names, which no metric has either.
func shownKeys() []string {
	keys := []string{
		"modules", "accounts",
		"name", "interval", "timeout", "retry_interval", "ip_family", "tls", "tls_config", "ca_file", "server_name", "cert_file",
		"key_file", "min_version", "insecure_skip_verify", "auth", "allow_plaintext_auth", "select", "read_only", "fetch", "section",
		"bytes", "allow_any_target", "mailboxes", "quota", "send_id", "server", "password_file", "password_env", "token_file", "module", "probe_modules", "labels",
	}
	for _, s := range settings() {
		keys = append(keys, strings.Split(s.key, ".")...)
	}
	return keys
}

// Show writes the configuration in force as YAML: what is configured, and the defaults of what isn't. Secrets and login
// names are hidden. Of the accounts it writes at most limit, unless that is 0, and returns how many it left out.
func (c *Config) Show(w io.Writer, limit int) (left int, err error) {
	raw := rawConfig{Modules: c.shown}
	for _, s := range settings() {
		s.show(c, &raw)
	}
	for i := range c.Accounts {
		if limit > 0 && i == limit {
			left = len(c.Accounts) - limit
			break
		}
		raw.Accounts = append(raw.Accounts, c.Accounts[i].raw)
	}
	var root yaml.Node
	if err := root.Encode(raw); err != nil {
		return 0, fmt.Errorf("writing the configuration: %w", err)
	}
	hide(&root, shownKeys())
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(&root); err != nil {
		return 0, fmt.Errorf("writing the configuration: %w", err)
	}
	return left, encoder.Close()
}

// hide removes keys without a value, and hides the values of keys that aren't in shown. The names below labels are the user's
// own, and shown.
func hide(n *yaml.Node, shown []string) {
	if n.Kind != yaml.MappingNode {
		for _, child := range n.Content {
			hide(child, shown)
		}
		return
	}
	var kept []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		empty := value.Kind == yaml.ScalarNode && (value.Value == "" || value.ShortTag() == "!!null") ||
			value.Kind != yaml.ScalarNode && len(value.Content) == 0
		switch {
		case empty:
			continue
		case !slices.Contains(shown, key.Value):
			value = &yaml.Node{Kind: yaml.ScalarNode, Value: hidden}
		case key.Value != "labels":
			hide(value, shown)
		}
		kept = append(kept, key, value)
	}
	n.Content = kept
}

// shown returns a module as Show writes it: with the defaults.
func (m *module) shown(raw rawModule, t *probe.Target) rawModule {
	interval, timeout, retry := Duration(m.times.interval), Duration(t.Timeout), Duration(cmp.Or(m.times.retryInterval, m.times.interval))
	raw.Name, raw.Interval, raw.Timeout, raw.RetryInterval = m.name, &interval, &timeout, &retry
	raw.IPFamily, raw.TLS, raw.Auth = new(string(t.IPFamily)), new(string(t.TLSMode)), new(string(t.Auth))
	raw.AllowPlaintextAuth, raw.ReadOnly, raw.SendID = &t.AllowPlaintextAuth, &t.ReadOnly, &t.SendID
	raw.AllowAnyTarget = &m.anyTarget
	if t.Auth != probe.AuthNone {
		raw.Select, raw.Quota, raw.Mailboxes = &t.Select, &t.Quota, t.Mailboxes
		raw.Fetch = &rawFetch{Section: new(string(t.Fetch)), Bytes: &t.FetchBytes}
	}
	return raw
}

// MarshalYAML writes a duration as it is configured.
func (d Duration) MarshalYAML() (any, error) { return text.Duration(time.Duration(d)), nil }
