package config

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// fingerprintKey is random, so that nobody can find the secret of a fingerprint by hashing guesses.
var fingerprintKey = sync.OnceValue(func() []byte {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // It never fails.
	return key
})

// fingerprint returns a hash of a secret, to compare it with others within this process.
func fingerprint(secret string) string {
	mac := hmac.New(sha256.New, fingerprintKey())
	_, _ = mac.Write([]byte(secret)) // It never fails.
	return hex.EncodeToString(mac.Sum(nil))
}

// A secretFunc is a Target.Secret.
type secretFunc func(context.Context) (string, error)

// fingerprint is an Account.Fingerprint.
func (read secretFunc) fingerprint() string {
	if read == nil {
		return ""
	}
	text, err := read(context.Background())
	if err != nil {
		return ""
	}
	return fingerprint(text)
}
