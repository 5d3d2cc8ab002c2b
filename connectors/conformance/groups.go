package conformance

import (
	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// groups: what is taken away can be given back as it was.
func (b bench) groups(t T) {
	t.Run("listed_whole", b.listedWhole)
	t.Run("none", func(t T) {
		s := b.open(t)
		got, err := as[connectors.GroupReader](s, "GroupReader").Memberships(t.Context(), s.person())
		require.NoError(t, err)
		require.Empty(t, got)
	})
	for name, privileged := range map[string]bool{"back_as_member": false, "back_as_administrator": true} {
		t.Run(name, func(t T) { b.thereAndBack(t, privileged) })
	}
	t.Run("remove_absent", func(t T) {
		s := b.open(t)
		c := as[connectors.MembershipWriter](s, "MembershipWriter")
		m := s.group(s.person(), false)
		require.NoError(t, c.RemoveMembership(t.Context(), m))
		s.fails(c.RemoveMembership(t.Context(), m), connectors.NotFound)
	})
	t.Run("add_twice", func(t T) {
		s := b.open(t)
		c := as[connectors.MembershipWriter](s, "MembershipWriter")
		id := s.person()
		m := s.group(id, true)
		s.fails(c.AddMembership(t.Context(), id, m), connectors.Conflict)
		after, ok := s.member(m.GroupID, id)
		require.True(t, ok)
		require.Equal(t, m, after, "the membership that is there stays as it is")
	})
	t.Run("add_to_absent_group", func(t T) {
		s := b.open(t)
		c := as[connectors.MembershipWriter](s, "MembershipWriter")
		m := s.group(s.person(), false)
		m.GroupID = s.world.Nobody
		s.fails(c.AddMembership(t.Context(), s.person(), m), connectors.NotFound)
	})
}

func (b bench) listedWhole(t T) {
	for name, total := range map[string]func(int) int{
		"pages": nil, "total_too_high": func(n int) int { return n + 5 }, "total_too_low": func(int) int { return 1 },
	} {
		t.Run(name, func(t T) {
			s := b.open(t)
			c := as[connectors.GroupReader](s, "GroupReader")
			id := s.person()
			var want []schema.Membership
			for n := range 5 {
				want = append(want, s.group(id, n%2 == 0))
			}
			s.wire.smallPages(total)
			got, err := c.Memberships(t.Context(), id)
			require.NoError(t, err)
			require.ElementsMatch(t, want, got, "each membership, with role and permissions")
		})
	}
}

// thereAndBack takes an account out of a group and puts it back from what was
// read before.
func (b bench) thereAndBack(t T, privileged bool) {
	s := b.open(t)
	c := as[connectors.MembershipWriter](s, "MembershipWriter")
	id, other := s.person(), s.person()
	m := s.group(id, privileged)
	kept := s.group(other, false)
	read, err := c.Memberships(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []schema.Membership{m}, read)

	require.NoError(t, c.RemoveMembership(t.Context(), read[0]))
	_, ok := s.member(m.GroupID, id)
	require.False(t, ok, "the account is no longer in the group")
	_, ok = s.member(kept.GroupID, other)
	require.True(t, ok, "nobody else left a group")

	require.NoError(t, c.AddMembership(t.Context(), id, read[0]))
	back, ok := s.member(m.GroupID, id)
	require.True(t, ok)
	back.ID = m.ID // the vendor gives another one
	require.Equal(t, m, back, "role and permissions are those of before")
}

// holds: what cannot be read is unknown, not absent.
func (b bench) holds(t T) {
	t.Run("read", func(t T) {
		s := b.open(t)
		c := as[connectors.HoldReader](s, "HoldReader")
		held, free := s.person(), s.person()
		var want []schema.ExternalID
		for range 2 {
			hold, err := s.world.Holds.Place(held)
			require.NoError(t, err)
			want = append(want, hold)
		}
		s.wire.smallPages(nil)
		got, err := c.Holds(t.Context(), held)
		require.NoError(t, err)
		require.ElementsMatch(t, want, got.Legal)
		got, err = c.Holds(t.Context(), free)
		require.NoError(t, err)
		require.Empty(t, got.Legal)
	})
	t.Run("hidden", func(t T) {
		s := b.open(t)
		c := as[connectors.HoldReader](s, "HoldReader")
		id := s.person()
		_, err := s.world.Holds.Place(id)
		require.NoError(t, err)
		require.NoError(t, s.world.Holds.Hide())
		_, err = c.Holds(t.Context(), id)
		s.fails(err, connectors.Forbidden, connectors.NotFound)
	})
}
