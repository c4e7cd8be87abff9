package config

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// keyRow matches a row of the tables of keys: key, type, default, meaning.
var keyRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]+ \\| ([^|]+) \\| [^|]+ \\|$")

// documentedKeys returns the default of each key, by key, as docs/configuration.md has it.
func documentedKeys(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	defaults := map[string]string{}
	for _, row := range keyRow.FindAllStringSubmatch(string(text), -1) {
		if _, twice := defaults[row[1]]; twice {
			t.Errorf("%s has two rows", row[1])
		}
		defaults[row[1]] = row[2]
	}
	return defaults
}

// leafKeys returns the keys of a type that have no keys below them, with [] for each list of structs.
func leafKeys(t reflect.Type, path string) []string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return leafKeys(t.Elem(), path+"[]")
	case t.Kind() != reflect.Struct || t == reflect.TypeFor[Secret]():
		return []string{path}
	}
	var leaves []string
	for f := range t.Fields() {
		leaves = append(leaves, leafKeys(f.Type, strings.TrimPrefix(path+"."+f.Tag.Get("yaml"), "."))...)
	}
	return leaves
}

func TestEveryKeyIsDocumented(t *testing.T) {
	var documented []string
	for key := range documentedKeys(t) {
		documented = append(documented, key)
	}
	want := leafKeys(reflect.TypeFor[rawConfig](), "")
	slices.Sort(documented)
	slices.Sort(want)
	if diff := cmp.Diff(want, documented); diff != "" {
		t.Errorf("keys (-code +docs/configuration.md):\n%s", diff)
	}
}

func TestFlagsAndVariablesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings() {
		flag := ""
		if s.flag != "" {
			flag = "`--" + s.flag + "` "
		}
		if row := "| `" + s.key + "` | " + flag + "| `" + s.env() + "` |"; !strings.Contains(string(text), row) {
			t.Errorf("no row %s", row)
		}
	}
}

// TestDocumentedDefaults writes every documented default into a file and loads the same configuration as from one without them.
func TestDocumentedDefaults(t *testing.T) {
	account := map[string]any{"name": "canary", "server": "imap.example.org", "username": "u", "password": "p"}
	short := map[string]any{"accounts": []any{account}}
	long := map[string]any{"accounts": []any{account}, "modules": []any{map[string]any{"name": "default"}}}
	var required []string
	for key, text := range documentedKeys(t) {
		if !strings.HasPrefix(text, "`") {
			required = append(required, key)
			continue
		}
		var value any
		if err := yaml.Unmarshal([]byte(strings.Trim(text, "`")), &value); err != nil {
			t.Fatal(err)
		}
		set(long, strings.Split(key, "."), value)
	}
	slices.Sort(required)
	if want := []string{
		"accounts[].interval", "accounts[].name", "accounts[].password", "accounts[].password_env", "accounts[].password_file",
		"accounts[].retry_interval", "accounts[].server", "accounts[].timeout", "accounts[].token_file", "accounts[].username", "modules[].name",
	}; !slices.Equal(required, want) {
		t.Errorf("keys without a default: %v", required)
	}
	if diff := cmp.Diff(loadTree(t, short), loadTree(t, long), cmp.FilterPath(isFunc, cmp.Ignore()), cmp.FilterPath(isUnexported, cmp.Ignore())); diff != "" {
		t.Errorf("configuration (-without keys +with the documented defaults):\n%s", diff)
	}
}

func isFunc(p cmp.Path) bool { return p.Last().Type().Kind() == reflect.Func }

func isUnexported(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && field.Name() != "" && field.Name()[0] >= 'a'
}

// set stores a value under a path of keys, into the first item of lists.
func set(tree map[string]any, path []string, value any) {
	key, isList := strings.CutSuffix(path[0], "[]")
	switch {
	case len(path) == 1:
		tree[key] = value
	case isList:
		set(tree[key].([]any)[0].(map[string]any), path[1:], value)
	default:
		if tree[key] == nil {
			tree[key] = map[string]any{}
		}
		set(tree[key].(map[string]any), path[1:], value)
	}
}

func loadTree(t *testing.T, tree map[string]any) *Config {
	t.Helper()
	data, err := yaml.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	file := t.TempDir() + "/config.yaml"
	if err = os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Options{File: file})
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return c
}

// TestDocumentedExamples decodes every example of the page: each is YAML with known keys only.
func TestDocumentedExamples(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	if len(examples) < 4 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, example := range examples {
		file := t.TempDir() + "/example.yaml"
		if err = os.WriteFile(file, example[1], 0o600); err != nil {
			t.Fatal(err)
		}
		l := newLoader(Options{})
		l.read(file, &rawConfig{})
		if err := l.diagnostics.err(); err != nil {
			t.Error(err)
		}
	}
}
