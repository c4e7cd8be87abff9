package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"go.yaml.in/yaml/v3"
)

// redacted is printed instead of a Secret.
const redacted = "<redacted>"

// A Secret is a password that prints as <redacted>, so that no output shows it by accident.
type Secret struct {
	// reveal is a function, because not even printers that read unexported fields see the variables of a closure.
	reveal func() string
}

// NewSecret hides a text in a Secret.
func NewSecret(text string) Secret { return Secret{func() string { return text }} }

// Reveal returns the text; "" for the zero Secret. There is no other way to read it.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// String returns <redacted>.
func (Secret) String() string { return redacted }

// GoString returns <redacted>.
func (Secret) GoString() string { return redacted }

// Format writes <redacted> for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns <redacted>.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns <redacted>. It serves JSON and XML as well, keys of maps included.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalYAML returns <redacted>.
func (Secret) MarshalYAML() (any, error) { return redacted, nil }

// UnmarshalYAML reads a string. Values of other YAML types (007, 1e5, true, 2024-01-01) must be quoted, because YAML would
// change them.
func (s *Secret) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		return errors.New("must be text: quote it")
	}
	*s = NewSecret(n.Value)
	return nil
}
