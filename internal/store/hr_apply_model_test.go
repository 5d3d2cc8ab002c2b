package store_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/schema"
)

// leaverModel is what is to hold of leavers, whatever feeds, people and the engine
// say in whatever order.
type leaverModel struct {
	h     *hr
	sql   *pgx.Conn
	src   schema.Source
	other schema.Principal
	round int
	// told is what the feed last said of each person: so many days from now, 0 =
	// they stay, -1 = at once.
	told []int
	// wanted tells whether there must be a leaver who has not ended: the feed said so
	// anew and nobody ended it since.
	wanted []bool
	// hand tells that somebody's word stands against the feed.
	hand []bool
}

const modelPeople = 7

func (m *leaverModel) email(p int) string { return fmt.Sprintf("r%d-%d@example.com", m.round, p) }

func (m *leaverModel) row(p int) schema.Employment {
	row := employment(fmt.Sprint(p), m.email(p), fmt.Sprintf("department=%d", m.h.told))
	switch days := m.told[p]; {
	case days > 0:
		row.LastWorkingDay = inDays(days)
	case days < 0:
		row.Status = schema.StatusEnded
	}
	return row
}

// tell lets the feed say something of a person.
func (m *leaverModel) tell(rt *rapid.T) {
	p := rapid.IntRange(0, modelPeople-1).Draw(rt, "person")
	days := rapid.SampledFrom([]int{0, 0, 3, 5, -1}).Draw(rt, "days")
	before := m.told[p]
	m.told[p] = days
	m.h.tells(m.src, changes(m.row(p)))
	m.h.applies() // a round each: what is between is seen
	if !m.hand[p] && days != before {
		m.wanted[p] = days != 0
	}
}

// tellMany lets the feed say of several at once; corrections collapse, so that
// only what is said last counts.
func (m *leaverModel) tellMany(rt *rapid.T) {
	before := append([]int{}, m.told...)
	for range rapid.IntRange(2, 9).Draw(rt, "events") {
		p := rapid.IntRange(0, modelPeople-1).Draw(rt, "person")
		m.told[p] = rapid.SampledFrom([]int{0, 3, 5, 7}).Draw(rt, "days")
		m.h.tells(m.src, changes(m.row(p)))
	}
	m.h.applies()
	for p := range m.told {
		if !m.hand[p] && m.told[p] != before[p] {
			m.wanted[p] = m.told[p] != 0
		}
	}
}

func (m *leaverModel) say(rt *rapid.T) {
	p := rapid.IntRange(0, modelPeople-1).Draw(rt, "person")
	kind := rapid.SampledFrom([]schema.HRChangeKind{schema.ChangeLeave, schema.ChangeReturn}).Draw(rt, "kind")
	m.h.byHand(kind, schema.ByHand{Email: m.email(p), LastWorkingDay: inDays(4)})
	m.h.applies()
	m.hand[p] = kind == schema.ChangeLeave
	m.wanted[p] = m.hand[p]
}

// end lets the engine end a leaver, as it may.
func (m *leaverModel) end(rt *rapid.T) {
	p := rapid.IntRange(0, modelPeople-1).Draw(rt, "person")
	l, err := m.h.FindLeaver(m.h.t.Context(), m.email(p))
	if err != nil || l.State == schema.LeaverHeld || l.State == schema.LeaverEnded {
		return
	}
	end := schema.EndWithdrawn
	if l.State != schema.LeaverWithdrawn {
		end = rapid.SampledFrom([]schema.LeaverEnd{schema.EndDone, schema.EndCancelled, schema.EndNoAccount}).Draw(rt, "end")
		m.wanted[p], m.hand[p] = false, false
	}
	require.NoError(rt, m.h.EndLeaver(m.h.t.Context(), l.ID, l.Revision, end))
}

// decide lets people release or discard the batch of the source that is held.
func (m *leaverModel) decide(rt *rapid.T) {
	list, _, err := m.h.ListBatches(m.h.t.Context(), schema.BatchFilter{State: schema.BatchHeld, Limit: 10})
	require.NoError(rt, err)
	kind := rapid.SampledFrom([]schema.BatchState{schema.BatchReleased, schema.BatchDiscarded}).Draw(rt, "decision")
	for _, b := range list {
		in, _, err := m.h.ListLeavers(m.h.t.Context(), schema.LeaverFilter{Batch: b.ID, State: schema.LeaverHeld, Limit: 500})
		require.NoError(rt, err)
		_, err = m.h.decides(b, kind, m.h.admin)
		require.NoError(rt, err)
		if kind == schema.BatchReleased {
			_, err = m.h.decides(b, kind, m.other)
			require.NoError(rt, err)
			continue
		}
		for p := range m.wanted {
			for _, l := range in {
				if l.Email == m.email(p) {
					m.wanted[p], m.hand[p] = false, false
				}
			}
		}
	}
}

func (m *leaverModel) rejudge(rt *rapid.T) {
	_, err := m.h.RejudgeLeavers(m.h.t.Context(), judge, 3)
	require.NoError(rt, err)
}

func (m *leaverModel) count(rt *rapid.T, sql string, a ...any) (n int) {
	require.NoError(rt, m.sql.QueryRow(m.h.t.Context(), sql, a...).Scan(&n))
	return n
}

func (m *leaverModel) check(rt *rapid.T) {
	for p := range modelPeople {
		l, err := m.h.FindLeaver(m.h.t.Context(), m.email(p))
		open := err == nil && l.State != schema.LeaverEnded && l.State != schema.LeaverWithdrawn
		require.Equal(rt, m.wanted[p], open, "person %d: told %d, %+v", p, m.told[p], l)
		if !open {
			continue
		}
		require.Equal(rt, m.hand[p], l.ByHand)
		switch days := m.told[p]; {
		case m.hand[p]:
			require.Equal(rt, inDays(4), l.Moment.Date)
		case days > 0:
			require.Equal(rt, inDays(days), l.Moment.Date)
		default:
			require.Equal(rt, schema.StartsAtOnce, l.Moment.Starts)
		}
	}
	require.Zero(rt, m.count(rt, `select count(*) from (select from leaver where state <> 'ended' group by person_id having count(*) > 1) as twice`))
	require.Zero(rt, m.count(rt, `select count(*) from batch b where state = 'held'
		and (size = 0 or size <> (select count(*) from leaver l where l.batch_id = b.id and l.state = 'held'))`), "a batch's size")
	require.Zero(rt, m.count(rt, `select count(*) from leaver l left join batch b on b.id = l.batch_id where l.state = 'held' and b.state is distinct from 'held'`))
	require.Zero(rt, m.count(rt, `select count(*) from batch b full join (select * from alarm where code = 'BATCH_HELD' and cleared_at is null) as a
		on a.source_id::text = b.scope_id where b.state is not distinct from 'held' and a.id is null or b.state <> 'held' and a.id is not null
			and not exists (select from batch h where h.scope_id = b.scope_id and h.state = 'held')`), "an alarm for each that is held")
	require.LessOrEqual(rt, m.count(rt, `select count(*) from leaver where source_id = $1 and batch_id is null and counted_at > now() - interval '1 day'`,
		m.src.ID), m.src.Limit.Number+m.count(rt, `select count(*) from leaver where source_id = $1 and batch_id is null and state in ('ended', 'withdrawn')`, m.src.ID))
}

func TestLeaversAgainstAModel(t *testing.T) {
	t.Parallel()
	h := hrSetup(t)
	sql, other := h.sql(), h.holder("other", "")
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		src := sourceOf(fmt.Sprint("feed", round), schema.SourceHMAC)
		src.Limit.Number = rapid.IntRange(1, 4).Draw(rt, "limit")
		src, err := h.CreateSource(t.Context(), src, schema.SourceSecrets{Current: "s3cret-one"}, h.admin)
		require.NoError(rt, err)
		m := &leaverModel{
			h: h, sql: sql, src: src, other: other, round: round, told: make([]int, modelPeople), wanted: make([]bool, modelPeople), hand: make([]bool, modelPeople),
		}
		for p := range modelPeople {
			h.tells(src, changes(m.row(p)))
		}
		h.applies()
		steps := []func(*rapid.T){m.tell, m.tell, m.tell, m.tellMany, m.say, m.end, m.decide, m.rejudge}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			rapid.SampledFrom(steps).Draw(rt, "step")(rt)
			m.check(rt)
		}
	})
}
