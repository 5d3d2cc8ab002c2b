package hooks

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"sendoff/schema"
)

const (
	// Tolerance is how far a webhook's time may be from ours, either way (Standard
	// Webhooks 1.0.0, "Verifying signatures"; Slack's documents say the same).
	Tolerance = 5 * time.Minute
	// maxEventID bounds what a source may call an event, in bytes.
	maxEventID = 255
	// maxTimeDigits lets through all seconds until the year 33658.
	maxTimeDigits = 12
)

// Reason is why a webhook is not believed.
type Reason string

// The reasons.
const (
	MissingHeader   Reason = "missing_header"
	MalformedHeader Reason = "malformed_header" // or sent twice
	BadSignature    Reason = "bad_signature"
	Stale           Reason = "stale"     // signed well, and older than the tolerance
	Future          Reason = "future"    // signed well, and from after the tolerance
	NoSecret        Reason = "no_secret" // the source has none that can be used: a fault of ours
)

// Failure is the error of a webhook that is not believed. It quotes nothing of it.
type Failure struct {
	Reason Reason
	Header string // the name of the header at fault, if one is
}

// Error names the reason and the header.
func (f *Failure) Error() string {
	if f.Header == "" {
		return "webhook: " + string(f.Reason)
	}
	return "webhook: " + string(f.Reason) + ": " + f.Header
}

// Proof is what a webhook is known by once it is believed.
type Proof struct {
	EventID string    // unique within the source, the same when it is sent again
	At      time.Time // when it was signed; zero = the source does not say
}

// Verify tells whether a webhook comes from its source: whether one of the secrets
// signed the body as it came, within the tolerance of now. Its errors are Failures.
func Verify(source schema.Source, secrets schema.SourceSecrets, header http.Header, body []byte, now time.Time) (Proof, error) {
	s, ok := schemeOf(source)
	if !ok {
		return Proof{}, &Failure{Reason: NoSecret}
	}
	m, at, err := s.message(header, body)
	if err != nil {
		return Proof{}, err
	}
	usable := false
	for _, secret := range []string{secrets.Current, secrets.Previous} {
		if secret == "" {
			continue
		}
		signed, good := s.signed(secret, m)
		usable = usable || good
		if signed {
			return s.believe(source, m, at, now)
		}
	}
	if !usable {
		return Proof{}, &Failure{Reason: NoSecret}
	}
	return Proof{}, &Failure{Reason: BadSignature, Header: s.signatureHeader}
}

// believe judges the time of a webhook that is signed well.
func (s scheme) believe(source schema.Source, m message, at, now time.Time) (Proof, error) {
	switch {
	case at.IsZero():
	case now.Sub(at) > Tolerance:
		return Proof{}, &Failure{Reason: Stale, Header: s.timeHeader}
	case at.Sub(now) > Tolerance:
		return Proof{}, &Failure{Reason: Future, Header: s.timeHeader}
	}
	return Proof{EventID: s.eventID(source, m), At: at}, nil
}

// message is what is signed, as it came.
type message struct {
	signature, time, id string
	body                []byte
}

// message reads the headers of the scheme. A header that is sent twice is refused:
// what one reader takes the first of, another takes the last of.
func (s scheme) message(header http.Header, body []byte) (m message, at time.Time, err error) {
	m.body = body
	for _, h := range []struct {
		name string
		into *string
	}{{s.signatureHeader, &m.signature}, {s.timeHeader, &m.time}, {s.idHeader, &m.id}} {
		if h.name == "" {
			continue
		}
		switch values := header.Values(h.name); {
		case len(values) == 0 || values[0] == "":
			return m, at, &Failure{Reason: MissingHeader, Header: h.name}
		case len(values) > 1:
			return m, at, &Failure{Reason: MalformedHeader, Header: h.name}
		default:
			*h.into = values[0]
		}
	}
	if s.timeHeader != "" {
		seconds, ok := unixSeconds(m.time)
		if !ok {
			return m, at, &Failure{Reason: MalformedHeader, Header: s.timeHeader}
		}
		at = time.Unix(seconds, 0).UTC()
	}
	if s.idHeader != "" && !usableID(m.id) {
		return m, at, &Failure{Reason: MalformedHeader, Header: s.idHeader}
	}
	return m, at, nil
}

// unixSeconds reads seconds in their one form: no sign, no zeros in front. Other
// forms would be other texts with the same meaning.
func unixSeconds(s string) (int64, bool) {
	if s == "" || len(s) > maxTimeDigits || s[0] == '0' {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// usableID tells whether an event can be kept under an id.
func usableID(id string) bool {
	if id == "" || len(id) > maxEventID || !utf8.ValidString(id) {
		return false
	}
	for _, r := range id {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

// digest is the id of an event that has none of its own. The time belongs to it
// where it is signed: the same words at another time are another event.
func digest(signedTime string, body []byte) string {
	h := sha256.New()
	h.Write([]byte(signedTime))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}
