package cli_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

// TestBadInputStartsNothing tries what people mistype: one clear message with
// the fix, the exit code of docs/cli.md, and no case made (the fake's CreateCases
// fails the command with another code).
func TestBadInputStartsNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		plan func(*bundle)
		code int
		says []string
	}{
		"unknown flag":      {args: []string{"offboard", "ada@example.com", "--fast"}, code: cli.ExitUsage, says: []string{"--fast", "sendoff offboard --help"}},
		"unknown command":   {args: []string{"offbord"}, code: cli.ExitUsage, says: []string{"offbord", "--help"}},
		"nobody named":      {args: []string{"offboard"}, code: cli.ExitUsage, says: []string{"nobody is named", "--from"}},
		"two sources":       {args: []string{"offboard", "ada@example.com", "--from", "x.csv"}, code: cli.ExitUsage, says: []string{"give one of them"}},
		"file and --at":     {args: []string{"offboard", "--from", "x.csv", "--at", "x"}, code: cli.ExitUsage, says: []string{"last_day"}},
		"plan and confirm":  {args: []string{"offboard", "ada@example.com", "--plan", "--confirm", "x"}, code: cli.ExitUsage, says: []string{"together"}},
		"no address":        {args: []string{"offboard", "ada"}, code: cli.ExitUsage, says: []string{"EMAIL", "not an e-mail address", "ada@example.com"}},
		"time without zone": {args: []string{"offboard", "ada@example.com", "--at", "2026-12-01T18:00:00"}, code: cli.ExitUsage, says: []string{"--at", "zone", "2026-12-01T18:00:00+01:00"}},
		"unknown zone":      {args: []string{"offboard", "ada@example.com", "--at", "2026-12-01 18:00 Mars/Base"}, code: cli.ExitUsage, says: []string{"time zone is unknown", "Europe/Berlin"}},
		"bad grace":         {args: []string{"offboard", "ada@example.com", "--grace", "30"}, code: cli.ExitUsage, says: []string{"--grace", "30d"}},
		"negative grace":    {args: []string{"offboard", "ada@example.com", "--grace=-1d"}, code: cli.ExitUsage, says: []string{"--grace", "30d"}},
		"bad receiver":      {args: []string{"offboard", "ada@example.com", "--transfer-to", "boss"}, code: cli.ExitUsage, says: []string{"--transfer-to", "neither an e-mail address nor one of the rules"}},
		"unknown cause":     {args: []string{"offboard", "ada@example.com", "--cause", "fun"}, code: cli.ExitUsage, says: []string{"--cause", "access-review"}},
		"receiver is the leaver": {args: []string{"offboard", "ada@example.com", "--transfer-to", "Ada@example.com"}, plan: func(b *bundle) {
			b.plans(schema.Finding{Code: schema.ReceiverIsSource, Connection: "box-main", Message: "the receiver is the leaver", Fix: "name somebody else"})
		}, code: cli.ExitRefused, says: []string{"RECEIVER_IS_SOURCE: the receiver is the leaver"}},
		"unknown template":   {args: []string{"offboard", "ada@example.com", "--template", "nope"}, code: cli.ExitUsage, says: []string{"--template", "sendoff templates list"}},
		"grace that nothing": {args: []string{"offboard", "ada@example.com", "--template", "delete", "--grace", "30d"}, code: cli.ExitUsage, says: []string{"--grace", "no waiting step"}},
		"send what again":    {args: []string{"offboard", "ada@example.com", "--template", "suspend", "--send-again"}, code: cli.ExitUsage, says: []string{"--send-again", "the template suspend transfers nothing"}},
		"many approvals":     {args: []string{"offboard", "ada@example.com", "--approvals", "3"}, code: cli.ExitUsage, says: []string{"--approvals", "0, 1 or 2"}},
		"no such file":       {args: []string{"offboard", "--from", "/nowhere/leavers.csv"}, code: cli.ExitUsage, says: []string{"cannot be read", "header"}},
		"unknown e-mail": {args: []string{"offboard", "ada@example.com"}, plan: func(b *bundle) {
			b.planner = func([]schema.Request) ([]schema.Draft, error) {
				return nil, &schema.Error{Code: schema.CodeNotFound, Message: "nobody holds an account for the address in any enabled connection", Fix: "check the spelling"}
			}
		}, code: cli.ExitNotFound, says: []string{"nobody holds an account", "fix: check the spelling"}},
		"two matches for one login": {args: []string{"offboard", "ada@example.com"}, plan: func(b *bundle) {
			b.plans(schema.Finding{Code: schema.AmbiguousLogin, Connection: "box-main", Message: "two accounts have this login", Fix: "merge them"})
		}, code: cli.ExitNotFound, says: []string{"box-main: AMBIGUOUS_LOGIN: two accounts", "fix: merge them"}},
		"refused": {args: []string{"offboard", "ada@example.com"}, plan: func(b *bundle) {
			b.plans(schema.Finding{Code: schema.ReceiverMissing, Connection: "box-main", Message: "no receiver is valid", Fix: "name one with --transfer-to"})
		}, code: cli.ExitRefused, says: []string{"pre-flight refused; nothing was started", "RECEIVER_MISSING", "name one"}},
		"hash differs": {args: []string{"offboard", "ada@example.com", "--confirm", "feed"}, plan: func(b *bundle) { b.plans() }, code: cli.ExitHashDiffers, says: []string{"confirmed feed", "now abc123"}},
		"wrong token":  {args: []string{"offboard", "ada@example.com"}, plan: func(b *bundle) { b.env[1] = "SENDOFF_TOKEN=sendoff_x" }, code: cli.ExitUsage, says: []string{"token is not valid"}},
		"wrong role":   {args: []string{"offboard", "ada@example.com"}, plan: func(b *bundle) { b.env[1] = "SENDOFF_TOKEN=sendoff_reviewer" }, code: cli.ExitUsage, says: []string{"role reviewer", "admin or operator"}},
		"no token":     {args: []string{"offboard", "ada@example.com"}, plan: func(b *bundle) { b.env = b.env[:1] }, code: cli.ExitUsage, says: []string{"SENDOFF_TOKEN"}},
		"plain http":   {args: []string{"offboard", "ada@example.com"}, plan: func(b *bundle) { b.env[0] = "SENDOFF_URL=http://sendoff.example.com" }, code: cli.ExitUsage, says: []string{"would show the token", "https"}},
		"server down":  {args: []string{"offboard", "ada@example.com"}, plan: func(b *bundle) { b.srv.Close() }, code: cli.ExitUnreachable, says: []string{"nothing listens there", "sendoff up"}},
		"no server":    {args: []string{"offboard", "ada@example.com", "--data", "/nowhere"}, plan: func(b *bundle) { b.env = nil }, code: cli.ExitUnreachable, says: []string{"no server is known", "SENDOFF_URL"}},
		"our fault":    {args: []string{"offboard", "ada@example.com"}, code: cli.ExitInternal, says: []string{"request id"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			if c.plan != nil {
				c.plan(b)
			}
			r := b.run(c.args...)
			require.Equal(t, c.code, r.code, r.errout)
			require.Empty(t, r.out)
			for _, s := range c.says {
				require.Contains(t, r.errout, s)
			}
			r, v := b.runJSON(c.args...)
			require.Equal(t, c.code, r.code)
			require.InDelta(t, c.code, v["error"].(map[string]any)["exit_code"], 0)
		})
	}
}

func TestBadCSVNamesLineAndColumn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bad := b.file("leavers.csv", "email,last_day,time_zone,receivers\nada@example.com,2026-11-30,,\nbob,,,\n")
	r := b.run("offboard", "--from", bad)
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "line 2, column 2 (last_day)")
	require.Contains(t, r.errout, "line 3, column 1 (email)")
	require.Contains(t, r.errout, "nothing was started")

	// What only the server can know is named by line, too.
	b.planner = func(reqs []schema.Request) ([]schema.Draft, error) {
		one, two := draftFor(reqs[0]), draftFor(reqs[1])
		two.Findings = []schema.Finding{{Code: schema.Busy, Message: "another case works on it", Fix: "wait for it"}}
		return []schema.Draft{one, two}, nil
	}
	b.stdin = "email,receivers\nada@example.com,boss@example.com\n\nbob@example.com,\n"
	r = b.run("offboard", "--from", "-")
	require.Equal(t, cli.ExitRefused, r.code)
	require.Contains(t, r.errout, "line 4: BUSY: another case works on it")
	r = b.run("offboard", "--from", "-", "--template", "nope")
	require.Contains(t, r.errout, "line 2 template: there is no template of that name")
}

func TestPlanShowsStepsReceiverFindingsAndHash(t *testing.T) {
	t.Parallel()
	b := setup(t)
	seen := b.plans(schema.Finding{Code: schema.TrashPresent, Warning: true, Message: "3 items are in the trash", Fix: "empty it or restore them"})
	args := []string{"offboard", "ada@example.com", "--plan", "--transfer-to", "boss@example.com", "--transfer-to", "b@example.com", "--at", "2026-12-01 18:00 Europe/Berlin", "--grace", "2w", "--approvals", "1", "--send-again"}
	r := b.run(args...)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, []schema.Request{{
		Door: schema.DoorOffboarding, Email: "ada@example.com", Receivers: []string{"boss@example.com", "b@example.com"}, Template: "leaver", Source: "api",
		EffectiveAt: time.Date(2026, 12, 1, 17, 0, 0, 0, time.UTC), Grace: 14 * 24 * time.Hour, Approvals: 1, SendAgain: true,
	}}, *seen)
	for _, s := range []string{
		"begins 2026-12-01 17:00:00 UTC", "box-main account 111 (member, active)", "wait 14d > delete (irreversible)",
		"boss@example.com (account 222) gets 5.0 MiB", "warning TRASH_PRESENT: 3 items", "fix: empty it", "hash abc123", "--confirm abc123",
	} {
		require.Contains(t, r.out, s)
	}
	_, v := b.runJSON(args...)
	require.Equal(t, "abc123", v["hash"])
	b.run("offboard", "ada@example.com", "--plan", "--cause", "access-review")
	require.Equal(t, schema.DoorAccessReview, (*seen)[0].Door)

	b.plans(schema.Finding{Code: schema.ReceiverFull, Message: "too small", Fix: "another"})
	r = b.run("offboard", "ada@example.com", "--plan")
	require.Equal(t, cli.ExitRefused, r.code)
	require.Contains(t, r.out, "REFUSED RECEIVER_FULL")
	b.plans(schema.Finding{Code: schema.AmbiguousLogin, Message: "two"})
	require.Equal(t, cli.ExitNotFound, b.run("offboard", "ada@example.com", "--plan").code)
}

// starts makes creation work; the cases reach the states given at the third look.
func (b *bundle) starts(states ...schema.PlanState) {
	b.plans()
	emails := map[schema.CaseID]string{}
	b.store.CreateCasesFunc = func(drafts []schema.Draft, _ schema.Principal) ([]schema.Case, error) {
		var cases []schema.Case
		for i, d := range drafts {
			id := schema.CaseID("case-" + string(rune('a'+i)))
			emails[id] = d.Request.Email
			cases = append(cases, schema.Case{ID: id, Email: d.Request.Email})
		}
		return cases, nil
	}
	var looks atomic.Int64
	b.store.FindCaseFunc = func(ref string) (schema.Case, error) { return schema.Case{ID: schema.CaseID(ref)}, nil }
	b.store.CaseViewFunc = func(id schema.CaseID) (schema.CaseView, error) {
		state := schema.PlanSettling
		if looks.Add(1) > int64(2*len(states)) {
			state = states[id[len(id)-1]-'a']
		}
		return viewFor(id, emails[id], state), nil
	}
}

func TestOffboardStarts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.starts(schema.PlanDone)
	r := b.run("offboard", "ada@example.com", "--confirm", "abc123")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "Case case-a for ada@example.com: settling, begins at once, hash abc123")
	require.Contains(t, r.errout, "sendoff cases watch case-a")
	_, v := b.runJSON("offboard", "ada@example.com")
	require.Equal(t, "case-a", v["case_id"])
	account := v["accounts"].([]any)[0].(map[string]any)
	for _, member := range []string{"connection", "account_id", "state", "step", "cause", "transfer"} {
		require.Contains(t, account, member)
	}
	for _, member := range []string{"state", "attempts", "bytes_before", "bytes_left", "folder_ids"} {
		require.Contains(t, account["transfer"], member)
	}
}

func TestWaitEndsWithTheWorstState(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		states []schema.PlanState
		code   int
	}{
		"done":                   {[]schema.PlanState{schema.PlanDone, schema.PlanDone}, cli.ExitDone},
		"cancelled before done":  {[]schema.PlanState{schema.PlanDone, schema.PlanCancelled}, cli.ExitCancelled},
		"parked before anything": {[]schema.PlanState{schema.PlanParked, schema.PlanCancelled}, cli.ExitParked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.starts(c.states...)
			b.stdin = "email\nada@example.com\nbob@example.com\n"
			r, v := b.runJSON("offboard", "--from", "-", "--wait")
			require.Equal(t, c.code, r.code, r.errout)
			require.Len(t, v["cases"], 2)
			require.Contains(t, r.errout, "ada@example.com  box-main 111  settling, step transfer (3 of 6 done), transfer settling, 3.0 MiB left of 10.0 MiB, 2 of 5 items found")
		})
	}
	b := setup(t)
	b.starts(schema.PlanParked)
	r := b.run("offboard", "ada@example.com", "--wait")
	require.Equal(t, cli.ExitParked, r.code)
	require.Contains(t, r.out, "Box refused the transfer")
	require.Contains(t, r.out, "fix (vendor): check the receiver, then resume")
}

// TestWaitSurvivesARestartOfTheServer lets a proxy lose one answer.
func TestWaitSurvivesARestartOfTheServer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.starts(schema.PlanDone)
	var gets atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && gets.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
		b.srv.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	b.env[0] = "SENDOFF_URL=" + front.URL
	r := b.run("offboard", "ada@example.com", "--wait")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
}
