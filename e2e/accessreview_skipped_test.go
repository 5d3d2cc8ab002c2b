package e2e_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
)

// quarter is a quarterly review in skipped time. Its first day is a Tuesday.
type quarter struct {
	*skipped
	began                   time.Time // Tuesday, 12:00 UTC
	id                      string    // the campaign
	owner, chief, boss, far person    // far works in Tokyo
	leaves, stays, wrong    person
	waits, remote           person
	group                   string
	owners, chiefs, bosses  *apiclient.Client
	signer                  string // the owner's token
}

// day is a time of a day of the quarter, counted from 0.
func (q *quarter) day(n int, clock time.Duration) time.Time {
	return q.began.Truncate(24*time.Hour).AddDate(0, 0, n).Add(clock)
}

// campaign is how a campaign stands.
func (q *quarter) campaign(id string) apiclient.CampaignView {
	q.t.Helper()
	api, err := q.asAdmin()
	require.NoError(q.t, err)
	c, err := api.Campaign(q.t.Context(), id)
	require.NoError(q.t, err)
	return c
}

// told are the notices of an event of the campaign, as "login day hour:minute".
func (q *quarter) told(event string) (list []string) {
	q.t.Helper()
	rows, err := q.clock.Query(q.t.Context(), `select recipients[1], created_at from notice where campaign_id = $1 and event = $2 order by created_at, 1`, q.id, event)
	require.NoError(q.t, err)
	defer rows.Close()
	for rows.Next() {
		var to string
		var at time.Time
		require.NoError(q.t, rows.Scan(&to, &at))
		name, _, _ := strings.Cut(to, "@")
		day := int(at.Sub(q.day(0, 0)) / (24 * time.Hour))
		list = append(list, name+" "+q.day(day, 0).Format("Mon")+" "+strconv.Itoa(day)+" "+at.UTC().Format("15:04"))
	}
	require.NoError(q.t, rows.Err())
	return list
}

// A quarterly review of Box by the calendar: reminders and escalations on working days,
// silence at the deadline, a removal with its content's transfer and thirty days of
// grace, the signature and its exports, ninety days of watching, and in the fifth week
// access that came back.
func TestQuarterInSkippedTime(t *testing.T) {
	t.Parallel()
	q := &quarter{skipped: skipTime(t)}
	today := q.now().UTC().Truncate(24 * time.Hour)
	q.began = today.AddDate(0, 0, (int(time.Tuesday-today.Weekday())+7)%7+7).Add(12 * time.Hour)
	q.until(q.day(0, 10*time.Hour))
	q.settle()
	q.launch()
	q.answer()
	q.escalate()
	q.remove()
	q.sign()
	q.comesBack()
	q.until(q.day(138, 0))
	require.Equal(t, "signed", q.campaign(q.id).State, "what was removed is watched for 90 days")
	q.until(q.day(144, 0))
	ended := q.campaign(q.id)
	require.Equal(t, []string{"ended", "done"}, []string{ended.State, ended.End})
}

// settle hires people and lets the product know them.
func (q *quarter) settle() {
	q.owner, q.chief, q.boss, q.far = q.hire("Ow Ner"), q.hire("Chi Ef"), q.hire("Bo Ss"), q.hire("Far Away")
	q.leaves, q.stays, q.wrong = q.hire("Wor Leaves"), q.hire("Wor Stays"), q.hire("Wor Wrong")
	q.waits, q.remote = q.hire("Wor Waits"), q.hire("Wor Remote")
	q.fill(q.leaves)
	q.group = seeded(q.t)(q.sim.AddGroup(boxsim.GroupSpec{Name: "Finance", Members: []string{q.stays.id}}))
	rows := []string{"employee_id,work_email,name,manager_id,time_zone"}
	for _, p := range []struct {
		who, manager person
		zone         string
	}{
		{q.owner, person{}, "UTC"},
		{q.chief, q.owner, "UTC"},
		{q.boss, q.chief, "UTC"},
		{q.far, q.chief, "Asia/Tokyo"},
		{q.leaves, q.boss, "UTC"},
		{q.stays, q.boss, "UTC"},
		{q.wrong, q.boss, "UTC"},
		{q.waits, q.boss, "UTC"},
		{q.remote, q.far, "UTC"},
	} {
		rows = append(rows, strings.Join([]string{p.who.id, p.who.login, "P " + p.who.id, p.manager.id, p.zone}, ","))
	}
	q.must("people", "import", q.write("roster.csv", strings.Join(rows, "\n")+"\n"), "--source", "roster")
	q.owners, q.chiefs, q.bosses = q.asReviewer(q.owner), q.asReviewer(q.chief), q.asReviewer(q.boss)
	q.signer = ask[apiclient.CreatedToken](q.stack, cli.ExitDone, "tokens", "create", "--name", "signer", "--role", "operator", "--email", q.owner.login, "--expires", "365d").Token
}

// launch starts the campaign: it asks for the listing that it needs by itself.
func (q *quarter) launch() {
	q.must("review", "create", q.write("quarterly.yaml", "apiVersion: sendoff/v1\nkind: AccessReview\nname: quarterly\nowner: "+q.owner.login+"\n"+strings.Join([]string{
		`scope: {connections: [box], items: [account, group], match: 'account.login.startsWith("wor")'}`,
		"reviewers: [manager, managers_manager]",
		"time: {due: 14d, remind: [7d, 2d], escalate_after: 10d, escalate_for: 3d}",
		"quality: {min_items: 100}",
		"effect:",
		"  account: [snapshot, suspend, revoke_sessions, transfer, wait: {for: 30d}, delete]",
		"  receivers: [" + q.boss.login + "]",
		"  budget: {per_run: 25, percent: 100}",
	}, "\n")+"\n"), "--yes")
	q.until(q.began)
	q.id = ask[apiclient.Campaign](q.stack, cli.ExitDone, "review", "start", "quarterly").ID
	q.until(q.began.Add(30 * time.Minute))
	c := q.campaign(q.id)
	require.Equal(q.t, "open", c.State, "%+v", c)
	require.EqualValues(q.t, 6, c.Counts.Items)
	require.WithinDuration(q.t, q.day(14, 12*time.Hour), *c.DueAt, 5*time.Minute)
}

func (q *quarter) answer() {
	mine := itemsOf(q.stack, q.bosses, q.id)
	require.Len(q.t, mine, 5)
	q.says(q.bosses, mine[q.leaves.login+" account"], "revoke")
	q.says(q.bosses, mine[q.stays.login+" account"], "keep")
	q.says(q.bosses, mine[q.stays.login+" group"], "revoke")
	q.says(q.bosses, mine[q.wrong.login+" account"], "revoke")
	q.doze(q.day(3, 9*time.Hour))
	q.says(q.bosses, itemsOf(q.stack, q.bosses, q.id)[q.wrong.login+" account"], "keep")
}

// escalate lets the rest go undecided: reminders and the next in the chain come on
// working days, each reviewer's own.
func (q *quarter) escalate() {
	q.doze(q.day(6, 0))
	q.until(q.day(13, 11*time.Hour))
	require.Equal(q.t, []string{"bo.ss Tue 0 12:00", "far.away Tue 0 12:00"}, q.told("review_ask"))
	require.Equal(q.t, []string{"bo.ss Tue 7 12:00", "far.away Wed 8 00:00", "chi.ef Mon 13 09:00"}, q.told("review_remind"),
		"12:00 UTC is night in Tokyo; two days before the deadline is a Sunday")
	require.Equal(q.t, []string{"chi.ef Fri 10 12:00", "chi.ef Mon 13 00:00"}, q.told("review_escalated"), "Friday's night in Tokyo is over on Monday")
	require.Len(q.t, q.mails.to(q.chief.login), 3)

	q.must("review", "extend", q.id, "--by", "3d", "--reason", "holidays")
	q.must("review", "remind", q.id)
	require.Equal(q.t, "chi.ef Mon 13 11:00", q.told("review_remind")[3], "by hand")
	q.until(q.day(17, 11*time.Hour))
	require.Equal(q.t, "open", q.campaign(q.id).State, "the deadline is later now")
	require.Equal(q.t, []string{"chi.ef Wed 15 12:00"}, q.told("review_remind")[4:])
	q.until(q.day(17, 13*time.Hour))
	require.Equal(q.t, []string{"ow.ner Fri 17 12:00"}, q.told("review_escalated")[2:], "also what came to the chief late: it waits for the new deadline")
	items := itemsOf(q.stack, q.owners, q.id)
	require.Equal(q.t, "open", items[q.waits.login+" account"].State, "the deadline hands on what the chief left")
	q.says(q.owners, items[q.waits.login+" account"], "keep")
	require.Equal(q.t, "open", items[q.remote.login+" account"].State)
	q.doze(q.day(19, 8*time.Hour))
	q.until(q.day(20, 8*time.Hour))
	require.Equal(q.t, "open", q.campaign(q.id).State, "the owner has until Monday")
	q.until(q.day(20, 13*time.Hour))
	require.Contains(q.t, []string{"removing", "closed"}, q.campaign(q.id).State)
	require.Equal(q.t, "undecided", q.item(q.remote.login+" account").State, "silence escalates, and takes nothing")
}

// item is an item as the campaign's people see it.
func (q *quarter) item(name string) apiclient.CampaignItem {
	q.t.Helper()
	api, err := q.asAdmin()
	require.NoError(q.t, err)
	return itemsOf(q.stack, api, q.id)[name]
}

// remove lets the removals happen: the content moves at once, the account stays for
// its grace.
func (q *quarter) remove() {
	q.until(q.day(22, 0))
	require.Equal(q.t, "inactive", status(q.t, q.sim, q.leaves))
	require.Equal(q.t, map[string]int{q.boss.id: 6}, owned(q.sim, q.leaves))
	require.Empty(q.t, q.memberships(q.stays))
	require.Equal(q.t, map[string]string{q.leaves.login: "started", q.stays.login: "done"}, q.removals())
	q.until(q.day(50, 0))
	require.Equal(q.t, "inactive", status(q.t, q.sim, q.leaves), "30 days after the transfer are not over")
	require.Equal(q.t, []string{"ITEMS_UNDECIDED", "REMOVALS_OPEN"}, q.blocks(), "an account is still there")
	require.NotZero(q.t, q.runAs(q.signer, "review", "sign", q.id, "--reason", "complete").code)
	q.until(q.day(52, 0))
	q.requireGone(q.leaves, q.boss, 6)
	require.Equal(q.t, map[string]string{q.leaves.login: "done", q.stays.login: "done"}, q.removals())
	for _, p := range []person{q.stays, q.wrong, q.waits, q.remote} {
		require.Equal(q.t, "active", status(q.t, q.sim, p), p.login)
	}
}

// blocks is what stands against the signature.
func (q *quarter) blocks() (codes []string) {
	q.t.Helper()
	for _, f := range q.campaign(q.id).Blocks {
		codes = append(codes, f.Code)
	}
	return codes
}

// removals are the states of the campaign's removals by login.
func (q *quarter) removals() map[string]string {
	q.t.Helper()
	api, err := q.asAdmin()
	require.NoError(q.t, err)
	list, _, err := api.Removals(q.t.Context(), q.id, "", "", 100)
	require.NoError(q.t, err)
	out := map[string]string{}
	for _, r := range list {
		out[r.Login] = r.State
	}
	return out
}

func (q *quarter) sign() {
	require.Equal(q.t, "closed", q.campaign(q.id).State)
	require.NotZero(q.t, q.run("review", "sign", q.id, "--reason", "complete", "--accept-open").code, "whoever is not the owner signs nothing")
	require.Equal(q.t, []string{"ITEMS_UNDECIDED"}, q.blocks())
	require.NotZero(q.t, q.runAs(q.signer, "review", "sign", q.id, "--reason", "complete").code)
	r := q.runAs(q.signer, "review", "sign", q.id, "--reason", "complete", "--accept-open")
	require.Zero(q.t, r.code, r.err)
	requireExports(q.stack, q.id, q.item(q.leaves.login+" account"))
}

// comesBack puts somebody into the group again, in the fifth week after the signature:
// what was signed stays, and a campaign of its own looks at it.
func (q *quarter) comesBack() {
	q.until(q.day(52+31, 12*time.Hour))
	require.Equal(q.t, 201, byHand(q.t, q.vendor, "POST", "group_memberships", map[string]any{
		"user": map[string]string{"id": q.stays.id}, "group": map[string]string{"id": q.group},
	}))
	q.must("sync", "box")
	q.until(q.day(52+32, 12*time.Hour))
	api, err := q.asAdmin()
	require.NoError(q.t, err)
	returns, _, err := api.Returns(q.t.Context(), q.id, "", 10)
	require.NoError(q.t, err)
	require.Len(q.t, returns, 1)
	require.Equal(q.t, "invitation", returns[0].Cause)
	next := q.campaign(returns[0].FollowUp)
	require.Equal(q.t, []string{"open", "returned", q.id}, []string{next.State, next.Trigger, next.Follows})
	require.Equal(q.t, "signed", q.campaign(q.id).State)
	requireExports(q.stack, q.id, q.item(q.leaves.login+" account"))

	for _, i := range itemsOf(q.stack, q.bosses, next.ID) {
		q.says(q.bosses, i, "keep")
	}
	q.must("review", "close", next.ID, "--reason", "all have answered")
	q.until(q.day(52+33, 12*time.Hour))
	r := q.runAs(q.signer, "review", "sign", next.ID, "--reason", "it is needed after all")
	require.Zero(q.t, r.code, r.err)
	q.until(q.day(52+34, 12*time.Hour))
	require.Equal(q.t, "ended", q.campaign(next.ID).State, "nothing was removed, so nothing is watched")
}
