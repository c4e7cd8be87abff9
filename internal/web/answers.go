package web

import (
	"container/list"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/klauspost/compress/s2"
)

const (
	// maxAnswerBytes is how much memory the answers take that clients have yet to read, scrapes and others each. When there
	// is more, the oldest ones are cut off. A single answer may be larger.
	maxAnswerBytes = 64 << 20
	// sendTimeout is how long an answer may take to be sent: one to a scrape of 10,000 accounts takes seconds.
	sendTimeout = time.Minute
	// chunkSize is the size of the pieces in which an answer is held.
	chunkSize = 64 << 10
	// packedBlockSize is the block size of packed answers: unpacking takes a few blocks of memory for each client.
	packedBlockSize = 16 << 10
)

// An answer is an HTTP answer that was made as a whole, before any of it is sent. It is an http.ResponseWriter for those who
// make it; once made, it isn't changed.
type answer struct {
	header http.Header
	status int
	size   int
	chunks [][]byte
	// packer packs the body while it is made; nil unless it is packed.
	packer *s2.Writer
}

// newAnswer returns an empty answer. A packed one takes less memory, and more CPU time.
func newAnswer(packed bool) *answer {
	a := &answer{header: http.Header{}}
	if packed {
		a.packer = s2.NewWriter(chunkWriter{a}, s2.WriterBlockSize(packedBlockSize), s2.WriterConcurrency(1))
	}
	return a
}

// Header returns the header to send.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader sets the status, unless it is set.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write adds to the body. It never fails.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.packer != nil {
		return a.packer.Write(p)
	}
	return chunkWriter{a}.Write(p)
}

// finish ends the making.
func (a *answer) finish() {
	a.WriteHeader(http.StatusOK)
	if a.packer != nil {
		_ = a.packer.Close() // Writing into memory doesn't fail.
	}
}

// A chunkWriter adds to an answer's chunks.
type chunkWriter struct{ a *answer }

func (w chunkWriter) Write(p []byte) (int, error) {
	a, n := w.a, len(p)
	a.size += n
	for len(p) > 0 {
		last := len(a.chunks) - 1
		if last < 0 || len(a.chunks[last]) == cap(a.chunks[last]) {
			size := chunkSize
			if last < 0 { // Most answers are small.
				size = min(chunkSize, max(len(p), 4<<10))
			}
			a.chunks = append(a.chunks, make([]byte, 0, size))
			last++
		}
		fits := min(len(p), cap(a.chunks[last])-len(a.chunks[last]))
		a.chunks[last] = append(a.chunks[last], p[:fits]...)
		p = p[fits:]
	}
	return n, nil
}

// send writes the answer to a client, until that fails. However steadily the client reads, it has sendTimeout.
func (a *answer) send(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(sendTimeout)) // A recorder of tests has none.
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	if a.packer != nil {
		_, _ = io.Copy(w, s2.NewReader(&chunkReader{rest: a.chunks}, s2.ReaderMaxBlockSize(packedBlockSize)))
		return
	}
	for _, chunk := range a.chunks {
		if _, err := w.Write(chunk); err != nil {
			return // The client has gone; there is nobody to tell.
		}
	}
}

// A chunkReader reads chunks, which it doesn't change.
type chunkReader struct {
	current []byte
	rest    [][]byte
}

func (r *chunkReader) Read(p []byte) (n int, err error) {
	for len(r.current) == 0 {
		if len(r.rest) == 0 {
			return 0, io.EOF
		}
		r.current, r.rest = r.rest[0], r.rest[1:]
	}
	n = copy(p, r.current)
	r.current = r.current[n:]
	return n, nil
}

// An answerLimiter bounds the memory of the answers that are being sent.
type answerLimiter struct {
	limit int

	mu     sync.Mutex
	used   int
	oldest list.List // of *heldAnswer
}

// A heldAnswer is an answer that is being sent to some clients.
type heldAnswer struct {
	answer  *answer
	element *list.Element
	clients map[*clientConn]struct{}
	sending int
	cut     bool
}

// hold counts an answer until it was sent to n clients.
func (l *answerLimiter) hold(a *answer, n int) *heldAnswer {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := &heldAnswer{answer: a, sending: n, clients: map[*clientConn]struct{}{}}
	h.element = l.oldest.PushBack(h)
	l.used += a.size
	for l.used > l.limit && l.oldest.Front() != h.element {
		l.drop(l.oldest.Front().Value.(*heldAnswer))
	}
	return h
}

// drop forgets an answer, and cuts off the clients that are reading it.
func (l *answerLimiter) drop(h *heldAnswer) {
	if h.cut {
		return
	}
	h.cut = true
	l.oldest.Remove(h.element)
	l.used -= h.answer.size
	for c := range h.clients {
		_ = c.Close()
	}
}

// send sends the answer to one of the clients.
func (l *answerLimiter) send(w http.ResponseWriter, r *http.Request, h *heldAnswer) {
	if !l.begin(h, connOf(r)) {
		panic(http.ErrAbortHandler) // It was cut off before it began.
	}
	defer l.end(h, connOf(r))
	h.answer.send(w)
}

func (l *answerLimiter) begin(h *heldAnswer, c *clientConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.cut {
		return false
	}
	if c != nil {
		h.clients[c] = struct{}{}
	}
	return true
}

func (l *answerLimiter) end(h *heldAnswer, c *clientConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(h.clients, c)
	if h.sending--; h.sending == 0 {
		l.drop(h)
	}
}

// limitInFlight returns a middleware: the handlers that it wraps make n answers at a time. Further requests are answered with
// 503 and this text. The answers are sent when they have been made: slow clients take memory, and no place.
func (l *answerLimiter) limitInFlight(n int, busy string) func(http.Handler) http.Handler {
	slots := make(chan struct{}, n)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a := newAnswer(false)
			select {
			case slots <- struct{}{}:
				func() {
					defer func() { <-slots }()
					next.ServeHTTP(a, r)
				}()
			default:
				http.Error(a, busy, http.StatusServiceUnavailable)
			}
			a.finish()
			l.send(w, r, l.hold(a, 1))
		})
	}
}

// A sharedMaker makes answers, each for all requests of the same kind that wait for it. An answer is never older than a request
// that it is for: requests that come while one is made wait for the next one.
type sharedMaker struct {
	answers *answerLimiter
	turns   chan struct{}

	mu sync.Mutex
	// waiting are the answers that requests may still join, and newest those and the ones that are being made, by kind.
	waiting, newest map[string]*sharedAnswer
}

// A sharedAnswer is an answer that some requests wait for.
type sharedAnswer struct {
	requests int
	// previous is made before this one; nil if it has been.
	previous *sharedAnswer
	// made is closed when held is the answer; nil if making it failed.
	made chan struct{}
	held *heldAnswer
}

// newSharedMaker returns a sharedMaker that makes n answers at a time, of different kinds.
func newSharedMaker(answers *answerLimiter, n int) *sharedMaker {
	return &sharedMaker{
		answers: answers, turns: make(chan struct{}, n),
		waiting: map[string]*sharedAnswer{}, newest: map[string]*sharedAnswer{},
	}
}

// serve answers a request with an answer of its kind.
func (m *sharedMaker) serve(w http.ResponseWriter, r *http.Request, kind string, makeAnswer func() *answer) {
	m.mu.Lock()
	shared, joined := m.waiting[kind]
	if !joined {
		shared = &sharedAnswer{previous: m.newest[kind], made: make(chan struct{})}
		m.waiting[kind], m.newest[kind] = shared, shared
	}
	shared.requests++
	m.mu.Unlock()
	if !joined {
		m.make(kind, shared, makeAnswer)
	}
	<-shared.made
	if shared.held == nil {
		http.Error(w, "The answer could not be made; the log says why.", http.StatusInternalServerError)
		return
	}
	m.answers.send(w, r, shared.held)
}

// make makes an answer when it is its turn.
func (m *sharedMaker) make(kind string, shared *sharedAnswer, makeAnswer func() *answer) {
	if shared.previous != nil {
		<-shared.previous.made
		shared.previous = nil
	}
	m.turns <- struct{}{}
	defer m.finish(kind, shared) // Even if makeAnswer panics.
	m.mu.Lock()
	delete(m.waiting, kind)
	requests := shared.requests
	m.mu.Unlock()
	a := makeAnswer()
	a.finish()
	shared.held = m.answers.hold(a, requests)
}

// finish ends the making of an answer.
func (m *sharedMaker) finish(kind string, shared *sharedAnswer) {
	<-m.turns
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest[kind] == shared {
		delete(m.newest, kind)
	}
	close(shared.made)
}
