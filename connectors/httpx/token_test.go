package httpx_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
)

const clientSecret = "cl13nt-s3cr3t"

func newSource(t *testing.T, tokenURL string, now func() time.Time) *httpx.CredentialSource {
	t.Helper()
	s, err := httpx.NewCredentialSource(httpx.CredentialOptions{
		Op: "v.token", TokenURL: tokenURL, Now: now, Credentials: httpx.Credentials{
			ClientID: "app", ClientSecret: clientSecret,
			Params: url.Values{"box_subject_type": {"enterprise"}, "box_subject_id": {"11"}},
		},
	})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// tokenHost answers t1, t2, ... each good for an hour.
func tokenHost(t *testing.T) (string, *atomic.Int64, *atomic.Value) {
	t.Helper()
	var n atomic.Int64
	var form atomic.Value
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		form.Store(r.PostForm)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":"t%d","token_type":"bearer","expires_in":3600}`, n.Add(1))
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/oauth2/token", &n, &form
}

func TestTokenIsFetchedOnceForAll(t *testing.T) {
	t.Parallel()
	host, fetched, form := tokenHost(t)
	s := newSource(t, host, time.Now)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			tok, err := s.Token(context.Background())
			if err != nil || tok != "t1" {
				t.Errorf("token %q, error %v", tok, err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, fetched.Load())
	require.Equal(t, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {clientSecret},
		"box_subject_type": {"enterprise"}, "box_subject_id": {"11"},
	}, form.Load())
}

func TestTokenIsRenewedEarlyAndOnDemand(t *testing.T) {
	t.Parallel()
	host, _, _ := tokenHost(t)
	var offset atomic.Int64
	start := time.Now()
	s := newSource(t, host, func() time.Time { return start.Add(time.Duration(offset.Load())) })
	want := func(token string) {
		t.Helper()
		got, err := s.Token(t.Context())
		require.NoError(t, err)
		require.Equal(t, token, got)
	}
	want("t1")
	offset.Store(int64(56 * time.Minute))
	want("t1")
	offset.Store(int64(57*time.Minute + time.Second))
	want("t2")
	s.Drop("t1") // no longer the current one
	want("t2")
	s.Drop("t2")
	want("t3")
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		body   string
		kind   connectors.Kind
		detail string
	}{
		"wrong secret":     {400, `{"error":"invalid_client","error_description":"for ` + clientSecret + `"}`, connectors.Unauthorized, "client secret is wrong"},
		"401 wrong secret": {401, `{"error":"invalid_client"}`, connectors.Unauthorized, "client secret is wrong"},
		"bad grant":        {400, `{"error":"invalid_grant","error_description":"Grant credentials are invalid"}`, connectors.Unauthorized, "enterprise id"},
		"not authorized":   {400, `{"error":"unauthorized_client","error_description":"This app"}`, connectors.Unauthorized, "an admin must authorize"},
		"not configured":   {400, `{"error":"invalid_request"}`, connectors.Unauthorized, "configuration"},
		"down":             {503, `oops ` + clientSecret, connectors.Unavailable, "refused the request"},
		"limited":          {429, ``, connectors.RateLimited, ""},
		"moved":            {302, ``, connectors.Malformed, "redirected"},
		"not there":        {404, `<html>`, connectors.NotFound, ""},
		"no token":         {200, `{"hello":"` + clientSecret + `"}`, connectors.Malformed, "no token"},
		"not JSON":         {200, `<html>` + clientSecret, connectors.Malformed, "no token"},
		"too long":         {200, `{"access_token":"` + strings.Repeat("x", httpx.MaxErrorBytes) + `"}`, connectors.Malformed, "no token"},
	} {
		var hits atomic.Int64
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			hits.Add(1)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(tc.status)
			_, _ = io.WriteString(w, tc.body)
		}))
		t.Cleanup(srv.Close)
		_, err := newSource(t, srv.URL, time.Now).Token(t.Context())
		e := errorOf(t, err)
		require.Equal(t, tc.kind, e.Kind, name)
		require.Contains(t, err.Error(), tc.detail, name)
		require.NotContains(t, fmt.Sprintf("%v %+v %v", err, e, e.Err), clientSecret, name)
		require.EqualValues(t, 1, hits.Load(), "%s: asked once", name)
	}
}

func TestTokenHostDown(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	_, err := newSource(t, srv.URL, time.Now).Token(t.Context())
	require.Equal(t, connectors.Unavailable, errorOf(t, err).Kind)

	dropped := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(dropped.Close)
	_, err = newSource(t, dropped.URL, time.Now).Token(t.Context())
	require.Equal(t, connectors.Unavailable, errorOf(t, err).Kind)
}

func TestTokenWaitersLeaveAlone(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"t","expires_in":3600}`)
	}))
	t.Cleanup(srv.Close)
	s := newSource(t, srv.URL, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Token(ctx)
	require.ErrorIs(t, err, context.Canceled)
	close(release)
	tok, err := s.Token(t.Context())
	require.NoError(t, err, "one caller's leaving does not spoil the fetch for others")
	require.Equal(t, "t", tok)
}

func TestTokenURLMustBeSafe(t *testing.T) {
	t.Parallel()
	_, err := httpx.NewCredentialSource(httpx.CredentialOptions{TokenURL: "http://token.example.com", Now: time.Now})
	require.Error(t, err)
}

// TestAssertionsAreDatedByTheHost: a refusal that blames the assertion's time is
// answered once, by a new assertion dated by the host's own clock, which is then
// kept.
func TestAssertionsAreDatedByTheHost(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []string
	hostTime := fixedNow.Add(-time.Hour)
	refusal := `{"error":"invalid_grant","error_description":"Please check the 'exp' claim of ` + clientSecret + `"}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r.PostForm.Get("grant_type")+" "+r.PostForm.Get("assertion"))
		w.Header().Set("Date", hostTime.Format(http.TimeFormat))
		if r.PostForm.Get("assertion") != "at "+hostTime.Format(time.TimeOnly) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, refusal)
			return
		}
		_, _ = fmt.Fprintf(w, `{"access_token":"t%d","expires_in":3600}`, len(got))
	}))
	t.Cleanup(srv.Close)
	s, err := httpx.NewCredentialSource(httpx.CredentialOptions{
		Op: "v.token", TokenURL: srv.URL, Now: func() time.Time { return fixedNow }, Credentials: httpx.Credentials{
			ClientID: "app", ClientSecret: clientSecret,
			Assert: func(at time.Time) (string, error) { return "at " + at.UTC().Format(time.TimeOnly), nil },
		},
	})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	tok, err := s.Token(t.Context())
	require.NoError(t, err)
	require.Equal(t, "t2", tok)
	s.Drop(tok)
	_, err = s.Token(t.Context())
	require.NoError(t, err)
	mu.Lock()
	require.Equal(t, []string{grant + " at 12:00:00", grant + " at 11:00:00", grant + " at 11:00:00"}, got)
	refusal, hostTime = `{"error":"invalid_grant","error_description":"Please check the 'sub' claim"}`, fixedNow
	mu.Unlock()
	s.Drop("t3")
	_, err = s.Token(t.Context())
	require.Equal(t, connectors.Unauthorized, errorOf(t, err).Kind)
	require.NotContains(t, err.Error(), clientSecret)
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, got, 4, "what does not blame the time is not repeated")
}

func TestAssertionsThatCannotBeSigned(t *testing.T) {
	t.Parallel()
	host, fetched, _ := tokenHost(t)
	s, err := httpx.NewCredentialSource(httpx.CredentialOptions{
		Op: "v.token", TokenURL: host, Now: time.Now, Credentials: httpx.Credentials{
			Assert: func(time.Time) (string, error) { return "", errors.New(clientSecret) },
		},
	})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	_, err = s.Token(t.Context())
	require.Equal(t, connectors.Invalid, errorOf(t, err).Kind)
	require.NotContains(t, err.Error(), clientSecret)
	require.Zero(t, fetched.Load())
}

// TestTokenWithoutAContentType: JSON is JSON, whatever the host calls it.
func TestTokenWithoutAContentType(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, `{"access_token":"t","expires_in":3600}`)
	}))
	t.Cleanup(srv.Close)
	tok, err := newSource(t, srv.URL, time.Now).Token(t.Context())
	require.NoError(t, err)
	require.Equal(t, "t", tok)
}
