package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// A run that failed stops the schedule until somebody resumes the policy: neither
// another version of it nor a good run by hand does.
func TestAFailedRunStopsTheScheduleUntilItIsResumed(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	ctx := t.Context()
	policy := p.has(suspends("dormant"))
	stopped := func() bool {
		now, err := p.Policy(ctx, policy.Name)
		require.NoError(t, err)
		return now.Stopped
	}
	p.outbox()
	require.NoError(t, p.EndReview(ctx, p.begins(policy).ID, schema.ReviewFailed, "fault"))
	require.True(t, stopped())
	require.Equal(t, []string{"policy " + string(policy.ID)}, p.outbox(), "also one that a person asked for")
	p.has(suspends("dormant", needs(2)))
	require.True(t, stopped())
	p.judges(p.begins(policy))
	require.True(t, stopped(), "it found nothing to do, and ended well")
	resumed, err := p.SetPolicyState(ctx, policy.Name, schema.PolicyActive, "mended", p.admin)
	require.NoError(t, err)
	require.False(t, resumed.Stopped || stopped())
	require.Empty(t, p.openAlarms())

	byHand := p.has(suspends("by-hand", func(r *schema.PolicyRule) { r.Schedule = schema.PolicySchedule{} }))
	require.NoError(t, p.EndReview(ctx, p.begins(byHand).ID, schema.ReviewFailed, "fault"))
	p.judges(p.begins(byHand))
	require.Empty(t, p.openAlarms(), "it has no schedule to resume")
}

// What a policy takes or does is reported once, also when it is changed later.
func TestAChangedRuleHasAColdStart(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	cold := func(edit ...func(*schema.PolicyRule)) schema.PolicyRule {
		return suspends("dormant", append(edit, func(r *schema.PolicyRule) { r.ColdStart = schema.ColdReports })...)
	}
	mode := func(policy schema.Policy) schema.ReviewMode { return p.judges(p.begins(policy)).Mode }
	policy := p.has(cold())
	require.Equal(t, schema.ReviewColdStarts, mode(policy))
	require.Equal(t, schema.ReviewActs, mode(policy))
	require.Equal(t, schema.ReviewActs, mode(p.has(cold(needs(2)))), "who approves takes nobody in")
	for _, edit := range []func(*schema.PolicyRule){
		func(r *schema.PolicyRule) { r.Threshold.Default = 30 * 24 * time.Hour },
		func(r *schema.PolicyRule) { r.Match = "account.seat" },
		func(r *schema.PolicyRule) { r.Kinds = []schema.AccountKind{schema.KindExternal} },
		func(r *schema.PolicyRule) {
			r.Steps = append(r.Steps, schema.StepFact{Kind: schema.StepRevokeSessions})
		},
	} {
		older := p.begins(policy)
		changed := p.has(cold(edit))
		p.judges(older)
		require.Equal(t, schema.ReviewColdStarts, mode(changed), "a run of the rule before is none of it")
		require.Equal(t, schema.ReviewActs, mode(changed))
	}
	require.Equal(t, schema.ReviewActs, mode(p.has(suspends("dormant"))), "the file says so")
}

// What was confirmed is what is applied: when somebody else applied meanwhile, nothing
// is.
func TestWhatWasConfirmedIsApplied(t *testing.T) {
	t.Parallel()
	p := policySetup(t)
	ctx := t.Context()
	p.has(suspends("dormant"))
	look := files("", suspends("dormant", needs(2)))
	look.DryRun = true
	seen, err := p.ApplyPolicies(ctx, look, p.author)
	require.NoError(t, err)
	look.DryRun, look.Confirm = false, schema.ConfirmOf("", seen)
	p.has(suspends("dormant", needs(1)))
	_, err = p.ApplyPolicies(ctx, look, p.author)
	requireCode(t, schema.CodeHashDiffers, err)
	now, err := p.Policy(ctx, "dormant")
	require.NoError(t, err)
	require.Equal(t, 2, now.Version)
	p.has(suspends("dormant"))
	_, err = p.ApplyPolicies(ctx, look, p.author)
	requireCode(t, schema.CodeHashDiffers, err) // the same files, to another version
	seen, err = p.ApplyPolicies(ctx, files("", suspends("dormant", needs(2))), p.author)
	require.NoError(t, err)
	require.Equal(t, 4, seen[0].Policy.Version)
}
