package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/activities"
	"sendoff/schema"
)

// notice is a plan at a notify step.
func (b *bundle) notice() schema.StepRef {
	b.t.Helper()
	b.template("notice", schema.StepFact{Kind: schema.StepSnapshot}, schema.StepFact{Kind: schema.StepNotify, StepParams: schema.StepParams{
		Channel: schema.ChannelMail, To: []string{"it@example.com"}, Message: "Gone: {{account}}\n{{case}} {{plan}} {{step}} {{connection}} {{other}}",
	}})
	return b.leave(schema.StepNotify, "notice")
}

func TestNotify(t *testing.T) {
	t.Parallel()

	t.Run("with ids in the place of placeholders", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := b.notice()
		require.NoError(t, b.step(b.acts.Notify, ref))
		p := b.plan(ref.PlanID)
		require.Equal(t, []activities.Notice{{
			Channel: schema.ChannelMail, To: []string{"it@example.com"}, CaseID: p.CaseID, PlanID: p.ID, Step: 1, Key: string(p.ID) + "/1",
			Message: "Gone: 10\n" + string(p.CaseID) + " " + string(p.ID) + " 1 fake {{other}}",
		}}, b.mail.notices)
		require.Equal(t, "true", p.Steps[1].Proof["accepted"])
	})

	for code, park := range map[schema.Code]bool{schema.CodeInvalid: true, schema.CodeRefused: true, schema.CodeUnavailable: false} {
		t.Run("that fails: "+string(code), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.notice()
			b.mail.err = &schema.Error{Code: code, Message: "the server says no"}
			err := b.step(b.acts.Notify, ref)
			if park {
				requireParks(t, err, schema.ParkNoticeFailed)
				return
			}
			requireType(t, err, activities.TypeOf(code), true)
		})
	}
}

func TestTask(t *testing.T) {
	t.Parallel()
	task := func(b *bundle, ref schema.StepRef) (activities.TaskResult, error) {
		return call[activities.StepInput, activities.TaskResult](b, b.acts.Task, activities.StepInput{Ref: ref})
	}
	begin := func(b *bundle) schema.StepRef {
		b.template("task", schema.StepFact{Kind: schema.StepSnapshot},
			schema.StepFact{Kind: schema.StepManual, WaitSeconds: 3600, StepParams: schema.StepParams{Title: "fetch the laptop", Owner: "it@example.com"}})
		return b.leave(schema.StepManual, "task")
	}

	t.Run("is completed by a decision, with its evidence", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := begin(b)
		r, err := task(b, ref)
		require.NoError(t, err)
		require.InDelta(t, time.Hour, r.Left, float64(time.Minute))
		b.decide(ref.PlanID, schema.Decision{Kind: schema.DecideComplete}, b.admin)
		r, err = task(b, ref)
		require.NoError(t, err)
		require.True(t, r.Done)
		p := b.plan(ref.PlanID)
		require.Equal(t, schema.StepDone, p.Steps[ref.Index].State)
		require.Equal(t, "test", p.Steps[ref.Index].Proof["evidence"])
		require.Equal(t, schema.PlanRunning, p.State)
	})

	t.Run("parks when its time is over, and a resume gives it again", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ref := begin(b)
		_, err := task(b, ref)
		require.NoError(t, err)
		b.later(2 * time.Hour)
		_, err = task(b, ref)
		cause := requireParks(t, err, schema.ParkManualOverdue)
		require.NoError(t, b.ParkPlan(t.Context(), ref.PlanID, cause))
		b.decide(ref.PlanID, schema.Decision{Kind: schema.DecideResume}, b.admin)
		r, err := task(b, ref)
		require.NoError(t, err)
		require.InDelta(t, time.Hour, r.Left, float64(time.Minute))
	})
}
