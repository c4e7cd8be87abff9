package config

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// fingerprintKey is this process's own, so that nobody can find out by trying which secret a fingerprint is of.
var fingerprintKey = sync.OnceValue(func() []byte {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // It never fails.
	return key
})

// fingerprint returns what tells two secrets apart, within this process.
func fingerprint(secret string) string {
	mac := hmac.New(sha256.New, fingerprintKey())
	_, _ = mac.Write([]byte(secret)) // It never fails.
	return hex.EncodeToString(mac.Sum(nil))
}

// fingerprintOf returns what an Account.Fingerprint returns for a Target.Secret.
func fingerprintOf(read func(context.Context) (string, error)) string {
	if read == nil {
		return ""
	}
	text, err := read(context.Background())
	if err != nil {
		return ""
	}
	return fingerprint(text)
}
