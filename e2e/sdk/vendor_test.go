package sdk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/cli"
)

const (
	// users is enough people for several pages.
	users = 30
	// scale makes Box's minute at the gateway last 120 ms.
	scale = 500
)

// vendor is `sendoff sim box` behind a proxy that judges what goes through it.
type vendor struct {
	banner boxsim.Banner
	url    string // of the proxy
	judge  *judge
}

func startVendor(t *testing.T) vendor {
	t.Helper()
	v := vendor{banner: simBox(t), judge: &judge{doc: boxDocument(t), seen: map[string]int{}}}
	sim, err := url.Parse(v.banner.BaseURL)
	require.NoError(t, err)
	// Without kept connections Go's client repeats nothing by itself.
	v.judge.next = &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Transport: v.judge,
		ErrorLog:  log.New(io.Discard, "", 0), // answers that end early are asked for
		// The host stays, so that the addresses Box tells lead through here too.
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = sim.Scheme, sim.Host
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // lost stays lost
	})
	t.Cleanup(proxy.Close)
	v.url = proxy.URL
	return v
}

// simBox runs the command until the test ends.
func simBox(t *testing.T) boxsim.Banner {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	var said bytes.Buffer // read once the command has ended
	ended := make(chan int, 1)
	args := []string{"sim", "box", "--users", strconv.Itoa(users), "--scale", strconv.Itoa(scale)}
	go func() {
		code := cli.Run(ctx, args, strings.NewReader(""), in, &said, nil)
		_ = in.Close()
		ended <- code
	}()
	t.Cleanup(func() {
		cancel()
		require.Equal(t, cli.ExitDone, <-ended, "%s", &said)
	})
	var b boxsim.Banner
	require.NoError(t, json.NewDecoder(out).Decode(&b))
	return b
}
