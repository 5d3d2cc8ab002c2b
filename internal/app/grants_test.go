package app

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/all"
	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/internal/local/localtest"
	"sendoff/internal/secret"
	"sendoff/internal/store"
	"sendoff/schema"
)

const redirect = "http://127.0.0.1:7521/callback"

// consentBench is a simulated Box, a database, and as many processes as a test
// opens: each has openers of its own.
type consentBench struct {
	t      *testing.T
	sim    *boxsim.Sim
	banner boxsim.Banner
	db     *store.Store
	url    string
	admin  schema.Principal
	// spoil stands between the processes and the token host; nil = nothing does.
	mu    sync.Mutex
	spoil func(w http.ResponseWriter, r *http.Request, next http.Handler)
}

func newConsentBench(t *testing.T, cfg boxsim.Config) *consentBench {
	t.Helper()
	b := &consentBench{t: t}
	var err error
	b.sim, err = boxsim.New(cfg)
	require.NoError(t, err)
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		spoil := b.spoil
		b.mu.Unlock()
		if spoil != nil && r.URL.Path == "/oauth2/token" {
			spoil(w, r, b.sim.Handler())
			return
		}
		b.sim.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(vendor.Close)
	b.banner = b.sim.Banner(vendor.URL)
	b.url = localtest.DatabaseFrom(t, "store", func(ctx context.Context, url string) error { return store.Migrate(ctx, url, nil) })
	b.db = b.open()
	_, err = b.db.BootstrapToken(t.Context(), [32]byte{1})
	require.NoError(t, err)
	b.admin, err = b.db.Authenticate(t.Context(), [32]byte{1})
	require.NoError(t, err)
	return b
}

func (b *consentBench) open() *store.Store {
	b.t.Helper()
	keys, err := secret.NewKeyring(make([]byte, secret.RootKeyBytes))
	require.NoError(b.t, err)
	db, err := store.Open(b.t.Context(), store.Config{URL: b.url, Sealer: sealsWith{keys}, AllowUnsafe: true, MaxConnections: 4})
	require.NoError(b.t, err)
	b.t.Cleanup(db.Close)
	return db
}

// process is what one process of an installation opens connectors with.
func (b *consentBench) process(db *store.Store) *openers {
	o := newOpeners(openerConfig{Factories: all.Factories(), Secrets: db, Grants: db, Guard: db, Limiter: unlimited{}})
	b.t.Cleanup(o.close)
	return o
}

// consented stores a connection whose access token is due for renewal.
func (b *consentBench) consented() schema.Connection {
	b.t.Helper()
	ctx := b.t.Context()
	code, err := b.sim.AddCode(boxsim.CodeSpec{User: b.banner.AdminID, RedirectURI: redirect})
	require.NoError(b.t, err)
	c := schema.Connection{
		Name: "box", Vendor: "box", State: schema.ConnectionEnabled, BaseURL: b.banner.BaseURL, TokenURL: b.banner.TokenURL, AuthKind: schema.AuthCode,
		ClientID: b.banner.ClientID, EnterpriseID: b.banner.EnterpriseID, AsUser: schema.ExternalID(b.banner.AdminID),
	}
	g, err := b.process(b.db).ExchangeCode(ctx, c, b.banner.ClientSecret, redirect, code)
	require.NoError(b.t, err)
	g.RenewAt = time.Now().Add(-time.Minute)
	c, err = b.db.CreateConnectionWithGrant(ctx, c, b.banner.ClientSecret, g, b.admin)
	require.NoError(b.t, err)
	return c
}

func (b *consentBench) spoilTokens(spoil func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spoil = spoil
}

// endClaim is the minute that passes after a process died.
func (b *consentBench) endClaim() {
	b.t.Helper()
	conn, err := pgx.Connect(b.t.Context(), b.url)
	require.NoError(b.t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(b.t.Context(), `update connection_grant set claimed_until = now() where claimed_until is not null`)
	require.NoError(b.t, err)
}

func (b *consentBench) ops(op string) int {
	n := 0
	for _, r := range b.sim.Requests() {
		if r.Op == op {
			n++
		}
	}
	return n
}

func (b *consentBench) works(o *openers, c schema.Connection) error {
	connector, err := o.Open(b.t.Context(), c)
	if err != nil {
		return err
	}
	_, err = connector.Check(b.t.Context())
	return err
}

// TestProcessesShareOneRefresh: whoever needs a token while one is being renewed
// waits for it; the vendor sees the single-use token once.
func TestProcessesShareOneRefresh(t *testing.T) {
	t.Parallel()
	b := newConsentBench(t, boxsim.Config{})
	c := b.consented()
	before := b.ops("token")
	require.NoError(t, b.sim.AddFaults(simkit.Fault{Op: "token", Attempt: before + 1, Action: simkit.ActionDelay, DelayMS: 300}))
	processes := []*openers{b.process(b.db), b.process(b.open()), b.process(b.open())}
	errs := make([]error, 9)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = b.works(processes[i%3], c) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, before+1, b.ops("token"))

	// A token that the vendor no longer takes is renewed once for all, too.
	g, err := b.db.LoadGrant(t.Context(), c.ID)
	require.NoError(t, err)
	require.NoError(t, b.sim.AddFaults(simkit.Fault{Op: "users.me", Attempt: b.ops("users.me") + 1, Action: simkit.ActionExpire}))
	for _, o := range processes {
		require.NoError(t, b.works(o, c))
	}
	require.Equal(t, before+2, b.ops("token"))
	next, err := b.db.LoadGrant(t.Context(), c.ID)
	require.NoError(t, err)
	require.Equal(t, g.Generation+1, next.Generation)
}

// TestAGrantLostByACrashIsCalledThat: a process dies between the vendor's answer
// and the store. Nothing can bring the grant back, and the error names that cause.
func TestAGrantLostByACrashIsCalledThat(t *testing.T) {
	t.Parallel()
	b := newConsentBench(t, boxsim.Config{})
	c := b.consented()
	b.spoilTokens(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(httptest.NewRecorder(), r) // the vendor did it,
		panic(http.ErrAbortHandler)               // and nobody hears
	})
	err := b.works(b.process(b.db), c)
	require.Equal(t, connectors.Unavailable, connectors.KindOf(err))
	require.ErrorContains(t, err, "not answered")
	b.spoilTokens(nil)
	b.endClaim()

	after := b.process(b.open())
	for range 2 { // stays so, and asks the vendor once
		err = b.works(after, c)
		require.Equal(t, connectors.Unauthorized, connectors.KindOf(err))
		require.ErrorIs(t, err, connectors.ErrGrantLost)
		require.ErrorContains(t, err, "consent again")
	}
	asked := b.ops("token")
	require.ErrorIs(t, b.works(b.process(b.db), c), connectors.ErrGrantLost)
	require.Equal(t, asked, b.ops("token"))
}

// TestAnUnansweredRefreshIsTriedAgain: the vendor never saw the request, so the
// same token is still good.
func TestAnUnansweredRefreshIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := newConsentBench(t, boxsim.Config{})
	c := b.consented()
	b.spoilTokens(func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) })
	o := b.process(b.db)
	require.ErrorContains(t, b.works(o, c), "not answered")
	b.spoilTokens(nil)
	b.endClaim()
	require.NoError(t, b.works(o, c))
	g, err := b.db.LoadGrant(t.Context(), c.ID)
	require.NoError(t, err)
	require.Equal(t, int64(2), g.Generation)
	require.False(t, g.Unanswered)
}

// TestARequestThatNeverLeftHarmsNothing: the claim is given back at once.
func TestARequestThatNeverLeftHarmsNothing(t *testing.T) {
	t.Parallel()
	b := newConsentBench(t, boxsim.Config{})
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	c := b.consented()
	away := c
	away.TokenURL = closed.URL + "/oauth2/token"
	connector, err := b.process(b.db).build(connectors.Config{Connection: away, Secret: b.banner.ClientSecret, Limiter: unlimited{}})
	require.NoError(t, err)
	defer connector.Close()
	_, err = connector.Check(t.Context())
	require.Equal(t, connectors.Unavailable, connectors.KindOf(err))
	require.NoError(t, b.works(b.process(b.db), c), "nobody waits for the claim")
}

func TestARefusedRefreshSaysWhatItMayBe(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		cfg  boxsim.Config
		do   func(b *consentBench)
		want error
	}{
		"revoked at the vendor": {
			do: func(b *consentBench) {
				require.NoError(b.t, b.sim.ChangeApp(boxsim.AppChange{ClientID: b.banner.ClientID, Action: boxsim.AppRevoke}))
			},
			want: connectors.ErrGrantRefused,
		},
		"expired": {cfg: boxsim.Config{RefreshLife: time.Nanosecond}, do: func(*consentBench) {}, want: connectors.ErrTokenExpired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newConsentBench(t, tt.cfg)
			c := b.consented()
			tt.do(b)
			err := b.works(b.process(b.db), c)
			require.ErrorIs(t, err, tt.want)
			require.NotErrorIs(t, err, connectors.ErrGrantLost)
			require.ErrorContains(t, err, "the refresh token was refused: expired (60 days), revoked, or the application removed")
			g, err := b.db.LoadGrant(t.Context(), c.ID)
			require.NoError(t, err)
			require.NotEmpty(t, g.Lost)
		})
	}
}

// TestAWrongClientSecretDoesNotUseTheGrantUp.
func TestAWrongClientSecretDoesNotUseTheGrantUp(t *testing.T) {
	t.Parallel()
	b := newConsentBench(t, boxsim.Config{})
	c := b.consented()
	ctx := t.Context()
	wrong, err := b.db.RotateConnection(ctx, c, "wrong", b.admin)
	require.NoError(t, err)
	err = b.works(b.process(b.db), wrong)
	require.ErrorContains(t, err, "the client secret is wrong")
	right, err := b.db.RotateConnection(ctx, wrong, b.banner.ClientSecret, b.admin)
	require.NoError(t, err)
	require.NoError(t, b.works(b.process(b.db), right))
}
