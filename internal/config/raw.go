package config

// The types of this file are the configuration file as written, before defaults: pointers and slices are nil where a key is
// absent. docs/configuration.md has a row for each key.

type rawConfig struct {
	Web struct {
		ListenAddress      *string  `yaml:"listen_address"`
		ConfigFile         *string  `yaml:"config_file"`
		AllowedHosts       []string `yaml:"allowed_hosts"`
		DebugListenAddress *string  `yaml:"debug_listen_address"`
		PrometheusURL      *string  `yaml:"prometheus_url"`
		GrafanaURL         *string  `yaml:"grafana_url"`
	} `yaml:"web"`
	Log struct {
		Level  *string `yaml:"level"`
		Format *string `yaml:"format"`
	} `yaml:"log"`
	MaxConcurrent          *int        `yaml:"max_concurrent"`
	MaxConcurrentPerServer *int        `yaml:"max_concurrent_per_server"`
	Histograms             *Histograms `yaml:"histograms"`
	Demo                   struct {
		Enabled *bool `yaml:"enabled"`
	} `yaml:"demo"`
	Modules      []rawModule  `yaml:"modules"`
	Accounts     []rawAccount `yaml:"accounts"`
	AccountFiles []string     `yaml:"account_files"`
}

type rawModule struct {
	Name               string    `yaml:"name"`
	Interval           *Duration `yaml:"interval"`
	Timeout            *Duration `yaml:"timeout"`
	RetryInterval      *Duration `yaml:"retry_interval"`
	IPFamily           *string   `yaml:"ip_family"`
	TLS                *string   `yaml:"tls"`
	TLSConfig          *rawTLS   `yaml:"tls_config"`
	Auth               *string   `yaml:"auth"`
	AllowPlaintextAuth *bool     `yaml:"allow_plaintext_auth"`
	Select             *string   `yaml:"select"`
	ReadOnly           *bool     `yaml:"read_only"`
	Fetch              *rawFetch `yaml:"fetch"`
	Mailboxes          []string  `yaml:"mailboxes"`
	Quota              *bool     `yaml:"quota"`
	SendID             *bool     `yaml:"send_id"`
	AllowAnyTarget     *bool     `yaml:"allow_any_target"`
}

type rawTLS struct {
	CAFile             string  `yaml:"ca_file"`
	ServerName         string  `yaml:"server_name"`
	CertFile           string  `yaml:"cert_file"`
	KeyFile            string  `yaml:"key_file"`
	MinVersion         *string `yaml:"min_version"`
	InsecureSkipVerify bool    `yaml:"insecure_skip_verify"`
}

type rawFetch struct {
	Section *string `yaml:"section"`
	Bytes   *int64  `yaml:"bytes"`
}

type rawAccount struct {
	Name         string   `yaml:"name"`
	Server       string   `yaml:"server"`
	Username     string   `yaml:"username"`
	PasswordFile string   `yaml:"password_file"`
	PasswordEnv  string   `yaml:"password_env"`
	Password     *Secret  `yaml:"password"`
	TokenFile    string   `yaml:"token_file"`
	Module       string   `yaml:"module"`
	ProbeModules []string `yaml:"probe_modules"`
	// Interval, Timeout and RetryInterval override the module's.
	Interval      *Duration         `yaml:"interval"`
	Timeout       *Duration         `yaml:"timeout"`
	RetryInterval *Duration         `yaml:"retry_interval"`
	Labels        map[string]string `yaml:"labels"`
}

// rawAccountFile is a file that account_files names.
type rawAccountFile struct {
	Accounts []rawAccount `yaml:"accounts"`
}
