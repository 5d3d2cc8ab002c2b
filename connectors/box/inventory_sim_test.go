package box_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/connectors/box/boxsim"
	"sendoff/schema"
)

// allPages walks a listing; between is called after each page.
func allPages[V any](t *testing.T, list func(marker string) (connectors.Page[V], error), between func(page int)) []V {
	t.Helper()
	var all []V
	marker := ""
	for page := range 100 {
		p, err := list(marker)
		require.NoError(t, err)
		all = append(all, p.Entries...)
		if marker = p.Next; marker == "" {
			return all
		}
		if between != nil {
			between(page)
		}
	}
	require.FailNow(t, "the listing does not end")
	return nil
}

func (c company) accounts(t *testing.T, between func(page int)) []schema.Account {
	t.Helper()
	return allPages(t, func(marker string) (connectors.Page[schema.Account], error) {
		return c.box.ListAccounts(t.Context(), marker)
	}, between)
}

func TestSimulatedInventory(t *testing.T) {
	t.Parallel()
	c := newCompany(t, boxsim.Config{Users: 3, Scale: 2000, Volume: boxsim.Volume{Users: 1100, Groups: 12, Memberships: 600}})
	want := map[schema.ExternalID]boxsim.Person{}
	for _, p := range c.People() {
		if !p.Service { // whom Box does not list
			want[schema.ExternalID(p.ID)] = p
		}
	}
	listed := map[schema.ExternalID]schema.Account{}
	for _, a := range c.accounts(t, nil) {
		require.NotContains(t, listed, a.ExternalID)
		listed[a.ExternalID] = a
		require.Equal(t, want[a.ExternalID].Login, a.Login)
		require.Equal(t, want[a.ExternalID].Status, a.VendorStatus)
	}
	require.Len(t, listed, len(want))

	memberships := 0
	groups := allPages(t, func(marker string) (connectors.Page[schema.Group], error) {
		return c.box.ListGroups(t.Context(), marker)
	}, nil)
	for _, g := range groups {
		require.False(t, g.CreatedAt.IsZero())
		members := allPages(t, func(marker string) (connectors.Page[schema.GroupMember], error) {
			return c.box.ListGroupMembers(t.Context(), g.ExternalID, marker)
		}, nil)
		for _, m := range members {
			require.Contains(t, listed, m.AccountID)
		}
		memberships += len(members)
		for _, a := range allPages(t, func(marker string) (connectors.Page[schema.GroupCollaboration], error) {
			return c.box.ListGroupCollaborations(t.Context(), g.ExternalID, marker)
		}, nil) {
			require.Equal(t, "accepted", a.Status)
			require.NotEmpty(t, a.ItemID)
		}
	}
	require.GreaterOrEqual(t, len(groups), 12)
	require.GreaterOrEqual(t, memberships, 600)
}

// TestAccountsComeAndGoUnderAListing: whoever was there all the time is listed.
func TestAccountsComeAndGoUnderAListing(t *testing.T) {
	t.Parallel()
	c := newCompany(t, boxsim.Config{Scale: 2000, Volume: boxsim.Volume{Users: 2500}})
	before := c.accounts(t, nil)
	gone := map[schema.ExternalID]bool{}
	seen := map[schema.ExternalID]bool{}
	for _, a := range c.accounts(t, func(page int) {
		for _, a := range before[page*1000 : page*1000+20] { // listed already
			if a.Role == schema.RoleMember && a.SpaceUsed == 0 && c.box.DeleteAccount(t.Context(), a.ExternalID) == nil {
				gone[a.ExternalID] = true
			}
		}
		_, err := c.AddUser(boxsim.UserSpec{Name: "New", Login: "new" + string(rune('a'+page)) + "@example.com"})
		require.NoError(t, err)
	}) {
		seen[a.ExternalID] = true
	}
	for _, a := range before {
		require.True(t, seen[a.ExternalID], "it was there from the first page to the last, or on a page that was read")
	}
	require.Greater(t, len(gone), 10)
}

// TestLookAlikes: logins that begin like others, or are the names of others, stay
// with the account that has them.
func TestLookAlikes(t *testing.T) {
	t.Parallel()
	c := newCompany(t, boxsim.Config{Scale: 36000})
	must := id(t)
	specs := map[schema.ExternalID]boxsim.UserSpec{}
	for _, s := range []boxsim.UserSpec{
		{Name: "Ann", Login: leaver},
		{Name: "Ann", Login: leaver + ".au"},
		{Name: leaver, Login: "bob@example.com"},
		{Name: "bob@example.com", Login: "jo" + leaver},
	} {
		specs[must(c.AddUser(s))] = s
	}
	position, err := c.box.LivePosition(t.Context())
	require.NoError(t, err)
	by := map[string]schema.ExternalID{}
	for account := range specs {
		by[string(must(c.Emit(boxsim.EventSpec{Type: "LOGIN", CreatedBy: string(account), SourceUser: string(account)})))] = account
	}
	found := 0
	for _, a := range c.accounts(t, nil) {
		if s, ok := specs[a.ExternalID]; ok {
			found++
			require.Equal(t, []string{s.Login, s.Name}, []string{a.Login, a.Name})
		}
	}
	require.Len(t, specs, found)
	seen := map[string]bool{}
	require.Eventually(t, func() bool {
		for p, err := c.box.LiveEvents(t.Context(), position); ; p, err = c.box.LiveEvents(t.Context(), position) {
			require.NoError(t, err)
			for _, e := range p.Events {
				if account, ok := by[e.ID]; ok {
					seen[e.ID] = e.Actor == account
				}
			}
			if position = p.Next; p.End {
				return len(seen) == len(by)
			}
		}
	}, 5*time.Second, time.Millisecond)
	for _, right := range seen {
		require.True(t, right, "an event is the account's that it names by id")
	}
}

// handmade are types of events that the simulated company makes and that count.
func handmade(typ string) bool {
	return slices.Contains(strings.Split("LOGIN UPLOAD DOWNLOAD PREVIEW EDIT COPY MOVE RENAME DELETE UNDELETE LOCK UNLOCK SHARE UNSHARE"+
		" COLLABORATION_INVITE COLLABORATION_ROLE_CHANGE COMMENT_CREATE TASK_CREATE TASK_ASSIGNMENT_CREATE CONTENT_ACCESS ITEM_SHARED_UPDATE", " "), typ)
}

// rawEvents reads all events of a span past the connector, by what Box documents
// and without a filter.
func (c company) rawEvents(t *testing.T, span schema.Interval) (last map[string]time.Time, read int) {
	t.Helper()
	last = map[string]time.Time{}
	token := c.token(t)
	for position := ""; ; {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+"/2.0/events?stream_type=admin_logs&limit=500&created_after="+
			span.From.Format(time.RFC3339)+"&created_before="+span.To.Format(time.RFC3339)+"&stream_position="+position, nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		var page struct {
			Next    json.Number `json:"next_stream_position"`
			Entries []struct {
				Type string               `json:"event_type"`
				At   time.Time            `json:"created_at"`
				By   *struct{ ID string } `json:"created_by"`
			} `json:"entries"`
		}
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&page))
		require.NoError(t, resp.Body.Close())
		if len(page.Entries) == 0 {
			return last, read
		}
		for _, e := range page.Entries {
			if read++; handmade(e.Type) && e.By != nil && e.At.After(last[e.By.ID]) {
				last[e.By.ID] = e.At
			}
		}
		position = page.Next.String()
	}
}

func (c company) token(t *testing.T) string {
	t.Helper()
	cfg := config(c.url)
	c.cfg(&cfg)
	resp, err := http.PostForm(cfg.Connection.TokenURL, map[string][]string{
		"grant_type": {"client_credentials"}, "client_id": {cfg.Connection.ClientID}, "client_secret": {cfg.Secret},
		"box_subject_type": {"user"}, "box_subject_id": {string(cfg.Connection.AsUser)},
	})
	require.NoError(t, err)
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	return answer.Token
}

// TestLastUseEqualsAHandCount: what the feed tells of a company's year is what
// anybody finds who reads all of it.
func TestLastUseEqualsAHandCount(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"number", "text"} {
		c := newCompany(t, boxsim.Config{Scale: 2000, Volume: boxsim.Volume{Users: 100, Events: 3000}})
		require.NoError(t, c.SetSwitches(boxsim.Switches{PositionType: kind}))
		now := time.Now().UTC().Truncate(time.Second)
		span := schema.Interval{From: now.AddDate(-1, 0, 0), To: now.Add(time.Hour)}
		want, read := c.rawEvents(t, span)
		require.Greater(t, read, 2500)
		acting := string(c.acting())
		delete(want, acting)
		delete(want, "2") // somebody who was not signed in

		last := map[string]time.Time{}
		ids := map[string]bool{}
		position := ""
		for end := false; !end; {
			p, err := c.box.PastEvents(t.Context(), span, position)
			require.NoError(t, err)
			for _, e := range p.Events {
				require.False(t, ids[e.ID], "once")
				ids[e.ID] = true
				if string(e.Actor) != acting && e.At.After(last[string(e.Actor)]) && e.Actor != "" {
					last[string(e.Actor)] = e.At
				}
			}
			position, end = p.Next, p.End
		}
		require.NotEmpty(t, position)
		for account, at := range want {
			require.True(t, at.Equal(last[account]), "account %s", account)
		}
		require.Equal(t, len(want), len(last), "and nobody else")
	}
}

func (c company) acting() schema.ExternalID {
	cfg := config(c.url)
	c.cfg(&cfg)
	return cfg.Connection.AsUser
}

// TestEndOfThePastIsNoBeginning: the empty page at the end answers position 0,
// and asking on there brings nothing again.
func TestEndOfThePastIsNoBeginning(t *testing.T) {
	t.Parallel()
	c := newCompany(t, boxsim.Config{Scale: 2000, Volume: boxsim.Volume{Users: 50, Events: 700}})
	span := schema.Interval{From: time.Now().AddDate(-1, 0, 0), To: time.Now()}
	drain := func(b *box.Connector, position string) (string, int) {
		n := 0
		for {
			p, err := b.PastEvents(t.Context(), span, position)
			require.NoError(t, err)
			n += p.Read
			if position = p.Next; p.End {
				return position, n
			}
		}
	}
	end, n := drain(c.box, "")
	require.Positive(t, n)
	still, n := drain(c.box, end)
	require.Zero(t, n)
	require.Equal(t, end, still)
	number, err := strconv.ParseInt(end, 10, 64)
	require.NoError(t, err)
	require.Greater(t, number, int64(1)<<53, "positions are beyond what a float holds")
}
