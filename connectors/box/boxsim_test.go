package box_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/connectors/box/boxsim"
	"sendoff/schema"
)

// company is a simulated enterprise with a connector that acts as its admin.
type company struct {
	*boxsim.Sim
	box *box.Connector
	url string
	cfg func(*connectors.Config)
}

func newCompany(t *testing.T, cfg boxsim.Config, change ...func(*connectors.Config)) company {
	t.Helper()
	sim, err := boxsim.New(cfg)
	require.NoError(t, err)
	srv := httptest.NewServer(sim.Handler())
	t.Cleanup(srv.Close)
	b := sim.Banner(srv.URL)
	point := func(c *connectors.Config) {
		c.Connection.BaseURL, c.Connection.TokenURL = b.BaseURL, b.TokenURL
		c.Connection.ClientID, c.Secret, c.Connection.EnterpriseID = b.ClientID, b.ClientSecret, b.EnterpriseID
		c.Connection.AsUser = schema.ExternalID(b.AdminID)
	}
	return company{Sim: sim, box: open(t, srv.URL, append([]func(*connectors.Config){point}, change...)...), url: srv.URL, cfg: point}
}

// id makes an id of what seeding returned.
func id(t *testing.T) func(string, error) schema.ExternalID {
	return func(s string, err error) schema.ExternalID {
		t.Helper()
		require.NoError(t, err)
		return schema.ExternalID(s)
	}
}

func TestSimulatedLeaver(t *testing.T) {
	t.Parallel()
	c := newCompany(t, boxsim.Config{Users: 12, Scale: 2000})
	must, ctx := id(t), t.Context()
	ann := must(c.AddUser(boxsim.UserSpec{Name: "Ann Leaver", Login: leaver}))
	must(c.AddUser(boxsim.UserSpec{Name: "Ann Other", Login: leaver + ".au"}))
	bob := must(c.AddUser(boxsim.UserSpec{Name: "Bob Stays", Login: "bob@example.com"}))
	folder := must(c.AddFolder(boxsim.ItemSpec{Owner: string(ann), Name: "Plans"}))
	must(c.AddFile(boxsim.ItemSpec{Parent: string(folder), Name: "deep.txt", SizeBytes: 10}))
	file := must(c.AddFile(boxsim.ItemSpec{Owner: string(ann), Name: "a.txt", SizeBytes: 5}))
	link := must(c.AddWebLink(boxsim.ItemSpec{Owner: string(ann), Name: "link"}))
	trash := must(c.AddFile(boxsim.ItemSpec{Owner: string(ann), Name: "old.txt", SizeBytes: 7, Trashed: true}))
	given := must(c.AddFolder(boxsim.ItemSpec{Owner: string(bob), Name: "Bob's"}))
	must(c.AddCollaboration(boxsim.CollaborationSpec{Item: string(given), User: string(ann), Role: "editor"}))
	must(c.AddCollaboration(boxsim.CollaborationSpec{Item: string(folder), User: string(bob), Role: "viewer"}))
	group := must(c.AddGroup(boxsim.GroupSpec{Name: "Demo group", Members: []string{string(bob), string(ann)}}))

	who, err := c.box.Check(ctx)
	require.NoError(t, err)
	require.Equal(t, schema.RoleOwner, who.Role)
	require.Equal(t, boxsim.EnterpriseID, who.EnterpriseID)

	found, err := c.box.FindByLogin(ctx, strings.ToUpper(leaver))
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, ann, found[0].ExternalID)
	require.EqualValues(t, 22, found[0].SpaceUsed)
	require.Equal(t, schema.KindPerson, found[0].Kind)
	members, err := c.box.Memberships(ctx, ann)
	require.NoError(t, err)
	require.Len(t, members, 1)
	require.Equal(t, group, members[0].GroupID)

	witnesses, foreign, err := c.box.RootItems(ctx, ann)
	require.NoError(t, err)
	require.ElementsMatch(t, []schema.Witness{{ID: folder, Type: "folder"}, {ID: file, Type: "file"}, {ID: link, Type: "web_link"}}, witnesses)
	require.Equal(t, 1, foreign)
	trashed, bytes, err := c.box.TrashItems(ctx, ann)
	require.NoError(t, err)
	require.Equal(t, []schema.Witness{{ID: trash, Type: "file"}}, trashed)
	require.EqualValues(t, 7, bytes)
	shared, err := c.box.ItemCollaborations(ctx, ann, schema.Witness{ID: folder, Type: "folder"})
	require.NoError(t, err)
	require.Contains(t, shared, schema.SharedBy{ItemID: folder, Type: "folder", With: bob, Role: "viewer"})

	require.NoError(t, c.box.SetStatus(ctx, ann, c.box.SuspendedStatus()))
	a, err := c.box.ReadAccount(ctx, ann)
	require.NoError(t, err)
	require.Equal(t, schema.AccountSuspended, a.Status)
	require.NoError(t, c.box.RevokeSessions(ctx, ann))
	_, _, err = c.box.RootItems(ctx, ann)
	require.Equal(t, connectors.Unauthorized, errorOf(t, err).Kind)
	require.ErrorIs(t, c.box.DeleteAccount(ctx, ann), connectors.ErrContentRemains)

	// The content of a suspended owner is closed to those it is shared with.
	place, err := c.box.LocateWitness(ctx, bob, schema.Witness{ID: folder, Type: "folder"})
	require.NoError(t, err)
	require.False(t, place.Found)

	prepared, err := c.box.PrepareTransfer(ctx, ann, bob)
	require.NoError(t, err)
	o := prepared.Send(ctx)
	require.Equal(t, schema.OutcomeAccepted, o.Class)
	require.NotEmpty(t, o.FolderID)
	for _, w := range witnesses {
		place, err := c.box.LocateWitness(ctx, bob, w)
		require.NoError(t, err)
		require.Equal(t, schema.WitnessPlace{Found: true, Owner: bob, FolderID: o.FolderID}, place)
	}
	there, err := c.box.LocateTrashed(ctx, bob, trashed[0])
	require.NoError(t, err)
	require.True(t, there)

	require.NoError(t, c.box.DeleteAccount(ctx, ann))
	_, err = c.box.ReadAccount(ctx, ann)
	require.Equal(t, connectors.NotFound, errorOf(t, err).Kind)
	for _, r := range c.Requests() {
		require.NotContains(t, strings.ToLower(r.Query), "force")
	}
}

func TestSimulatedListing(t *testing.T) {
	t.Parallel()
	c := newCompany(t, boxsim.Config{Users: 30})
	logins := map[string]bool{}
	roles := map[schema.AccountRole]int{}
	require.NoError(t, c.box.EachAccount(t.Context(), func(a schema.Account) error {
		logins[a.Login] = true
		roles[a.Role]++
		return nil
	}))
	require.Len(t, logins, 30)
	require.Equal(t, 1, roles[schema.RoleOwner])
	require.Equal(t, 2, roles[schema.RoleCoadmin])
}

func TestSimulatedTransferTroubles(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		mode     boxsim.Mode
		switches boxsim.Switches
		first    schema.OutcomeClass
		second   schema.OutcomeClass // while the first one's job runs
	}{
		"504":           {mode: boxsim.ModeGateway504, first: schema.OutcomeUnknown, second: schema.OutcomeBusy},
		"504, 403 busy": {mode: boxsim.ModeGateway504, switches: boxsim.Switches{BusyAnswer: boxsim.BusyLocked403}, first: schema.OutcomeUnknown, second: schema.OutcomeBusy},
		"504, 400 busy": {mode: boxsim.ModeGateway504, switches: boxsim.Switches{BusyAnswer: boxsim.BusyLocked400}, first: schema.OutcomeUnknown, second: schema.OutcomeBusy},
		"slow 200":      {mode: boxsim.ModeSlow200, first: schema.OutcomeAccepted, second: schema.OutcomeBusy},
		"drop":          {mode: boxsim.ModeDrop, first: schema.OutcomeUnknown, second: schema.OutcomeBusy},
		"never":         {mode: boxsim.ModeNever, first: schema.OutcomeUnknown, second: schema.OutcomeBusy},
		"refused":       {mode: boxsim.ModeRefused, first: schema.OutcomeRefused, second: schema.OutcomeRefused},
		"503":           {mode: boxsim.ModePre503, first: schema.OutcomeUnknown, second: schema.OutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t, boxsim.Config{Scale: 2000, Switches: tc.switches})
			must := id(t)
			ann := must(c.AddUser(boxsim.UserSpec{Name: "Ann", Login: leaver}))
			bob := must(c.AddUser(boxsim.UserSpec{Name: "Bob", Login: "bob@example.com"}))
			must(c.AddFile(boxsim.ItemSpec{Owner: string(ann), Name: "a", SizeBytes: 1}))
			require.NoError(t, c.SetTransferMode(string(ann), tc.mode, 10000*time.Hour))
			for _, want := range []schema.OutcomeClass{tc.first, tc.second} {
				p, err := c.box.PrepareTransfer(t.Context(), ann, bob)
				require.NoError(t, err)
				o := p.Send(t.Context())
				require.Equal(t, want, o.Class, o.Reason)
			}
		})
	}
}

func TestSimulatedCredentials(t *testing.T) {
	t.Parallel()
	c := newCompany(t, boxsim.Config{Rate: 5})
	wrong := open(t, c.url, c.cfg, func(cfg *connectors.Config) { cfg.Secret = "wrong-" + clientSecret })
	_, err := wrong.Check(t.Context())
	require.Equal(t, connectors.Unauthorized, errorOf(t, err).Kind)

	service := open(t, c.url, c.cfg, func(cfg *connectors.Config) { cfg.Connection.AsUser = "" })
	who, err := service.Check(t.Context())
	require.NoError(t, err)
	require.True(t, who.Service)

	for range 5 {
		_, err = c.box.Check(t.Context())
		require.NoError(t, err)
	}
	_, err = c.box.Check(t.Context())
	require.Equal(t, connectors.RateLimited, errorOf(t, err).Kind)
	require.Positive(t, errorOf(t, err).RetryAfter)
}

func TestSimulatedTokenExpiry(t *testing.T) {
	t.Parallel()
	start := time.Now()
	// To the client no time passes, so that the token ends before it is renewed.
	c := newCompany(t, boxsim.Config{TokenLife: time.Second}, func(cfg *connectors.Config) { cfg.Now = func() time.Time { return start } })
	tokens := func() (n int) {
		for _, r := range c.Requests() {
			if r.Path == "/oauth2/token" {
				n++
			}
		}
		return n
	}
	require.Eventually(t, func() bool {
		_, err := c.box.Check(t.Context())
		return err != nil || tokens() > 1
	}, 10*time.Second, 50*time.Millisecond)
	_, err := c.box.Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, tokens())
}
