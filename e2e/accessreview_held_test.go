package e2e_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
)

// Who is away has their items with a delegate, but for the delegate's own; control items
// look like all others and are declared; what is over budget waits for two people.
func TestReviewWithDelegateControlsAndBudget(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	owner, boss := s.hire("Ow Ner"), s.hire("Bo Ss")
	deputy, first, second := s.hire("Wor Deputy"), s.hire("Wor First"), s.hire("Wor Second")
	s.synced("box")
	s.roster([2]person{owner, {}}, [2]person{boss, owner}, [2]person{deputy, boss}, [2]person{first, boss}, [2]person{second, boss})
	s.must("review", "create", s.write("quarterly.yaml", accessReview(owner,
		"scope: {connections: [box], match: 'account.login.startsWith(\"wor\")'}", "time: {due: 300d}",
		"quality: {min_items: 100, controls: {each: 1, decoys: [{login: temp.help@example.com, name: Temp Help, note: made up for this review}]}}",
		"effect: {account: [snapshot, suspend], budget: {per_run: 1, percent: 100}}",
	)), "--yes")
	id := ask[apiclient.Campaign](s, cli.ExitDone, "review", "start", "quarterly").ID
	s.campaignIn(id, "open")
	bosses, deputies, owners := s.asReviewer(boss), s.asReviewer(deputy), s.asReviewer(owner)
	mine := itemsOf(s, bosses, id)
	require.Len(t, mine, 4)
	decoy := mine["temp.help@example.com account"]
	s.requireUnrecognisable(boss, id, mine[first.login+" account"], decoy)
	s.says(bosses, decoy, "revoke")

	s.must("review", "away", "--person", boss.login, "--from", "now", "--delegate", deputy.login, "--reason", "on leave")
	var theirs map[string]apiclient.CampaignItem
	s.eventually(patience, "the items have moved", func() bool {
		theirs = itemsOf(s, deputies, id)
		return len(theirs) == 2 && len(itemsOf(s, owners, id)) == 1
	})
	own := itemsOf(s, owners, id)[deputy.login+" account"]
	require.Equal(t, "open", own.State, "the delegate's own account goes on to the next in the chain")
	require.NotContains(t, theirs, deputy.login+" account")

	for _, i := range theirs {
		s.says(deputies, i, "revoke")
	}
	s.says(owners, own, "keep")
	s.must("review", "close", id, "--reason", "all have answered")
	held := s.campaignIn(id, "held")
	require.NotEmpty(t, held.Overruns)
	release := func(name string) ran {
		return s.runAs(s.token(name, "admin"), "batches", "release", held.BatchID, "--size", "2", "--reason", "both are known")
	}
	require.Zero(t, release("one").code)
	require.Equal(t, "held", s.campaignIn(id, "held", "removing", "closed").State, "one release is not enough")
	require.Equal(t, []string{"active", "active"}, []string{status(t, s.sim, first), status(t, s.sim, second)})
	require.Zero(t, release("two").code)
	s.eventually(patience, "both are suspended, and that is proven", func() bool {
		c := s.campaignIn(id, "removing", "closed")
		return len(c.Counts.Removals) == 1 && c.Counts.Removals[0].State == "done" && c.Counts.Removals[0].Count == 2
	})
	require.Equal(t, []string{"inactive", "inactive", "active"}, []string{status(t, s.sim, first), status(t, s.sim, second), status(t, s.sim, deputy)})
	s.requireDeclared(id, decoy)
}

// What is kept while the removals are held takes its part of them along: the campaign
// goes on by itself with what fits.
func TestHeldReviewCountsAnew(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	owner, boss := s.hire("Ow Ner"), s.hire("Bo Ss")
	first, second := s.hire("Wor First"), s.hire("Wor Second")
	s.synced("box")
	s.roster([2]person{owner, {}}, [2]person{boss, owner}, [2]person{first, boss}, [2]person{second, boss})
	s.must("review", "create", s.write("quarterly.yaml", accessReview(owner,
		"scope: {connections: [box], match: 'account.login.startsWith(\"wor\")'}", "quality: {min_items: 100}",
		"effect: {account: [snapshot, suspend], budget: {per_run: 1, percent: 100}}",
	)), "--yes")
	id := ask[apiclient.Campaign](s, cli.ExitDone, "review", "start", "quarterly").ID
	s.campaignIn(id, "open")
	bosses := s.asReviewer(boss)
	items := itemsOf(s, bosses, id)
	require.Len(t, items, 2)
	for _, i := range items {
		s.says(bosses, i, "revoke")
	}
	s.must("review", "close", id, "--reason", "all have answered")
	s.campaignIn(id, "held")
	s.says(bosses, items[second.login+" account"], "keep")
	s.eventually(patience, "what is left is suspended, and that is proven", func() bool {
		list := s.campaignIn(id, "held", "removing", "closed").Counts.Removals
		return slices.ContainsFunc(list, func(n apiclient.StateCount) bool { return n.State == "done" && n.Count == 1 })
	})
	require.Equal(t, []string{"inactive", "active"}, []string{status(t, s.sim, first), status(t, s.sim, second)})
	s.must("review", "cancel", id, "--reason", "it is over")
	s.replay("Campaign", "held", "campaign/"+id)
}

// requireUnrecognisable holds what a reviewer is shown of a control item against what
// they are shown of another.
func (s *stack) requireUnrecognisable(p person, campaign string, real, decoy apiclient.CampaignItem) {
	s.t.Helper()
	token := ask[apiclient.CreatedToken](s, cli.ExitDone, "tokens", "create", "--name", "looks", "--role", "reviewer", "--email", p.login, "--expires", "1d").Token
	for _, command := range [][]string{{"review", "queue"}, {"review", "items", campaign}, {"review", "item", campaign, decoy.ID}} {
		for _, format := range []string{"text", "json"} {
			shown := s.runAs(token, append(command, "--output", format)...)
			require.Zero(s.t, shown.code, shown.err)
			require.Contains(s.t, shown.out, "temp.help@example.com")
			require.NotContains(s.t, shown.out, "made up")
			if format == "text" {
				require.NotContains(s.t, strings.ToLower(shown.out), "control")
			}
		}
	}
	members := func(i apiclient.CampaignItem) []string {
		var m map[string]any
		shown := s.runAs(token, "review", "item", campaign, i.ID, "--output", "json")
		require.Zero(s.t, shown.code, shown.err)
		require.NoError(s.t, json.Unmarshal([]byte(shown.out), &m), shown.out)
		require.NotEqual(s.t, true, m["control"])
		return slices.Sorted(maps.Keys(m))
	}
	require.Equal(s.t, members(real), members(decoy))
}

// requireDeclared finds a control item in the evidence, with what was said of it.
func (s *stack) requireDeclared(campaign string, decoy apiclient.CampaignItem) {
	s.t.Helper()
	e := s.evidenceOf(campaign)
	require.Len(s.t, e.Removals, 2, "nothing is removed for a control item")
	for _, i := range e.Items {
		require.Equal(s.t, string(i.ID) == decoy.ID, i.Control, i.Facts.Login)
		if i.Control {
			require.Equal(s.t, "revoke", string(i.Answer))
			require.Len(s.t, i.Decisions, 1)
		}
	}
	require.Contains(s.t, s.must("review", "export", campaign, "--format", "json").out, "made up for this review", "the owner's note")
	page := s.must("review", "export", campaign, "--format", "html").out
	require.Contains(s.t, page, decoy.ID+", a control item")
}
