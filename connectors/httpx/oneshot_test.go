package httpx_test

import (
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
)

// tlsServer speaks HTTP/2 to whoever asks for it.
func tlsServer(t *testing.T, h http.HandlerFunc) (string, *x509.CertPool) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	return srv.URL, roots
}

func TestOneShotNeverSpeaksHTTP2(t *testing.T) {
	t.Parallel()
	base, roots := tlsServer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, `"`+r.Proto+`"`) })
	c, _ := newClient(t, base, func(o *httpx.Options) { o.RootCAs = roots })
	var proto string
	require.NoError(t, c.Do(t.Context(), httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x"}, &proto))
	require.Equal(t, "HTTP/2.0", proto, "the server does speak it")

	shot, err := c.Prepare(t.Context(), httpx.Request{Op: "v.put", Method: http.MethodPut, Path: "/x", Body: map[string]string{}})
	require.NoError(t, err)
	a := shot.Send(t.Context())
	require.NoError(t, a.Err)
	require.True(t, a.Written)
	require.Equal(t, `"HTTP/1.1"`, string(a.Body))
}

func TestOneShotUsesAConnectionOfItsOwn(t *testing.T) {
	t.Parallel()
	addrs := make(chan string, 8)
	base, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		addrs <- r.RemoteAddr
		_, _ = io.WriteString(w, `{}`)
	})
	c, _ := newClient(t, base)
	get := httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x"}
	require.NoError(t, c.Do(t.Context(), get, nil))
	require.NoError(t, c.Do(t.Context(), get, nil))
	pooled := <-addrs
	require.Equal(t, pooled, <-addrs, "ordinary calls share a connection")
	seen := map[string]bool{pooled: true}
	for range 3 {
		shot, err := c.Prepare(t.Context(), httpx.Request{Op: "v.put", Method: http.MethodPut, Path: "/x", Body: map[string]string{}})
		require.NoError(t, err)
		require.Equal(t, 200, shot.Send(t.Context()).Status)
		addr := <-addrs
		require.False(t, seen[addr], "a connection was used twice")
		seen[addr] = true
	}
}

func TestOneShotUnderWayIsNotRepeated(t *testing.T) {
	t.Parallel()
	var hits atomic.Int64
	base, roots := tlsServer(t, func(http.ResponseWriter, *http.Request) {
		hits.Add(1)
		panic(http.ErrAbortHandler)
	})
	c, _ := newClient(t, base, func(o *httpx.Options) { o.RootCAs = roots })
	shot, err := c.Prepare(t.Context(), httpx.Request{Op: "v.put", Method: http.MethodPut, Path: "/x", Body: map[string]string{}})
	require.NoError(t, err)
	a := shot.Send(t.Context())
	require.True(t, a.Written)
	require.Equal(t, connectors.Unavailable, errorOf(t, a.Err).Kind)
	require.True(t, errorOf(t, a.Err).Sent)
	require.EqualValues(t, 1, hits.Load())
}

func TestOneShotKnowsThatNothingLeft(t *testing.T) {
	t.Parallel()
	base, _ := tlsServer(t, func(http.ResponseWriter, *http.Request) { t.Error("a request got through") })
	c, _ := newClient(t, base) // the certificate is not trusted
	shot, err := c.Prepare(t.Context(), httpx.Request{Op: "v.put", Method: http.MethodPut, Path: "/x"})
	require.NoError(t, err)
	a := shot.Send(t.Context())
	require.False(t, a.Written, "a failed handshake carries no byte of the request")
	require.False(t, errorOf(t, a.Err).Sent)
	require.Contains(t, a.Err.Error(), "certificate")
}

// TestAnswersThatWereCompressedUnasked: the one answer to a transfer must be read
// also where a proxy compresses what nobody asked it to, or marks it as UTF-8.
func TestAnswersThatWereCompressedUnasked(t *testing.T) {
	t.Parallel()
	var cut atomic.Bool
	base, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = io.WriteString(z, "\ufeff{\"id\":\"9\"}")
		_ = z.Close()
		if cut.Load() {
			packed.Truncate(packed.Len() / 2)
		}
		_, _ = w.Write(packed.Bytes())
	})
	c, _ := newClient(t, base)
	send := func() httpx.Answer {
		shot, err := c.Prepare(t.Context(), httpx.Request{Op: "v.put", Method: http.MethodPut, Path: "/x", Body: map[string]string{}})
		require.NoError(t, err)
		return shot.Send(t.Context())
	}
	a := send()
	require.True(t, a.Whole)
	require.Equal(t, `{"id":"9"}`, string(a.Body))
	var out struct{ ID string }
	require.NoError(t, c.Do(t.Context(), httpx.Request{Op: "v.get", Method: http.MethodGet, Path: "/x"}, &out))
	require.Equal(t, "9", out.ID)

	cut.Store(true)
	a = send()
	require.Equal(t, http.StatusOK, a.Status, "the status was heard")
	require.False(t, a.Whole)
}
