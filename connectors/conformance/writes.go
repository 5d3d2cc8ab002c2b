package conformance

import (
	"slices"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// suspend: suspended is suspended, twice too, and every word comes back exactly.
func (b bench) suspend(t T) {
	t.Run("and_again", func(t T) {
		s := b.open(t)
		c := as[connectors.Suspender](s, "Suspender")
		id := s.person()
		for range 2 {
			require.NoError(t, c.SetStatus(t.Context(), id, c.SuspendedStatus()), "a repeat is no error")
			require.Equal(t, c.SuspendedStatus(), s.truth(id).Status)
			a := s.read(id)
			require.Equal(t, schema.AccountSuspended, a.Status)
			require.Equal(t, c.SuspendedStatus(), a.VendorStatus)
		}
		require.NoError(t, c.SetStatus(t.Context(), id, c.ActiveStatus()))
		require.Equal(t, schema.AccountActive, s.read(id).Status)
	})
	t.Run("restores_the_word", func(t T) {
		s := b.open(t)
		c := as[connectors.Suspender](s, "Suspender")
		for _, word := range append([]string{c.ActiveStatus(), c.SuspendedStatus()}, s.world.Statuses...) {
			id := s.person(func(p *Person) { p.Status = word })
			before := s.read(id).VendorStatus
			require.Equal(t, word, before)
			require.NoError(t, c.SetStatus(t.Context(), id, c.SuspendedStatus()))
			require.NoError(t, c.SetStatus(t.Context(), id, before))
			require.Equal(t, word, s.truth(id).Status, "the status before must come back to the letter")
		}
	})
	t.Run("absent", func(t T) {
		s := b.open(t)
		c := as[connectors.Suspender](s, "Suspender")
		s.fails(c.SetStatus(t.Context(), s.world.Nobody, c.SuspendedStatus()), connectors.NotFound)
	})
	t.Run("one_account", func(t T) {
		s := b.open(t)
		c := as[connectors.Suspender](s, "Suspender")
		id, other := s.person(), s.person()
		mark := s.wire.mark()
		require.NoError(t, c.SetStatus(t.Context(), id, c.SuspendedStatus()))
		require.Equal(t, 1, s.wire.written(mark), "one write")
		require.NotEqual(t, c.SuspendedStatus(), s.truth(other).Status)
	})
}

// role: an administrator is none any more, and one again.
func (b bench) role(t T) {
	t.Run("there_and_back", func(t T) {
		s := b.open(t)
		c := as[connectors.RoleWriter](s, "RoleWriter")
		id, other := s.person(func(p *Person) { p.Role = schema.RoleCoadmin }), s.person(func(p *Person) { p.Role = schema.RoleCoadmin })
		for _, role := range []schema.AccountRole{schema.RoleMember, schema.RoleMember, schema.RoleCoadmin} {
			mark := s.wire.mark()
			require.NoError(t, c.SetRole(t.Context(), id, role), "a repeat is no error")
			require.Equal(t, 1, s.wire.written(mark), "one write")
			require.Equal(t, role, s.read(id).Role)
			require.Equal(t, schema.RoleCoadmin, s.read(other).Role)
		}
	})
	t.Run("absent", func(t T) {
		s := b.open(t)
		s.fails(as[connectors.RoleWriter](s, "RoleWriter").SetRole(t.Context(), s.world.Nobody, schema.RoleMember), connectors.NotFound)
	})
	t.Run("unknown", func(t T) {
		s := b.open(t)
		c := as[connectors.RoleWriter](s, "RoleWriter")
		id := s.person()
		mark := s.wire.mark()
		s.fails(c.SetRole(t.Context(), id, "emperor"), connectors.Invalid)
		require.Zero(t, s.wire.written(mark))
	})
}

// sessions: the vendor has taken the request, and takes it again.
func (b bench) sessions(t T) {
	s := b.open(t)
	c := as[connectors.SessionRevoker](s, "SessionRevoker")
	id, other := s.person(), s.person()
	for n := 1; n <= 2; n++ {
		require.NoError(t, c.RevokeSessions(t.Context(), id))
		require.Equal(t, n, s.truth(id).SessionsEnded)
	}
	require.Zero(t, s.truth(other).SessionsEnded)
}

// readOnly: a read-only connection refuses what writes before the wire, and does
// all the rest.
func (b bench) readOnly(t T) {
	closed := func(c *connectors.Config) { c.Connection.ReadOnly = true }
	b.eachCall(t, every, func(t T, k call) {
		s := b.open(t, closed)
		do, _ := k.prepare(s)
		if !k.writes {
			s.mustRun(do)
			return
		}
		e := s.fails(do(t.Context()), connectors.Blocked)
		require.False(t, e.Sent)
		require.Zero(t, s.wire.written(0))
	})
	t.Run("transfer", func(t T) {
		s := b.open(t, closed)
		c := as[connectors.Transferer](s, "Transferer")
		p, err := c.PrepareTransfer(t.Context(), s.person(), s.person())
		if err != nil {
			s.fails(err, connectors.Blocked)
			return
		}
		require.Equal(t, schema.OutcomeNotStarted, p.Send(t.Context()).Class)
		require.Zero(t, s.wire.written(0))
	})
}

// guard: it is asked directly before each write, and what it refuses is not sent.
func (b bench) guard(t T) {
	b.eachCall(t, writing, func(t T, k call) {
		t.Run("refuses", func(t T) {
			s := b.open(t)
			do, _ := k.prepare(s)
			s.gate.pause(true)
			err := do(t.Context())
			e := s.fails(err, connectors.Blocked)
			require.ErrorIs(t, err, errPaused, "the guard's reason is in the chain")
			require.False(t, e.Sent)
			require.Zero(t, s.wire.written(0), "what the guard refuses is not sent")
		})
		t.Run("asked_last", func(t T) {
			s := b.open(t)
			do, _ := k.prepare(s)
			s.gate.reset()
			s.mustRun(do)
			s.guarded()
		})
	})
	t.Run("not_for_reads", func(t T) {
		b.eachCall(t, func(k call) bool { return !k.writes }, func(t T, k call) {
			s := b.open(t)
			do, _ := k.prepare(s)
			s.gate.pause(true)
			s.mustRun(do)
		})
	})
}

// guarded requires that the guard was the last thing asked before each write.
func (s *scene) guarded() {
	s.Helper()
	events := s.gate.happened()
	writes := 0
	for i, e := range events {
		if e.what != eventRequest || !e.writes {
			continue
		}
		writes++
		require.Positive(s, i)
		require.Equal(s, eventGuard, events[i-1].what, "the guard is asked directly before each write")
		require.Equal(s, s.cfg.Connection.ID, events[i-1].conn)
	}
	require.Positive(s, writes)
}

// limiter: each call waits for its rate first, for everybody whose rate it uses.
func (b bench) limiter(t T) {
	b.eachCall(t, every, func(t T, k call) {
		t.Run("asked_first", func(t T) {
			s := b.open(t)
			do, acts := k.prepare(s)
			s.gate.reset()
			require.NoError(t, do(connectors.WithPriority(t.Context(), connectors.PrioritySync)))
			s.paced(acts)
		})
		t.Run("refuses", func(t T) {
			s := b.open(t)
			do, _ := k.prepare(s)
			s.gate.runDry(true)
			err := do(t.Context())
			require.False(t, s.fails(err, connectors.Unavailable).Sent)
			require.ErrorIs(t, err, errNoRate, "the limiter's reason is in the chain")
			require.Zero(t, s.wire.calls(0), "without a rate nothing is sent")
		})
	})
}

// paced requires that each request waited for the rate of the token's user and of
// who it acts as, at the priority of its context.
func (s *scene) paced(acts schema.ExternalID) {
	s.Helper()
	var waited []schema.ExternalID
	requests := 0
	for _, e := range s.gate.happened() {
		switch e.what {
		case eventWait:
			require.Equal(s, s.cfg.Connection.ID, e.conn)
			require.Equal(s, connectors.PrioritySync, e.priority, "the context's priority is handed on")
			waited = append(waited, e.user)
		case eventRequest:
			requests++
			require.Contains(s, waited, s.cfg.Connection.AsUser, "each request waits for the token's user")
			if acts != "" && s.world.Impersonates {
				require.Contains(s, waited, acts, "a request that acts as a user waits for that one too")
			}
			waited = nil
		}
	}
	require.Positive(s, requests)
	require.True(s, slices.ContainsFunc(s.gate.happened(), func(e event) bool { return e.what == eventWait }))
}
