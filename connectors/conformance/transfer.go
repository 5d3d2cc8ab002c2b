package conformance

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/schema"
)

// transfer: the one request that must not be sent twice.
func (b bench) transfer(t T) {
	t.Run("prepare_sends_nothing", func(t T) {
		s := b.open(t)
		m := s.move()
		m.prepare()
		require.Zero(t, s.wire.written(0), "preparing sends nothing of the transfer")
	})
	t.Run("to_itself", func(t T) {
		s := b.open(t)
		id := s.person()
		_, err := as[connectors.Transferer](s, "Transferer").PrepareTransfer(t.Context(), id, id)
		s.fails(err, connectors.Invalid)
		require.Empty(t, s.wire.since(0))
	})
	t.Run("arrives", b.arrives)
	t.Run("once", func(t T) {
		for _, m := range modes() {
			t.Run(string(m.mode), func(t T) { b.oncePerMode(t, m) })
		}
		for _, f := range faults() {
			t.Run(f.name, func(t T) { b.oncePerFault(t, f) })
		}
		t.Run("hang", b.onceHanging)
		t.Run("second_send", b.secondSend)
	})
	t.Run("not_started", b.notStarted)
	t.Run("hostile_ids", b.hostileTransfer)
}

// move is a transfer of a leaver's content about to be made.
type move struct {
	*scene
	c                connectors.Transferer
	source, receiver schema.ExternalID
	items            []schema.Witness
}

func (s *scene) move() *move {
	s.Helper()
	m := &move{scene: s, c: as[connectors.Transferer](s, "Transferer"), source: s.person(), receiver: s.person()}
	m.items = []schema.Witness{s.folder(m.source), s.item(Item{Owner: m.source, Bytes: 5})}
	return m
}

func (m *move) prepare() connectors.PreparedTransfer {
	m.Helper()
	p, err := m.c.PrepareTransfer(m.Context(), m.source, m.receiver)
	require.NoError(m, err)
	return p
}

// send sends and requires what holds for every outcome.
func (m *move) send(ctx context.Context, p connectors.PreparedTransfer) (o schema.TransferOutcome, requests []request) {
	m.Helper()
	mark := m.wire.mark()
	o = p.Send(ctx)
	require.WithinDuration(m, time.Now(), o.EndedAt, time.Hour, "when the call ended is recorded")
	require.Equal(m, time.UTC, o.EndedAt.Location())
	require.NotEmpty(m, o.Reason, "an outcome says why")
	for _, text := range []string{o.Reason, o.VendorCode, string(o.FolderID)} {
		require.NotContains(m, strings.ToLower(text), canary, "an outcome names nobody")
		require.NotContains(m, text, m.cfg.Secret)
	}
	return o, m.wire.since(mark)
}

// sendOnce sends and requires that this was one request and nothing else.
func (m *move) sendOnce(ctx context.Context, p connectors.PreparedTransfer) schema.TransferOutcome {
	m.Helper()
	o, requests := m.send(ctx, p)
	require.Len(m, requests, 1, "one request, whatever the vendor does")
	require.True(m, requests[0].writes(), "the one request is the transfer: everything else was prepared")
	return o
}

// modeCase says what a transfer in a mode is.
type modeCase struct {
	mode  Mode
	class schema.OutcomeClass
	cause schema.RefusalCause
}

func modes() []modeCase {
	return []modeCase{
		{mode: Quick, class: schema.OutcomeAccepted},
		{mode: StillRuns, class: schema.OutcomeAccepted},
		{mode: GatewayGone, class: schema.OutcomeUnknown},
		{mode: Dropped, class: schema.OutcomeUnknown},
		{mode: Applied503, class: schema.OutcomeUnknown},
		{mode: Refused, class: schema.OutcomeRefused},
		{mode: Full, class: schema.OutcomeRefused, cause: schema.RefusedReceiverFull},
		{mode: Suspended, class: schema.OutcomeRefused, cause: schema.RefusedInactiveSource},
		{mode: Busy, class: schema.OutcomeBusy},
	}
}

// plan makes the move go as in mode, and skips where the vendor has none.
func (m *move) plan(mode Mode) {
	m.Helper()
	err := m.world.Transfers.Plan(m.source, m.receiver, mode)
	if errors.Is(err, errors.ErrUnsupported) {
		m.Skipf("the vendor has no transfer of this kind")
	}
	require.NoError(m, err)
}

func (b bench) oncePerMode(t T, mc modeCase) {
	s := b.open(t)
	m := s.move()
	m.plan(mc.mode)
	o := m.sendOnce(t.Context(), m.prepare())
	require.Equal(t, mc.class, o.Class, "HTTP %d, %s", o.HTTPStatus, o.Reason)
	if mc.cause != "" {
		require.Equal(t, mc.cause, o.Cause)
	}
	if mc.class == schema.OutcomeRefused || mc.class == schema.OutcomeBusy {
		for _, w := range m.items {
			owner, err := s.world.Content.Owner(w)
			require.NoError(t, err)
			require.Equal(t, m.source, owner, "World.Transfers: a refusal starts nothing")
		}
	}
}

func (b bench) oncePerFault(t T, f fault) {
	s := b.open(t)
	m := s.move()
	p := m.prepare()
	s.wire.spoil(spoilt{fault: f})
	o := m.sendOnce(t.Context(), p)
	require.Contains(t, f.outcomes, o.Class, "HTTP %d, %s", o.HTTPStatus, o.Reason)
	require.GreaterOrEqual(t, o.RetryAfter, f.after, "Retry-After must be handed on")
	if f.after == 0 {
		require.Zero(t, o.RetryAfter)
	}
}

// onceHanging: a call that is given up may have started the transfer.
func (b bench) onceHanging(t T) {
	s := b.open(t)
	m := s.move()
	p := m.prepare()
	s.wire.spoil(spoilt{fault: hangs()})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	mark := s.wire.mark()
	done := make(chan schema.TransferOutcome, 1)
	go func() { done <- p.Send(ctx) }()
	require.Eventually(t, func() bool { return s.wire.met() > 0 }, promptly, time.Millisecond)
	cancel()
	select {
	case o := <-done:
		require.Equal(t, schema.OutcomeUnknown, o.Class)
		require.Zero(t, o.HTTPStatus)
	case <-time.After(promptly):
		require.FailNow(t, "Send outlives its context")
	}
	require.Len(t, s.wire.since(mark), 1)
}

// secondSend: what was prepared once is sent once.
func (b bench) secondSend(t T) {
	s := b.open(t)
	m := s.move()
	p := m.prepare()
	m.sendOnce(t.Context(), p)
	o, requests := m.send(t.Context(), p)
	require.Empty(t, requests, "a second Send sends nothing")
	require.Equal(t, schema.OutcomeUnknown, o.Class, "and does not deny the first")
}
