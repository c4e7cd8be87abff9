package config_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"imap-exporter/internal/config"
	"imap-exporter/internal/realtest/leak"
)

const canary = "canary-config-secret"

func TestSecretPrintsNowhere(t *testing.T) {
	type holder struct {
		Password config.Secret
		Pointer  *config.Secret
		ByName   map[string]config.Secret
		hidden   config.Secret
	}
	secret := config.NewSecret(canary)
	if secret.Reveal() != canary || (config.Secret{}).Reveal() != "" {
		t.Fatal("Reveal does not return the text")
	}
	h := holder{secret, &secret, map[string]config.Secret{"a": secret}, secret}
	outputs := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%c", "%U", "%e", "%p", "%T", "%08.3f"} {
		outputs[verb] = fmt.Sprintf(verb+" "+verb+" "+verb+" "+verb, secret, &secret, h, []config.Secret{secret})
	}
	outputs["print"] = fmt.Sprint(secret, &secret, h, &h) + secret.String() + secret.GoString()
	outputs["error"] = fmt.Errorf("login with %v: %w", secret, io.EOF).Error()
	outputs["slog text"] = logged(func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) }, secret, h)
	outputs["slog json"] = logged(func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) }, secret, h)
	for name, marshal := range map[string]func(any) ([]byte, error){"json": json.Marshal, "yaml": yaml.Marshal} {
		for _, v := range []any{secret, &secret, map[string]config.Secret{"a": secret}, struct{ Password config.Secret }{secret}} {
			data, err := marshal(v)
			if err != nil {
				t.Error(err)
			}
			if !strings.Contains(string(data), "redacted") {
				t.Errorf("%s: %s", name, data)
			}
			outputs[name] += string(data)
		}
	}
	data, err := xml.Marshal(secret)
	if err != nil {
		t.Error(err)
	}
	outputs["xml"] = string(data)
	var encoded bytes.Buffer
	if err := gob.NewEncoder(&encoded).Encode(struct {
		Name     string
		Password config.Secret
	}{"a", secret}); err == nil {
		t.Error("gob takes a Secret, which its other end could not redact")
	}
	outputs["gob"] = encoded.String()
	for name, output := range outputs {
		for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), strings.Trim(fmt.Sprintf("%d", []byte(canary)), "[]")} {
			if strings.Contains(output, form) {
				t.Errorf("%s shows it: %s", name, output)
			}
		}
		if found, line := leak.Find([]byte(output)); line > 0 {
			t.Errorf("%s shows it, %s", name, found)
		}
	}
	if got := secret.LogValue().String(); got != "<redacted>" {
		t.Errorf("LogValue is %s", got)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, secret); got != "<redacted>" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func logged(handler func(io.Writer) slog.Handler, values ...any) string {
	var out bytes.Buffer
	logger := slog.New(handler(&out))
	for _, v := range values {
		logger.Info("login", "password", v, slog.Group("account", "secret", v))
	}
	return out.String()
}

// TestErrorsRepeatNoValue replaces every value of a good file by a sentinel secret, in each form that is an error there.
func TestErrorsRepeatNoValue(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	data := strings.Join(readLines(t, "every-key.good.yaml"), "\n")
	data = strings.Replace(data, "password_file: secrets/password", "password: secret", 1)
	lines := strings.Split(data, "\n")
	refused := 0
	for i, line := range lines {
		before, value := splitValue(line)
		if value == "" {
			continue
		}
		for _, wrong := range []string{
			canary, "[" + canary + "]", "{" + canary + ": " + canary + "}", "*" + canary, "&" + canary + " x", "!" + canary, "!!int " + canary,
			"!!binary " + canary, `"` + canary + `\n"`, `"` + canary, "'" + canary, "[" + canary, "@" + canary, "%" + canary, canary + ": x",
			"- " + canary, "|\n" + canary, `"` + canary + `\q"`, "{" + canary, canary + " #", "? " + canary, "[*" + canary + "]", "{<<: " + canary + "}",
		} {
			if before == "  - name: " && strings.HasPrefix(wrong, canary) {
				continue // Names of modules are listed where one is not found.
			}
			replace(t, "changed.yaml", strings.Join(slices.Concat(lines[:i], []string{before + wrong}, lines[i+1:]), "\n"))
			_, err := load(t, "changed.yaml")
			if err != nil {
				refused++
			}
			if err != nil && strings.Contains(withoutPaths(err.Error()), canary) {
				t.Errorf("%s%s\n%v", before, wrong, err)
			}
		}
	}
	if refused < 500 {
		t.Errorf("only %d refused", refused)
	}
}

// splitValue cuts a line into what stands before its value, and the value.
func splitValue(line string) (before, value string) {
	if i := strings.Index(line, ": "); i >= 0 && !strings.HasPrefix(line, "#") {
		return line[:i+2], line[i+2:]
	}
	if i := strings.Index(line, "- "); i >= 0 && !strings.HasPrefix(line, "#") {
		return line[:i+2], line[i+2:]
	}
	return "", ""
}

// withoutPaths drops the lines about files that are not there, which name them.
func withoutPaths(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(strings.TrimSpace(line), "no such file or directory") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}
