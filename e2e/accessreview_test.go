package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
)

// asReviewer speaks to the API as the person.
func (s *stack) asReviewer(p person) *apiclient.Client { return s.asPerson(p, "reviewer") }

func (s *stack) asPerson(p person, role string) *apiclient.Client {
	s.t.Helper()
	made := ask[apiclient.CreatedToken](s, cli.ExitDone, "tokens", "create", "--name", role+"-"+strings.ReplaceAll(p.login, "@", "-at-"), "--role", role, "--email", p.login, "--expires", "365d")
	api, err := apiclient.New(s.base(), made.Token)
	require.NoError(s.t, err)
	return api
}

// roster imports people: each has a login, and the login of their manager or "".
func (s *stack) roster(people ...[2]person) {
	s.t.Helper()
	rows := []string{"employee_id,work_email,first_name,last_name,manager_id,department"}
	for _, p := range people {
		name, _, _ := strings.Cut(p[0].login, "@")
		rows = append(rows, strings.Join([]string{p[0].id, p[0].login, name, "Person", p[1].id, "Sales"}, ","))
	}
	s.must("people", "import", s.write("roster.csv", strings.Join(rows, "\n")+"\n"), "--source", "roster")
}

// campaignIn waits until a campaign is in one of the states.
func (s *stack) campaignIn(id string, states ...string) (c apiclient.CampaignView) {
	s.t.Helper()
	s.eventually(patience, "the campaign is "+strings.Join(states, " or "), func() bool {
		api, err := s.asAdmin()
		if err == nil {
			c, err = api.Campaign(s.t.Context(), id)
		}
		for _, state := range states {
			if err == nil && c.State == state {
				return true
			}
		}
		return false
	})
	return c
}

// itemsOf are the items of a campaign that the client may see, by login and kind.
func itemsOf(s *stack, api *apiclient.Client, campaign string) map[string]apiclient.CampaignItem {
	s.t.Helper()
	items, _, err := api.CampaignItems(s.t.Context(), campaign, apiclient.CampaignItemFilter{}, "", 500)
	require.NoError(s.t, err)
	out := map[string]apiclient.CampaignItem{}
	for _, i := range items {
		out[i.Facts.Login+" "+i.Kind] = i
	}
	return out
}

// says decides about one item as it is shown.
func (s *stack) says(api *apiclient.Client, i apiclient.CampaignItem, answer string) apiclient.DecidedWord {
	s.t.Helper()
	out, err := api.DecideItems(s.t.Context(), i.CampaignID, []apiclient.ItemWord{{Item: i.ID, Version: i.Version, Answer: answer, Reason: "looked at it"}})
	require.NoError(s.t, err)
	require.Equal(s.t, "taken", out.Decisions[0].Result, out.Decisions[0].Message)
	return out.Decisions[0]
}

// accessReview is a definition, with more or other lines.
func accessReview(owner person, more ...string) string {
	return "apiVersion: sendoff/v1\nkind: AccessReview\nname: quarterly\nowner: " + owner.login +
		"\nfreshness: {doctor: false}\n" + strings.Join(more, "\n") + "\n"
}

// A quarterly review of Box: reviewers are asked and reminded, what one leaves
// goes to the next in the chain, what is revoked is removed with its content
// transferred, proven, signed by the owner and exported.
func TestQuarterlyReviewToProof(t *testing.T) {
	t.Parallel()
	s, mails := withMail(t, settings{})
	owner, chief, boss := s.hire("Ow Ner"), s.hire("Chi Ef"), s.hire("Bo Ss")
	leaves, stays, waits := s.hire("Lea Ves"), s.hire("Sta Ys"), s.hire("Wai Ts")
	s.fill(leaves)
	s.synced("box")
	nobody := person{}
	s.roster([2]person{owner, nobody}, [2]person{chief, owner}, [2]person{boss, chief}, [2]person{leaves, boss}, [2]person{stays, boss}, [2]person{waits, boss})
	s.must("review", "create", s.write("quarterly.yaml", accessReview(owner,
		"scope: {connections: [box], kinds: [person], holders: matched}",
		"reviewers: [manager, managers_manager, {named: ["+chief.login+"]}]",
		"time: {due: 5h, remind: [2h], escalate_for: 5h}",
		"quality: {min_items: 100}",
		"effect: {account: [snapshot, suspend, revoke_sessions, transfer, delete], receivers: ["+boss.login+"], budget: {per_run: 25, percent: 100}}",
	)), "--yes")
	id := ask[apiclient.Campaign](s, cli.ExitDone, "review", "start", "quarterly").ID
	opened := s.campaignIn(id, "open")
	require.NotNil(t, opened.DueAt)
	require.EqualValues(t, 6, opened.Counts.Items)

	by := s.asReviewer(boss)
	mine := itemsOf(s, by, id)
	require.Len(t, mine, 3, "the people who report to the boss, and nobody else's")
	require.NotContains(t, mine, boss.login+" account")
	revoked := mine[leaves.login+" account"]
	s.says(by, revoked, "revoke")
	s.says(by, mine[stays.login+" account"], "keep")
	stale, err := by.DecideItems(t.Context(), id, []apiclient.ItemWord{{Item: revoked.ID, Version: revoked.Version + 1, Answer: "keep"}})
	require.Error(t, err, "%v", stale)

	chiefs := s.asReviewer(chief)
	s.eventually(patience, "what the boss left has come to the chief", func() bool {
		_, ok := itemsOf(s, chiefs, id)[waits.login+" account"]
		return ok
	})
	require.NotEmpty(t, mails.to(boss.login), "the boss was asked, and reminded")
	owners := s.asReviewer(owner)
	for login, i := range itemsOf(s, chiefs, id) {
		if i.State == "open" {
			require.NotEqual(t, chief.login+" account", login)
			s.says(chiefs, i, "keep")
		}
	}
	for login, i := range itemsOf(s, owners, id) {
		if i.State == "open" {
			require.NotEqual(t, owner.login+" account", login)
			s.says(owners, i, "keep")
		}
	}

	closed := s.campaignIn(id, "closed")
	s.eventually(patience, "the removal is proven", func() bool {
		closed = s.campaignIn(id, "closed")
		return len(closed.Counts.Removals) == 1 && closed.Counts.Removals[0].State == "done"
	})
	s.requireGone(leaves, boss, 6)
	require.Equal(t, "active", status(t, s.sim, stays))
	r := s.run("review", "sign", id, "--reason", "complete")
	require.NotZero(t, r.code, "whoever is not the owner signs nothing")
	signer := ask[apiclient.CreatedToken](s, cli.ExitDone, "tokens", "create", "--name", "signer", "--role", "operator", "--email", owner.login, "--expires", "1d").Token
	r = s.runAs(signer, "review", "sign", id, "--reason", "complete", "--accept-open")
	require.Zero(t, r.code, r.err)
	require.Equal(t, "signed", s.campaignIn(id, "signed", "ended").State)
	requireExports(s, id, revoked)
	s.must("audit", "verify")
}

// requireExports exports a signed campaign in each form, twice.
func requireExports(s *stack, id string, revoked apiclient.CampaignItem) {
	s.t.Helper()
	for _, format := range []string{"json", "csv", "html"} {
		first := s.must("review", "export", id, "--format", format).out
		second := s.must("review", "export", id, "--format", format).out
		require.Contains(s.t, first, revoked.Facts.Login, format)
		require.Equal(s.t, withoutStamp(first), withoutStamp(second), "%s: the same bytes but for the time of the export", format)
	}
	file := s.file("evidence.json", s.must("review", "export", id, "--format", "json").out)
	view, err := s.asAdmin()
	require.NoError(s.t, err)
	c, err := view.Campaign(s.t.Context(), id)
	require.NoError(s.t, err)
	s.must("review", "verify", file, "--hash", c.Evidence)
}

// withoutStamp drops lines that say when something was exported.
func withoutStamp(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		if !strings.Contains(line, "xported") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

// Answers of a robot, given in the wink of an eye, are flagged, and the campaign
// cannot be signed until somebody else has looked at them.
func TestRobotsCannotFinishAReview(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	owner, boss := s.hire("Ow Ner"), s.hire("Bo Ss")
	people := [][2]person{{owner, {}}, {boss, owner}}
	for i := range 12 {
		people = append(people, [2]person{s.hire(fmt.Sprintf("Wor Ker %02d", i)), boss})
	}
	s.synced("box")
	s.roster(people...)
	s.must("review", "create", s.write("quarterly.yaml", accessReview(owner,
		"scope: {connections: [box], kinds: [person], match: 'account.login.startsWith(\"wor\")'}",
		"time: {due: 30d, silence: keep}", "quality: {min_items: 10, min_seconds: 2}",
		"effect: {account: [snapshot, suspend], budget: {per_run: 25, percent: 100}}",
	)), "--yes")
	id := ask[apiclient.Campaign](s, cli.ExitDone, "review", "start", "quarterly").ID
	s.campaignIn(id, "open")
	by := s.asReviewer(boss)
	n := 0
	for _, i := range itemsOf(s, by, id) {
		s.says(by, i, []string{"keep", "revoke"}[n%2])
		n++
	}
	require.Equal(t, 12, n)
	s.must("review", "close", id, "--early", "--reason", "all have answered")
	closed := s.campaignIn(id, "closed")
	require.NotEmpty(t, closed.Blocks)
	signer := ask[apiclient.CreatedToken](s, cli.ExitDone, "tokens", "create", "--name", "signer", "--role", "operator", "--email", owner.login, "--expires", "1d").Token
	r := s.runAs(signer, "review", "sign", id, "--reason", "complete", "--accept-open")
	require.NotZero(t, r.code)
	require.Contains(t, r.err+r.out, "REVIEWER_ALARMED")

	own := ask[apiclient.CreatedToken](s, cli.ExitDone, "tokens", "create", "--name", "own", "--role", "operator", "--email", boss.login, "--expires", "1d").Token
	require.NotZero(t, s.runAs(own, "review", "look", id, "--reviewer", boss.login, "--reason", "fine").code, "nobody looks at their own")
	r = s.runAs(signer, "review", "look", id, "--reviewer", boss.login, "--reason", "asked about each of them")
	require.Zero(t, r.code, r.err)
	s.eventually(patience, "removals are proven", func() bool { return len(s.campaignIn(id, "closed").Blocks) == 0 })
	r = s.runAs(signer, "review", "sign", id, "--reason", "complete")
	require.Zero(t, r.code, r.err)
}

// Access that was removed and came back opens its item again, with the cause. The
// history of such a campaign is kept.
func TestRemovedAccessIsWatchedGolden(t *testing.T) {
	t.Parallel()
	s := start(t, settings{})
	owner, boss, member := s.hire("Ow Ner"), s.hire("Bo Ss"), s.hire("Mem Ber")
	group := seeded(t)(s.sim.AddGroup(boxsim.GroupSpec{Name: "Finance", Members: []string{boss.id, member.id}}))
	s.synced("box")
	s.roster([2]person{owner, {}}, [2]person{boss, owner}, [2]person{member, boss})
	s.must("review", "create", s.write("quarterly.yaml", accessReview(owner,
		"scope: {connections: [box], items: [group]}", "time: {due: 30d}", "quality: {min_items: 100}",
		"effect: {when: at_once, account: [snapshot, suspend], budget: {per_run: 25, percent: 100}}",
	)), "--yes")
	id := ask[apiclient.Campaign](s, cli.ExitDone, "review", "start", "quarterly").ID
	s.campaignIn(id, "open")
	by := s.asReviewer(boss)
	item := itemsOf(s, by, id)[member.login+" group"]
	require.Equal(t, "Finance", item.Facts.Group)
	s.says(by, item, "revoke")
	s.eventually(patience, "the membership is gone at once", func() bool { return len(s.memberships(member)) == 0 })
	require.Equal(t, "active", status(t, s.sim, member), "the account itself was not revoked")
	s.must("review", "close", id, "--early", "--reason", "all have answered")
	s.eventually(patience, "the removal is proven", func() bool {
		c := s.campaignIn(id, "closed")
		return len(c.Counts.Removals) == 1 && c.Counts.Removals[0].State == "done"
	})

	require.Equal(t, 201, byHand(t, s.vendor, "POST", "group_memberships", map[string]any{
		"user": map[string]string{"id": member.id}, "group": map[string]string{"id": group},
	}))
	s.synced("box")
	s.campaignIn(id, "open")
	s.eventually(patience, "the item is the boss's again", func() bool {
		return itemsOf(s, by, id)[member.login+" group"].State == "open"
	})
	api, err := s.asAdmin()
	require.NoError(t, err)
	returns, _, err := api.Returns(t.Context(), id, "", 10)
	require.NoError(t, err)
	require.Len(t, returns, 1)
	require.Equal(t, "invitation", returns[0].Cause)
	s.must("review", "cancel", id, "--reason", "seen enough")
	s.campaignIn(id, "ended")
	s.replay("Campaign", "returned", "campaign/"+id)
}
