package cli_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

// TestSources: what the flags say reaches the server, secrets only from files, and
// a secret that was made is shown once.
func TestSources(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var kept schema.Source
	var secrets schema.SourceSecrets
	b.store.CreateSourceFunc = func(s schema.Source, have schema.SourceSecrets) (schema.Source, error) {
		kept, secrets = s, have
		return s, nil
	}
	mapping := b.file("mapping.yaml", "kind: hmac\nsignature: {header: X-S, hash: sha256, encoding: hex, content: '{body}'}\nmapping:\n  fields:\n    external_id: worker.id\n    last_working_day: worker.end\n")
	r := b.run("hr", "sources", "add", "hris", "--kind", "hmac", "--time-zone", "Europe/Berlin", "--mapping", mapping, "--transfer-to", "manager", "--transfer-to", "it@example.com",
		"--approvals", "1", "--owner", "it@example.com", "--rhythm", "3d", "--limit-number", "0", "--limit-percent", "1", "--limit-window", "48h", "--template", "leaver")
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, schema.StartLimit{Number: 0, Percent: 1, Window: 48 * time.Hour}, kept.Limit)
	require.Equal(t, []string{"manager", "it@example.com"}, kept.Receivers)
	require.Equal(t, "worker.end", kept.Mapping.Fields["last_working_day"])
	require.Equal(t, "X-S", kept.Signature.Header)
	require.Equal(t, 1, kept.Approvals)
	require.Equal(t, 72*time.Hour, kept.Rhythm)
	require.Contains(t, r.out, "secret     "+secrets.Current+"\n")
	require.Contains(t, r.out, "sends to   "+b.srv.URL+"/hooks/hris\n")
	require.Contains(t, r.out, "limit      0 or 1 % in 2d\n")

	r, made := b.runJSON("hr", "sources", "add", "bob", "--kind", "bamboohr", "--time-zone", "UTC", "--base-url", "https://acme.bamboohr.com",
		"--secret-file", b.file("secret", "0123456789abcdef\n"), "--api-key-file", b.file("key", "k3y\n"))
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, schema.SourceSecrets{Current: "0123456789abcdef", APIKey: "k3y"}, secrets)
	require.Equal(t, "", made["secret"])
	require.NotContains(t, r.out+r.errout, "0123456789abcdef")

	r = b.run("hr", "sources", "add", "h r", "--kind", "csv", "--time-zone", "CEST", "--limit-window", "1m", "--owner", "x")
	require.Equal(t, cli.ExitUsage, r.code)
	for _, want := range []string{"NAME: ", "--time-zone: ", "--limit-window: ", "--owner: "} {
		require.Contains(t, r.errout, want)
	}
	require.Equal(t, cli.ExitUsage, b.run("hr", "sources", "add", "x", "--kind", "csv", "--mapping", mapping).code, "the file is for another kind")
	r = b.run("hr", "sources", "add", "x", "--kind", "bamboohr", "--secret-file", "-", "--api-key-file", "-")
	require.Contains(t, r.errout, "both --secret-file and --api-key-file read stdin")
	r = b.run("hr", "sources", "add", "x", "--kind", "hmac", "--secret", "x")
	require.Contains(t, r.errout, "unknown flag --secret")
	r = b.run("hr", "sources", "add", "x", "--kind", "hmac", "--secret-file", b.file("two", "a\nb"))
	require.Contains(t, r.errout, "alone, on one line")
}

// TestMappingFaults: those of the file's form come with their lines, and those that
// the server finds are shown in the file too.
func TestMappingFaults(t *testing.T) {
	t.Parallel()
	b := setup(t)
	add := func(text string) ran {
		return b.run("hr", "sources", "add", "x", "--kind", "hmac", "--time-zone", "UTC", "--mapping", b.file("m.yaml", text))
	}
	r := add("mapping:\n  fields: [a]\n  shoes: 1\n  date_layouts: x\n  list: {a: b}\n  event_id:\nsignature:\n  hash: sha256\n  hash: sha512\n")
	require.Equal(t, cli.ExitUsage, r.code)
	for _, want := range []string{
		"m.yaml line 2 (mapping.fields): this is not a map", "m.yaml line 3 (mapping.shoes): there is no such member", "m.yaml line 4 (mapping.date_layouts): this is not a list",
		"m.yaml line 5 (mapping.list): this is not a text", "m.yaml line 6 (mapping.event_id): this is not a text", "m.yaml line 9 (signature.hash): the name stands here twice",
	} {
		require.Contains(t, r.errout, want)
	}
	r = add("signature:\n  header: X-S\n  hash: md5\n  encoding: hex\n  content: '{body}'\nmapping:\n  fields:\n    shoe_size: a\n")
	require.Equal(t, cli.ExitUsage, r.code)
	for _, want := range []string{"m.yaml line 3 (signature.hash)", "m.yaml line 8 (mapping.fields.shoe_size)", "m.yaml line 8 (mapping.fields.external_id)"} {
		require.Contains(t, r.errout, want)
	}
	for text, want := range map[string]string{
		"mapping: {": "neither YAML nor JSON", "a: b\n---\nc: d\n": "more than one document", "[]": "not a map", " ": "empty or another file",
		"mapping: &x {list: a}\nsignature: *x\n": "not a map", strings.Repeat("x", 65<<10): "empty or another file",
		strings.Repeat("{a: ", 12) + "b" + strings.Repeat("}", 12): "nests too deep",
	} {
		r = add(text)
		require.Equal(t, cli.ExitUsage, r.code, text)
		require.Contains(t, r.errout, want)
	}
	require.Equal(t, cli.ExitUsage, b.run("hr", "sources", "add", "x", "--kind", "hmac", "--mapping", "/nowhere").code)
}

func TestLookAfterSources(t *testing.T) {
	t.Parallel()
	b := setup(t)
	src := schema.Source{
		ID: "s1", Name: "bob", Kind: schema.SourceBambooHR, State: schema.ConnectionEnabled, TimeZone: "UTC", Template: "leaver", Receivers: []string{"manager"},
		Limit: schema.DefaultStartLimit(), BaseURL: "https://acme.bamboohr.com", PollEvery: 15 * time.Minute, Version: 1, PollError: "HTTP 403",
	}
	b.store.SourceByNameFunc = func(string) (schema.Source, error) { return src, nil }
	b.store.ListSourcesFunc = func(string, int) ([]schema.Source, string, error) { return []schema.Source{src}, "", nil }
	r := b.run("hr", "sources", "list")
	require.Equal(t, 0, r.code, r.errout)
	require.Regexp(t, `bob\s+bamboohr\s+enabled\s+UTC\s+leaver\s+5 or 2 % in 1d\s+never\s+for ever\s+HTTP 403`, r.out)
	require.Contains(t, b.run("hr", "sources", "show", "bob").out, "poll error HTTP 403")

	var set schema.Source
	b.store.UpdateSourceFunc = func(s schema.Source) (schema.Source, error) { set = s; return s, nil }
	r = b.run("hr", "sources", "set", "bob", "--base-url", "https://new.bamboohr.com", "--no-receivers", "--owner", "it@example.com")
	require.Equal(t, 0, r.code, r.errout)
	require.Equal(t, "https://new.bamboohr.com", set.BaseURL)
	require.Empty(t, set.Receivers)
	require.Equal(t, "it@example.com", set.Owner)
	require.Contains(t, r.errout, "sendoff hr sources rotate bob --api-key-file")
	require.Equal(t, 0, b.run("hr", "sources", "set", "bob").code)
	require.Equal(t, src, set)
	require.Equal(t, cli.ExitUsage, b.run("hr", "sources", "set", "bob", "--no-receivers", "--transfer-to", "manager").code)

	b.store.RotateSourceFunc = func(_ string, s schema.SourceSecrets, d time.Duration) (schema.Source, error) {
		require.Equal(t, schema.SourceSecrets{APIKey: "k3y"}, s)
		require.Equal(t, time.Hour, d)
		return src, nil
	}
	b.stdin = "k3y\n"
	r = b.run("hr", "sources", "rotate", "bob", "--api-key-file", "-", "--overlap", "1h")
	require.Equal(t, 0, r.code, r.errout)
	r = b.run("hr", "sources", "rotate", "bob", "--overlap", "31d")
	require.Contains(t, r.errout, "--overlap: ")
	require.Contains(t, r.errout, "--secret-file: ")

	b.store.SetSourceStateFunc = func(name string, to schema.ConnectionState, reason string) (schema.Source, error) {
		return schema.Source{Name: name + "/" + reason, State: to}, nil
	}
	for verb, state := range map[string]string{"enable": "enabled", "disable": "disabled", "remove": "removed"} {
		r, got := b.runJSON("hr", "sources", verb, "bob", "--reason", "drill")
		require.Equal(t, 0, r.code, r.errout)
		require.Equal(t, state, got["state"])
		require.Equal(t, "bob/drill", got["name"])
		require.Equal(t, cli.ExitUsage, b.run("hr", "sources", verb, "bob").code, "a reason is needed")
	}
	b.store.PollSourceFunc = func(string) (schema.Source, error) {
		return schema.Source{}, &schema.Error{Code: schema.CodeConflict, Message: "it has no API", Fix: "none"}
	}
	require.Equal(t, cli.ExitRefused, b.run("hr", "sources", "poll", "bob").code)
	b.store.PollSourceFunc = func(string) (schema.Source, error) { return src, nil }
	require.Contains(t, b.run("hr", "sources", "poll", "bob").out, "The API of bob is asked now.")
	b.store.SourceByNameFunc = nil
	require.Equal(t, cli.ExitNotFound, b.run("hr", "sources", "show", "none").code)
}

func TestSourceTokensAndSites(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.SourceByNameFunc = func(name string) (schema.Source, error) {
		return schema.Source{Name: name, Kind: schema.SourceSCIM}, nil
	}
	b.store.CreateSourceTokenFunc = func(_ string, _ [32]byte, expires time.Time, by schema.Principal) (schema.SourceToken, error) {
		return schema.SourceToken{ID: "tok", CreatedAt: now, CreatedBy: by.Name, ExpiresAt: expires}, nil
	}
	r := b.run("hr", "tokens", "create", "okta", "--expires", "never")
	require.Equal(t, 0, r.code, r.errout)
	require.Regexp(t, `^sendoff_scim_[\w-]{43}\n$`, r.out, "nothing else is on stdout")
	require.Contains(t, r.errout, "expires never")
	require.Contains(t, b.run("hr", "tokens", "create", "okta", "--expires", "soon").errout, "--expires: ")
	b.store.ListSourceTokensFunc = func(string) ([]schema.SourceToken, error) {
		return []schema.SourceToken{{ID: "tok", CreatedBy: "root"}}, nil
	}
	require.Regexp(t, `tok\s+-\s+root\s+never\s+-\s+never`, b.run("hr", "tokens", "list", "okta").out)
	b.store.RevokeSourceTokenFunc = func(_ string, id schema.TokenID) (schema.SourceToken, error) { return schema.SourceToken{ID: id}, nil }
	require.Contains(t, b.run("hr", "tokens", "revoke", "okta", "tok").out, "Revoked token tok of source okta.")

	b.store.ListSitesFunc = func(string, int) ([]schema.Site, string, error) {
		return []schema.Site{{Name: "Tokyo", TimeZone: "Asia/Tokyo", UpdatedBy: "root", UpdatedAt: now}}, "", nil
	}
	require.Regexp(t, `Tokyo\s+Asia/Tokyo\s+2026-11-21 12:00:00 UTC\s+root`, b.run("hr", "sites", "list").out)
	b.store.SetSiteFunc = func(s schema.Site, _ schema.Principal) (schema.Site, error) { return s, nil }
	require.Contains(t, b.run("hr", "sites", "set", "Tokyo", "Asia/Tokyo").out, "Site Tokyo is in Asia/Tokyo.")
	require.Contains(t, b.run("hr", "sites", "set", "Tokyo", "--none").out, "Removed site Tokyo.")
	require.Equal(t, cli.ExitUsage, b.run("hr", "sites", "set", "Tokyo").code)
	require.Contains(t, b.run("hr", "sites", "set", "Tokyo", "JST").errout, "ZONE: ")
}
