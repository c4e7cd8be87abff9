package config

import (
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// This file has what is valid YAML and a valid text, and yet probably not what was meant.

var (
	singleQuoted = regexp.MustCompile(`^'(?:[^']|'')*'`)
	doubleQuoted = regexp.MustCompile(`^"(?:[^"\\]|\\.)*"`)
	// comment matches a comment after a value.
	comment = regexp.MustCompile(`^\s+#`)
	// unspacedComment matches one that may have been meant as part of the value: people write a space after a # otherwise.
	unspacedComment = regexp.MustCompile(`^\s+#[^\s#!]`)
	// valueIsComment matches a line whose value begins with a #.
	valueIsComment = regexp.MustCompile(`:\s+#`)
	// variable matches what other programs replace: ${NAME}, $(NAME), $NAME, {{ .Name }}, %NAME%.
	variable = regexp.MustCompile(`\$\{.*\}|\$\(.*\)|^\$[A-Z_][A-Z0-9_]+$|\{\{.*\}\}|^%[A-Za-z_][A-Za-z0-9_]*%$`)
	// encrypted matches what sops writes.
	encrypted = regexp.MustCompile(`^ENC\[`)
	// typographic matches quotes that YAML takes for text.
	typographic = regexp.MustCompile(`^[“”„‘’‚«»].*[“”‘’«»]$`)
	// oddCharacter matches a character that can't be seen.
	oddCharacter = regexp.MustCompile(oddSpace)
	// placeholder matches what Show and our logs write in place of values.
	placeholder = regexp.MustCompile(`^<(?:hidden|redacted)>$`)
)

// lineBreak matches what YAML takes for the end of a line.
var lineBreak = regexp.MustCompile(`\r\n|[\n\r\x{85}\x{2028}\x{2029}]`)

// line returns a line of the file, counted from 1; "" where there is none.
func (f *parsedFile) line(number int) string {
	if number < 1 || number > len(f.source) {
		return ""
	}
	return f.source[number-1]
}

// afterValue returns what follows a scalar on its line. oneLine is false where the scalar ends on a later line.
func (f *parsedFile) afterValue(n *yaml.Node) (rest string, oneLine bool) {
	line := []rune(f.line(n.Line))
	if n.Column < 1 || n.Column > len(line)+1 {
		return "", true
	}
	written := string(line[n.Column-1:])
	switch {
	case n.Style&yaml.SingleQuotedStyle != 0:
		quoted := singleQuoted.FindString(written)
		return written[len(quoted):], quoted != ""
	case n.Style&yaml.DoubleQuotedStyle != 0:
		quoted := doubleQuoted.FindString(written)
		return written[len(quoted):], quoted != ""
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return "", true
	default:
		return strings.CutPrefix(written, n.Value)
	}
}

// checkText reports texts that YAML cut, and warns of those that nobody replaced by what they stand for. It repeats none.
func (p position) checkText(n *yaml.Node, v reflect.Value) {
	_, isSecret := reflect.TypeAssert[Secret](v)
	if n.Kind != yaml.ScalarNode || !isSecret && v.Kind() != reflect.String {
		return
	}
	rest, oneLine := p.file.afterValue(n)
	isPlain := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0
	switch {
	case isSecret && !oneLine:
		p.errorf("goes on in the next line: write it in one line, and quote it")
		return
	case isSecret && isPlain && comment.MatchString(rest):
		p.errorf("ends before #, because # after a space begins a comment: quote it")
		return
	case isPlain && unspacedComment.MatchString(rest):
		p.warnf("ends before #, because # after a space begins a comment: quote the value, or write a space after #")
	}
	switch {
	case typographic.MatchString(n.Value):
		p.warnf("has typographic quotes, which YAML takes for a part of the text: write \" or '")
	case oddCharacter.MatchString(n.Value):
		p.warnf("has a character that looks like a space, or like nothing")
	case !isSecret && strings.TrimSpace(n.Value) != n.Value:
		p.warnf("begins or ends with a space")
	case variable.MatchString(n.Value) && isSecret:
		p.warnf("looks like a variable, and variables are not replaced: use password_env or password_file")
	case variable.MatchString(n.Value):
		p.warnf("looks like a variable, and variables are not replaced")
	case encrypted.MatchString(n.Value):
		p.warnf("looks encrypted, and is used as it is: decrypt the file first")
	case placeholder.MatchString(n.Value):
		p.warnf("is what /config shows in place of a value: write the value")
	}
}

// templateHint returns an error for a list or mapping that is the beginning of a template, {{ .Name }}; "" for all others.
func (p position) templateHint(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode || !strings.Contains(p.file.line(n.Line), "{{") {
		return ""
	}
	return "looks like a template that wasn't filled in: fill it in, or quote it if it is text"
}

var (
	keyAndValue = regexp.MustCompile(`(?i)^\s*[a-z_]*(?:pass(?:word|wd)?|pw|token|secret)\s*[:=]`)
	bearer      = regexp.MustCompile(`(?i)^bearer\s`)
)

// doubtfulSecret returns what is doubtful about a secret from a file or variable, or "".
func doubtfulSecret(secret string) string {
	first, last := secret[0], secret[len(secret)-1]
	switch {
	case len(secret) > 1 && first == last && (first == '"' || first == '\''):
		return "has quotes around it, and they are taken as part of the secret: delete them"
	case typographic.MatchString(secret):
		return "has typographic quotes around it, and they are taken as part of the secret: delete them"
	case strings.TrimSpace(secret) != secret:
		return "begins or ends with a space, and that is taken as part of the secret"
	case keyAndValue.MatchString(secret):
		return "looks like a key and a value: it must be the secret alone"
	case oddCharacter.MatchString(secret):
		return "has a character that looks like a space, or like nothing"
	case bearer.MatchString(secret):
		return "begins with the word Bearer: it must be the token alone"
	case first == '{' && last == '}' && strings.Contains(secret, `":`):
		return "looks like JSON: it must be the secret alone"
	case variable.MatchString(secret):
		return "looks like a variable, and variables are not replaced"
	case encrypted.MatchString(secret):
		return "looks encrypted, and is used as it is: decrypt it first"
	}
	return ""
}
