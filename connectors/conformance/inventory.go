package conformance

import (
	"errors"
	"fmt"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// inventory: what is listed is all there is, and a listing goes on where it
// stopped, whoever goes on with it.
func (b bench) inventory(t T) {
	t.Run("accounts", b.listsAccounts)
	t.Run("same_as_read", b.listsAsRead)
	t.Run("tracking", b.listsTracking)
	t.Run("groups", b.listsGroups)
	t.Run("members", b.listsMembers)
	t.Run("access", b.listsAccess)
	t.Run("granters", b.listsGranters)
	t.Run("absent_group", func(t T) {
		s := b.open(t)
		c := as[connectors.InventoryLister](s, "InventoryLister")
		_, err := c.ListGroupMembers(t.Context(), s.world.Nobody, "")
		s.fails(err, connectors.NotFound)
		_, err = c.ListGroupCollaborations(t.Context(), s.world.Nobody, "")
		s.fails(err, connectors.NotFound)
	})
	t.Run("expired_marker", b.expiredMarker)
	t.Run("refused_start", b.refusedStart)
	t.Run("stuck", b.stuckListing)
	t.Run("cut", b.cutPage)
}

// lies are totals that a listing may tell.
func lies() map[string]func(int) int {
	return map[string]func(int) int{
		"pages": nil, "total_too_high": func(n int) int { return n + 5 }, "total_too_low": func(int) int { return 1 },
	}
}

// paged runs a subtest with small pages for each lie.
func (b bench) paged(t T, f func(*scene)) {
	for name, total := range lies() {
		t.Run(name, func(t T) {
			s := b.open(t)
			as[connectors.InventoryLister](s, "InventoryLister")
			if s.world.PageParam == "" || total != nil && s.world.TotalField == "" {
				t.Skipf("the vendor's listings have no such thing")
			}
			s.wire.smallPages(total)
			f(s)
			require.Greater(t, s.wire.calls(0), 2, "World.PageParam must make pages small")
		})
	}
}

// pagesOf walks a listing to its end, each page over a connection of its own: a
// marker is all there is to go on with.
func pagesOf[V any](s *scene, list func(connectors.InventoryLister, string) (connectors.Page[V], error)) []V {
	s.Helper()
	var all []V
	marker := ""
	for range 100 {
		conn, err := s.world.Factory.Open(s.cfg)
		require.NoError(s, err)
		p, err := list(conn.(connectors.InventoryLister), marker)
		conn.Close()
		require.NoError(s, err)
		all = append(all, p.Entries...)
		if marker = p.Next; marker == "" {
			return all
		}
	}
	require.FailNow(s, "the listing does not end")
	return nil
}

func (s *scene) listAccounts() []schema.Account {
	s.Helper()
	return pagesOf(s, func(c connectors.InventoryLister, marker string) (connectors.Page[schema.Account], error) {
		return c.ListAccounts(s.Context(), marker)
	})
}

// listsAccounts: every status and kind that the vendor lists is among them.
func (b bench) listsAccounts(t T) {
	b.paged(t, func(s *scene) {
		want := map[schema.ExternalID]bool{}
		for range 5 {
			want[s.person()] = true
		}
		words := s.world.Statuses
		if c, ok := s.conn.(connectors.Suspender); ok {
			words = append([]string{c.SuspendedStatus()}, words...)
		}
		for _, word := range words {
			want[s.person(func(p *Person) { p.Status = word })] = true
		}
		seen := map[schema.ExternalID]int{}
		for _, a := range s.listAccounts() {
			seen[a.ExternalID]++
		}
		for id := range want {
			require.Equal(s, 1, seen[id], "each account is listed, whatever its status")
		}
	})
}

func (b bench) listsAsRead(t T) {
	s := b.open(t)
	as[connectors.InventoryLister](s, "InventoryLister")
	as[connectors.AccountReader](s, "AccountReader")
	ids := map[schema.ExternalID]bool{
		s.person(): true, s.person(func(p *Person) { p.Role = schema.RoleCoadmin }): true,
	}
	if id, err := s.world.People.Add(s.newPerson(func(p *Person) { p.Kind = schema.KindApp })); err == nil {
		ids[id] = true
	}
	for _, a := range s.listAccounts() {
		require.Equal(t, s.cfg.Connection.ID, a.ConnectionID)
		require.NotEmpty(t, a.Login)
		if ids[a.ExternalID] {
			delete(ids, a.ExternalID)
			require.Equal(t, undated(s.read(a.ExternalID)), undated(a), "listed and read, an account is the same")
		}
	}
	require.Empty(t, ids, "each is listed")
}

func (b bench) listsTracking(t T) {
	s := b.open(t)
	as[connectors.InventoryLister](s, "InventoryLister")
	id := s.person()
	for name, value := range map[string]string{"cost centre": "4711", "site": "Zürich \"west\""} {
		if err := s.world.Inventory.Track(id, name, value); errors.Is(err, errors.ErrUnsupported) {
			t.Skipf("the vendor keeps no attributes")
		} else {
			require.NoError(t, err)
		}
	}
	for _, a := range s.listAccounts() {
		if a.ExternalID == id {
			require.Equal(t, map[string]string{"cost centre": "4711", "site": "Zürich \"west\""}, a.Tracking)
			return
		}
	}
	require.FailNow(t, "the account is not listed")
}

func (b bench) listsGroups(t T) {
	b.paged(t, func(s *scene) {
		want := map[schema.ExternalID]bool{}
		for range 5 {
			want[s.group(s.person(), false).GroupID] = true
		}
		all := pagesOf(s, func(c connectors.InventoryLister, marker string) (connectors.Page[schema.Group], error) {
			return c.ListGroups(s.Context(), marker)
		})
		seen := map[schema.ExternalID]int{}
		for _, g := range all {
			require.Equal(s, s.cfg.Connection.ID, g.ConnectionID)
			require.NotEmpty(s, g.Name)
			require.False(s, want[g.ExternalID] && g.Everybody)
			seen[g.ExternalID]++
		}
		for id := range want {
			require.Equal(s, 1, seen[id], "each group is listed")
		}
	})
}

func (b bench) listsMembers(t T) {
	b.paged(t, func(s *scene) {
		lead := s.group(s.person(), true)
		s.group(s.person(), false) // another group's is not listed
		want := []schema.GroupMember{}
		for range 5 {
			id := s.person()
			require.NoError(s, s.world.Inventory.Join(lead.GroupID, id))
			m, ok := s.member(lead.GroupID, id)
			require.True(s, ok, "World.Inventory.Join must put the account into the group")
			want = append(want, schema.GroupMember{ExternalID: m.ID, GroupID: lead.GroupID, AccountID: id, Role: m.Role, Permissions: m.Permissions})
		}
		got := pagesOf(s, func(c connectors.InventoryLister, marker string) (connectors.Page[schema.GroupMember], error) {
			return c.ListGroupMembers(s.Context(), lead.GroupID, marker)
		})
		for _, m := range got {
			require.Equal(s, lead.GroupID, m.GroupID)
			if m.ExternalID == lead.ID {
				require.Equal(s, lead.Role, m.Role)
				require.Equal(s, lead.Permissions, m.Permissions, "what an administrator of the group may do")
			}
		}
		require.Subset(s, got, want, "each member, with role")
		require.Len(s, got, len(want)+1, "and nobody else")
	})
}

func (b bench) listsAccess(t T) {
	b.paged(t, func(s *scene) {
		owner, group := s.person(), s.group(s.person(), false).GroupID
		other := s.group(s.person(), false).GroupID
		want := map[schema.ExternalID]string{}
		for n := range 5 {
			item := s.item(Item{Owner: owner, Folder: n%2 == 0})
			role, err := s.world.Inventory.Share(item, group, owner)
			require.NoError(s, err)
			want[item.ID] = fmt.Sprint(item.Type, " as ", role)
		}
		_, err := s.world.Inventory.Share(s.folder(owner), other, owner)
		require.NoError(s, err)
		got := map[schema.ExternalID]string{}
		for _, a := range pagesOf(s, func(c connectors.InventoryLister, marker string) (connectors.Page[schema.GroupCollaboration], error) {
			return c.ListGroupCollaborations(s.Context(), group, marker)
		}) {
			require.NotEmpty(s, a.ExternalID)
			require.NotEmpty(s, a.Status)
			require.Equal(s, group, a.GroupID)
			got[a.ItemID] = fmt.Sprint(a.ItemType, " as ", a.Role)
		}
		require.Equal(s, want, got, "each item that the group reaches, and no other")
	})
}

// listsGranters: who gave access is said as the vendor says it, and not made up.
func (b bench) listsGranters(t T) {
	s := b.open(t)
	c := as[connectors.InventoryLister](s, "InventoryLister")
	owner, group := s.person(), s.group(s.person(), false).GroupID
	want := map[schema.ExternalID][2]string{}
	share := func(by schema.ExternalID, says [2]string) {
		item := s.folder(owner)
		_, err := s.world.Inventory.Share(item, group, by)
		if by == "" && errors.Is(err, errors.ErrUnsupported) {
			return
		}
		require.NoError(s, err)
		if want[item.ID] = says; !s.world.TellsGranter {
			want[item.ID] = [2]string{}
		}
	}
	for range 2 {
		p := s.newPerson()
		by, err := s.world.People.Add(p)
		require.NoError(t, err)
		share(by, [2]string{p.Login, p.Name})
	}
	share("", [2]string{})
	got := map[schema.ExternalID][2]string{}
	p, err := c.ListGroupCollaborations(t.Context(), group, "")
	require.NoError(t, err)
	for _, a := range p.Entries {
		got[a.ItemID] = [2]string{a.GrantedBy, a.GrantedByName}
	}
	require.Equal(t, want, got, "who gave access is known where the vendor tells, and only there")
}
