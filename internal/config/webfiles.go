package config

import (
	"fmt"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// CheckWebFile checks that a web configuration is a regular file of limited size, without reading it.
func CheckWebFile(path string) error {
	if err := checkRegular(path, maxFileBytes); err != nil {
		return fmt.Errorf("%s: %w", path, causeOf(err))
	}
	return nil
}

// CheckWebFiles reads a web configuration, and checks that the certificate, key and client authorities that it names are regular
// files of limited size. What they contain is for the exporter-toolkit to judge.
func CheckWebFiles(path string) error {
	data, err := readRegular(path, maxFileBytes)
	if err != nil {
		return fmt.Errorf("%s: %w", path, causeOf(err))
	}
	var raw struct {
		TLS struct {
			CertFile     string `yaml:"cert_file"`
			KeyFile      string `yaml:"key_file"`
			ClientCAFile string `yaml:"client_ca_file"`
		} `yaml:"tls_server_config"`
	}
	if yaml.Unmarshal(data, &raw) != nil {
		return nil // The toolkit fails likewise, before it reads another file.
	}
	for _, f := range []struct{ key, name string }{
		{"cert_file", raw.TLS.CertFile}, {"key_file", raw.TLS.KeyFile}, {"client_ca_file", raw.TLS.ClientCAFile},
	} {
		name := f.name
		if name == "" {
			continue
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		if err := checkRegular(name, maxFileBytes); err != nil {
			return fmt.Errorf("%s: %s: %s: %w", path, f.key, name, causeOf(err))
		}
	}
	return nil
}
