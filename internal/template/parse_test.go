package template_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/template"
	"sendoff/internal/yamlfile"
	"sendoff/internal/yamlfile/yamltest"
	"sendoff/schema"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func parse(file string, source []byte) yamlfile.Report {
	_, report := template.Parse(file, source, now)
	return report
}

func TestFilesAreJudgedAsTheirCommentsSay(t *testing.T) {
	t.Parallel()
	yamltest.JudgedAsTheySay(t, "testdata/%s.yaml", []string{"valid", "invalid", "order"}, parse)
}

func TestParse(t *testing.T) {
	t.Parallel()
	docs := yamltest.Documents(t, "testdata/valid.yaml")

	t.Run("everything a file can say reaches the template", func(t *testing.T) {
		t.Parallel()
		got, report := template.Parse("test.yaml", []byte(docs[0]), now)
		require.NoError(t, report.Err())
		require.Equal(t, schema.Template{
			Name: "contractor", Title: "Contractor leaves", Approvals: 1, Source: docs[0],
			Moment:    schema.MomentRule{Starts: schema.StartsTermination, At: schema.LocalTime{Hour: 9, Minute: 30}},
			Receivers: []string{"lead@example.com", "office@example.com", "archive@example.com"},
			Steps: []schema.StepFact{
				{Kind: schema.StepSnapshot},
				{Kind: schema.StepSuspend},
				{Kind: schema.StepRevokeSessions},
				{Kind: schema.StepRemoveFromGroups},
				{Kind: schema.StepTransfer},
				{Kind: schema.StepNotify, StepParams: schema.StepParams{
					Channel: schema.ChannelMail, To: []string{"it@example.com"},
					Message: "Content of case {{case}} has moved\n\nAccount {{account}} of {{connection}}, plan {{plan}}, step {{step}}.",
				}},
				{Kind: schema.StepWait, WaitSeconds: 30 * 86400},
				{Kind: schema.StepManual, WaitSeconds: 3 * 86400, StepParams: schema.StepParams{Title: "Collect the badge", Owner: "office"}},
				{Kind: schema.StepDelete, StepParams: schema.StepParams{Trash: schema.TrashKeep}},
				{Kind: schema.StepNotify, StepParams: schema.StepParams{Channel: schema.ChannelWebhook, To: []string{"ticket-system"}, Message: "Done"}},
			},
		}, got)
	})

	t.Run("instants are kept in UTC, whatever zone they are written in", func(t *testing.T) {
		t.Parallel()
		for _, doc := range []string{docs[3], docs[4]} {
			got, report := template.Parse("test.yaml", []byte(doc), now)
			require.NoError(t, report.Err())
			i := 0
			for got.Steps[i].Kind != schema.StepWait {
				i++
			}
			require.Equal(t, "2026-12-31T17:00:00Z", got.Steps[i].Until)
		}
		got, _ := template.Parse("test.yaml", []byte(docs[3]), now)
		require.True(t, got.Steps[2].Reactivate)
		require.Equal(t, schema.TrashDiscard, got.Steps[4].Trash)
	})

	t.Run("a wait without a length takes the request's", func(t *testing.T) {
		t.Parallel()
		got, report := template.Parse("test.yaml", []byte(docs[2]), now)
		require.NoError(t, report.Err())
		require.EqualValues(t, 7*86400, got.Resolve(7 * 24 * time.Hour)[3].WaitSeconds)
	})

	t.Run("all faults of a file are one error, each with its place", func(t *testing.T) {
		t.Parallel()
		_, report := template.Parse("a.yaml", []byte("apiVersion: sendoff/v1\nkind: Template\nname: leaver\nsteps:\n  - suspend\n  - wait: {for: 0s}\n"), now)
		err := report.Err()
		require.Equal(t, schema.CodeInvalid, schema.CodeOf(err))
		require.ErrorContains(t, err, "a.yaml line 3, column 7 (name): the template leaver is built in")
		require.ErrorContains(t, err, "a.yaml line 5, column 3 (steps): there is no snapshot")
		require.ErrorContains(t, err, "a.yaml line 6, column 17 (steps[1].wait.for): the duration is 0")
	})
}

func TestWhatIsNoTemplateAtAll(t *testing.T) {
	t.Parallel()
	yamltest.RefusesWhatIsNone(t, parse)
}

// FuzzParse: whatever is read, there is an answer, and what is accepted is whole.
func FuzzParse(f *testing.F) {
	for _, file := range []string{"valid", "invalid", "order"} {
		for _, doc := range yamltest.Documents(f, "testdata/"+file+".yaml") {
			f.Add([]byte(doc))
		}
	}
	f.Add([]byte("a: &a [*a, *a]\nb: *a"))
	f.Fuzz(func(t *testing.T, source []byte) {
		got, report := template.Parse("fuzz.yaml", source, now)
		for _, p := range append(report.Errors, report.Warnings...) {
			require.NotEmpty(t, p.Message)
			require.NotEmpty(t, p.Code)
		}
		if report.Err() != nil {
			return
		}
		require.NotEmpty(t, got.Name)
		require.Equal(t, schema.StepSnapshot, got.Steps[0].Kind)
		require.Equal(t, string(source), got.Source)
		again, report := template.Parse("fuzz.yaml", source, now)
		require.NoError(t, report.Err())
		require.Equal(t, got, again)
	})
}

// TestMoment: what a file leaves out of a moment is as in a file without one.
func TestMoment(t *testing.T) {
	t.Parallel()
	for moment, want := range map[string]schema.MomentRule{
		"":                               {},
		"moment: {at: '00:00'}":          {Starts: schema.StartsLastWorkingDay},
		"moment: {at: 23:59}":            {Starts: schema.StartsLastWorkingDay, At: schema.LocalTime{Hour: 23, Minute: 59}},
		"moment: {starts: at_once}":      {Starts: schema.StartsAtOnce, At: schema.DefaultLocalTime()},
		"moment: {starts: garden_leave}": {Starts: schema.StartsGardenLeave, At: schema.DefaultLocalTime()},
	} {
		parsed, report := template.Parse("a.yaml", []byte("apiVersion: sendoff/v1\nkind: Template\nname: a\nsteps: [snapshot]\n"+moment), now)
		require.Empty(t, report.Errors, moment)
		require.Empty(t, report.Warnings, moment)
		require.Equal(t, want, parsed.Moment, moment)
	}
	require.Equal(t, schema.DefaultMoment(), schema.Template{}.MomentOrDefault())
}

// TestReceiverRules: a rule may stand where a receiver's login may, and nowhere else.
func TestReceiverRules(t *testing.T) {
	t.Parallel()
	file := "apiVersion: sendoff/v1\nkind: Template\nname: rules\nreceivers: [manager, heir@example.com, department-owner]\nsteps: [snapshot, suspend, transfer]\n"
	parsed, report := template.Parse("rules.yaml", []byte(file), now)
	require.Empty(t, report.Errors)
	require.Equal(t, []string{"manager", "heir@example.com", "department-owner"}, parsed.Receivers)
	for _, bad := range []string{"receivers: [boss]", "receivers: [manager, manager]", "archive: manager"} {
		_, report := template.Parse("rules.yaml", []byte(strings.Replace(file, "receivers: [manager, heir@example.com, department-owner]", bad, 1)), now)
		require.Len(t, report.Errors, 1, bad)
	}
}
