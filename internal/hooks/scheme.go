package hooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"strings"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"sendoff/schema"
)

// The headers of BambooHR (https://documentation.bamboohr.com/docs/webhooks, read
// 2026-11).
const (
	bambooSignature = "X-BambooHR-Signature"
	bambooTime      = "X-BambooHR-Timestamp"
)

// The hashes and encodings of schema.Signature.
const (
	hashSHA256   = "sha256"
	hashSHA512   = "sha512"
	encHex       = "hex"
	encBase64    = "base64"
	encBase64URL = "base64url"
)

// scheme is a way of signing.
type scheme struct {
	signatureHeader, timeHeader, idHeader string // "" = there is none
	// signed tells whether the secret signed the message, and whether it is one that
	// can be used at all.
	signed func(secret string, m message) (signed, usable bool)
	// eventID is the event's id, of a message that is signed.
	eventID func(source schema.Source, m message) string
}

func schemeOf(source schema.Source) (scheme, bool) {
	switch source.Kind {
	case schema.SourceStandardWebhooks:
		return standardScheme(), true
	case schema.SourceBambooHR:
		return bambooScheme(), true
	case schema.SourceHMAC:
		return hmacScheme(source.Signature)
	default:
		return scheme{}, false
	}
}

// standardScheme is Standard Webhooks 1.0.0: the header may hold several
// signatures, of which one must be good.
func standardScheme() scheme {
	return scheme{
		signatureHeader: standardwebhooks.HeaderWebhookSignature,
		timeHeader:      standardwebhooks.HeaderWebhookTimestamp,
		idHeader:        standardwebhooks.HeaderWebhookID,
		signed: func(secret string, m message) (signed, usable bool) {
			key, ok := standardKey(secret)
			if !ok {
				return false, false
			}
			w, err := standardwebhooks.NewWebhookRaw(key)
			if err != nil {
				return false, false
			}
			h := http.Header{}
			h.Set(standardwebhooks.HeaderWebhookSignature, m.signature)
			h.Set(standardwebhooks.HeaderWebhookTimestamp, m.time)
			h.Set(standardwebhooks.HeaderWebhookID, m.id)
			// The library's own tolerance is measured by the system's clock.
			return w.VerifyIgnoringTimestamp(m.body, h) == nil, true
		},
		eventID: func(_ schema.Source, m message) string { return m.id },
	}
}

// standardKey reads a secret: whsec_ and base64, padded or not. The library takes
// an empty one, which everybody can sign with.
func standardKey(secret string) ([]byte, bool) {
	text := strings.TrimRight(strings.TrimPrefix(secret, "whsec_"), "=")
	key, err := base64.RawStdEncoding.DecodeString(text)
	return key, err == nil && len(key) > 0
}

// bambooScheme signs the body and the time after it, with nothing between.
func bambooScheme() scheme {
	return scheme{
		signatureHeader: bambooSignature, timeHeader: bambooTime,
		signed: func(secret string, m message) (signed, usable bool) {
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write(m.body)
			mac.Write([]byte(m.time))
			return oneOf(m.signature, encodings(encHex, mac.Sum(nil))), true
		},
		eventID: func(_ schema.Source, m message) string { return digest(m.time, m.body) },
	}
}

// hmacScheme is what the signature describes. Headers that are not part of what is
// signed are not believed: anybody could have changed them.
func hmacScheme(s *schema.Signature) (scheme, bool) {
	if s == nil || s.Header == "" {
		return scheme{}, false
	}
	content, problems := parseContent(s.Content)
	newHash, known := hashOf(s.Hash)
	if len(problems) > 0 || !known || encodings(s.Encoding, nil) == nil {
		return scheme{}, false
	}
	out := scheme{signatureHeader: s.Header}
	if content.has(placeTime) {
		out.timeHeader = s.Time
	}
	if content.has(placeID) {
		out.idHeader = s.EventID
	}
	out.signed = func(secret string, m message) (signed, usable bool) {
		given, ok := strings.CutPrefix(m.signature, s.Prefix)
		if !ok {
			return false, true
		}
		mac := hmac.New(newHash, []byte(secret))
		content.write(mac, m)
		return oneOf(given, encodings(s.Encoding, mac.Sum(nil))), true
	}
	out.eventID = func(source schema.Source, m message) string {
		if m.id != "" {
			return m.id
		}
		if id, ok := idInBody(source.Mapping, m.body); ok {
			return id
		}
		return digest(m.time, m.body)
	}
	return out, true
}

func hashOf(name string) (func() hash.Hash, bool) {
	switch name {
	case hashSHA256:
		return sha256.New, true
	case hashSHA512:
		return sha512.New, true
	}
	return nil, false
}

// encodings are the texts that a sum may be sent as; nil = there is no such
// encoding. Sums are compared as texts: decoders take several texts for one sum.
func encodings(name string, sum []byte) []string {
	switch name {
	case encHex:
		text := hex.EncodeToString(sum)
		return []string{text, strings.ToUpper(text)}
	case encBase64:
		return []string{base64.StdEncoding.EncodeToString(sum), base64.RawStdEncoding.EncodeToString(sum)}
	case encBase64URL:
		return []string{base64.URLEncoding.EncodeToString(sum), base64.RawURLEncoding.EncodeToString(sum)}
	}
	return nil
}

// oneOf compares in a time that says nothing about what is right.
func oneOf(given string, right []string) bool {
	found := false
	for _, text := range right {
		found = hmac.Equal([]byte(given), []byte(text)) || found
	}
	return found
}

// idInBody finds the event's own id where the mapping says it is.
func idInBody(m *schema.Mapping, body []byte) (string, bool) {
	if m == nil || m.EventID == "" {
		return "", false
	}
	p, err := parsePath(m.EventID)
	if err != nil {
		return "", false
	}
	document, problems := decode(body)
	if len(problems) > 0 {
		return "", false
	}
	found, _, fault := p.find(document)
	text, ok := scalar(found)
	return text, fault == "" && ok && usableID(text)
}
