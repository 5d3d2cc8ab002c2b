package hooks_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"sendoff/internal/hooks"
	"sendoff/schema"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// TestRotation: the secret before is good as long as it is given; one of several
// signatures is enough.
func TestRotation(t *testing.T) {
	t.Parallel()
	old := standard(t, standardVector())
	fresh := "whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789abcdef01234567"))
	verify := func(secrets schema.SourceSecrets, signature string) error {
		h := old.headers()
		h.Set("webhook-signature", signature)
		_, err := hooks.Verify(old.source, secrets, h, old.body, old.at)
		return err
	}
	good := old.header["webhook-signature"]
	require.NoError(t, verify(schema.SourceSecrets{Current: fresh, Previous: old.secret}, good))
	require.NoError(t, verify(schema.SourceSecrets{Current: old.secret, Previous: fresh}, good))
	require.NoError(t, verify(schema.SourceSecrets{Current: old.secret}, "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg== v1,AAAA "+good))
	require.NoError(t, verify(schema.SourceSecrets{Current: strings.TrimPrefix(old.secret, "whsec_")}, good))
	require.Equal(t, hooks.BadSignature, reasonOf(verify(schema.SourceSecrets{Current: fresh}, good)))
	require.Equal(t, hooks.BadSignature, reasonOf(verify(schema.SourceSecrets{Current: old.secret}, strings.ReplaceAll(good, "v1,", "v2,"))))
}

// TestEmptySecrets: a source without a secret believes nobody, also not those who
// sign with the empty one.
func TestEmptySecrets(t *testing.T) {
	t.Parallel()
	w, err := standardwebhooks.NewWebhookRaw(nil)
	require.NoError(t, err)
	sig, err := w.Sign("e1", now, []byte(`{}`))
	require.NoError(t, err)
	header := http.Header{"Webhook-Id": {"e1"}, "Webhook-Timestamp": {strconv.FormatInt(now.Unix(), 10)}, "Webhook-Signature": {sig}}
	source := schema.Source{Kind: schema.SourceStandardWebhooks}
	for _, secrets := range []schema.SourceSecrets{{}, {Current: "whsec_"}, {Current: "whsec_====", Previous: "whsec_"}, {Current: "whsec_not base64!"}} {
		_, err := hooks.Verify(source, secrets, header, []byte(`{}`), now)
		require.Equal(t, hooks.NoSecret, reasonOf(err))
	}
	for _, kind := range []schema.SourceKind{schema.SourceSCIM, schema.SourceCSV, schema.SourceManual, schema.SourceHMAC, ""} {
		_, err := hooks.Verify(schema.Source{Kind: kind}, schema.SourceSecrets{Current: "0123456789abcdef"}, header, nil, now)
		require.Error(t, err, kind)
	}
}

// TestHeaders: a header in a form that others may read otherwise is refused,
// although its signature is good.
func TestHeaders(t *testing.T) {
	t.Parallel()
	w, err := standardwebhooks.NewWebhookRaw([]byte("0123456789abcdef01234567"))
	require.NoError(t, err)
	secrets := schema.SourceSecrets{Current: base64.StdEncoding.EncodeToString([]byte("0123456789abcdef01234567"))}
	source := schema.Source{Kind: schema.SourceStandardWebhooks}
	body, seconds := []byte(`{}`), strconv.FormatInt(now.Unix(), 10)
	send := func(id string, times ...string) error {
		sig, err := w.Sign(id, now, body)
		require.NoError(t, err)
		_, err = hooks.Verify(source, secrets, http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": times, "Webhook-Signature": {sig}}, body, now)
		return err
	}
	require.NoError(t, send("e1", seconds))
	for _, text := range []string{"+" + seconds, "0" + seconds, seconds + ".0", " " + seconds, "-1", "soon", "99999999999999999999"} {
		require.Equal(t, hooks.MalformedHeader, reasonOf(send("e1", text)), text)
	}
	require.Equal(t, hooks.MalformedHeader, reasonOf(send("e1", seconds, seconds)), "twice")
	require.Equal(t, hooks.MissingHeader, reasonOf(send("e1", "")))
	require.NoError(t, send(strings.Repeat("x", 255), seconds))
	for _, id := range []string{strings.Repeat("x", 256), "a\x7fb", "\xff"} {
		require.Equal(t, hooks.MalformedHeader, reasonOf(send(id, seconds)), "%q", id)
	}
}

// TestDeclaredSignatures: what vendors do is said in words of the signature.
func TestDeclaredSignatures(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef"
	body := []byte(`{"hook":{"id":"h1"},"data":{"id":"5","seq":7}}`)
	sum256 := func(parts string) []byte {
		h := hmac.New(sha256.New, []byte(secret))
		h.Write([]byte(parts))
		return h.Sum(nil)
	}
	sum512 := hmac.New(sha512.New, []byte(secret))
	sum512.Write(body)
	seconds := strconv.FormatInt(now.Unix(), 10)
	hash := sha256.Sum256(body)
	timed := sha256.Sum256([]byte(seconds + string(body)))
	fields := map[string]string{"external_id": "data.id"}
	for name, c := range map[string]struct {
		signature schema.Signature
		mapping   schema.Mapping
		header    map[string]string
		id        string
	}{
		"Merge": {
			schema.Signature{Header: "X-Merge-Webhook-Signature", Hash: "sha256", Encoding: "base64url", Content: "{body}"},
			schema.Mapping{Fields: fields},
			map[string]string{"X-Merge-Webhook-Signature": base64.URLEncoding.EncodeToString(sum256(string(body)))},
			hex.EncodeToString(hash[:]),
		},
		"HiBob": {
			schema.Signature{Header: "Bob-Signature", Hash: "sha512", Encoding: "base64", Content: "{body}"},
			schema.Mapping{Fields: fields, EventID: "data.seq"},
			map[string]string{"Bob-Signature": base64.StdEncoding.EncodeToString(sum512.Sum(nil))},
			"7",
		},
		"unpadded, no id where the mapping looks": {
			schema.Signature{Header: "Bob-Signature", Hash: "sha512", Encoding: "base64", Content: "{body}"},
			schema.Mapping{Fields: fields, EventID: "data"},
			map[string]string{"Bob-Signature": base64.RawStdEncoding.EncodeToString(sum512.Sum(nil))},
			hex.EncodeToString(hash[:]),
		},
		"GitHub's form, upper case": {
			schema.Signature{Header: "x-hub-signature-256", Prefix: "sha256=", Hash: "sha256", Encoding: "hex", Content: "{body}"},
			schema.Mapping{Fields: fields},
			map[string]string{"X-Hub-Signature-256": "sha256=" + strings.ToUpper(hex.EncodeToString(sum256(string(body))))},
			hex.EncodeToString(hash[:]),
		},
		"id and time signed": {
			schema.Signature{Header: "X-Sig", Hash: "sha256", Encoding: "hex", Content: "{id}.{timestamp}.{body}", Time: "X-Time", EventID: "X-Id"},
			schema.Mapping{Fields: fields, EventID: "data.seq"},
			map[string]string{"X-Sig": hex.EncodeToString(sum256("e9." + seconds + "." + string(body))), "X-Time": seconds, "X-Id": "e9"},
			"e9",
		},
		"time signed": {
			schema.Signature{Header: "X-Sig", Hash: "sha256", Encoding: "hex", Content: "{timestamp}{body}", Time: "X-Time"},
			schema.Mapping{Fields: fields},
			map[string]string{"X-Sig": hex.EncodeToString(sum256(seconds + string(body))), "X-Time": seconds},
			hex.EncodeToString(timed[:]),
		},
		"time and id that nobody signed are not believed": {
			schema.Signature{Header: "X-Sig", Hash: "sha256", Encoding: "hex", Content: "{body}", Time: "X-Time", EventID: "X-Id"},
			schema.Mapping{Fields: fields},
			map[string]string{"X-Sig": hex.EncodeToString(sum256(string(body))), "X-Time": "1", "X-Id": "e9"},
			hex.EncodeToString(hash[:]),
		},
	} {
		s := signed{
			source: schema.Source{Name: "x", Kind: schema.SourceHMAC, Signature: &c.signature, Mapping: &c.mapping},
			secret: secret, header: c.header, body: body,
		}
		proof, err := s.verify(now)
		require.NoError(t, err, name)
		require.Equal(t, c.id, proof.EventID, name)
		s.body = flip(body, 3)
		_, err = s.verify(now)
		require.Equal(t, hooks.BadSignature, reasonOf(err), name)
		s.body, s.secret = body, secret+"x"
		_, err = s.verify(now)
		require.Equal(t, hooks.BadSignature, reasonOf(err), name)
	}
}

// TestFailuresQuoteNothing: what a failure says may stand in a log.
func TestFailuresQuoteNothing(t *testing.T) {
	t.Parallel()
	s := standard(t, standardVector())
	s.header["webhook-id"] = "ada@example.com"
	_, err := s.verify(s.at)
	require.EqualError(t, err, "webhook: bad_signature: webhook-signature")
	require.EqualError(t, &hooks.Failure{Reason: hooks.NoSecret}, "webhook: no_secret")
}

// FuzzVerify: no header and no body is believed without the secret, and none
// breaks the reading of them.
func FuzzVerify(f *testing.F) {
	s, b := standardVector(), bambooVector()
	f.Add(uint8(0), s.ID, s.Timestamp, s.Signature, []byte(s.Body), "{body}")
	f.Add(uint8(1), "", b.Timestamp, b.Signature, []byte(b.Body), "")
	f.Add(uint8(2), "e1", "1614265330", "v0=aa", []byte(`{"id":"e1"}`), "v0:{timestamp}:{id}:{body}")
	kinds := []schema.SourceKind{schema.SourceStandardWebhooks, schema.SourceBambooHR, schema.SourceHMAC}
	f.Fuzz(func(t *testing.T, kind uint8, id, at, signature string, body []byte, content string) {
		source := schema.Source{
			Kind: kinds[int(kind)%len(kinds)],
			Signature: &schema.Signature{
				Header: "X-Sig", Prefix: "v0=", Hash: "sha256", Encoding: "base64", Content: content, Time: "X-Time", EventID: "X-Id",
			},
			Mapping: &schema.Mapping{EventID: content},
		}
		h := http.Header{}
		for _, name := range []string{"webhook-id", "X-Id"} {
			h.Set(name, id)
		}
		for _, name := range []string{"webhook-timestamp", "X-BambooHR-Timestamp", "X-Time"} {
			h.Set(name, at)
		}
		for _, name := range []string{"webhook-signature", "X-BambooHR-Signature", "X-Sig"} {
			h.Set(name, signature)
		}
		_, err := hooks.Verify(source, schema.SourceSecrets{Current: "YSBzZWNyZXQgbm9ib2R5IGtub3dz"}, h, body, now)
		require.NotEmpty(t, reasonOf(err))
	})
}
