package config

import (
	"errors"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A Duration is a time.Duration that must be written with a unit: 30s, 1m30s. A bare number is an error, even 0.
type Duration time.Duration

// UnmarshalYAML reads a duration. Its error does not repeat the value.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	value, err := time.ParseDuration(n.Value)
	if err != nil || !strings.ContainsAny(n.Value, "smh") {
		return errors.New("must be a duration in h, m, s or ms, such as 30s or 1m30s")
	}
	if value < 0 {
		return errors.New("must not be negative")
	}
	*d = Duration(value)
	return nil
}
