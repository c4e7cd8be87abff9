package leak

import (
	"encoding/base64"
	"strings"
)

// InBase64 returns what is sure to appear of a secret in any base64 text that contains it: three forms, one for each offset
// from a multiple of three bytes. The characters at both ends, which also depend on the secret's neighbours, are left out.
func InBase64(secret string) []string {
	forms := make([]string, 3)
	for offset := range forms {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", offset) + secret))
		forms[offset] = encoded[(offset*8+5)/6 : len(encoded)-1]
	}
	return forms
}
