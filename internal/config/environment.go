package config

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

const (
	// envPrefix is what the names of our environment variables begin with.
	envPrefix = "IMAP_EXPORTER_"
	// fileEnv names the configuration file, like --config.file.
	fileEnv = envPrefix + "CONFIG_FILE"
)

// FilePath returns the path of the configuration file: the flag's, the environment's, or DefaultFile. A relative path is
// relative to the working directory.
func FilePath(flags *pflag.FlagSet) string {
	if f := lookupFlag(flags, "config.file"); f != nil && f.Changed && f.Value.String() != "" {
		return f.Value.String()
	}
	if path := os.Getenv(fileEnv); path != "" {
		return path
	}
	return DefaultFile
}

// othersVariable matches variables with our prefix that others set: Kubernetes and Docker for a service that is
// named imap-exporter, and the tests of this repository.
var othersVariable = regexp.MustCompile(`_(?:SERVICE_(?:HOST|PORT)(?:_.+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$|^` + envPrefix + `TEST_`)

// warnOfUnknownVariables warns of environment variables with our prefix that set nothing.
func (l *loader) warnOfUnknownVariables(accounts []Account) {
	known := []string{fileEnv}
	for _, s := range settings() {
		known = append(known, s.env())
	}
	var unknown []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, envPrefix) && !slices.Contains(known, name) && !othersVariable.MatchString(name) &&
			!slices.ContainsFunc(accounts, func(a Account) bool { return a.raw.PasswordEnv == name }) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		hint := "the known ones are in docs/configuration.md"
		if near := Nearest(name, known); near != "" {
			hint = didYouMean(near)
		}
		d := &diagnostic{source: name, text: fmt.Sprintf("unknown environment variable, which sets nothing: %s", hint)}
		l.diagnostics.warnings = append(l.diagnostics.warnings, d.Error())
	}
}
