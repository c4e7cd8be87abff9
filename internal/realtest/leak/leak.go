// Package leak finds the passwords of tests in output, in many encodings.
package leak

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"strconv"
)

// maxDepth is the maximum number of nested encodings, such as base64 in JSON in a URL.
const maxDepth = 3

// sentinel matches every password and token of the tests. Between the two words there may be quoted characters.
var sentinel = regexp.MustCompile(`(?i)canary-[^\s,;=<>…]{0,64}?-secret`)

// Find returns the part of a password that is in text, and its line, counted from 1. It decompresses gzip, as in profiles.
// Line 0 means that there is none.
func Find(text []byte) (password string, line int) {
	if plain, ok := unzip(text); ok {
		text = plain
	}
	for i, one := range bytes.Split(text, []byte("\n")) {
		if password := find(one, maxDepth); password != "" {
			return password, i + 1
		}
	}
	return "", 0
}

// find searches a line for a password, as it is and after undoing each encoding.
func find(line []byte, depth int) string {
	if bytes.Contains(bytes.ToLower(line), []byte("canary-")) {
		if password := sentinel.Find(line); password != nil {
			return string(password)
		}
	}
	if depth == 0 || !isText(line) {
		return ""
	}
	for _, form := range forms {
		for _, plain := range form.undo(line) {
			if password := find(plain, depth-1); password != "" {
				return fmt.Sprintf("%s, %s", password, form.name)
			}
		}
	}
	return ""
}

// isText reports whether a line may be text. Undoing an encoding that a line doesn't have gives mostly noise.
func isText(line []byte) bool {
	odd := 0
	for _, c := range line {
		if c < ' ' || c > '~' {
			odd++
		}
	}
	return odd <= len(line)/2
}

// forms are the encodings, and functions that undo them. A function returns nothing if a line doesn't look encoded.
var forms = []struct {
	name string
	undo func([]byte) [][]byte
}{
	{"in base64", fromBase64},
	{"in hexadecimal", fromHex},
	{"as numbers", fromNumbers},
	{"quoted for a URL", fromURL},
	{"quoted for HTML", fromHTML},
	{"escaped", fromEscapes},
}

// An alphabet is the set of bytes that an encoding uses.
type alphabet [256]bool

func newAlphabet(letters string) (a alphabet) {
	for _, c := range []byte(letters) {
		a[c] = true
	}
	return a
}

var (
	base64Letters = newAlphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
	hexLetters    = newAlphabet("0123456789abcdefABCDEF: ")
	numberLetters = newAlphabet("0123456789abcdefABCDEFx, ")
)

// shortest is how many bytes canary--secret has, and shortestBase64 how many in base64, less what its neighbours spoil.
const (
	shortest       = 14
	shortestBase64 = 16
)

// runs returns the parts of a line that are in an alphabet and no shorter than least.
func (a *alphabet) runs(line []byte, least int) (found [][]byte) {
	start := 0
	for i := 0; i <= len(line); i++ {
		if i < len(line) && a[line[i]] {
			continue
		}
		if i-start >= least {
			found = append(found, line[start:i])
		}
		start = i + 1
	}
	return found
}

var (
	number  = regexp.MustCompile(`0x[0-9a-fA-F]+|[0-9]+`)
	percent = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	entity  = regexp.MustCompile(`&[#a-zA-Z0-9]+;`)
	// escape is how Go, JSON, C and IMAP write a character that they don't write as it is, and how our own logs do.
	escape = regexp.MustCompile(`\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|u\{[0-9a-fA-F]{1,6}\}|[0-7]{3}|[^a-zA-Z0-9])`)
)

func unzip(text []byte) ([]byte, bool) {
	in, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, false
	}
	plain, _ := io.ReadAll(in) // What comes before an error counts.
	return plain, len(plain) > 0
}

// fromBase64 decodes either alphabet. A run may begin with other characters of it, so that base64 starts at any of four.
func fromBase64(line []byte) (plain [][]byte) {
	for _, run := range base64Letters.runs(line, shortestBase64) {
		run = bytes.ReplaceAll(bytes.ReplaceAll(run, []byte("-"), []byte("+")), []byte("_"), []byte("/"))
		for start := range 4 {
			rest := run[start:]
			decoded := make([]byte, base64.RawStdEncoding.DecodedLen(len(rest)))
			n, _ := base64.RawStdEncoding.Decode(decoded, rest) // What was decoded before an error counts.
			plain = append(plain, decoded[:n])
		}
	}
	return plain
}

// fromHex decodes runs of digits, spaced or not. A run may begin with a digit that is another number's.
func fromHex(line []byte) (plain [][]byte) {
	for _, run := range hexLetters.runs(line, 2*shortest) {
		run = bytes.ReplaceAll(bytes.ReplaceAll(run, []byte(" "), nil), []byte(":"), nil)
		for start := range min(2, len(run)) {
			rest := run[start:]
			decoded := make([]byte, len(rest)/2)
			n, _ := hex.Decode(decoded, rest[:len(rest)/2*2])
			plain = append(plain, decoded[:n])
		}
	}
	return plain
}

// fromNumbers decodes bytes as Go prints them: [99 97 110], or []byte{0x63, 0x61, 0x6e}.
func fromNumbers(line []byte) (plain [][]byte) {
	for _, run := range numberLetters.runs(line, 2*shortest) {
		var decoded []byte
		for _, word := range number.FindAll(run, -1) {
			if n, err := strconv.ParseUint(string(word), 0, 8); err == nil {
				decoded = append(decoded, byte(n))
			}
		}
		if len(decoded) >= shortest {
			plain = append(plain, decoded)
		}
	}
	return plain
}

func fromURL(line []byte) [][]byte {
	if bytes.IndexByte(line, '%') < 0 {
		return nil
	}
	return [][]byte{percent.ReplaceAllFunc(line, func(found []byte) []byte {
		plain, err := url.PathUnescape(string(found))
		if err != nil {
			return found
		}
		return []byte(plain)
	})}
}

func fromHTML(line []byte) [][]byte {
	if bytes.IndexByte(line, '&') < 0 || !entity.Match(line) {
		return nil
	}
	return [][]byte{[]byte(html.UnescapeString(string(line)))}
}

func fromEscapes(line []byte) [][]byte {
	if bytes.IndexByte(line, '\\') < 0 {
		return nil
	}
	return [][]byte{escape.ReplaceAllFunc(line, unescape)}
}

// unescape undoes one escape.
func unescape(found []byte) []byte {
	digits, base := string(bytes.Trim(found[1:], "xuU{}")), 16
	switch c := found[1]; {
	case c >= '0' && c <= '7':
		base = 8
	case c != 'x' && c != 'u' && c != 'U':
		return found[1:]
	}
	n, err := strconv.ParseUint(digits, base, 32)
	switch {
	case err != nil:
		return found
	case found[1] == 'u' || found[1] == 'U':
		return []byte(string(rune(n)))
	default:
		return []byte{byte(n)}
	}
}
