package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
	"sendoff/schema"
)

func (r *reviewing) evidence() schema.CampaignEvidence {
	r.t.Helper()
	e, err := r.Evidence(r.t.Context(), r.id)
	require.NoError(r.t, err)
	return e
}

// told are the events of an action that the evidence has, as texts.
func told(e schema.CampaignEvidence, action string) []string {
	out := []string{}
	for _, v := range e.Events {
		if v.Action == action {
			text := v.By
			for _, d := range v.Details {
				text += " " + d.Name + "=" + d.Value
			}
			out = append(out, text)
		}
	}
	return out
}

// hashOfIDs is the hash of ids that the audit log names many items by.
func hashOfIDs(ids []string) string {
	slices.Sort(ids)
	sum := sha256.Sum256([]byte(strings.Join(ids, "\n")))
	return hex.EncodeToString(sum[:])
}

func idsOf(items []schema.CampaignItem) []string {
	var out []string
	for _, i := range items {
		out = append(out, string(i.ID))
	}
	return out
}

// TestTheEvidenceTellsWhatWentOverTheBudget: which limits, by how much, who released it
// or discarded it, why, and what they saw.
func TestTheEvidenceTellsWhatWentOverTheBudget(t *testing.T) {
	t.Parallel()
	r := removals(t, 6, allows(schema.Budget{PerRun: 1}))
	eve := r.holder("eve", "eve@example.com")
	r.revokes(10, shutsOff, "2", "3")
	r.budgets()
	say := func(kind schema.BatchState, reason string, by schema.Principal) {
		b := r.batch()
		_, err := r.DecideBatch(t.Context(), b.ID, schema.BatchDecision{Kind: kind, Reason: reason, Size: b.Size}, by)
		require.NoError(t, err)
	}
	say(schema.BatchReleased, "too early", eve)
	r.revokes(10, shutsOff, "4")
	r.budgets()
	first := r.batch().ID
	held := r.evidence().Batches
	require.Equal(t, []any{schema.BatchHeld, 3, false}, []any{held[0].State, held[0].Size, held[0].Decisions[0].Counts})
	say(schema.BatchReleased, "we close that office", r.admin)
	e := r.evidence()
	require.False(t, e.Batches[0].Decisions[1].Counts, "it is held")
	say(schema.BatchReleased, "so I was told", eve)
	r.revokes(10, shutsOff, "5")
	r.budgets()
	say(schema.BatchDiscarded, "that one stays", eve)

	e = r.evidence()
	require.Empty(t, e.Campaign.Overruns, "the campaign is not held any more")
	require.Len(t, e.Batches, 2)
	b := e.Batches[0]
	require.Equal(t, []any{first, schema.BatchReleased, 3, false}, []any{b.ID, b.State, b.Size, b.EndedAt.IsZero()})
	require.Equal(t, []schema.Overrun{{Limit: schema.LimitPerRun, Used: 0, Wanted: 3, Allowed: 1}}, b.Overruns)
	words := func(b schema.EvidenceBatch) []string {
		out := []string{}
		for _, d := range b.Decisions {
			out = append(out, fmt.Sprint(d.Kind, " by ", d.Principal, " of ", d.Size, ": ", d.Reason, " ", d.Counts))
		}
		return out
	}
	require.Equal(t, []string{
		"released by eve of 2: too early false", "released by admin of 3: we close that office true", "released by eve of 3: so I was told true",
	}, words(b))
	require.Equal(t, schema.BatchDiscarded, e.Batches[1].State)
	require.Equal(t, []string{"discarded by eve of 1: that one stays true"}, words(e.Batches[1]))

	require.Len(t, told(e, "batch.held"), 2)
	require.Len(t, told(e, "batch.decided"), 4)
	released := []string{string(r.last("2").ID), string(r.last("3").ID), string(r.last("4").ID)}
	require.Contains(t, told(e, "campaign.released")[0], "removals=3 removals_sha256="+hashOfIDs(released))
	require.Contains(t, told(e, "campaign.discarded")[0], "removal_ids="+string(r.last("5").ID)+" removals=1")
}

// TestTheEvidenceTellsWhatWasDoneWithTheCampaign: by whom, when and why, and nothing of
// what there are tens of thousands of.
func TestTheEvidenceTellsWhatWasDoneWithTheCampaign(t *testing.T) {
	t.Parallel()
	r := reviews(t, 3)
	ctx := t.Context()
	was := r.campaign(r.id).DueAt
	c, err := r.ExtendCampaign(ctx, r.id, schema.Extend{To: was.Add(time.Hour), Reason: "holidays"}, r.admin)
	require.NoError(t, err)
	n, err := r.Reassign(ctx, r.id, schema.Reassign{Items: []schema.ItemID{r.of("1").ID}, To: "owner@example.com", Reason: "she knows it"}, r.admin)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	r.assign()
	r.takes(r.of("2"), schema.AnswerRevoke, r.by)
	r.gathers()
	r.closes()
	var e schema.CampaignEvidence
	_, err = r.SignCampaign(ctx, r.id, schema.SignOff{AcceptOpen: true, Reason: "late"}, func(signed schema.CampaignEvidence) ([]byte, error) {
		e = signed
		return render(signed)
	}, r.signer)
	require.NoError(t, err)
	require.Len(t, told(e, "campaign.begun"), 1)
	require.Contains(t, told(e, "campaign.extended")[0], "admin from="+schema.FormatInstant(was)+" reason=holidays review=quarter to="+schema.FormatInstant(c.DueAt))
	item := string(r.of("1").ID)
	require.Contains(t, told(e, "campaign.items_reassigned")[0],
		"admin from= item_ids="+item+" items=1 items_sha256="+hashOfIDs([]string{item})+" reason=she knows it review=quarter to="+string(r.owner))
	require.Contains(t, told(e, "campaign.closing")[0], "admin early=true from=open open=2 reason=done")
	require.Len(t, told(e, "campaign.silence"), 1)

	all := r.actionsOf(audit.CampaignStream(string(r.id)))
	for _, action := range []string{"removal.wanted", "campaign.items_assigned"} {
		require.Contains(t, all, action)
		require.Empty(t, told(e, action), "items and removals tell of it")
	}
	for _, v := range e.Events {
		require.Equal(t, r.text(`select encode(hash, 'hex') from audit_record where stream = $1 and seq = $2`, audit.CampaignStream(string(r.id)), v.Seq), v.Hash)
		require.Equal(t, v.By == "", v.TokenID == "")
	}
}

// TestEverySecondLookStaysInTheEvidence, and the one that counts is told.
func TestEverySecondLookStaysInTheEvidence(t *testing.T) {
	t.Parallel()
	r := reviews(t, 3)
	ctx := t.Context()
	for _, i := range r.items() {
		r.takes(i, schema.AnswerKeep, r.by)
	}
	looks := func() string {
		var out []string
		for _, l := range r.evidence().Reviewers[0].Looks {
			out = append(out, fmt.Sprint(l.By, ": ", l.Reason, ", ", l.Decisions, " ", l.Redo, " ", l.Redone, " ", l.Current))
		}
		return strings.Join(out, "; ")
	}
	require.Empty(t, looks())
	_, err := r.SecondLook(ctx, r.id, schema.SecondLook{Reviewer: r.boss, Reason: "fine"}, r.admin)
	require.NoError(t, err)
	require.Equal(t, "admin: fine, 3 false 0 true", looks())
	r.takes(r.of("1"), schema.AnswerRevoke, r.by)
	require.Equal(t, "admin: fine, 3 false 0 false", looks(), "it was not at the correction")
	require.Empty(t, r.evidence().Reviewers[0].LookedBy)
	s, err := r.SecondLook(ctx, r.id, schema.SecondLook{Reviewer: r.boss, Reason: "again", Redo: true}, r.signer)
	require.NoError(t, err)
	require.Len(t, s.Looks, 2)
	both := "admin: fine, 3 false 0 false; token of owner@example.com: again, 0 true 3 "
	require.Equal(t, both+"true", looks())
	record := told(r.evidence(), "campaign.second_look")[1]
	require.Contains(t, record, "items=3 items_sha256="+hashOfIDs(idsOf(r.items()))+" reason=again redo=true redone=3")
	require.Contains(t, record, string(r.of("2").ID))
	_, err = r.Reassign(ctx, r.id, schema.Reassign{Items: []schema.ItemID{r.of("3").ID}, To: "boss@example.com", Reason: "only they know"}, r.admin)
	require.NoError(t, err)
	r.assign()
	r.takes(r.of("3"), schema.AnswerKeep, r.by)
	require.Equal(t, both+"false", looks())
}

// TestSilenceAndRedosNameTheirItems: one by one while they are few, and by a hash that
// anybody can compute from the evidence.
func TestSilenceAndRedosNameTheirItems(t *testing.T) {
	t.Parallel()
	const many = 5
	r := reviews(t, many, func(rule *schema.AccessReviewRule) { rule.Time.Silence = schema.SilenceKeeps })
	_, err := r.CloseCampaign(t.Context(), r.id, true, "done", r.admin)
	require.NoError(t, err)
	first := slices.MinFunc(r.items(), func(a, b schema.CampaignItem) int { return strings.Compare(string(a.ID), string(b.ID)) })
	silent := func(limit int) map[string]string {
		_, err := r.ApplySilence(t.Context(), r.id, schema.SilenceKeeps, limit)
		require.NoError(t, err)
		events := r.auditOf(audit.CampaignStream(string(r.id)))
		last := events[len(events)-1]
		require.Equal(t, "campaign.silence", last.Action)
		return last.Details
	}
	one := silent(1)
	require.Equal(t, []string{"1", string(first.ID), hashOfIDs([]string{string(first.ID)})}, []string{one["items"], one["item_ids"], one["items_sha256"]})
	rest := silent(500)
	var ids []string
	for _, i := range r.evidence().Items {
		if i.ID != first.ID && i.Why == "nobody decided in time" {
			ids = append(ids, string(i.ID))
		}
	}
	require.Equal(t, []string{strconv.Itoa(many - 1), hashOfIDs(ids)}, []string{rest["items"], rest["items_sha256"]})
	require.Len(t, strings.Fields(rest["item_ids"]), many-1)
}

// TestManyItemsAreNamedByTheirHashAlone so that no record grows without bound.
func TestManyItemsAreNamedByTheirHashAlone(t *testing.T) {
	t.Parallel()
	r := reviews(t, 1)
	r.exec(`insert into campaign_item select (jsonb_populate_record(i, jsonb_build_object('id', gen_random_uuid(), 'ref', g))).* from campaign_item i, generate_series(1, 100) g`)
	n, err := r.Reassign(t.Context(), r.id, schema.Reassign{From: r.boss, To: "owner@example.com", Reason: "she knows them"}, r.admin)
	require.NoError(t, err)
	require.Equal(t, 101, n)
	record := told(r.evidence(), "campaign.items_reassigned")[0]
	require.Contains(t, record, " from="+string(r.boss)+" items=101 items_sha256="+hashOfIDs(idsOf(r.items())))
}

// TestWordsOfOneCallStandInTheirOrder, whatever ids their sender gives them: what a word
// replaced stands before it.
func TestWordsOfOneCallStandInTheirOrder(t *testing.T) {
	t.Parallel()
	r := reviews(t, 1)
	i := r.of("1")
	var words []schema.Decide
	for n, answer := range []schema.ItemAnswer{schema.AnswerKeep, schema.AnswerRevoke, schema.AnswerKeep} {
		w := word(i, answer)
		w.ID, w.Reason = schema.DecisionID(fmt.Sprintf("%d%s", 9-(n*5)%7, string(w.ID)[1:])), strconv.Itoa(n+1)
		words = append(words, w)
	}
	out, err := r.DecideItems(t.Context(), r.id, words, r.by)
	require.NoError(t, err)
	for _, d := range out {
		require.Empty(t, d.Code)
	}
	require.Equal(t, 1, r.count(`select count(distinct decided_at) from campaign_decision`))
	list, err := r.ItemDecisions(t.Context(), r.id, i.ID, r.admin)
	require.NoError(t, err)
	for _, said := range [][]schema.CampaignDecision{list, r.evidence().Items[0].Decisions} {
		var order []string
		for _, d := range said {
			order = append(order, fmt.Sprint(d.Reason, d.Number, d.Current))
		}
		require.Equal(t, []string{"11 false", "22 false", "33 true"}, order)
	}
}
