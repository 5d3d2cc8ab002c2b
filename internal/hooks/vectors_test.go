package hooks_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/hooks"
	"sendoff/schema"
)

// vector is a webhook that somebody else has signed.
type vector struct {
	Secret    string `json:"secret"`
	ID        string `json:"id"`
	Timestamp string `json:"timestamp"`
	Body      string `json:"body"`
	Signature string `json:"signature"`
}

// signed is a vector as a source receives it.
type signed struct {
	source schema.Source
	secret string
	header map[string]string
	body   []byte
	at     time.Time
	id     string // of the event; empty = a hash
}

func (s signed) headers() http.Header {
	h := http.Header{}
	for name, value := range s.header {
		h.Set(name, value)
	}
	return h
}

func (s signed) verify(now time.Time) (hooks.Proof, error) {
	return hooks.Verify(s.source, schema.SourceSecrets{Current: s.secret}, s.headers(), s.body, now)
}

// standardVector is from standard-webhooks/standard-webhooks,
// libraries/go/webhook_test.go (MIT).
func standardVector() vector {
	return vector{
		Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Timestamp: "1614265330",
		Body: `{"test": 2432232314}`, Signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
	}
}

// bambooVector is from the tests of fusebit/integrations (MIT).
func bambooVector() vector {
	return vector{
		Secret: "123b929362d51613054f71e5e5d4bf2c", Timestamp: "1658248023",
		Body:      `{"employees":[{"changedFields":["First name"],"fields":{"Employee #":{"value":"300"},"First name":{"value":"Tefi"},"Last name":{"value":"Adams"}},"id":"5"}]}`,
		Signature: "56491dd9c2b352bc5f4fc627159aae20ddff9c8cb19f239a6de6771dc5310bac",
	}
}

func standard(t *testing.T, v vector) signed {
	return signed{
		source: schema.Source{Name: "sw", Kind: schema.SourceStandardWebhooks}, secret: v.Secret, body: []byte(v.Body), at: instant(t, v.Timestamp), id: v.ID,
		header: map[string]string{"webhook-id": v.ID, "webhook-timestamp": v.Timestamp, "webhook-signature": v.Signature},
	}
}

func bamboo(t *testing.T, v vector) signed {
	return signed{
		source: schema.Source{Name: "bamboo", Kind: schema.SourceBambooHR}, secret: v.Secret, body: []byte(v.Body), at: instant(t, v.Timestamp),
		header: map[string]string{"X-BambooHR-Timestamp": v.Timestamp, "X-BambooHR-Signature": v.Signature},
	}
}

// slack is the declared form of Slack's signature
// (https://docs.slack.dev/authentication/verifying-requests-from-slack).
func slack(t *testing.T, v vector) signed {
	return signed{
		source: schema.Source{
			Name: "slack", Kind: schema.SourceHMAC,
			Mapping: &schema.Mapping{Fields: map[string]string{"external_id": "event.user"}, EventID: "event_id"},
			Signature: &schema.Signature{
				Header: "X-Slack-Signature", Prefix: "v0=", Hash: "sha256", Encoding: "hex", Content: "v0:{timestamp}:{body}", Time: "X-Slack-Request-Timestamp",
			},
		},
		secret: v.Secret, body: []byte(v.Body), at: instant(t, v.Timestamp), id: "TvBP7LRED7",
		header: map[string]string{"X-Slack-Request-Timestamp": v.Timestamp, "X-Slack-Signature": v.Signature},
	}
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	require.NoError(t, err)
	return time.Unix(n, 0).UTC()
}

// theirs are the vectors of others beside the repository.
func theirs(t *testing.T) map[string]json.RawMessage {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "reference", "webhook-vectors.json"))
	if os.IsNotExist(err) {
		t.Skip("the vectors of signatures are not beside the repository")
	}
	require.NoError(t, err)
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &all))
	return all
}

func (v *vector) read(t *testing.T, raw json.RawMessage) vector {
	t.Helper()
	require.NoError(t, json.Unmarshal(raw, v))
	return *v
}

// TestVectors: what others have signed is believed, and nothing that differs from
// it in one byte, wherever that is.
func TestVectors(t *testing.T) {
	t.Parallel()
	t.Run("standard webhooks", func(t *testing.T) {
		t.Parallel()
		believedButForOneByte(t, standard(t, standardVector()))
	})
	t.Run("bamboohr", func(t *testing.T) {
		t.Parallel()
		believedButForOneByte(t, bamboo(t, bambooVector()))
	})
	t.Run("slack through hmac", func(t *testing.T) {
		t.Parallel()
		believedButForOneByte(t, slack(t, new(vector).read(t, theirs(t)["slack"])))
	})
	t.Run("quoted as they are", func(t *testing.T) {
		t.Parallel()
		all := theirs(t)
		require.Equal(t, new(vector).read(t, all["standard_webhooks"]), standardVector())
		require.Equal(t, new(vector).read(t, all["bamboohr"]), bambooVector())
	})
}

func believedButForOneByte(t *testing.T, s signed) {
	t.Helper()
	proof, err := s.verify(s.at.Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, s.at, proof.At)
	if s.id == "" {
		require.Regexp(t, `^[0-9a-f]{64}$`, proof.EventID)
	} else {
		require.Equal(t, s.id, proof.EventID)
	}
	for i := range s.body {
		broken := s
		broken.body = flip(s.body, i)
		refused(t, broken, hooks.BadSignature)
	}
	for name, value := range s.header {
		for i := range value {
			broken := s
			broken.header = map[string]string{}
			for n, v := range s.header {
				broken.header[n] = v
			}
			broken.header[name] = string(flip([]byte(value), i))
			refused(t, broken, hooks.BadSignature, hooks.MalformedHeader)
		}
		without := s
		without.header = map[string]string{}
		for n, v := range s.header {
			if n != name {
				without.header[n] = v
			}
		}
		refused(t, without, hooks.MissingHeader)
	}
	ages := map[time.Duration]hooks.Reason{
		hooks.Tolerance: "", hooks.Tolerance + time.Second: hooks.Stale, -hooks.Tolerance: "", -hooks.Tolerance - time.Second: hooks.Future, 50 * 365 * 24 * time.Hour: hooks.Stale,
	}
	for age, reason := range ages {
		_, err := s.verify(s.at.Add(age))
		require.Equal(t, reason, reasonOf(err), "%s", age)
	}
}

func flip(b []byte, i int) []byte {
	out := append([]byte(nil), b...)
	out[i] ^= 1
	return out
}

func reasonOf(err error) hooks.Reason {
	var f *hooks.Failure
	if !errors.As(err, &f) {
		return ""
	}
	return f.Reason
}

// refused checks that it is refused, for one of the reasons.
func refused(t *testing.T, s signed, reasons ...hooks.Reason) {
	t.Helper()
	proof, err := s.verify(s.at.Add(time.Minute))
	require.Error(t, err)
	require.Contains(t, reasons, reasonOf(err))
	require.Empty(t, proof)
}
