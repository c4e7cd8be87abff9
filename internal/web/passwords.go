package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// passwordsWaiting is how many requests with unknown passwords wait for the one whose password is checked, and
	// passwordsWaitingPerHost how many of them may come from one address.
	passwordsWaiting        = 32
	passwordsWaitingPerHost = 4
	// maxKnownPasswords is how many accepted passwords are remembered.
	maxKnownPasswords = 64
)

// A passwordLimiter stands before the toolkit's authentication, which checks one password at a time, in a tenth of a second
// or more, and lets all others wait. It lets one request with an unknown password in at a time, and some more wait; further
// ones are answered with 429. After a wrong password, the next one waits as long again as its check took: guessing takes half
// a CPU at most. Requests with a password that was accepted before don't wait. So whoever guesses passwords delays them by
// one check at most.
type passwordLimiter struct {
	key      []byte // of the digests, so that these tell nothing of the passwords
	checking chan struct{}

	mu      sync.Mutex
	known   map[passwordDigest]struct{}
	waiting map[string]int // by address
	total   int
}

// A passwordDigest is a keyed hash of the header Authorization.
type passwordDigest [sha256.Size]byte

// A passwordCheck is the check of one request's password.
type passwordCheck struct {
	limiter  *passwordLimiter
	digest   passwordDigest
	begun    time.Time
	release  func() // lets the next one be checked
	accepted bool
}

// passwordCheckKey is the key of the *passwordCheck in a request's context.
type passwordCheckKey struct{}

func newPasswordLimiter() *passwordLimiter {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // It never fails.
	return &passwordLimiter{key: key, checking: make(chan struct{}, 1), known: map[passwordDigest]struct{}{}, waiting: map[string]int{}}
}

// limit stands before the authentication.
func (l *passwordLimiter) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorization := r.Header.Get("Authorization")
		if authorization == "" {
			next.ServeHTTP(w, r)
			return
		}
		check := &passwordCheck{limiter: l, digest: l.digestOf(authorization), release: func() {}}
		if !l.isKnown(check.digest) {
			if !l.wait(r) {
				w.Header().Set("Retry-After", "1")
				http.Error(w, "Too many passwords are waiting to be checked.", http.StatusTooManyRequests)
				return
			}
			check.release = sync.OnceFunc(func() { <-l.checking })
		}
		check.begun = time.Now()
		defer check.finish()
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), passwordCheckKey{}, check)))
	})
}

// accepted stands behind the authentication.
func (l *passwordLimiter) accepted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if check, ok := r.Context().Value(passwordCheckKey{}).(*passwordCheck); ok {
			check.accept()
		}
		next.ServeHTTP(w, r)
	})
}

// wait waits until the password of a request may be checked. It returns false if too many wait, or the client is gone.
func (l *passwordLimiter) wait(r *http.Request) bool {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	l.mu.Lock()
	if l.total >= passwordsWaiting || l.waiting[host] >= passwordsWaitingPerHost {
		l.mu.Unlock()
		return false
	}
	l.total++
	l.waiting[host]++
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.total--
		if l.waiting[host]--; l.waiting[host] == 0 {
			delete(l.waiting, host)
		}
	}()
	select {
	case l.checking <- struct{}{}:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (l *passwordLimiter) digestOf(authorization string) (digest passwordDigest) {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte(authorization))
	return passwordDigest(mac.Sum(digest[:0]))
}

func (l *passwordLimiter) isKnown(digest passwordDigest) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.known[digest]
	return ok
}

// accept remembers an accepted password, and lets the next one be checked.
func (c *passwordCheck) accept() {
	c.accepted = true
	c.release()
	l := c.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.known[c.digest]; ok {
		return
	}
	for other := range l.known {
		if len(l.known) < maxKnownPasswords {
			break
		}
		delete(l.known, other)
	}
	l.known[c.digest] = struct{}{}
}

// finish forgets a password that was not accepted: it may have been, before it was changed.
func (c *passwordCheck) finish() {
	if c.accepted {
		return
	}
	time.AfterFunc(time.Since(c.begun), c.release)
	c.limiter.mu.Lock()
	defer c.limiter.mu.Unlock()
	delete(c.limiter.known, c.digest)
}
