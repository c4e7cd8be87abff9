package leak

import (
	"encoding/base64"
	"strings"
)

// InBase64 returns the base64 encodings of a secret at the three possible offsets modulo 3. It leaves out the characters at
// both ends, which also depend on the surrounding bytes.
func InBase64(secret string) []string {
	forms := make([]string, 3)
	for offset := range forms {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", offset) + secret))
		forms[offset] = encoded[(offset*8+5)/6 : len(encoded)-1]
	}
	return forms
}
