package config

import (
	"reflect"
	"slices"
	"strings"
)

// otherWords has words of other programs and older habits, by the key that they probably mean.
func otherWords() map[string]string {
	words := map[string]string{}
	for key, others := range map[string]string{ //nolint:gosec // These are names of keys, not credentials.
		"server":               "host hostname address imap imap_host imap_server target url",
		"username":             "user user_name login login_name email mail userid account",
		"password":             "pass passwd pwd secret",
		"password_file":        "passwordfile pass_file secret_file credentials_file",
		"token_file":           "token access_token bearer_token bearer_token_file oauth_token",
		"module":               "profile type",
		"interval":             "period frequency every scrape_interval poll_interval",
		"timeout":              "scrape_timeout",
		"tls":                  "ssl starttls use_tls encryption security protocol",
		"auth":                 "mechanism method auth_method authentication",
		"mailboxes":            "mailbox folder folders boxes",
		"ca_file":              "ca cafile ca_cert",
		"cert_file":            "cert certificate client_cert",
		"key_file":             "key private_key client_key",
		"server_name":          "sni",
		"insecure_skip_verify": "insecure skip_verify verify tls_verify",
		"accounts":             "targets users servers probes",
	} {
		for word := range strings.FieldsSeq(others) {
			words[word] = key
		}
	}
	return words
}

// hint suggests what to write instead of an unknown key of t.
func hint(key string, t reflect.Type) string {
	key = strings.ToLower(strings.ReplaceAll(key, "-", "_"))
	meant, known := otherWords()[key]
	switch {
	case fieldByKey(t, key) >= 0:
		return didYouMean(key)
	case known && fieldByKey(t, meant) >= 0:
		return didYouMean(meant)
	case key == "port" && fieldByKey(t, "server") >= 0:
		return "write it after the server: host:port"
	}
	if near := Nearest(key, keys(t)); near != "" {
		return didYouMean(near)
	}
	for _, key := range []string{key, meant} {
		for _, other := range []struct {
			keysOf reflect.Type
			where  string
		}{
			{reflect.TypeFor[rawModule](), "a module"},
			{reflect.TypeFor[rawAccount](), "an account"},
			{reflect.TypeFor[rawTLS](), "tls_config, in a module"},
			{reflect.TypeFor[rawFetch](), "fetch, in a module"},
			{reflect.TypeFor[rawConfig](), "the top level"},
			{reflect.TypeOf(rawConfig{}.Web), "web, at the top level"},
			{reflect.TypeOf(rawConfig{}.Log), "log, at the top level"},
		} {
			if fieldByKey(other.keysOf, key) < 0 {
				continue
			}
			if key == meant {
				return "write " + meant + ", which belongs to " + other.where
			}
			return "it belongs to " + other.where
		}
	}
	switch key {
	case "tls_server_config", "http_server_config", "basic_auth_users", "rate_limit":
		return "it belongs to the file that web.config_file names"
	case "scrape_configs", "global", "rule_files", "alerting":
		return "it belongs to Prometheus' configuration"
	}
	return "the keys here are " + strings.Join(keys(t), ", ")
}

func unknownKey(hint string) string { return "unknown key: " + hint }

func didYouMean(word string) string { return "did you mean " + word + "?" }

// keys returns the YAML keys of a struct, in its order; none for another type.
func keys(t reflect.Type) []string {
	var names []string
	if t.Kind() == reflect.Struct {
		for f := range t.Fields() {
			names = append(names, f.Tag.Get("yaml"))
		}
	}
	return names
}

// fieldByKey returns the number of the field with a YAML key, or -1.
func fieldByKey(t reflect.Type, key string) int { return slices.Index(keys(t), key) }

// Nearest returns the word with the smallest distance to the given one, or "" where none is similar.
func Nearest(given string, words []string) string {
	best, least := "", len(given)/3+2
	for _, word := range words {
		if d := distance(given, word); d < least {
			best, least = word, d
		}
	}
	return best
}

// distance returns the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j]+1, row[j+1]+1, replace)
		}
	}
	return row[len(b)]
}
