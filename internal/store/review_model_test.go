package store_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/schema"
)

// itemModel is what is to hold of an item, whatever people and the engine do with
// it in whatever order.
type itemModel struct {
	r     *reviewed
	sql   *pgx.Conn
	draft schema.Draft
	id    schema.AccountID
	asks  []schema.AskRow
	given []schema.Answer // of each question
	over  bool            // the questions are
	state schema.ItemState
	needs int // answers "needed" that were taken
	cased schema.CaseID
}

// place brings an account into the run, planned.
func (m *itemModel) place(rt *rapid.T, base schema.Draft, n int) {
	m.id, m.state = schema.AccountID(newUUID()), schema.ItemPlanned
	a := base.Accounts[0]
	a.Account.ID, a.Account.ExternalID, a.Account.Login = m.id, schema.ExternalID(fmt.Sprint("m", n)), fmt.Sprintf("m%d@example.com", n)
	a.Facts.AccountID, a.Facts.Login = a.Account.ExternalID, a.Account.Login
	m.draft = base
	m.draft.Accounts, m.draft.Request.Email = []schema.DraftAccount{a}, a.Account.Login
	m.draft.Hash = schema.CaseHash([]string{a.Facts.Hash()})
	facts, err := json.Marshal(a.Facts)
	require.NoError(rt, err)
	_, err = m.sql.Exec(m.r.t.Context(), `with a as (insert into account (id, connection_id, external_id, login, name, role, status, vendor_status, kind,
				enterprise_id, space_used, space_amount, observed_at)
			values ($1, $2, $3, $4, '', 'member', 'active', '', 'person', '900', 0, -1, now()) returning id)
		insert into review_item (review_id, account_id, connection_id, external_id, login, privileged, state, grade, threshold_seconds, facts, hash, updated_at)
		select $5, id, $2, $3, $4, false, 'planned', 'inactive', 1, $6, $7, now() from a`,
		string(m.id), string(m.r.conn.ID), string(a.Account.ExternalID), a.Account.Login, string(m.r.run), facts, a.Facts.Hash())
	require.NoError(rt, err)
}

// expect compares an error with the code that is to come.
func expect(rt *rapid.T, want schema.Code, err error) {
	if want == "" {
		require.NoError(rt, err)
		return
	}
	require.Equal(rt, want, schema.CodeOf(err), "%v", err)
}

func (m *itemModel) ask(rt *rapid.T) {
	var list []schema.AskRow
	if rapid.Bool().Draw(rt, "somebody") {
		list = asks("a@example.com", "b@example.com")
	}
	to, want := schema.ItemAsking, schema.Code("")
	if list == nil {
		to = schema.ItemReady
	}
	if m.state == schema.ItemPlanned {
		m.state, m.asks, m.given = to, list, make([]schema.Answer, len(list))
	} else if m.state != schema.ItemAsking && m.state != to {
		want = schema.CodeStale
	}
	expect(rt, want, m.r.AskAbout(m.r.t.Context(), m.r.run, m.id, list, time.Now().Add(time.Hour)))
}

func (m *itemModel) answer(rt *rapid.T) {
	if len(m.asks) == 0 {
		return
	}
	n := rapid.IntRange(0, len(m.asks)-1).Draw(rt, "of")
	answer := rapid.SampledFrom([]schema.Answer{schema.AnswerNeeded, schema.AnswerNotNeeded}).Draw(rt, "answer")
	want := schema.Code("")
	switch {
	case m.given[n] != "" || m.over || m.state.Ended() && m.state != schema.ItemStarted:
		want = schema.CodeClosed
	case answer == schema.AnswerNeeded:
		m.given[n] = answer
		m.need()
	default:
		m.given[n] = answer
		if m.state == schema.ItemAsking && !slices.ContainsFunc(m.given, func(a schema.Answer) bool { return a != schema.AnswerNotNeeded }) {
			m.state = schema.ItemReady
		}
	}
	expect(rt, want, m.r.answer(m.asks[n], answer, "because"))
}

func (m *itemModel) need() {
	m.needs, m.over = m.needs+1, true
	if m.state != schema.ItemStarted {
		m.state = schema.ItemKept
	}
}

func (m *itemModel) say(rt *rapid.T) {
	answer := rapid.SampledFrom([]schema.Answer{schema.AnswerNeeded, schema.AnswerNotNeeded}).Draw(rt, "answer")
	want := schema.Code("")
	switch {
	case answer == schema.AnswerNotNeeded && m.state != schema.ItemAsking, m.state.Ended() && m.state != schema.ItemStarted:
		want = schema.CodeClosed
	case answer == schema.AnswerNeeded:
		m.need()
	default:
		m.state = schema.ItemReady
	}
	_, err := m.r.AnswerItem(m.r.t.Context(), m.r.run, m.id, answer, "because", m.r.admin)
	expect(rt, want, err)
}

func (m *itemModel) settle(rt *rapid.T) {
	to := rapid.SampledFrom([]schema.ItemState{schema.ItemReady, schema.ItemReady, schema.ItemSilent, schema.ItemDrifted}).Draw(rt, "to")
	want := schema.Code("")
	switch {
	case m.state == to:
	case m.state.Ended(), to == schema.ItemReady && m.state != schema.ItemAsking:
		want = schema.CodeStale
	default:
		m.state, m.over = to, m.over || to.Ended()
	}
	expect(rt, want, m.r.SettleItem(m.r.t.Context(), m.r.run, m.id, to, "because", nil))
}

func (m *itemModel) start(rt *rapid.T) {
	c, err := m.r.StartItem(m.r.t.Context(), m.r.run, m.id, m.draft)
	switch m.state {
	case schema.ItemReady:
		require.NoError(rt, err)
		m.state, m.cased = schema.ItemStarted, c.ID
	case schema.ItemStarted:
		require.NoError(rt, err)
		require.Equal(rt, m.cased, c.ID)
	default:
		expect(rt, schema.CodeStale, err)
	}
}

func (m *itemModel) check(rt *rapid.T) {
	var got struct {
		state, caseID   string
		kept, open, run int
	}
	require.NoError(rt, m.sql.QueryRow(m.r.t.Context(), `select i.state, coalesce(i.case_id::text, ''),
			(select count(*) from account_kept k where k.account_id = i.account_id),
			(select count(*) from review_ask a where a.review_id = i.review_id and a.account_id = i.account_id and a.state in ('pending', 'delivered')),
			(select count(*) from plan p where p.account_id = i.account_id and not p.stopping)
		from review_item i where i.review_id = $1 and i.account_id = $2`, string(m.r.run), string(m.id)).
		Scan(&got.state, &got.caseID, &got.kept, &got.open, &got.run))
	require.Equal(rt, []any{string(m.state), string(m.cased), m.needs}, []any{got.state, got.caseID, got.kept})
	open := 0
	for _, a := range m.given {
		if a == "" && !m.over {
			open++
		}
	}
	require.Equal(rt, open, got.open, "questions")
	wanted := 0
	if m.state == schema.ItemStarted && m.needs == 0 {
		wanted = 1
	}
	require.Equal(rt, wanted, got.run, "an account that is needed has no plan that goes on")
}

func TestItemsMovedInAnyOrder(t *testing.T) {
	t.Parallel()
	r := reviewSetup(t)
	base, look, n, passed := r.unused("1"), r.sql(), 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		if passed == 30 { // enough of the hundred: each takes a dozen transactions
			return
		}
		n++
		m := &itemModel{r: r, sql: look}
		m.place(rt, base, n)
		steps := []func(*rapid.T){m.answer, m.answer, m.say, m.settle, m.start, m.start}
		m.ask(rt)
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			rapid.SampledFrom(steps).Draw(rt, "step")(rt)
		}
		m.ask(rt)
		m.check(rt)
		passed++
	})
}
