package web

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// slowAuthentication does what the toolkit does: it checks one password at a time, each for a second, and lets one user in.
func slowAuthentication(next http.Handler) http.Handler {
	checking := make(chan struct{}, 1) // A mutex, but one for a bubble.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, ok := r.BasicAuth()
		if ok {
			checking <- struct{}{}
			<-time.After(time.Second)
			<-checking
		}
		if password != "right" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// guess returns the status of a request with a password from an address, and how long that took.
func guess(handler http.Handler, address, password string) (int, time.Duration) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = address + ":1234"
	if password != "" {
		r.SetBasicAuth("user", password)
	}
	w := httptest.NewRecorder()
	begun := time.Now()
	handler.ServeHTTP(w, r)
	return w.Code, time.Since(begun)
}

// Those who guess delay whoever has been let in before by one check at most, and others who know the password, from
// elsewhere, by a few.
func TestGuessersKeepNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := newPasswordLimiter()
		ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		handler := limiter.limit(slowAuthentication(limiter.accepted(ok)))
		if status, _ := guess(handler, "192.0.2.1", "right"); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		refused := make(chan int, 250)
		for range cap(refused) {
			go func() {
				status, _ := guess(handler, "192.0.2.2", "wrong")
				refused <- status
			}()
		}
		synctest.Wait()
		if status, took := guess(handler, "192.0.2.1", "right"); status != http.StatusOK || took > 2*time.Second {
			t.Errorf("whoever was let in before: status %d after %v", status, took)
		}
		if status, took := guess(handler, "192.0.2.3", ""); status != http.StatusUnauthorized || took > 0 {
			t.Errorf("without a password: status %d after %v", status, took)
		}
		status, took := guess(handler, "192.0.2.3", "right")
		if want := 2 * (2 + passwordsWaitingPerHost) * time.Second; status != http.StatusUnauthorized && (status != http.StatusOK || took > want) {
			t.Errorf("somebody new: status %d after %v", status, took)
		}
		statuses := map[int]int{}
		for range cap(refused) {
			statuses[<-refused]++
		}
		if statuses[http.StatusUnauthorized] != 1+passwordsWaitingPerHost || len(statuses) != 2 || statuses[http.StatusTooManyRequests] == 0 {
			t.Errorf("the guessers got %v", statuses)
		}
	})
}

// Checking wrong passwords takes half of the time at most.
func TestGuessingIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := newPasswordLimiter()
		handler := limiter.limit(slowAuthentication(limiter.accepted(http.NotFoundHandler())))
		begun := time.Now()
		for range 10 {
			guess(handler, "192.0.2.1", "wrong")
		}
		if took := time.Since(begun); took < 19*time.Second {
			t.Errorf("ten guesses took %v", took)
		}
		<-time.After(time.Second)
		if _, took := guess(handler, "192.0.2.1", "right"); took != time.Second {
			t.Errorf("after a pause, one took %v", took)
		}
	})
}

// A password that isn't accepted any more is forgotten, and nothing is kept of those that wait.
func TestPasswordsAreForgotten(t *testing.T) {
	limiter := newPasswordLimiter()
	accept := true
	handler := limiter.limit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if accept {
			limiter.accepted(http.NotFoundHandler()).ServeHTTP(w, r)
		}
	}))
	guess(handler, "192.0.2.1", "right")
	if len(limiter.known) != 1 {
		t.Fatalf("%d are known", len(limiter.known))
	}
	accept = false
	guess(handler, "192.0.2.1", "right")
	if len(limiter.known) != 0 || len(limiter.waiting) != 0 || limiter.total != 0 {
		t.Errorf("left: %+v", limiter)
	}
	accept = true
	for i := range 3 * maxKnownPasswords {
		guess(handler, "192.0.2.1", string(rune('a'+i)))
	}
	if len(limiter.known) != maxKnownPasswords {
		t.Errorf("%d are known", len(limiter.known))
	}
}
