package config

import (
	"cmp"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decode sets v from a YAML node and records the line of each key. It reports unknown and repeated keys, wrong types, aliases,
// tags and keys without a value.
//
// It replaces the decoder of the YAML library, which stops at some errors, quotes values in its messages, and drops list items
// of the wrong type, so that those after them change their index. TestDecodeAgreesWithTheLibrary compares the two.
func (p position) decode(n *yaml.Node, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		target := reflect.New(v.Type().Elem())
		p.decode(n, target.Elem())
		if !p.hasErrors() {
			v.Set(target)
		}
		return
	}
	_, isOwn := reflect.TypeAssert[yaml.Unmarshaler](v.Addr())
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		p.errorf("aliases (* and &) are not supported: quote the value if it is text")
	case n.Style&yaml.TaggedStyle != 0 && n.Tag != "!!str":
		p.errorf("tags (!) are not supported: quote the value if it is text")
	case isNull(n) && n.Value == "" && valueIsComment.MatchString(p.file.line(p.line())):
		p.errorf("has no value, because # begins a comment: quote the value")
	case isNull(n):
		p.errorf("has no value: write one, in quotes if it is text, or delete the line")
	case isOwn || v.Kind() != reflect.Struct && v.Kind() != reflect.Slice && v.Kind() != reflect.Map:
		p.decodeScalar(n, v)
	case v.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			at := p.item(i)
			p.file.lines[at.path] = item.Line
			at.decode(item, v.Index(i))
		}
	case v.Kind() == reflect.Slice && fieldByKey(v.Type().Elem(), "name") >= 0:
		p.errorf("must be a list: begin each item with - name:")
	case v.Kind() == reflect.Slice:
		p.errorf("must be a list: begin each item with -, or write it in [ ]")
	case n.Kind != yaml.MappingNode:
		p.errorf("must be a mapping of keys and values")
	default:
		p.decodeMapping(n, v)
	}
}

func (p position) decodeScalar(n *yaml.Node, v reflect.Value) {
	value := v.Addr().Interface()
	if u, ok := value.(yaml.Unmarshaler); ok {
		if err := u.UnmarshalYAML(n); err != nil {
			p.errorf("%s", cmp.Or(p.templateHint(n), err.Error()))
			return
		}
		p.checkText(n, v)
		return
	}
	if n.Kind == yaml.ScalarNode && n.Decode(value) == nil {
		p.checkText(n, v)
		return
	}
	switch hint := p.templateHint(n); {
	case hint != "":
		p.errorf("%s", hint)
	case v.Kind() == reflect.Bool:
		p.errorf("must be true or false")
	case v.Kind() == reflect.String:
		p.errorf("must be text")
	default:
		p.errorf("must be a whole number")
	}
}

// keyLike matches the keys that messages may repeat. Without the space, `password:secret` is a key to YAML.
var keyLike = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

func (p position) decodeMapping(n *yaml.Node, v reflect.Value) {
	if v.Kind() == reflect.Map {
		v.Set(reflect.MakeMap(v.Type()))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || !keyLike.MatchString(key.Value) {
			p.reportInvalidKey(key, v.Type())
			continue
		}
		at := p.key(key.Value)
		p.file.lines[at.path] = key.Line
		if seen[key.Value] {
			at.errorf("is given twice: delete one")
			continue
		}
		seen[key.Value] = true
		if v.Kind() == reflect.Map {
			element := reflect.New(v.Type().Elem()).Elem()
			at.decode(value, element)
			v.SetMapIndex(reflect.ValueOf(key.Value), element)
			continue
		}
		if field := fieldByKey(v.Type(), key.Value); field >= 0 {
			at.decode(value, v.Field(field))
		} else {
			at.errorf("%s", unknownKey(hint(key.Value, v.Type())))
		}
	}
}

// reportInvalidKey repeats no more of a key than the part before a colon, if that is a known key: the rest may be a secret.
func (p position) reportInvalidKey(key *yaml.Node, t reflect.Type) {
	name, _, _ := strings.Cut(key.Value, ":")
	switch {
	case oddCharacter.MatchString(key.Value):
		p.errorAt(key.Line, "a key has a character that looks like a space, or like nothing: delete it, or write spaces")
	case strings.ContainsRune(key.Value, '：'):
		p.errorAt(key.Line, "a colon that isn't the : of YAML: write : and a space")
	case key.Value == "<<":
		p.errorAt(key.Line, "merge keys (<<) are not supported: put what accounts share into a module")
	case fieldByKey(t, name) >= 0:
		p.errorAt(key.Line, "write a space after the colon of "+name)
	default:
		p.errorAt(key.Line, "has an invalid key: write letters, digits and _, then a colon and a space")
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }
