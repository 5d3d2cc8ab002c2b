package httpx_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/httpx"
)

// TestNULInAnAnswer: no database keeps it, and one name that holds it must not
// stop a listing. What only looks like its escape stays as it is.
func TestNULInAnAnswer(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`"a\u0000b"`:             "a\ufffdb",
		`"\u0000\u0000"`:         "\ufffd\ufffd",
		`"a\\u0000b"`:            `a\u0000b`,
		`"a\\\u0000\n\u00000"`:   "a\\\ufffd\n\ufffd0",
		`"\u00001 \\\\u0000 \""`: "\ufffd1 " + `\\u0000 "`,
		`"plain \n"`:             "plain \n",
	} {
		base, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		c, _ := newClient(t, base)
		var got string
		require.NoError(t, c.Do(t.Context(), httpx.Request{Op: "t.read", Method: http.MethodGet, Path: "/"}, &got), body)
		require.Equal(t, want, got, body)
	}
}
