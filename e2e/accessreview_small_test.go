package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/apiclient"
)

// campaignOf waits for a campaign of a trigger that began by itself.
func (s *stack) campaignOf(review, trigger string) (c apiclient.Campaign) {
	s.t.Helper()
	s.eventually(patience, "a campaign of "+review+" begins by "+trigger, func() bool {
		api, err := s.asAdmin()
		if err != nil {
			return false
		}
		list, _, err := api.Campaigns(s.t.Context(), review, "", "", 100)
		for _, found := range list {
			if err == nil && found.Trigger == trigger {
				c = found
				return true
			}
		}
		return false
	})
	return c
}

// A privileged role that somebody was given is looked at at once, in a campaign of
// its own, and taken away again; a review with a schedule begins by itself.
func TestReviewsBeginByThemselves(t *testing.T) {
	t.Parallel()
	s := start(t, settings{schedules: true})
	owner, boss, member := s.hire("Ow Ner"), s.hire("Bo Ss"), s.hire("Mem Ber")
	s.synced("box")
	s.roster([2]person{owner, {}}, [2]person{boss, owner}, [2]person{member, boss})
	effect := "effect: {when: at_once, account: [snapshot, suspend], budget: {per_run: 25, percent: 100}}"
	s.must("review", "create", s.write("privileged.yaml", "apiVersion: sendoff/v1\nkind: AccessReview\nname: privileged\nowner: "+owner.login+
		"\nfreshness: {doctor: false}\nscope: {connections: [box], items: [role]}\nevents: [privileged_role]\n"+effect+"\n"), "--yes")
	s.must("review", "create", s.write("often.yaml", "apiVersion: sendoff/v1\nkind: AccessReview\nname: often\nowner: "+owner.login+
		"\nfreshness: {doctor: false}\nscope: {connections: [box]}\nschedule: {every: 24h}\n"+effect+"\n"), "--yes")
	scheduled := s.campaignOf("often", "schedule")
	s.campaignIn(scheduled.ID, "open")
	s.must("review", "pause", "often", "--reason", "seen enough")

	require.Equal(t, 200, byHand(t, s.vendor, "PUT", "users/"+member.id, map[string]string{"role": "coadmin"}))
	s.synced("box")
	small := s.campaignOf("privileged", "privileged_role")
	opened := s.campaignIn(small.ID, "open")
	require.EqualValues(t, 1, opened.Counts.Items)
	by := s.asReviewer(boss)
	item := itemsOf(s, by, small.ID)[member.login+" role"]
	require.Equal(t, "coadmin", item.Facts.Access)
	s.says(by, item, "revoke")
	s.eventually(patience, "the removal is proven", func() bool {
		c := s.campaignIn(small.ID, "open")
		return len(c.Counts.Removals) == 1 && c.Counts.Removals[0].State == "done"
	})
	require.Equal(t, "member", s.synced("box")[member.login].Role)
	require.Equal(t, "active", status(t, s.sim, member))
}
