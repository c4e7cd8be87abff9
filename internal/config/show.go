package config

import (
	"fmt"
	"io"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"imap-exporter/probe"
)

// hidden stands in place of what Show doesn't tell.
const hidden = "<hidden>"

// shownKeys are the keys whose values Show tells. All others are hidden, so that a new one is, until somebody has thought
// about it: passwords of course, and login names, which no metric has either.
func shownKeys() []string {
	return []string{
		"web", "listen_address", "config_file", "allowed_hosts", "debug_listen_address", "prometheus_url", "grafana_url", "log", "level", "format",
		"max_concurrent", "max_concurrent_per_server", "histograms", "demo", "enabled", "modules", "accounts",
		"name", "interval", "timeout", "retry_interval", "ip_family", "tls", "tls_config", "ca_file", "server_name", "cert_file",
		"key_file", "min_version", "insecure_skip_verify", "auth", "allow_plaintext_auth", "select", "read_only", "fetch", "section",
		"bytes", "allow_any_target", "mailboxes", "quota", "send_id", "server", "password_file", "password_env", "token_file", "module", "labels",
	}
}

// Show writes the configuration in force as YAML: what is configured, and the defaults of what isn't. Secrets and login
// names are hidden. Of the accounts it writes at most limit, unless that is 0, and returns how many it left out.
func (c *Config) Show(w io.Writer, limit int) (left int, err error) {
	tree := fileTree{
		MaxConcurrent: &c.MaxConcurrent, MaxConcurrentPerServer: &c.MaxConcurrentPerServer, Histograms: new(string(c.Histograms)),
		Modules: c.shown,
	}
	tree.Web.ListenAddress, tree.Web.ConfigFile = &c.Web.ListenAddress, &c.Web.ConfigFile
	tree.Web.AllowedHosts, tree.Web.DebugListenAddress = c.Web.AllowedHosts, &c.Web.DebugListenAddress
	tree.Web.PrometheusURL, tree.Web.GrafanaURL = &c.Web.PrometheusURL, &c.Web.GrafanaURL
	tree.Log.Level, tree.Log.Format = &c.Log.Level, &c.Log.Format
	tree.Demo.Enabled = &c.Demo
	for i := range c.Accounts {
		if limit > 0 && i == limit {
			left = len(c.Accounts) - limit
			break
		}
		tree.Accounts = append(tree.Accounts, c.Accounts[i].tree)
	}
	var root yaml.Node
	if err := root.Encode(tree); err != nil {
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

// hide drops what is empty, and hides the values of the keys that aren't to be shown, but for labels, which everybody sees.
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

// shown returns a module with its defaults filled in.
func (m *module) shown(tree moduleTree, t *probe.Target) moduleTree {
	interval, timeout, retry := Duration(m.interval), Duration(t.Timeout), Duration(m.retryInterval)
	tree.Name, tree.Interval, tree.Timeout, tree.RetryInterval = m.name, &interval, &timeout, &retry
	tree.IPFamily, tree.TLS, tree.Auth = new(string(t.IPFamily)), new(string(t.TLSMode)), new(string(t.Auth))
	tree.AllowPlaintextAuth, tree.ReadOnly, tree.SendID = &t.AllowPlaintextAuth, &t.ReadOnly, &t.SendID
	tree.AllowAnyTarget = &m.anyTarget
	if t.Auth != probe.AuthNone {
		tree.Select, tree.Quota, tree.Mailboxes = &t.Select, &t.Quota, t.Mailboxes
		tree.Fetch = &fetchTree{Section: new(string(t.Fetch)), Bytes: &t.FetchBytes}
	}
	return tree
}

// MarshalYAML writes a duration as it is configured.
func (d Duration) MarshalYAML() (any, error) { return short(time.Duration(d)), nil }
