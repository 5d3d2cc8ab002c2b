package httpx_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

// vault is a GrantStore in memory, whose methods fail as a test says.
type vault struct {
	mu       sync.Mutex
	grant    schema.Grant
	claimed  bool
	released []schema.GrantLoss
	refuse   int // how many stores fail
}

func (v *vault) LoadGrant(context.Context, schema.ConnectionID) (schema.Grant, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.grant, nil
}

func (v *vault) ClaimRefresh(_ context.Context, _ schema.ConnectionID, generation int64) (claimed, crashed bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.claimed || generation != v.grant.Generation || v.grant.Lost != "" {
		return false, false, nil
	}
	v.claimed = true
	return true, v.grant.Unanswered, nil
}

func (v *vault) StoreGrant(_ context.Context, _ schema.ConnectionID, g schema.Grant) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.refuse > 0 {
		v.refuse--
		return errors.New("the database is away")
	}
	v.grant, v.claimed = g, false
	return nil
}

func (v *vault) ReleaseRefresh(_ context.Context, _ schema.ConnectionID, _ int64, loss schema.GrantLoss) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.grant.Lost, v.claimed = loss, false
	v.released = append(v.released, loss)
	return nil
}

// grantBench is a token host that hands out pairs, and a clock.
type grantBench struct {
	*vault
	source *httpx.GrantSource
	mu     sync.Mutex
	at     time.Time
	asked  []string // refresh tokens
	answer http.HandlerFunc
}

func (b *grantBench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

func (b *grantBench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = b.at.Add(d)
}

func (b *grantBench) requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.asked...)
}

func newGrantBench(t *testing.T) *grantBench {
	t.Helper()
	b := &grantBench{at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	b.vault = &vault{grant: schema.Grant{AccessToken: "a1", RefreshToken: "r1", Generation: 1, RenewAt: b.at.Add(57 * time.Minute)}}
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.PostFormValue("refresh_token")
		b.mu.Lock()
		b.asked = append(b.asked, token)
		answer, n := b.answer, len(b.asked)+1
		b.mu.Unlock()
		if answer != nil {
			answer(w, r)
			return
		}
		_, _ = fmt.Fprintf(w, `{"access_token":"a%d","refresh_token":"r%d","expires_in":3600,"token_type":"bearer"}`, n, n)
	}))
	t.Cleanup(host.Close)
	var err error
	b.source, err = httpx.NewGrantSource(httpx.GrantOptions{
		Op: "test.token", TokenURL: host.URL + "/oauth2/token", Connection: "c", Store: b.vault, Now: b.now,
		Client: func(context.Context) (httpx.Credentials, error) {
			return httpx.Credentials{ClientID: "id", ClientSecret: "hunter2"}, nil
		},
	})
	require.NoError(t, err)
	t.Cleanup(b.source.Close)
	return b
}

func (b *grantBench) token(t *testing.T, want string) {
	t.Helper()
	got, err := b.source.Token(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestAGrantIsRenewedThreeMinutesBeforeItsTokenEnds(t *testing.T) {
	t.Parallel()
	b := newGrantBench(t)
	b.token(t, "a1")
	b.pass(57*time.Minute - time.Second)
	b.token(t, "a1")
	b.pass(time.Second)
	b.token(t, "a2")
	b.pass(57*time.Minute - time.Second)
	b.token(t, "a2")
	b.source.Drop("a1") // long gone
	b.token(t, "a2")
	b.source.Drop("a2")
	b.token(t, "a3")
	require.Equal(t, []string{"r1", "r2"}, b.requests())
}

func TestASuccessorIsStoredBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	b := newGrantBench(t)
	b.refuse = 3
	b.pass(time.Hour)
	b.token(t, "a2")
	require.Equal(t, "r2", b.grant.RefreshToken)
	require.Equal(t, int64(2), b.grant.Generation)
	require.Equal(t, []string{"r1"}, b.requests())
}

// A caller who leaves, and a source that is closed, do not take the answer along.
func TestARefreshUnderWayOutlivesItsCallers(t *testing.T) {
	t.Parallel()
	b := newGrantBench(t)
	arrived, answer := make(chan struct{}), make(chan struct{})
	b.answer = func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-answer
		_, _ = w.Write([]byte(`{"access_token":"a2","refresh_token":"r2","expires_in":3600}`))
	}
	b.pass(time.Hour)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { _, err := b.source.Token(ctx); left <- err }()
	<-arrived
	leave()
	require.Equal(t, connectors.Unavailable, connectors.KindOf(<-left))
	closed := make(chan struct{})
	go func() { b.source.Close(); close(closed) }()
	close(answer)
	<-closed
	require.Equal(t, "r2", b.grant.RefreshToken)
}

func TestWhatRefusalsAndFailuresDoToAClaim(t *testing.T) {
	t.Parallel()
	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, tt := range map[string]struct {
		answer     http.HandlerFunc
		unanswered bool
		kind       connectors.Kind
		cause      error
		released   []schema.GrantLoss // nil = the claim stays until it runs out
	}{
		"server error":   {answer: say(503, "away"), kind: connectors.Unavailable},
		"no token":       {answer: say(200, "{}"), kind: connectors.Malformed},
		"rate":           {answer: say(429, ""), kind: connectors.RateLimited, released: []schema.GrantLoss{""}},
		"wrong client":   {answer: say(400, `{"error":"invalid_client","error_description":"hunter2 r1"}`), kind: connectors.Unauthorized, released: []schema.GrantLoss{""}},
		"app removed":    {answer: say(400, `{"error":"unauthorized_client"}`), kind: connectors.Unauthorized, released: []schema.GrantLoss{""}},
		"password reset": {answer: say(400, `{"error":"password_reset_required"}`), kind: connectors.Invalid, released: []schema.GrantLoss{""}},
		"redirect":       {answer: say(302, ""), kind: connectors.Malformed, released: []schema.GrantLoss{""}},
		"refused": {
			answer: say(400, `{"error":"invalid_grant","error_description":"Invalid refresh token"}`), kind: connectors.Unauthorized,
			cause: connectors.ErrGrantRefused, released: []schema.GrantLoss{schema.GrantRevoked},
		},
		"expired": {
			answer: say(400, `{"error":"invalid_grant","error_description":"Refresh token has expired"}`), kind: connectors.Unauthorized,
			cause: connectors.ErrTokenExpired, released: []schema.GrantLoss{schema.GrantExpired},
		},
		"refused after an unanswered one": {
			answer: say(400, `{"error":"invalid_grant","error_description":"Invalid refresh token"}`), unanswered: true, kind: connectors.Unauthorized,
			cause: connectors.ErrGrantLost, released: []schema.GrantLoss{schema.GrantUnanswered},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newGrantBench(t)
			b.answer, b.grant.Unanswered = tt.answer, tt.unanswered
			b.pass(time.Hour)
			_, err := b.source.Token(t.Context())
			require.Equal(t, tt.kind, connectors.KindOf(err), "%v", err)
			if tt.cause != nil {
				require.ErrorIs(t, err, tt.cause)
			}
			for _, secret := range []string{"hunter2", "r1", "a1"} {
				require.NotContains(t, err.Error(), secret)
			}
			require.Equal(t, tt.released, b.released)
			require.Equal(t, tt.released == nil, b.claimed)
			require.Len(t, b.requests(), 1)
		})
	}
}

// The grant moved on while ours was refused: what is stored counts.
func TestARefusalAfterAnothersRefreshIsNone(t *testing.T) {
	t.Parallel()
	b := newGrantBench(t)
	b.answer = func(w http.ResponseWriter, _ *http.Request) {
		b.vault.mu.Lock()
		b.grant = schema.Grant{AccessToken: "theirs", RefreshToken: "r9", Generation: 2, RenewAt: b.now().Add(time.Hour)}
		b.vault.mu.Unlock()
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
	}
	b.pass(time.Hour)
	b.token(t, "theirs")
	require.Empty(t, b.released)
}

// TestADeadGrantIsNotSeized: nobody can claim it, and whoever removes its
// connection is told so at once, although its access token is not at its end.
func TestADeadGrantIsNotSeized(t *testing.T) {
	t.Parallel()
	for loss, want := range map[schema.GrantLoss]error{
		schema.GrantRevoked: connectors.ErrGrantRefused, schema.GrantUnanswered: connectors.ErrGrantLost, schema.GrantExpired: connectors.ErrTokenExpired,
	} {
		b := newGrantBench(t)
		b.grant.Lost = loss
		b.token(t, "a1")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, _, err := b.source.Seize(ctx)
		require.ErrorIs(t, err, want, loss)
		require.Empty(t, b.requests())
	}
}
