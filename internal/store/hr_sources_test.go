package store_test

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/internal/audit"
	"sendoff/internal/store"
	"sendoff/internal/web"
	"sendoff/schema"
)

var (
	_ web.SourceStore      = (*store.Store)(nil)
	_ web.InboxStore       = (*store.Store)(nil)
	_ activities.PollStore = (*store.Store)(nil)
)

// sourceOf is a source of a kind with everything that it needs.
func sourceOf(name string, kind schema.SourceKind) schema.Source {
	s := schema.Source{
		Name: name, Kind: kind, TimeZone: "Europe/Berlin", Template: "leaver", Receivers: []string{"manager"}, Owner: "hr@example.com",
		Rhythm: 24 * time.Hour, Limit: schema.DefaultStartLimit(),
	}
	switch kind {
	case schema.SourceBambooHR:
		s.BaseURL, s.PollEvery = "https://bamboo.example.com", time.Hour
	case schema.SourceHMAC:
		s.Signature = &schema.Signature{Header: "X-Signature", Hash: "sha256", Encoding: "hex", Content: "{body}"}
		s.Mapping = &schema.Mapping{Fields: map[string]string{"id": "employee.id"}, Words: map[string]map[string]string{"status": {"T": "ended"}}}
	}
	return s
}

func (b *bundle) source(name string, kind schema.SourceKind) schema.Source {
	b.t.Helper()
	s, err := b.CreateSource(b.t.Context(), sourceOf(name, kind), schema.SourceSecrets{Current: "s3cret-one", APIKey: "k3y-one"}, b.admin)
	require.NoError(b.t, err)
	return s
}

// said returns the newest record of a source's stream with that action.
func (b *bundle) said(action string) audit.Event {
	b.t.Helper()
	conn := b.sql()
	var body []byte
	err := conn.QueryRow(b.t.Context(), `select body from audit_record where stream like 'source/%'
		and convert_from(body, 'UTF8')::jsonb->>'action' = $1 order by convert_from(body, 'UTF8')::jsonb->>'at' desc limit 1`, action).Scan(&body)
	require.NoError(b.t, err)
	var e struct {
		Actor   audit.Actor
		Details map[string]string
	}
	require.NoError(b.t, json.Unmarshal(body, &e))
	return audit.Event{Actor: e.Actor, Action: action, Details: e.Details}
}

func TestSources(t *testing.T) {
	t.Parallel()
	b := setup(t)
	created := b.source("payroll", schema.SourceHMAC)

	t.Run("keep what people set", func(t *testing.T) {
		want := sourceOf("payroll", schema.SourceHMAC)
		got, err := b.SourceByName(t.Context(), "payroll")
		require.NoError(t, err)
		require.Equal(t, created, got)
		want.ID, want.State, want.Version, want.CreatedAt, want.UpdatedAt = got.ID, schema.ConnectionEnabled, 1, got.CreatedAt, got.UpdatedAt
		require.Equal(t, want, got)
		byID, err := b.Source(t.Context(), got.ID)
		require.NoError(t, err)
		require.Equal(t, got, byID)
	})

	t.Run("are made once by a name, by a principal, and only as they can work", func(t *testing.T) {
		_, err := b.CreateSource(t.Context(), sourceOf("payroll", schema.SourceCSV), schema.SourceSecrets{}, b.admin)
		requireCode(t, schema.CodeConflict, err)
		_, err = b.CreateSource(t.Context(), sourceOf("other", schema.SourceCSV), schema.SourceSecrets{}, schema.Principal{})
		requireCode(t, schema.CodeUnauthorized, err)
		_, err = b.CreateSource(t.Context(), sourceOf("other", schema.SourceManual), schema.SourceSecrets{}, b.admin)
		requireCode(t, schema.CodeInvalid, err)
		_, err = b.CreateSource(t.Context(), sourceOf("other", schema.SourceHMAC), schema.SourceSecrets{}, b.admin)
		requireCode(t, schema.CodeInvalid, err)
		bad := sourceOf("o\x00ther", schema.SourceCSV)
		bad.TimeZone, bad.Approvals, bad.PollEvery = "Mars/Base", 3, time.Hour
		_, err = b.CreateSource(t.Context(), bad, schema.SourceSecrets{}, b.admin)
		requireCode(t, schema.CodeInvalid, err)
		for _, where := range []string{"name", "time_zone", "approvals", "poll_every"} {
			require.ErrorContains(t, err, where, "all problems at once")
		}
	})

	t.Run("are listed by name, in pages", func(t *testing.T) {
		b.source("directory", schema.SourceSCIM)
		first, next, err := b.ListSources(t.Context(), "", 2)
		require.NoError(t, err)
		require.Equal(t, []string{"directory", "manual"}, sourceNames(first))
		rest, next, err := b.ListSources(t.Context(), next, 2)
		require.NoError(t, err)
		require.Equal(t, []string{"payroll"}, sourceNames(rest))
		require.Empty(t, next)
	})

	t.Run("of an API are due at once", func(t *testing.T) {
		s := b.source("bamboo", schema.SourceBambooHR)
		require.Equal(t, s.CreatedAt, s.NextPollAt)
	})
}

func sourceNames(list []schema.Source) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = s.Name
	}
	return out
}

func TestUpdateSource(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("bamboo", schema.SourceBambooHR)

	to := s
	to.TimeZone, to.Owner, to.Receivers, to.PollEvery = "Asia/Tokyo", "other@example.com", []string{"boss@example.com"}, 0
	to.Name = "bamboo"
	updated, err := b.UpdateSource(t.Context(), to, b.admin)
	require.NoError(t, err)
	require.Equal(t, int64(2), updated.Version)
	require.Equal(t, "Asia/Tokyo", updated.TimeZone)
	require.Zero(t, updated.NextPollAt, "it is not polled any more")

	said := b.said("source.changed")
	require.Equal(t, "Europe/Berlin", said.Details["time_zone_from"])
	require.Equal(t, "Asia/Tokyo", said.Details["time_zone_to"])
	require.Equal(t, "manager", said.Details["receivers_from"])
	require.Equal(t, "(address)", said.Details["receivers_to"])
	require.Contains(t, said.Details, "owner_to")
	require.NotContains(t, said.Details, "template_to", "it did not differ")
	require.Equal(t, string(b.admin.TokenID), said.Actor.ID)
	for _, v := range said.Details {
		require.NotContains(t, v, "@", "the log is for ever")
	}

	_, err = b.UpdateSource(t.Context(), to, b.admin)
	requireCode(t, schema.CodeConflict, err)
	same, err := b.UpdateSource(t.Context(), updated, b.admin)
	require.NoError(t, err)
	require.Equal(t, updated, same, "nothing differs")

	updated.PollEvery = time.Hour
	updated, err = b.UpdateSource(t.Context(), updated, b.admin)
	require.NoError(t, err)
	require.Equal(t, updated.UpdatedAt, updated.NextPollAt, "polled again, from now")
	updated.BaseURL = "https://elsewhere.example.com"
	moved, err := b.UpdateSource(t.Context(), updated, b.admin)
	require.NoError(t, err)
	secrets, err := b.SourceSecrets(t.Context(), s.ID)
	require.NoError(t, err)
	require.Equal(t, schema.SourceSecrets{Current: "s3cret-one"}, secrets, "the key is not sent to another address")

	moved.Limit.Window = 0
	_, err = b.UpdateSource(t.Context(), moved, b.admin)
	requireCode(t, schema.CodeInvalid, err)
	manual, err := b.SourceByName(t.Context(), schema.ManualSource)
	require.NoError(t, err)
	manual.TimeZone = "Europe/Madrid"
	_, err = b.UpdateSource(t.Context(), manual, b.admin)
	require.NoError(t, err)
}

func TestSetSourceState(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("directory", schema.SourceSCIM)
	hash := sha256.Sum256([]byte("token"))
	_, err := b.CreateSourceToken(t.Context(), "directory", hash, time.Time{}, b.admin)
	require.NoError(t, err)
	require.NoError(t, b.RaiseAlarm(t.Context(), schema.Alarm{SourceID: s.ID, Code: schema.AlarmEventReused, Message: "m"}))

	s, err = b.SetSourceState(t.Context(), "directory", schema.ConnectionDisabled, "maintenance", b.admin)
	require.NoError(t, err)
	require.Equal(t, schema.ConnectionDisabled, s.State)
	require.Equal(t, "maintenance", b.said("source.disabled").Details["reason"])
	alarms, _, err := b.ListAlarms(t.Context(), false, "", 10)
	require.NoError(t, err)
	require.Empty(t, alarms, "who changes it has seen them")
	_, err = b.AcceptEvent(t.Context(), event(s, "e1", "body"))
	requireCode(t, schema.CodeConflict, err)

	_, err = b.SetSourceState(t.Context(), "directory", schema.ConnectionRemoved, "gone", b.admin)
	require.NoError(t, err)
	_, err = b.SourceByName(t.Context(), "directory")
	requireCode(t, schema.CodeNotFound, err)
	_, err = b.SourceSecrets(t.Context(), s.ID)
	requireCode(t, schema.CodeNotFound, err)
	require.Equal(t, 0, b.count(`select count(*) from hr_source where id = $1 and num_nonnulls(secret, previous_secret, api_key) > 0`, s.ID))
	require.Equal(t, 0, b.count(`select count(*) from hr_source_token where revoked_at is null`))
	_, err = b.AcceptEvent(t.Context(), event(s, "e2", "body"))
	requireCode(t, schema.CodeNotFound, err)
	b.source("directory", schema.SourceSCIM) // the name is free

	for _, to := range []schema.ConnectionState{schema.ConnectionDisabled, schema.ConnectionRemoved} {
		_, err = b.SetSourceState(t.Context(), schema.ManualSource, to, "no", b.admin)
		requireCode(t, schema.CodeConflict, err)
	}
}

func TestSourceSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.source("bamboo", schema.SourceBambooHR)
	read := func() schema.SourceSecrets {
		secrets, err := b.SourceSecrets(t.Context(), s.ID)
		require.NoError(t, err)
		return secrets
	}
	require.Equal(t, schema.SourceSecrets{Current: "s3cret-one", APIKey: "k3y-one"}, read())

	_, err := b.RotateSource(t.Context(), "bamboo", schema.SourceSecrets{Current: "s3cret-two"}, time.Hour, b.admin)
	require.NoError(t, err)
	require.Equal(t, schema.SourceSecrets{Current: "s3cret-two", Previous: "s3cret-one", APIKey: "k3y-one"}, read())
	_, err = b.RotateSource(t.Context(), "bamboo", schema.SourceSecrets{APIKey: "k3y-two"}, time.Hour, b.admin)
	require.NoError(t, err)
	require.Equal(t, schema.SourceSecrets{Current: "s3cret-two", Previous: "s3cret-one", APIKey: "k3y-two"}, read())

	var row string
	require.NoError(t, b.sql().QueryRow(t.Context(), `select hr_source::text || encode(secret || previous_secret || api_key, 'escape')
		from hr_source where id = $1`, s.ID).Scan(&row))
	for _, plain := range []string{"s3cret", "k3y"} {
		require.NotContains(t, row, plain)
	}

	b.exec(`update hr_source set previous_until = now() - interval '1 second'`)
	require.Empty(t, read().Previous, "its time is over")
	_, err = b.RotateSource(t.Context(), "bamboo", schema.SourceSecrets{Current: "s3cret-three"}, 0, b.admin)
	require.NoError(t, err)
	require.Equal(t, schema.SourceSecrets{Current: "s3cret-three", APIKey: "k3y-two"}, read(), "no overlap")

	b.exec(`update hr_source set previous_secret = secret, previous_until = now() + interval '1 hour' where id = $1`, s.ID)
	_, err = b.SourceSecrets(t.Context(), s.ID)
	require.Error(t, err, "sealed for another column")
	b.exec(`update hr_source set previous_secret = null, base_url = 'https://evil.example.com' where id = $1`, s.ID)
	_, err = b.SourceSecrets(t.Context(), s.ID)
	require.Error(t, err, "sealed for another address")

	for _, overlap := range []time.Duration{-1, 31 * 24 * time.Hour} {
		_, err = b.RotateSource(t.Context(), "bamboo", schema.SourceSecrets{Current: "x"}, overlap, b.admin)
		requireCode(t, schema.CodeInvalid, err)
	}
	_, err = b.RotateSource(t.Context(), "bamboo", schema.SourceSecrets{}, 0, b.admin)
	requireCode(t, schema.CodeInvalid, err)
	require.NotContains(t, strings.Join(mapValues(b.said("source.rotated").Details), " "), "s3cret")
}

func mapValues(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	return out
}
