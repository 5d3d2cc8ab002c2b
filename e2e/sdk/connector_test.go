package sdk_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/schema"
)

// open makes a connector that acts as the company's admin, through the judge.
func (v vendor) open(t *testing.T) *box.Connector {
	t.Helper()
	c, err := box.Factory{}.Open(connectors.Config{
		Connection: schema.Connection{
			ID: "conn", Vendor: "box", BaseURL: v.url, TokenURL: v.url + "/oauth2/token", ClientID: v.banner.ClientID,
			EnterpriseID: v.banner.EnterpriseID, AsUser: schema.ExternalID(v.banner.AdminID),
		},
		Secret: v.banner.ClientSecret, Limiter: unhindered{}, Guard: unhindered{}, Now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	b, ok := c.(*box.Connector)
	require.True(t, ok)
	return b
}

// unhindered is a limiter and a guard that let everything through.
type unhindered struct{}

func (unhindered) Wait(context.Context, schema.ConnectionID, schema.ExternalID, connectors.Priority) error {
	return nil
}

func (unhindered) AllowWrite(context.Context, schema.ConnectionID) error { return nil }

// TestOurRequestsKeepBoxsDocument offboards somebody by our own connector, with
// every request held against Box's document, and every answer too.
func TestOurRequestsKeepBoxsDocument(t *testing.T) {
	t.Parallel()
	v := startVendor(t)
	v.judge.ofRequests = true
	if v.judge.doc == nil {
		v.judge.requireNoFault(t) // skips
	}
	c, ctx := v.open(t), t.Context()
	leaver, receiver := v.people(t, c)

	_, err := c.Check(ctx)
	require.NoError(t, err)
	_, err = c.FindByLogin(ctx, leaver.Login)
	require.NoError(t, err)
	members, err := c.Memberships(ctx, leaver.ExternalID)
	require.NoError(t, err)
	_, err = c.Holds(ctx, leaver.ExternalID)
	require.NoError(t, err)
	_, err = c.SurveyContent(ctx, leaver.ExternalID, time.Now())
	require.NoError(t, err)
	witnesses, _, err := c.RootItems(ctx, leaver.ExternalID)
	require.NoError(t, err)
	require.NotEmpty(t, witnesses)
	_, _, err = c.TrashItems(ctx, leaver.ExternalID)
	require.NoError(t, err)
	for _, w := range witnesses {
		_, err = c.ItemCollaborations(ctx, leaver.ExternalID, w)
		require.NoError(t, err)
	}
	require.NoError(t, c.SetStatus(ctx, leaver.ExternalID, c.SuspendedStatus()))
	require.NoError(t, c.RevokeSessions(ctx, leaver.ExternalID))
	for _, m := range members {
		require.NoError(t, c.RemoveMembership(ctx, m))
		require.NoError(t, c.AddMembership(ctx, leaver.ExternalID, m))
	}
	transfer(t, c, leaver, receiver, witnesses)
	require.NoError(t, c.DeleteAccount(ctx, leaver.ExternalID))
	_, err = c.ReadAccount(ctx, leaver.ExternalID)
	require.Equal(t, connectors.NotFound, connectors.KindOf(err))

	v.judge.requireNoFault(t)
	for _, want := range []string{"put_users_id_folders_0", "delete_users_id", "post_users_terminate_sessions", "get_folders_id_items"} {
		require.Contains(t, v.judge.operations(), want)
	}
}

// people finds a leaver who owns something and is in a group, and a receiver.
func (v vendor) people(t *testing.T, c *box.Connector) (leaver, receiver schema.Account) {
	t.Helper()
	var plain []schema.Account
	require.NoError(t, c.EachAccount(t.Context(), func(a schema.Account) error {
		if a.Role == schema.RoleMember && a.Status == schema.AccountActive && a.Kind == schema.KindPerson {
			plain = append(plain, a)
		}
		return nil
	}))
	at := slices.IndexFunc(plain, func(a schema.Account) bool {
		members, err := c.Memberships(t.Context(), a.ExternalID)
		require.NoError(t, err)
		return a.SpaceUsed > 0 && len(members) > 0
	})
	require.GreaterOrEqual(t, at, 0, "nobody in the company owns something and is in a group")
	require.Greater(t, len(plain), 1)
	return plain[at], plain[(at+1)%len(plain)]
}

func transfer(t *testing.T, c *box.Connector, leaver, receiver schema.Account, witnesses []schema.Witness) {
	t.Helper()
	prepared, err := c.PrepareTransfer(t.Context(), leaver.ExternalID, receiver.ExternalID)
	require.NoError(t, err)
	prepared.Send(t.Context())
	for _, w := range witnesses {
		place, err := c.LocateWitness(t.Context(), receiver.ExternalID, w)
		require.NoError(t, err)
		require.True(t, place.Found)
	}
}

// TestTheJudgeJudges shows what the other tests rest on: it tells a request and
// an answer that Box's document does not allow.
func TestTheJudgeJudges(t *testing.T) {
	t.Parallel()
	doc := boxDocument(t)
	for name, c := range map[string]struct{ method, path, body, answer, fault string }{
		"fits":                   {http.MethodGet, "/2.0/users/5", "", `{"type":"user","id":"5"}`, ""},
		"no such operation":      {http.MethodGet, "/2.0/nothing", "", `{}`, "no such operation"},
		"undocumented parameter": {http.MethodGet, "/2.0/users/5?colour=red", "", `{"type":"user","id":"5"}`, "colour is not documented"},
		"wrong body":             {http.MethodPut, "/2.0/users/5/folders/0", `{"owned_by":5}`, `{"type":"folder","id":"6"}`, "the request"},
		"wrong answer":           {http.MethodGet, "/2.0/users/5", "", `{"type":"user","id":5}`, "the answer 200"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(c.answer))
		}))
		j := &judge{doc: doc, ofRequests: true, next: http.DefaultTransport, seen: map[string]int{}}
		if doc == nil {
			srv.Close()
			j.requireNoFault(t) // skips
		}
		req, err := http.NewRequestWithContext(t.Context(), c.method, srv.URL+c.path, strings.NewReader(c.body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		res, err := j.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		srv.Close()
		if c.fault == "" {
			require.Empty(t, j.faults, name)
			continue
		}
		require.Len(t, j.faults, 1, name)
		require.Contains(t, j.faults[0], c.fault, name)
	}
}
