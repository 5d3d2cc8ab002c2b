package hooks_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/hooks"
	"sendoff/schema"
)

func usable() schema.Source {
	return schema.Source{
		Kind: schema.SourceHMAC,
		Signature: &schema.Signature{
			Header: "X-Sig", Prefix: "v0=", Hash: "sha512", Encoding: "base64url", Content: "v0:{timestamp}:{id}:{body}", Time: "X-Time", EventID: "X-Id",
		},
		Mapping: &schema.Mapping{
			List: `data["a.b"][0].people`, EventID: "event.id", Fields: map[string]string{"external_id": "id", "kind": "type", "hire_date": "start"},
			Words: map[string]map[string]string{"kind": {"Vollzeit": "employee", "extern": "contractor", "?": ""}}, DateLayouts: []string{"02.01.2006", "2006-01-02T15:04:05Z07:00"},
			When: map[string][]string{"event.type": {"a", "b"}},
		},
	}
}

func TestCheckSource(t *testing.T) {
	t.Parallel()
	require.Empty(t, hooks.CheckSource(usable()))
	require.Empty(t, hooks.CheckSource(own()))
	require.Empty(t, hooks.CheckSource(schema.Source{Kind: schema.SourceBambooHR}))
	require.Empty(t, hooks.CheckSource(schema.Source{Kind: schema.SourceSCIM}))
	for name, c := range map[string]struct {
		break_ func(*schema.Source)
		want   []string
	}{
		"nothing said": {func(s *schema.Source) { s.Signature, s.Mapping = nil, nil }, []string{"signature required", "mapping required"}},
		"another kind": {func(s *schema.Source) { s.Kind = schema.SourceBambooHR }, []string{"signature not_used", "mapping not_used"}},
		"standard":     {func(s *schema.Source) { s.Kind = schema.SourceStandardWebhooks }, []string{"signature not_used", "mapping.event_id not_used"}},
		"signature": {func(s *schema.Source) {
			*s.Signature = schema.Signature{Header: "X Sig", Prefix: " \n", Hash: "md5", Encoding: "hex64", Content: "{bodies}:{timestamp"}
		}, []string{"signature.hash unknown", "signature.encoding unknown", "signature.prefix form", "signature.content content", "signature.content content", "signature.header header"}},
		"empty signature": {func(s *schema.Source) { *s.Signature = schema.Signature{} }, []string{
			"signature.hash unknown", "signature.encoding unknown", "signature.content content", "signature.header required",
		}},
		"not signed":    {func(s *schema.Source) { s.Signature.Content = "{body}" }, []string{"signature.timestamp not_signed", "signature.event_id not_signed"}},
		"not named":     {func(s *schema.Source) { s.Signature.Time, s.Signature.EventID = "", "" }, []string{"signature.timestamp required", "signature.event_id required"}},
		"header twice":  {func(s *schema.Source) { s.Signature.Time = "x-sig" }, []string{"signature.timestamp duplicate"}},
		"unknown field": {func(s *schema.Source) { s.Mapping.Fields["shoe_size"] = "x" }, []string{"mapping.fields.shoe_size unknown_field"}},
		"no id":         {func(s *schema.Source) { delete(s.Mapping.Fields, "external_id") }, []string{"mapping.fields.external_id required"}},
		"paths": {func(s *schema.Source) {
			s.Mapping.List, s.Mapping.EventID, s.Mapping.Fields["email"], s.Mapping.Fields["name"] = "a..b", "[", "a[x]", ""
			s.Mapping.When["a["], s.Mapping.When["b"] = []string{"x"}, nil
		}, []string{"mapping.list path", "mapping.event_id path", "mapping.fields.email path", "mapping.fields.name path", "mapping.when path", "mapping.when values"}},
		"words": {func(s *schema.Source) {
			s.Mapping.Words = map[string]map[string]string{"kind": {"x": "intern", "A": "", "a ": ""}, "site": {"a": "b"}, "external_id": {"a": "b"}}
		}, []string{"mapping.words.external_id unknown_field", "mapping.words.kind duplicate", "mapping.words.kind value", "mapping.words.site unknown_field"}},
		"layouts": {func(s *schema.Source) {
			s.Mapping.DateLayouts = []string{"02/01/2006", "01/02/2006", "YYYY-MM-DD", "02.01.", ""}
		}, []string{"mapping.date_layouts[1] ambiguous", "mapping.date_layouts[2] layout", "mapping.date_layouts[3] layout", "mapping.date_layouts[4] layout"}},
	} {
		s := usable()
		c.break_(&s)
		problems := hooks.CheckSource(s)
		require.ElementsMatch(t, c.want, places(problems), name)
		for _, p := range problems {
			require.NotEmpty(t, p.Message, name)
			require.NotEmpty(t, p.Fix, name)
		}
	}
}

func TestCheckSecret(t *testing.T) {
	t.Parallel()
	for secret, want := range map[string]string{
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": "", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfI=": "", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfI": "",
		"": "base64", "whsec_": "base64", "whsec_a secret in words": "base64", "whsec_MfKQ": "too_short",
	} {
		checkSecret(t, schema.SourceStandardWebhooks, secret, want)
	}
	checkSecret(t, schema.SourceBambooHR, bambooVector().Secret, "")
	checkSecret(t, schema.SourceHMAC, strings.Repeat("x", 15), "too_short")
}

func checkSecret(t *testing.T, kind schema.SourceKind, secret, want string) {
	t.Helper()
	got := ""
	for _, p := range hooks.CheckSecret(kind, secret) {
		got = p.Code
		require.NotEmpty(t, p.Fix)
		if len(secret) > len("whsec_") {
			require.NotContains(t, p.Message+p.Fix, secret)
		}
	}
	require.Equal(t, want, got, secret)
}

// FuzzCheckSource: a mapping and a signature that pass are never found wanting
// later: reading says nothing of paths, and verifying finds a scheme.
func FuzzCheckSource(f *testing.F) {
	for _, seed := range []string{"a.b", "a[0]", `["x y"].b`, `a["]"]`, "[", "a..b", "v0:{timestamp}:{body}", "{", "{body}{", `a["\u0041"]`} {
		f.Add(seed, seed, seed)
	}
	f.Fuzz(func(t *testing.T, path, content, text string) {
		s := usable()
		s.Signature = &schema.Signature{Header: "X-Sig", Hash: "sha256", Encoding: "hex", Content: content}
		s.Mapping = &schema.Mapping{
			Fields: map[string]string{"external_id": path, "hire_date": "b"}, Words: map[string]map[string]string{"hire_date": {text: "2026-01-01"}},
			DateLayouts: []string{text}, When: map[string][]string{path: {text}},
		}
		if len(hooks.CheckSource(s)) > 0 {
			return
		}
		_, err := hooks.Verify(s, schema.SourceSecrets{Current: "a secret nobody knows"}, map[string][]string{"X-Sig": {"00"}}, nil, now)
		require.Equal(t, hooks.BadSignature, reasonOf(err))
		_, problems := hooks.Read(s, []byte(`{"a":[{"b":"x"}],"b":"01.02.2026"}`))
		for _, p := range problems {
			require.NotEqual(t, "path", p.Code)
		}
	})
}
