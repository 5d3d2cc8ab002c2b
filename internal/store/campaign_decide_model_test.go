package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"sendoff/schema"
)

// TestWordsAtTheSameTime lets reviewers send words over several servers at once,
// each of them more than once and in another order, while others correct them: each
// counts once, and none is lost.
func TestWordsAtTheSameTime(t *testing.T) {
	t.Parallel()
	r := reviews(t, 24)
	other := r.open()
	items := r.items()
	mine, theirs := items[:12], items[12:]
	for _, i := range theirs[1:] {
		_, err := r.Reassign(t.Context(), r.id, schema.Reassign{Items: []schema.ItemID{i.ID}, To: "owner@example.com", Reason: "holidays"}, r.admin)
		require.NoError(t, err)
	}
	owner := r.holds(theirs[0], "owner@example.com")
	var lock sync.Mutex
	var accepted []schema.DecisionID
	g, ctx := errgroup.WithContext(t.Context())
	send := func(list []schema.CampaignItem, by schema.Principal, answer schema.ItemAnswer) {
		var words []schema.Decide
		for _, i := range list {
			words = append(words, word(i, answer))
		}
		for n := range 3 { // the same words, as by a client that lost its answers
			g.Go(func() error {
				again := slices.Clone(words)
				rand.Shuffle(len(again), func(a, b int) { again[a], again[b] = again[b], again[a] })
				s := r.Store
				if n == 1 {
					s = other
				}
				done, err := s.DecideItems(ctx, r.id, again, by)
				lock.Lock()
				defer lock.Unlock()
				for k, d := range done {
					if d.Code != "" {
						return fmt.Errorf("%s: %s", d.Code, d.Message)
					}
					if !d.Duplicate {
						accepted = append(accepted, again[k].ID)
					}
				}
				return err
			})
		}
	}
	send(mine, r.by, schema.AnswerKeep)
	send(mine, r.by, schema.AnswerRevoke)
	send(theirs, owner, schema.AnswerKeep)
	require.NoError(t, g.Wait())
	require.Len(t, accepted, 36, "each word is taken by one of its calls")
	require.Equal(t, 36, r.count(`select count(*) from campaign_decision`))
	require.Equal(t, 24, r.count(`select count(*) from campaign_decision where current`))
	consistent(t, r.sql())
}

// consistent checks what is to hold of a campaign at any time.
func consistent(t require.TestingT, look *pgx.Conn) {
	for what, sql := range map[string]string{
		"a decided item says the last decision": `select count(*) from campaign_item i where state = 'decided' and decision_id is not null and not exists (
			select 1 from campaign_decision d where d.id = i.decision_id and d.current and d.answer = i.answer and d.reason = i.reason and d.stage = i.stage)`,
		"the last decision is the newest": `select count(*) from campaign_decision d join campaign_decision o on o.item_id = d.item_id and o.stage = d.stage
			where d.current and not o.current and o.decided_at > d.decided_at`,
		"one record for each decision": `select count(*) from campaign_decision d where 1 <> (select count(*) from audit_record a
			where a.stream = 'campaign/' || d.campaign_id || ':' || d.reviewer_id and convert_from(a.body, 'UTF8')::jsonb->'subject'->>'decision_id' = d.id::text)`,
		"nobody decides about what they hold": `select count(*) from campaign_decision d join campaign_item i on i.id = d.item_id
			left join campaign_item_version v on v.item_id = i.id and v.version = d.version where coalesce(v.facts, i.facts)->>'holder_id' = d.reviewer_id::text`,
		"stages have distinct people": `select count(*) from (select item_id, reviewer_id from campaign_decision group by 1, 2 having count(distinct stage) > 1) x`,
		"an open item has one assignment": `select count(*) from campaign_item i where i.state = 'open' and i.control = '' and 1 <> (select count(*) from campaign_assignment s
			where s.item_id = i.id and s.ended_at is null and s.reviewer_id = i.reviewer_id and s.stage = i.stage)`,
		"nobody else has an assignment": `select count(*) from campaign_assignment s join campaign_item i on i.id = s.item_id where s.ended_at is null and i.state <> 'open'`,
	} {
		require.Equal(t, 0, ask[int](t, look, sql), what)
	}
}

// ask returns the one value of a query.
func ask[T any](t require.TestingT, look *pgx.Conn, sql string, args ...any) (v T) {
	require.NoError(t, look.QueryRow(context.Background(), sql, args...).Scan(&v))
	return v
}

// TestPeopleInAnyOrder lets people and the inventory change in random order, and
// looks that nobody ever decides about what they hold or in two stages.
func TestPeopleInAnyOrder(t *testing.T) {
	t.Parallel()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		if runs++; runs > 2 { // each takes a hundred transactions
			return
		}
		m := newPeopleModel(t)
		for range 10 {
			rapid.SampledFrom([]func(*rapid.T){m.decide, m.decide, m.decide, m.correct, m.reassign, m.hold, m.away, m.leave, m.escalate, m.role}).Draw(rt, "step")(rt)
			m.settle(rt)
			consistent(rt, m.look)
		}
	})
}

type peopleModel struct {
	r      *reviewing
	look   *pgx.Conn
	emails []string
}

func newPeopleModel(t *testing.T) *peopleModel {
	t.Helper()
	who := []schema.ReviewerCandidate{{Whom: schema.ReviewerManager}, named("user1@example.com", "user2@example.com", "user3@example.com")}
	r := reviews(t, 4, stages(stage("first", schema.StageAll, who...), stage("second", schema.StageKept, who[1])), func(rule *schema.AccessReviewRule) {
		rule.Decisions.Abstain = true
	})
	return &peopleModel{r: r, look: r.sql(), emails: []string{"boss@example.com", "owner@example.com", "user1@example.com", "user2@example.com", "user3@example.com", "user4@example.com"}}
}

func (m *peopleModel) who(rt *rapid.T) string { return rapid.SampledFrom(m.emails).Draw(rt, "who") }

func (m *peopleModel) item(rt *rapid.T) schema.CampaignItem {
	return rapid.SampledFrom(m.r.items()).Draw(rt, "item")
}

func (m *peopleModel) do(rt *rapid.T, sql string, args ...any) {
	_, err := m.look.Exec(context.Background(), sql, args...)
	require.NoError(rt, err)
}

// decide lets anybody say anything, reviewer or not.
func (m *peopleModel) decide(rt *rapid.T) {
	i := m.item(rt)
	by := m.r.holdsToken(m.who(rt))
	if i.ReviewerID != "" && rapid.Bool().Draw(rt, "their own") {
		by.Email = ask[string](rt, m.look, `select coalesce(email, '') from person where id = $1`, string(i.ReviewerID))
	}
	m.says(rt, i, by)
}

// says has somebody say a word, which is not taken of whoever held the account at
// any time.
func (m *peopleModel) says(rt *rapid.T, i schema.CampaignItem, by schema.Principal) {
	if m.r.says(word(i, rapid.SampledFrom(schema.ItemAnswers()).Draw(rt, "answer")), by).Code == "" {
		require.Equal(rt, 0, ask[int](rt, m.look, `select count(*) from person_account a join person p on p.id = a.person_id where a.account_id = $1 and p.email = $2`,
			string(i.Facts.AccountID), by.Email))
	}
}

func (m *peopleModel) correct(rt *rapid.T) {
	i := m.item(rt)
	email := ask[string](rt, m.look, `select coalesce((select p.email from campaign_decision d join person p on p.id = d.reviewer_id where d.item_id = $1 order by d.decided_at desc limit 1), '')`, string(i.ID))
	m.says(rt, i, m.r.holdsToken(email))
}

func (m *peopleModel) reassign(rt *rapid.T) {
	_, _ = m.r.Reassign(context.Background(), m.r.id, schema.Reassign{Items: []schema.ItemID{m.item(rt).ID}, To: m.who(rt), Reason: "x"}, m.r.admin)
}

// hold makes somebody the holder of an account, as a link does, and lets some of
// them give it up again.
func (m *peopleModel) hold(rt *rapid.T) {
	id, email := string(m.item(rt).Facts.AccountID), m.who(rt)
	m.do(rt, `insert into person_account select $1::uuid, id from person where email = $2 on conflict do nothing`, id, email)
	m.do(rt, `update account set person_id = (select id from person where email = $2 and $3) where id = $1`, id, email, rapid.Bool().Draw(rt, "keeps it"))
}

func (m *peopleModel) away(rt *rapid.T) {
	n := schema.NewAbsence{Person: m.who(rt), Delegate: m.who(rt), Until: time.Now().Add(time.Hour), Reason: "sun"}
	_, _ = m.r.SetAbsence(context.Background(), n, m.r.admin)
}

func (m *peopleModel) leave(rt *rapid.T) {
	m.do(rt, `update person set last_day = case when last_day is null then current_date - 2 end where email = $1`, m.who(rt))
}

func (m *peopleModel) escalate(rt *rapid.T) {
	_, err := m.r.EscalateDue(context.Background(), m.r.id, time.Now().Add(2*time.Hour), 2)
	require.NoError(rt, err)
}

func (m *peopleModel) role(rt *rapid.T) {
	m.do(rt, `update account set role = case role when 'member' then 'coadmin' else 'member' end where id = $1`, string(m.item(rt).Facts.AccountID))
}

// settle is what the campaign's workflow does.
func (m *peopleModel) settle(rt *rapid.T) {
	ctx := context.Background()
	refresh := rapid.Bool().Draw(rt, "refresh")
	if refresh {
		_, err := m.r.RefreshItems(ctx, m.r.id, "", 100)
		require.NoError(rt, err)
	}
	_, err := m.r.UnseatReviewers(ctx, m.r.id, time.Now())
	require.NoError(rt, err)
	require.NoError(rt, m.r.tryAssign(ctx))
	if !refresh {
		return
	}
	// With what was just found out, nobody has what they hold.
	require.Equal(rt, 0, ask[int](rt, m.look, `select count(*) from campaign_item i join account a on a.id = i.account_id where i.state = 'open'
		and (i.reviewer_id = a.person_id or exists (select 1 from person_account b where b.account_id = a.id and b.person_id = i.reviewer_id))`))
}
