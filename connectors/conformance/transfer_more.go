package conformance

import (
	"context"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// notStarted: what tells for certain that nothing was sent says so, and only that.
func (b bench) notStarted(t T) {
	none := func(t T, m *move, ctx context.Context, p connectors.PreparedTransfer) { //nolint:revive // t leads
		t.Helper()
		o, requests := m.send(ctx, p)
		require.Empty(t, requests, "nothing may be sent")
		require.Equal(t, schema.OutcomeNotStarted, o.Class)
		require.Zero(t, o.HTTPStatus)
	}
	t.Run("stale", func(t T) {
		m := b.open(t).move()
		p := m.prepare()
		m.ahead.Store(int64(31 * time.Second))
		none(t, m, t.Context(), p)
	})
	t.Run("just_fresh", func(t T) {
		m := b.open(t).move()
		p := m.prepare()
		m.ahead.Store(int64(25 * time.Second))
		require.Equal(t, schema.OutcomeAccepted, m.sendOnce(t.Context(), p).Class)
	})
	t.Run("cancelled", func(t T) {
		m := b.open(t).move()
		p := m.prepare()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		none(t, m, ctx, p)
	})
	t.Run("paused", func(t T) {
		m := b.open(t).move()
		p := m.prepare()
		m.gate.pause(true)
		none(t, m, t.Context(), p)
	})
	t.Run("host_gone", func(t T) {
		m := b.open(t).move()
		p := m.prepare()
		m.wire.srv.CloseClientConnections()
		require.NoError(t, m.wire.srv.Listener.Close())
		none(t, m, t.Context(), p)
	})
	t.Run("without_rate", func(t T) {
		m := b.open(t).move()
		m.gate.runDry(true)
		_, err := m.c.PrepareTransfer(t.Context(), m.source, m.receiver)
		m.fails(err, connectors.Unavailable)
		require.Zero(t, m.wire.calls(0))
	})
	t.Run("waits_for_nothing", func(t T) {
		m := b.open(t).move()
		p := m.prepare()
		m.gate.reset()
		m.sendOnce(t.Context(), p)
		events := m.gate.happened()
		require.Len(t, events, 2, "the send asks the guard and sends, and waits for no rate")
		m.guarded()
	})
}

// arrives: the receiver has it all, and the connector can tell.
func (b bench) arrives(t T) {
	s := b.open(t)
	m := s.move()
	trashed := s.item(Item{Owner: m.source, Bytes: 3, Trashed: true})
	kept := s.folder(m.receiver)
	for _, w := range m.items {
		place, err := m.c.LocateWitness(t.Context(), m.receiver, w)
		require.NoError(t, err, "what is not there yet is no error")
		require.False(t, place.Found && place.Owner == m.receiver)
	}
	there, err := m.c.LocateTrashed(t.Context(), m.receiver, trashed)
	require.NoError(t, err)
	require.False(t, there)

	m.plan(Quick)
	o := m.sendOnce(t.Context(), m.prepare())
	require.Equal(t, schema.OutcomeAccepted, o.Class)
	for _, w := range m.items {
		owner, err := s.world.Content.Owner(w)
		require.NoError(t, err)
		require.Equal(t, m.receiver, owner, "the transfer is to the receiver")
		place, err := m.c.LocateWitness(t.Context(), m.receiver, w)
		require.NoError(t, err)
		require.True(t, place.Found)
		require.Equal(t, m.receiver, place.Owner)
		if o.FolderID != "" {
			require.Equal(t, o.FolderID, place.FolderID, "where the vendor said it would be")
		}
	}
	place, err := m.c.LocateWitness(t.Context(), m.receiver, kept)
	require.NoError(t, err)
	require.Equal(t, schema.WitnessPlace{Found: true, Owner: m.receiver}, place, "what lies at the root is in no folder")
	owner, err := s.world.Content.Owner(trashed)
	require.NoError(t, err)
	there, err = m.c.LocateTrashed(t.Context(), m.receiver, trashed)
	require.NoError(t, err)
	require.Equal(t, owner == m.receiver, there, "trash is found with whom it is")

	place, err = m.c.LocateWitness(t.Context(), m.receiver, schema.Witness{ID: s.world.Nobody, Type: kept.Type})
	require.NoError(t, err, "what is not found is no error")
	require.False(t, place.Found)
}

func (b bench) hostileTransfer(t T) {
	s := b.open(t)
	m := s.move()
	for _, id := range []schema.ExternalID{"", "../1", "1/2", "1?force=true", "1%2f..", "1\r\nX: 1"} {
		_, err := m.c.PrepareTransfer(t.Context(), id, m.receiver)
		s.fails(err, connectors.Invalid)
		_, err = m.c.PrepareTransfer(t.Context(), m.source, id)
		s.fails(err, connectors.Invalid)
	}
	require.Zero(t, s.wire.calls(0))
}

// remove: the vendor's refusal is the last guard of content, and is never
// overridden.
func (b bench) remove(t T) {
	t.Run("content_remains", func(t T) {
		s := b.open(t)
		c := as[connectors.Deleter](s, "Deleter")
		id := s.person()
		w := s.item(Item{Owner: id, Bytes: 5})
		err := c.DeleteAccount(t.Context(), id)
		s.fails(err, connectors.Conflict)
		require.ErrorIs(t, err, connectors.ErrContentRemains)
		require.True(t, s.truth(id).Exists)
		owner, err := s.world.Content.Owner(w)
		require.NoError(t, err)
		require.Equal(t, id, owner, "not a byte was lost")
		require.Equal(t, 1, s.wire.written(0), "a refusal is not tried again")
	})
	t.Run("empty", func(t T) {
		s := b.open(t)
		c := as[connectors.Deleter](s, "Deleter")
		id, other := s.person(), s.person()
		require.NoError(t, c.DeleteAccount(t.Context(), id))
		require.Equal(t, 1, s.wire.written(0))
		require.False(t, s.truth(id).Exists)
		require.True(t, s.truth(other).Exists)
		_, err := as[connectors.AccountReader](s, "AccountReader").ReadAccount(t.Context(), id)
		s.fails(err, connectors.NotFound)
		_, err = as[connectors.AccountReader](s, "AccountReader").ReadAccount(t.Context(), other)
		require.NoError(t, err)
	})
	t.Run("already_gone", func(t T) {
		s := b.open(t)
		c := as[connectors.Deleter](s, "Deleter")
		id := s.person()
		require.NoError(t, c.DeleteAccount(t.Context(), id))
		err := c.DeleteAccount(t.Context(), id)
		s.fails(err, connectors.NotFound)
		require.NotErrorIs(t, err, connectors.ErrContentRemains)
	})
	t.Run("other_refusals", func(t T) {
		for _, f := range refusals() {
			t.Run(f.name, func(t T) {
				s := b.open(t)
				c := as[connectors.Deleter](s, "Deleter")
				id := s.person()
				s.wire.spoil(spoilt{fault: f})
				err := c.DeleteAccount(t.Context(), id)
				s.fails(err, f.kinds...)
				require.NotErrorIs(t, err, connectors.ErrContentRemains, "only the vendor's own word means that content is left")
			})
		}
	})
	t.Run("after_transfer", func(t T) {
		s := b.open(t)
		c := as[connectors.Deleter](s, "Deleter")
		m := s.move()
		m.plan(Quick)
		m.sendOnce(t.Context(), m.prepare())
		require.NoError(t, c.DeleteAccount(t.Context(), m.source))
		for _, w := range m.items {
			owner, err := s.world.Content.Owner(w)
			require.NoError(t, err)
			require.Equal(t, m.receiver, owner)
		}
	})
}
