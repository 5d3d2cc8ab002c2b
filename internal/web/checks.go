package web

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"

	"sendoff/connectors"
	"sendoff/schema"
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func checkName(f *faults, name string) {
	if !nameForm.MatchString(name) {
		f.add("name", "name", "a name has 1 to 63 letters, digits, dots, dashes and underscores and begins with a letter or digit", "choose such a name, for example box-main")
	}
}

// checkURL accepts an absolute https URL, or http on loopback, and returns it
// without a trailing slash.
func checkURL(f *faults, field, raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		f.add(field, "url", "not an absolute URL", "give one such as https://api.box.com")
		return ""
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		f.add(field, "url", "holds a user, a query or a fragment", "give scheme, host and path alone")
		return ""
	case u.Scheme == "http" && !loopback(u.Hostname()):
		f.add(field, "url", "plain http would show the secret to the network", "use https; http is for simulators on 127.0.0.1")
		return ""
	}
	return strings.TrimRight(u.String(), "/")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback())
}

// checkFailed says for people why a vendor could not be used.
func checkFailed(c schema.Connection, err error) error {
	var ours *schema.Error
	if errors.As(err, &ours) {
		return err
	}
	e := &schema.Error{Code: schema.CodeVendor}
	switch connectors.KindOf(err) {
	case connectors.Unauthorized:
		e.Message = "the vendor does not accept the client id and secret"
		e.Fix = "check --client-id and the secret's file, and that the application is authorised for the enterprise"
	case connectors.Forbidden:
		e.Message = "the vendor accepts the credentials but refuses the call"
		e.Fix = "grant the application its scopes and authorise it again in the vendor's admin console"
	case connectors.Unavailable, connectors.RateLimited, connectors.Conflict:
		e.Message = "the vendor does not answer at " + hostOf(c.BaseURL) + " or " + hostOf(c.TokenURL)
		e.Fix = "check the base URL, the token URL and the network from the server, then try again"
	case connectors.NotFound, connectors.Malformed, connectors.Invalid:
		e.Message = "what answers at " + hostOf(c.BaseURL) + " does not speak the vendor's API, or does not know the client"
		e.Fix = "check the base URL (the API's root), the token URL, the enterprise id and the user to act as"
	default:
		return err
	}
	e.Problems = []schema.Problem{{Where: "connection", Code: string(schema.ConnectionDegraded), Message: err.Error()}}
	return e
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the URL given"
	}
	return u.Host
}
