package cli

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"runtime"
	"time"

	"sendoff/internal/apiclient"
)

// browserFlags are those of a sign-in in the browser.
type browserFlags struct {
	Browser        bool          `help:"Sign in by a person's consent in the browser instead of the application's own credentials."`
	AuthorizeURL   string        `default:"https://account.box.com/api/oauth2/authorize" placeholder:"URL" help:"With --browser: where people sign in (default ${default})."`
	ServerCallback bool          `help:"With --browser: let the vendor send the person back to the server (SENDOFF_PUBLIC_URL) instead of to this machine."`
	CallbackPort   int           `placeholder:"PORT" help:"With --browser: port on 127.0.0.1 to be sent back to; a free one unless given."`
	Open           bool          `help:"With --browser: open the browser, too."`
	Scope          []string      `placeholder:"SCOPE" help:"With --browser: ask for these scopes alone."`
	Timeout        time.Duration `default:"10m" help:"With --browser: how long to wait for the consent (default ${default})."`
}

// consent runs a sign-in from its beginning to the stored connection.
func (in *invocation) consent(flags browserFlags, n apiclient.NewConsent) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	n.AuthorizeURL, n.Scopes = flags.AuthorizeURL, flags.Scope
	if flags.ServerCallback {
		return in.consentAtServer(api, flags, n)
	}
	l, err := (&net.ListenConfig{}).Listen(in.ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", flags.CallbackPort))
	if err != nil {
		return usage("port "+fmt.Sprint(flags.CallbackPort)+" on 127.0.0.1 cannot be listened on", "choose another with --callback-port")
	}
	n.RedirectURL = "http://" + l.Addr().String() + "/callback"
	begun, err := api.BeginConsent(in.ctx, n)
	if err != nil {
		_ = l.Close()
		return err
	}
	state, err := stateOf(begun.AuthorizeURL)
	if err != nil {
		_ = l.Close()
		return err
	}
	in.show(flags, begun)
	ctx, cancel := context.WithTimeout(in.ctx, flags.Timeout)
	defer cancel()
	got, err := awaitCallback(ctx, l, state)
	if err != nil {
		return err
	}
	made, err := api.FinishConsent(in.ctx, state, got.code, got.failure)
	if err != nil {
		return err
	}
	done := "Connected"
	if n.Renew {
		done = "Renewed the consent of"
	}
	return in.result(made, func() {
		in.printCheck(done, made)
		in.printDiagnosis(made.Connection.Name, made.Diagnosis)
	})
}

// consentAtServer leaves the end to the server, whose page tells how it went.
func (in *invocation) consentAtServer(api *apiclient.Client, flags browserFlags, n apiclient.NewConsent) error {
	begun, err := api.BeginConsent(in.ctx, n)
	if err != nil {
		return err
	}
	in.show(flags, begun)
	return in.result(begun, func() {
		in.print("Sign in before %s. The page at its end tells whether it worked; then: sendoff connections test %s", at(begun.ExpiresAt), n.Name)
	})
}

// show tells where to consent, on stderr: stdout is for the result.
func (in *invocation) show(flags browserFlags, begun apiclient.Consent) {
	in.note("The application must allow the redirect URL %s.", begun.RedirectURL)
	in.note("Sign in as an administrator and consent:\n\n  %s\n", begun.AuthorizeURL)
	if flags.Open {
		if err := openBrowser(in.ctx, begun.AuthorizeURL); err != nil {
			in.note("No browser could be opened: open the address yourself.")
		}
	}
}

func stateOf(authorizeURL string) (string, error) {
	u, err := url.Parse(authorizeURL)
	if err != nil || u.Query().Get("state") == "" {
		return "", &apiclient.Error{Code: apiclient.CodeUnreachable, Message: "the server named no address to sign in at", Fix: "use a sendoff and a server of the same version"}
	}
	return u.Query().Get("state"), nil
}

// callback is what the vendor sent the person back with.
type callback struct{ code, failure string }

const callbackPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>sendoff</title></head>
<body><p>%s</p></body></html>
`

// awaitCallback serves the redirect URL until somebody comes with the state.
// Whoever comes without it is turned away, and the wait goes on.
func awaitCallback(ctx context.Context, l net.Listener, state string) (callback, error) {
	came := make(chan callback, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		q := r.URL.Query()
		if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(state)) != 1 {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, callbackPage, "This is not the sign-in that is waited for.")
			return
		}
		select {
		case came <- callback{code: q.Get("code"), failure: q.Get("error")}:
		default: // it came twice; a code is good once
		}
		_, _ = fmt.Fprintf(w, callbackPage, "Thank you. The terminal tells how it ended; you can close this page.")
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(l) }()
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = srv.Shutdown(end) // lets the page be read
		<-served
	}()
	select {
	case got := <-came:
		return got, nil
	case <-ctx.Done():
		if context.Cause(ctx) == context.DeadlineExceeded { //nolint:errorlint // our own deadline
			return callback{}, usage("nobody consented in time; nothing was stored", "begin again")
		}
		return callback{}, ctx.Err()
	}
}

// openBrowser opens the system's browser. The address, state included, is seen by
// other users of this machine in its list of processes, which is why it is asked for.
func openBrowser(ctx context.Context, address string) error {
	switch runtime.GOOS {
	case "darwin":
		return exec.CommandContext(ctx, "open", address).Start()
	case "windows":
		return exec.CommandContext(ctx, "rundll32", "url.dll,FileProtocolHandler", address).Start()
	default:
		return exec.CommandContext(ctx, "xdg-open", address).Start()
	}
}

type removeConnectionCommand struct {
	connectionChange
	Unrevoked bool `help:"Remove it also when its tokens cannot be revoked at the vendor; end the application's access there yourself."`
}

// Run removes a connection.
func (c *removeConnectionCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	got, err := api.RemoveConnection(in.ctx, c.Name, c.Reason, c.Unrevoked)
	if err != nil {
		return err
	}
	return in.result(got, func() {
		in.print("Removed connection %s.", got.Connection.Name)
		in.print("tokens revoked  %s", yesNo(got.Revocation.Revoked))
		in.print("proven          %s", yesNo(got.Revocation.Proven))
		if got.Revocation.Why != "" {
			in.print("note            %s", got.Revocation.Why)
		}
	})
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
