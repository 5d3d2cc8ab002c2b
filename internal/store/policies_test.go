package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestPoliciesAreVersioned(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	ctx := t.Context()
	first := suspends("dormant")

	dry := files("", first)
	dry.DryRun = true
	said, err := p.ApplyPolicies(ctx, dry, p.author)
	require.NoError(t, err)
	require.Equal(t, schema.PolicyAdded, said[0].Change)
	_, err = p.Policy(ctx, "dormant")
	requireCode(t, schema.CodeNotFound, err)
	require.Empty(t, p.outbox())

	added := p.applies("", first)[0]
	require.Equal(t, []any{"dormant", schema.PolicyAdded, 1, first.Hash(), schema.PolicyActive, "author"},
		[]any{added.Name, added.Change, added.Policy.Version, added.Policy.Hash, added.Policy.State, added.Policy.UpdatedBy})
	require.Nil(t, added.Before)
	id := added.Policy.ID
	require.Equal(t, []string{"policy " + string(id)}, p.outbox())

	same := files("", first)
	same.Files[0].Source = "another text, the same rule"
	said, err = p.ApplyPolicies(ctx, same, p.admin)
	require.NoError(t, err)
	require.Equal(t, []any{schema.PolicyUnchanged, 1, added.Policy.Source}, []any{said[0].Change, said[0].Policy.Version, said[0].Policy.Source})
	require.Empty(t, p.outbox())

	second := suspends("dormant", func(r *schema.PolicyRule) { r.Budget.PerRun, r.Title = 7, "Dormant" })
	changed := p.applies("", second)[0]
	require.Equal(t, []any{schema.PolicyChanged, 2, &first}, []any{changed.Change, changed.Policy.Version, changed.Before})
	require.Equal(t, []string{"policy " + string(id)}, p.outbox())
	require.Equal(t, []string{"policy.applied", "policy.applied"}, p.actionsOf(id))

	for _, ref := range []string{"dormant", string(id)} {
		got, err := p.Policy(ctx, ref)
		require.NoError(t, err)
		require.Equal(t, changed.Policy, got)
		require.Equal(t, got.Hash, got.Rule.Hash(), "what is read is what was applied")
	}
	was, err := p.PolicyAt(ctx, id, 1)
	require.NoError(t, err)
	require.Equal(t, first, was.Rule)
	_, err = p.PolicyAt(ctx, id, 3)
	requireCode(t, schema.CodeNotFound, err)

	newest, next, err := p.PolicyHistory(ctx, "dormant", "", 1)
	require.NoError(t, err)
	oldest, end, err := p.PolicyHistory(ctx, "dormant", next, 1)
	require.NoError(t, err)
	require.Equal(t, []any{2, 1, ""}, []any{newest[0].Version, oldest[0].Version, end})
	_, _, err = p.PolicyHistory(ctx, "dormant", "x", 1)
	requireCode(t, schema.CodeInvalid, err)
	_, _, err = p.PolicyHistory(ctx, "none", "", 1)
	requireCode(t, schema.CodeNotFound, err)
}

func TestPlansFindTheTemplateOfAPolicy(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	p.has(suspends("dormant"))
	now := p.has(suspends("dormant", func(r *schema.PolicyRule) { r.Approvals = 2 }))
	got, err := p.Template(t.Context(), "policy:dormant")
	require.NoError(t, err)
	require.Equal(t, now.Template(), got)
	was, err := p.TemplateVersion(t.Context(), "policy:dormant", 1)
	require.NoError(t, err)
	require.Equal(t, []int{1, 0}, []int{was.Version, was.Approvals})
	for _, name := range []string{"policy:other", "policy:"} {
		_, err = p.Template(t.Context(), name)
		requireCode(t, schema.CodeNotFound, err)
	}
	list, _, err := p.ListTemplates(t.Context(), "", 100)
	require.NoError(t, err)
	require.Len(t, list, len(schema.BuiltinTemplates()), "a policy is no template of leavers")
}

func TestPoliciesOfASet(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	ctx := t.Context()
	a, b, c := suspends("a"), suspends("b"), suspends("c")
	p.applies("prod", a, b, c)
	_, err := p.SetPolicyState(ctx, "c", schema.PolicyPaused, "a person's word", p.admin)
	require.NoError(t, err)
	p.outbox()

	left := p.applies("prod", a)
	require.Len(t, left, 2, "of what somebody paused nothing changes that a schedule knows")
	require.Equal(t, []any{"a", schema.PolicyUnchanged, "b", schema.PolicyWithdrawn}, []any{left[0].Name, left[0].Change, left[1].Name, left[1].Change})
	require.Equal(t, []any{schema.PolicyPaused, "its file is not in the set prod any more", "author"},
		[]any{left[1].Policy.State, left[1].Policy.PauseReason, left[1].Policy.PausedBy})
	require.Contains(t, p.outbox(), "policy "+string(left[1].Policy.ID))
	require.Len(t, p.applies("prod", a), 1, "said once")

	back := p.applies("prod", a, b, c)
	require.Equal(t, []any{schema.PolicyRestored, schema.PolicyActive, ""}, []any{back[1].Change, back[1].Policy.State, back[1].Policy.PauseReason})
	require.Equal(t, []any{schema.PolicyUnchanged, schema.PolicyPaused, "a person's word", "prod"},
		[]any{back[2].Change, back[2].Policy.State, back[2].Policy.PauseReason, back[2].Policy.Set})
	require.Equal(t, []string{"policy.applied", "policy.paused", "policy.resumed"}, p.actionsOf(back[1].Policy.ID))

	for _, set := range []string{"", "test"} {
		_, err = p.ApplyPolicies(ctx, files(set, a), p.author)
		requireCode(t, schema.CodeInvalid, err)
		require.ErrorContains(t, err, "a: the policy belongs to the set prod")
		require.Contains(t, problemsOf(t, err)[0].Fix, "apply the set prod without its file first")
	}
	p.applies("prod", b, c)
	moved := p.applies("test", suspends("a", func(r *schema.PolicyRule) { r.Approvals = 1 }))[0]
	require.Equal(t, []any{schema.PolicyRestored, "test", 2, &a}, []any{moved.Change, moved.Policy.Set, moved.Policy.Version, moved.Before})
	alone := p.has(suspends("alone"))
	require.Equal(t, "test", p.applies("test", moved.Policy.Rule, alone.Rule)[1].Policy.Set, "one that was alone joins")
}

func TestPoliciesAreAppliedTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	elsewhere := func(names ...string) func(*schema.PolicyRule) {
		return func(r *schema.PolicyRule) { r.Connections = append(r.Connections, names...) }
	}
	p.applies("prod", suspends("taken"))
	_, err := p.ApplyPolicies(t.Context(), files("", suspends("good"), suspends("bad", elsewhere("x", "y")), suspends("worse", elsewhere("z")), suspends("taken")), p.author)
	requireCode(t, schema.CodeInvalid, err)
	require.Len(t, problemsOf(t, err), 4, "everything at once")
	for _, text := range []string{"bad: there is no connection x", "bad: there is no connection y", "worse: there is no connection z", "taken: the policy belongs"} {
		require.ErrorContains(t, err, text)
	}
	_, err = p.Policy(t.Context(), "good")
	requireCode(t, schema.CodeNotFound, err)
	_, err = p.ApplyPolicies(t.Context(), files("", suspends("two"), suspends("two"), suspends("")), p.author)
	requireCode(t, schema.CodeInvalid, err)
	require.Len(t, problemsOf(t, err), 2)
	_, err = p.ApplyPolicies(t.Context(), files("", suspends("two")), schema.Principal{})
	requireCode(t, schema.CodeUnauthorized, err)
}

func TestPoliciesArePausedByPeople(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	ctx := t.Context()
	policy := p.applies("prod", suspends("dormant"))[0].Policy
	p.outbox()
	paused, err := p.SetPolicyState(ctx, "dormant", schema.PolicyPaused, "audit season", p.admin)
	require.NoError(t, err)
	require.Equal(t, []any{schema.PolicyPaused, "audit season", "admin"}, []any{paused.State, paused.PauseReason, paused.PausedBy})
	_, err = p.SetPolicyState(ctx, "dormant", schema.PolicyPaused, "again", p.admin)
	requireCode(t, schema.CodeConflict, err)
	for _, bad := range []struct {
		state  schema.PolicyState
		reason string
	}{{schema.PolicyPaused, " "}, {"gone", "why not"}} {
		_, err = p.SetPolicyState(ctx, "dormant", bad.state, bad.reason, p.admin)
		requireCode(t, schema.CodeInvalid, err)
	}
	_, err = p.SetPolicyState(ctx, "none", schema.PolicyPaused, "no", p.admin)
	requireCode(t, schema.CodeNotFound, err)

	require.NoError(t, p.RaiseAlarm(ctx, schema.Alarm{PolicyID: policy.ID, Code: schema.AlarmReviewFailed, Message: "failed"}))
	active, err := p.SetPolicyState(ctx, string(policy.ID), schema.PolicyActive, "done", p.admin)
	require.NoError(t, err)
	require.Equal(t, policy, active)
	require.Empty(t, p.openAlarms(), "whoever resumes it has seen that")
	require.Len(t, p.outbox(), 2)
	require.Equal(t, []string{"policy.applied", "policy.paused", "policy.resumed"}, p.actionsOf(policy.ID))

	p.applies("prod")
	_, err = p.SetPolicyState(ctx, "dormant", schema.PolicyPaused, "mine now", p.admin)
	require.NoError(t, err, "a person's word takes the place of a file that is gone")
	require.Equal(t, schema.PolicyPaused, p.applies("prod", policy.Rule)[0].Policy.State)
}

func TestPoliciesAreListed(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	p.applies("prod", suspends("c"), suspends("a"))
	p.applies("", suspends("b"))
	_, err := p.SetPolicyState(t.Context(), "a", schema.PolicyPaused, "wait", p.admin)
	require.NoError(t, err)
	names := func(f schema.PolicyFilter) string {
		text := ""
		for {
			list, next, err := p.Policies(t.Context(), f)
			require.NoError(t, err)
			for _, one := range list {
				text += one.Name
			}
			if f.After = next; next == "" {
				return text
			}
			text += " "
		}
	}
	require.Equal(t, "ab c", names(schema.PolicyFilter{Limit: 2}))
	require.Equal(t, "a c", names(schema.PolicyFilter{Set: "prod", Limit: 1}))
	require.Equal(t, "a", names(schema.PolicyFilter{State: schema.PolicyPaused, Limit: 1}))
	_, _, err = p.Policies(t.Context(), schema.PolicyFilter{})
	requireCode(t, schema.CodeInvalid, err)
}

// Two who add one policy at the same time make one of it.
func TestPoliciesAreAppliedAtOnce(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	errs := make(chan error)
	for i := range 4 {
		go func() {
			_, err := p.ApplyPolicies(t.Context(), files("", suspends("dormant", func(r *schema.PolicyRule) { r.Title = fmt.Sprint(i) })), p.author)
			errs <- err
		}()
	}
	for range 4 {
		require.NoError(t, <-errs)
	}
	got, err := p.Policy(t.Context(), "dormant")
	require.NoError(t, err)
	require.Equal(t, 4, got.Version)
}
