package httpx

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

const (
	// grantTimeout lets a caller outwait another process's claim of a minute and
	// then refresh itself.
	grantTimeout = 2 * time.Minute
	// storeFor bounds the attempts to store a successor: until it is stored, this
	// process alone has the grant.
	storeFor = 20 * time.Second
	// grantPoll is how often the store is asked for another process's successor.
	grantPoll = 250 * time.Millisecond
)

// GrantOptions are the parts of a GrantSource.
type GrantOptions struct {
	Op         string // for errors, e.g. "box.token"
	TokenURL   string
	Connection schema.ConnectionID
	Store      connectors.GrantStore
	// Client returns client id and secret as they are stored now: they may have
	// been replaced, or the connection closed, since the last refresh.
	Client func(ctx context.Context) (Credentials, error)
	Now    func() time.Time
}

// NewGrantSource returns a source over the grant of an authorization code, which
// all processes share through the store. Close it.
func NewGrantSource(opts GrantOptions) (*GrantSource, error) {
	if _, err := ParseURL(opts.TokenURL); err != nil {
		return nil, err
	}
	s := &GrantSource{
		tokenCache: newTokenCache(opts.Op, grantTimeout, opts.Now), opts: opts, host: newTokenHost(opts.Op, opts.Now),
	}
	s.obtain = s.current
	return s, nil
}

// GrantSource is a TokenSource over a refresh token that is good for one use
// (RFC 6749 section 6). Of all processes one claims the refresh, sends it once, and
// stores the successor before anybody uses it; the others wait for that.
//
// A refresh whose answer is not heard may have used the token. The next one tries
// the same token, as the vendor may not have seen it; when that is refused, the
// grant is lost, and the error says so (connectors.ErrGrantLost).
type GrantSource struct {
	*tokenCache
	opts GrantOptions
	host tokenHost

	// pending is a successor that could not be stored yet. Used by the one fetch
	// under way alone.
	pending *schema.Grant
}

// Close ends waits and idle connections. A refresh under way is let end, within a
// minute: its answer holds the only token for the next one.
func (s *GrantSource) Close() {
	s.end()
	s.settle()
	s.host.http.CloseIdleConnections()
}

// current returns the stored access token, or that of a successor once the stored
// one nears its end or was dropped.
func (s *GrantSource) current(ctx context.Context, dropped string) (heldToken, error) {
	if err := s.storePending(ctx); err != nil {
		return heldToken{}, err
	}
	for {
		g, err := s.opts.Store.LoadGrant(ctx, s.opts.Connection)
		if err != nil {
			return heldToken{}, s.unreadable(err)
		}
		if g.AccessToken != dropped && s.now().Before(g.RenewAt) {
			return held(g), nil
		}
		if g.Lost != "" {
			return heldToken{}, s.dead(g.Lost)
		}
		claimed, crashed, err := s.opts.Store.ClaimRefresh(ctx, s.opts.Connection, g.Generation)
		if err != nil {
			return heldToken{}, s.unreadable(err)
		}
		if claimed {
			return s.refresh(context.WithoutCancel(ctx), g, crashed)
		}
		if err := pause(ctx, grantPoll); err != nil {
			return heldToken{}, &connectors.Error{
				Kind: connectors.Unavailable, Op: s.op, Err: err,
				Detail: "another process is renewing the access token; nothing was sent",
			}
		}
	}
}

// Seize returns the present access token and keeps all processes from refreshing
// the grant for a minute, or until release is called; ended tells that the pair
// is of no use any more.
func (s *GrantSource) Seize(ctx context.Context) (token string, release func(ended bool), err error) {
	for {
		if _, err := s.Token(ctx); err != nil {
			return "", nil, err
		}
		g, err := s.opts.Store.LoadGrant(ctx, s.opts.Connection)
		if err != nil {
			return "", nil, s.unreadable(err)
		}
		if g.Lost != "" { // which nobody can claim: its access token may outlive it
			return "", nil, s.dead(g.Lost)
		}
		claimed, _, err := s.opts.Store.ClaimRefresh(ctx, s.opts.Connection, g.Generation)
		if err != nil {
			return "", nil, s.unreadable(err)
		}
		if claimed {
			return g.AccessToken, func(ended bool) {
				loss := schema.GrantLoss("")
				if ended {
					loss = schema.GrantRevoked
				}
				ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeFor)
				defer cancel()
				// A claim that is not given back runs out by itself.
				_ = s.opts.Store.ReleaseRefresh(ctx, s.opts.Connection, g.Generation, loss)
			}, nil
		}
		if err := pause(ctx, grantPoll); err != nil {
			return "", nil, networkError(s.op, 0, false, err)
		}
	}
}

func held(g schema.Grant) heldToken { return heldToken{value: g.AccessToken, renewAt: g.RenewAt} }

// refresh uses the refresh token, which this process has claimed. Nothing ends it
// but its own time limits.
func (s *GrantSource) refresh(ctx context.Context, g schema.Grant, crashed bool) (heldToken, error) {
	client, err := s.opts.Client(ctx)
	if err != nil {
		return heldToken{}, s.unharmed(ctx, g, s.unreadable(err))
	}
	ans, failed := s.host.post(ctx, s.opts.TokenURL, url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {g.RefreshToken},
		"client_id": {client.ClientID}, "client_secret": {client.ClientSecret},
	})
	switch {
	case failed != nil && !failed.Sent:
		return heldToken{}, s.unharmed(ctx, g, failed)
	case failed != nil || ans.status >= http.StatusInternalServerError:
		// The claim stays: once it runs out, whoever comes next knows.
		return heldToken{}, s.unanswered(ans, failed)
	}
	if failed := s.host.refusal(ans); failed != nil {
		if failed.Code == "invalid_grant" {
			return s.refused(ctx, g, crashed, failed)
		}
		return heldToken{}, s.unharmed(ctx, g, failed)
	}
	next, failed := s.host.grant(ans)
	if failed != nil {
		return heldToken{}, failed
	}
	if next.RefreshToken == "" {
		next.RefreshToken = g.RefreshToken // RFC 6749 section 6: the old one stays good
	}
	next.Generation = g.Generation + 1
	s.pending = &next
	if err := s.storePending(ctx); err != nil {
		return heldToken{}, err
	}
	return held(next), nil
}

// refused settles invalid_grant: somebody else's successor is taken, or the grant
// is dead.
func (s *GrantSource) refused(ctx context.Context, g schema.Grant, crashed bool, failed *connectors.Error) (heldToken, error) {
	now, err := s.opts.Store.LoadGrant(ctx, s.opts.Connection)
	if err != nil {
		return heldToken{}, s.unreadable(err)
	}
	if now.Generation != g.Generation {
		return held(now), nil
	}
	loss := schema.GrantRevoked
	switch {
	case crashed:
		loss = schema.GrantUnanswered
	case errors.Is(failed, connectors.ErrTokenExpired):
		loss = schema.GrantExpired
	}
	if err := s.opts.Store.ReleaseRefresh(ctx, s.opts.Connection, g.Generation, loss); err != nil {
		return heldToken{}, s.unreadable(err)
	}
	e := s.dead(loss)
	e.Status, e.Sent = failed.Status, true
	return heldToken{}, e
}

// dead is the error of a grant that no refresh brings back.
func (s *GrantSource) dead(loss schema.GrantLoss) *connectors.Error {
	e := &connectors.Error{
		Kind: connectors.Unauthorized, Op: s.op, Code: "invalid_grant", Err: connectors.ErrGrantRefused,
		Detail: "the refresh token was refused: expired (60 days), revoked, or the application removed; consent again",
	}
	switch loss {
	case schema.GrantExpired:
		e.Err = connectors.ErrTokenExpired
	case schema.GrantUnanswered:
		e.Err = connectors.ErrGrantLost
		e.Detail = "the grant was lost by an unanswered refresh: a process died, or the connection broke, between the vendor's answer and the store, and the single-use refresh token is refused now; consent again"
	}
	return e
}

// unharmed gives the claim back after a request that used nothing up.
func (s *GrantSource) unharmed(ctx context.Context, g schema.Grant, failed *connectors.Error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeFor)
	defer cancel()
	// A claim that is not given back runs out by itself.
	_ = s.opts.Store.ReleaseRefresh(ctx, s.opts.Connection, g.Generation, "")
	return failed
}

// unanswered is the error of a refresh of which nobody knows whether the host did it.
func (s *GrantSource) unanswered(ans answer, failed *connectors.Error) error {
	e := &connectors.Error{Kind: connectors.Unavailable, Op: s.op, Status: ans.status, Sent: true}
	if failed != nil {
		e.Status, e.Err = failed.Status, failed.Err
	}
	e.Detail = "the refresh of the access token was sent and not answered: it is tried again with the same refresh token within a minute"
	return e
}

// storePending stores the successor that this process alone has, for some seconds
// also while the program stops.
func (s *GrantSource) storePending(ctx context.Context) error {
	if s.pending == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeFor)
	defer cancel()
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		err := s.opts.Store.StoreGrant(ctx, s.opts.Connection, *s.pending)
		switch {
		case err == nil:
			s.pending = nil
			return nil
		case schema.CodeOf(err) == schema.CodeConflict, schema.CodeOf(err) == schema.CodeNotFound:
			s.pending = nil
			return &connectors.Error{
				Kind: connectors.Unavailable, Op: s.op, Sent: true, Err: err,
				Detail: "the connection was consented to anew, or removed, during the refresh: what is stored counts",
			}
		}
		if pause(ctx, wait) != nil {
			return &connectors.Error{
				Kind: connectors.Unavailable, Op: s.op, Sent: true, Err: err,
				Detail: "the renewed grant could not be stored; this process keeps it and tries again",
			}
		}
	}
}

// unreadable is the error of a store that does not answer, or that refuses.
func (s *GrantSource) unreadable(err error) *connectors.Error {
	var ours *connectors.Error
	if errors.As(err, &ours) {
		return ours
	}
	e := &connectors.Error{Kind: connectors.Unavailable, Op: s.op, Err: err, Detail: "the stored grant could not be read or claimed; nothing was sent"}
	switch schema.CodeOf(err) {
	case schema.CodeNotFound, schema.CodeClosed:
		e.Kind, e.Detail = connectors.Blocked, "the connection was disabled or removed; nothing was sent"
	}
	return e
}

// pause waits, or fails when ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
