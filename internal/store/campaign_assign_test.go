package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestTheDirectory(t *testing.T) {
	t.Parallel()
	r := reviews(t, 2, stages(stage("first", schema.StageAll, schema.ReviewerCandidate{Whom: schema.ReviewerManager}, named("Named@Example.com"),
		schema.ReviewerCandidate{Whom: schema.ReviewerGroup, Connection: "box", Group: "nine"})),
		func(rule *schema.AccessReviewRule) {
			rule.Owners = []schema.EntitlementOwner{{Connection: "box", Group: "Nine", To: []string{"named@example.com"}}}
		})
	ceo, namedOne, deputy := r.person("ceo@example.com", ""), r.person("named@example.com", ""), r.person("deputy@example.com", "")
	r.exec(`update person set manager_id = $2 where id = $1`, string(r.boss), string(ceo))
	r.exec(`insert into person_email values ('old@example.com', $1, true, now())`, string(r.boss))
	r.exec(`update connection set owner = 'CEO@example.com'`)
	r.exec(`insert into vendor_group (connection_id, external_id, name, everybody, provenance, first_seen_at)
		select id, g, case g when '9' then 'Nine' else 'Eight' end, false, '', now() from connection, unnest(array['8', '9']) g`)
	r.exec(`insert into group_membership (connection_id, group_id, account_id, external_id, role, first_seen_at)
		select c.id, g, '1', 'm' || g, 'admin', now() from connection c, unnest(array['8', '9']) g`)
	r.exec(`insert into campaign_item (id, campaign_id, account_id, kind, ref, connection_id, login, facts, facts_hash, context, risk, score, applies, state, updated_at)
		select gen_random_uuid(), campaign_id, account_id, 'group', g, connection_id, login, facts, facts_hash, context, risk, score, applies, 'undecided', now()
		from campaign_item cross join unnest(array['8', '9']) g where login = 'user1@example.com'`)
	_, err := r.SetAbsence(t.Context(), schema.NewAbsence{From: time.Now().Add(time.Hour), Until: time.Now().Add(2 * time.Hour), Delegate: "deputy@example.com", Reason: "sun"}, r.by)
	require.NoError(t, err)
	r.exec(`insert into site values ('Bern', 'Europe/Zurich', 'test', now())`)
	r.exec(`insert into employment (source, external_id, person_id, kind, name, email, site, updated_at) values ('hr', '1', $1, 'employee', 'Boss', 'boss@example.com', 'Bern', now())`, string(r.boss))
	r.exec(`update person set last_day = current_date - 2 where id = $1`, string(ceo))

	d, err := r.Directory(t.Context(), r.id, r.review.Rule)
	require.NoError(t, err)
	user := r.of("1").Facts.HolderID
	require.Equal(t, r.owner, d.Owner)
	require.Equal(t, map[schema.ConnectionID]schema.PersonID{r.conn.ID: ceo}, d.AppOwners)
	require.Equal(t, map[schema.GroupKey][]schema.PersonID{
		{ConnectionID: r.conn.ID, GroupID: "8"}: {user}, {ConnectionID: r.conn.ID, GroupID: "9"}: {namedOne},
	}, d.GroupOwners)
	require.Equal(t, map[schema.CandidateKey][]schema.PersonID{{Stage: 0, Place: 1}: {namedOne}, {Stage: 0, Place: 2}: {user}}, d.Candidates)
	require.Equal(t, map[schema.PersonID]int{r.boss: 2}, d.Load)
	boss := d.People[r.boss]
	require.Equal(t, []any{"Boss", []string{"boss@example.com", "old@example.com"}, ceo, false, "Europe/Zurich"}, []any{boss.Name, boss.Emails, boss.ManagerID, boss.Left, boss.Zone})
	require.Len(t, boss.Absences, 1)
	require.Equal(t, deputy, boss.Absences[0].DelegateID)
	require.True(t, d.People[ceo].Left)
	require.Contains(t, d.People, deputy)
	require.Contains(t, d.People, user)
}

func TestReviewersWhoDisappear(t *testing.T) {
	t.Parallel()
	r := reviews(t, 4)
	now := time.Now()
	n, err := r.UnseatReviewers(t.Context(), r.id, now)
	require.NoError(t, err)
	require.Equal(t, 0, n)
	require.Equal(t, "", r.says(word(r.of("1"), schema.AnswerKeep), r.by).Code)

	a, err := r.SetAbsence(t.Context(), schema.NewAbsence{Until: now.Add(time.Hour), Delegate: "user1@example.com", Reason: "sun"}, r.by)
	require.NoError(t, err)
	require.Contains(t, r.dispatched(), "campaign "+string(r.id), "an absence that is set lets the campaign look")
	n, err = r.UnseatReviewers(t.Context(), r.id, time.Now())
	require.NoError(t, err)
	require.Equal(t, 3, n)
	r.assign()
	require.Equal(t, "User1", r.of("2").Reviewer, "their delegate has it")
	_, err = r.EndAbsence(t.Context(), a.ID, r.by)
	require.NoError(t, err)
	r.exec(`update person set last_day = current_date - 2 where email = 'user1@example.com'`)
	n, err = r.UnseatReviewers(t.Context(), r.id, time.Now())
	require.NoError(t, err)
	require.Equal(t, 3, n)
	r.assign()
	require.Equal(t, "Owner", r.of("2").Reviewer, "neither had it before")
	require.Equal(t, schema.ItemDecided, r.of("1").State)
	require.Equal(t, 7+3, r.count(`select count(*) from campaign_assignment`))
}

func TestEscalation(t *testing.T) {
	t.Parallel()
	r := reviews(t, 2, stages(stage("first", schema.StageAll, schema.ReviewerCandidate{Whom: schema.ReviewerManager}, named("next@example.com"))))
	r.person("next@example.com", "")
	due, err := r.NextDue(t.Context(), r.id)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(time.Hour), due, time.Minute)
	n, err := r.EscalateDue(t.Context(), r.id, time.Now(), 10)
	require.NoError(t, err)
	require.Equal(t, 0, n)
	later := time.Now().Add(2 * time.Hour)
	for _, name := range []string{"Next", "Owner", ""} {
		n, err = r.EscalateDue(t.Context(), r.id, later, 10)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		r.assign()
		require.Equal(t, name, r.of("1").Reviewer)
	}
	require.Equal(t, schema.ItemUndecided, r.of("1").State)
	require.NotEmpty(t, r.of("1").Why)
	due, err = r.NextDue(t.Context(), r.id)
	require.NoError(t, err)
	require.Zero(t, due)
	require.Equal(t, 1, r.count(`select count(*) from notice where event = 'review_escalated' and recipients = array['next@example.com']`))
}

func TestAssignChangesNothingOfWhatChanged(t *testing.T) {
	t.Parallel()
	r := reviews(t, 4)
	items := r.items()
	r.exec(`update campaign_item set state = 'unassigned', reviewer_id = null`)
	r.exec(`update account set person_id = $2 where id = $1`, string(items[3].Facts.AccountID), string(r.owner))
	give := func(i schema.CampaignItem, to schema.PersonID) {
		require.NoError(t, r.Assign(t.Context(), r.id, []schema.Assignment{{ItemID: i.ID, Version: i.Version, ReviewerID: to}}, nil))
	}
	old := items[0]
	old.Version = 7
	give(old, r.boss)
	give(items[1], items[1].Facts.HolderID)
	give(items[3], r.owner) // who holds it under another address than its login
	give(items[2], r.boss)
	give(items[2], r.owner)
	require.Equal(t, map[schema.CampaignItemState]int64{schema.ItemUnassigned: 3, schema.ItemOpen: 1}, r.itemStates(r.id))
	require.Equal(t, r.boss, r.item(items[2].ID).ReviewerID)

	n, err := r.Reassign(t.Context(), r.id, schema.Reassign{Items: []schema.ItemID{items[0].ID}, To: "owner@example.com", Reason: "knows it"}, r.admin)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	give(items[0], r.boss)
	require.Equal(t, schema.ItemUnassigned, r.item(items[0].ID).State, "it was chosen before somebody named another")
	r.assign()
	require.Equal(t, r.owner, r.item(items[0].ID).ReviewerID)
}

func TestSilence(t *testing.T) {
	t.Parallel()
	for silence, want := range map[schema.CampaignSilence][]any{
		schema.SilenceKeeps: {schema.ItemDecided, schema.AnswerKeep}, schema.SilenceRevokes: {schema.ItemDecided, schema.AnswerRevoke},
		schema.SilenceEscalates: {schema.ItemUndecided, schema.ItemAnswer("")},
	} {
		t.Run(string(silence), func(t *testing.T) {
			t.Parallel()
			r := reviews(t, 2, func(rule *schema.AccessReviewRule) { rule.Time.Silence = silence })
			_, err := r.SilenceDue(t.Context(), r.id, silence, time.Now(), 10)
			requireCode(t, schema.CodeStale, err)
			_, err = r.ApplySilence(t.Context(), r.id, silence, 10)
			requireCode(t, schema.CodeStale, err)
			r.takes(r.of("1"), schema.AnswerKeep, r.by)
			r.exec(`update campaign_item set facts = jsonb_set(facts, '{grade}', '"inactive"') where login = 'user2@example.com'`)
			r.closes()
			i := r.of("2")
			require.Equal(t, want, []any{i.State, i.Answer})
			require.Equal(t, []any{"", "nobody decided in time"}, []any{i.DecidedBy, i.Why})
		})
	}
}

// Promise 4: of an account of which nobody knows whether it is used, silence takes
// nothing away.
func TestPromiseSilenceNeverRevokesTheUnknown(t *testing.T) {
	t.Parallel()
	for _, grade := range []schema.Grade{schema.GradeUnknown, schema.GradeNotCollected} {
		r := reviews(t, 2, func(rule *schema.AccessReviewRule) { rule.Time.Silence = schema.SilenceRevokes })
		r.exec(`update campaign_item set facts = jsonb_set(facts, '{grade}', to_jsonb($1::text))`, string(grade))
		r.closes()
		require.Equal(t, map[schema.CampaignItemState]int64{schema.ItemUndecided: 2}, r.itemStates(r.id), grade)
	}
}

func TestReviewersSeeTheirOwn(t *testing.T) {
	t.Parallel()
	r := reviews(t, 3)
	i := r.of("1")
	owner := r.holds(i, "owner@example.com")
	r.exec(`update campaign_item set control = 'a trap', account_id = null where login = 'user2@example.com'`)
	for by, want := range map[*schema.Principal]int{&owner: 1, &r.by: 2} {
		list, _, err := r.CampaignItems(t.Context(), r.id, schema.CampaignItemFilter{Limit: 10}, *by)
		require.NoError(t, err)
		require.Len(t, list, want)
		queue, next, err := r.ReviewQueue(t.Context(), "", 1, *by)
		require.NoError(t, err)
		require.Equal(t, want > 1, next != "")
		require.Equal(t, list[0].ID, queue[0].ID)
		for _, i := range list {
			require.False(t, i.Control)
		}
	}
	_, err := r.CampaignItem(t.Context(), r.id, i.ID, r.by)
	requireCode(t, schema.CodeNotFound, err)
	_, err = r.ItemDecisions(t.Context(), r.id, i.ID, r.by)
	requireCode(t, schema.CodeNotFound, err)
	seen := 0
	for _, i := range r.items() {
		if i.Control {
			seen++
		}
	}
	require.Equal(t, 1, seen, "who does not decide it is told")
	boss := r.by
	boss.Role = schema.RoleAdmin
	list, _, err := r.CampaignItems(t.Context(), r.id, schema.CampaignItemFilter{Limit: 10}, boss)
	require.NoError(t, err)
	for _, i := range list {
		require.False(t, i.Control, "not even an admin who decides it")
	}
}
