package httpx

import (
	"context"
	"sync"
	"time"
)

// heldToken is an access token with the instant to look for another one; zero =
// the vendor named no end.
type heldToken struct {
	value   string
	renewAt time.Time
}

// tokenCache is a TokenSource that obtains one token at a time for all callers of
// a process.
type tokenCache struct {
	op      string
	now     func() time.Time
	timeout time.Duration   // of obtain
	life    context.Context //nolint:containedctx // ends with the source; obtain serves several callers, so theirs is none of its
	end     context.CancelFunc
	// obtain gets a token other than the dropped one.
	obtain func(ctx context.Context, dropped string) (heldToken, error)

	mu      sync.Mutex
	held    heldToken
	dropped string
	flight  *tokenFlight
}

type tokenFlight struct {
	done  chan struct{}
	token string
	err   error
}

func newTokenCache(op string, timeout time.Duration, now func() time.Time) *tokenCache {
	ctx, cancel := context.WithCancel(context.Background())
	return &tokenCache{op: op, now: now, timeout: timeout, life: ctx, end: cancel}
}

// Token implements TokenSource.
func (c *tokenCache) Token(ctx context.Context) (string, error) {
	c.mu.Lock()
	if c.held.value != "" && (c.held.renewAt.IsZero() || c.now().Before(c.held.renewAt)) {
		defer c.mu.Unlock()
		return c.held.value, nil
	}
	f := c.flight
	if f == nil {
		f = &tokenFlight{done: make(chan struct{})}
		c.flight = f
		go c.fly(f, c.dropped)
	}
	c.mu.Unlock()
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return "", networkError(c.op, 0, false, ctx.Err())
	}
}

// Drop implements TokenSource.
func (c *tokenCache) Drop(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held.value == token {
		c.held, c.dropped = heldToken{}, token
	}
}

// settle waits for what is under way to end.
func (c *tokenCache) settle() {
	c.mu.Lock()
	f := c.flight
	c.mu.Unlock()
	if f != nil {
		<-f.done
	}
}

func (c *tokenCache) fly(f *tokenFlight, dropped string) {
	ctx, cancel := context.WithTimeout(c.life, c.timeout)
	defer cancel()
	held, err := c.obtain(ctx, dropped)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flight = nil
	defer close(f.done)
	if err != nil {
		f.err = err
		return
	}
	f.token, c.held = held.value, held
}
