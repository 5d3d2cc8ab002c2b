package activities_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/schema"
)

// Temporal may never hear that a step's activity did its work: then it comes again. The
// step is finished, whatever the account has become since.
func TestAFinishedStepIsNotDoneAgain(t *testing.T) {
	t.Parallel()
	opened := func(a *schema.Account) { a.VendorStatus, a.Role = active, schema.RoleCoadmin }
	for kind, test := range map[schema.StepKind]struct {
		at  func(*bundle) schema.StepRef
		run func(*activities.Activities) func(context.Context, activities.StepInput) error
	}{
		schema.StepSnapshot: {
			func(b *bundle) schema.StepRef { return b.leave(schema.StepSnapshot, "suspend") },
			func(a *activities.Activities) func(context.Context, activities.StepInput) error { return a.Snapshot },
		},
		schema.StepSuspend: {
			func(b *bundle) schema.StepRef { return b.leave(schema.StepSuspend, "suspend") },
			func(a *activities.Activities) func(context.Context, activities.StepInput) error { return a.Suspend },
		},
		schema.StepRevokeSessions: {
			func(b *bundle) schema.StepRef { return b.leave(schema.StepRevokeSessions, "suspend") },
			func(a *activities.Activities) func(context.Context, activities.StepInput) error {
				return a.RevokeSessions
			},
		},
		schema.StepRemoveFromGroups: {
			(*bundle).inGroups,
			func(a *activities.Activities) func(context.Context, activities.StepInput) error {
				return a.RemoveFromGroups
			},
		},
		schema.StepSetRole: {
			(*bundle).inRole,
			func(a *activities.Activities) func(context.Context, activities.StepInput) error { return a.SetRole },
		},
		schema.StepNotify: {
			(*bundle).notice,
			func(a *activities.Activities) func(context.Context, activities.StepInput) error { return a.Notify },
		},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := test.at(b)
			before := slices.Clone(b.vendor.groups)
			require.NoError(t, b.step(test.run(b.acts), ref))
			sent, notices, done := b.vendor.writes(), len(b.mail.notices), b.plan(ref.PlanID)
			b.vendor.change(leaver, opened)
			b.vendor.groups = before
			b.exec(`update connection set state = 'disabled'`)
			require.NoError(t, b.step(test.run(b.acts), ref))
			require.Equal(t, sent, b.vendor.writes())
			require.Len(t, b.mail.notices, notices)
			require.Equal(t, done.Steps[ref.Index], b.plan(ref.PlanID).Steps[ref.Index])
		})
	}
}
