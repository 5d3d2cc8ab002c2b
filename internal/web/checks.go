package web

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

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

// checkFailed keeps what the checker says. A vendor that is down is the vendor's
// failure, not ours: nobody should look for it at this server.
func checkFailed(err error) error {
	var e *schema.Error
	if !errors.As(err, &e) || e.Code != schema.CodeUnavailable {
		return err
	}
	vendor := *e
	vendor.Code = schema.CodeVendor
	return &vendor
}

// checkText refuses what no person types and Postgres does not store.
func checkText(f *faults, field, text string, longest int) {
	if len([]rune(text)) > longest {
		f.add(field, "too_long", "longer than "+strconv.Itoa(longest)+" characters", "shorten it")
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		f.add(field, "control_character", "holds control characters", "type it as plain text")
	}
}
