package notices_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/notices"
	"sendoff/internal/yamlfile/yamltest"
	"sendoff/schema"
)

func TestAQuestionSaysWhatHappensAndWhatSilenceMeans(t *testing.T) {
	t.Parallel()
	f := notices.DemoFacts(schema.NoticeAsk)
	text, err := notices.Render(schema.NoticeRules{}, f)
	require.NoError(t, err)
	require.Equal(t, `Is the account ada@example.com on box still needed?

Account: ada@example.com
Where: box
Last used: 2026-08-01 09:30 Europe/Berlin (UTC+02:00)
What is planned: it is suspended; its content goes to another account; after 30 days it is deleted
Answer until: 2026-11-30 18:00 Europe/Berlin (UTC+01:00)

If it is still needed, say so and nothing is done to it.
If you do not answer by then, what is planned is done.

To answer: https://sendoff.example.com/answer/made-up

Asked by the policy Dormant for 90 days. Questions about it: it@example.com`, text)

	f.Ask.Silence, f.Ask.LastActiveAt, f.Ask.Link = schema.SilenceNothing, time.Time{}, ""
	text, err = notices.Render(schema.NoticeRules{}, f)
	require.NoError(t, err)
	require.Contains(t, text, "nothing is done to it because of this question.")
	require.Contains(t, text, "Last used: no use was ever seen\n")
	require.Contains(t, text, "To answer: tell it@example.com\n")
	require.NotContains(t, text, "http")
}

func TestAPolicysOwnWordsKeepTheLink(t *testing.T) {
	t.Parallel()
	f := notices.DemoFacts(schema.NoticeAsk)
	own := func(text string) string {
		f.Ask.Text = text
		// The rules of notices say nothing of questions.
		out, err := notices.Render(schema.NoticeRules{Texts: map[schema.NoticeEvent]string{schema.NoticeAsk: "no"}}, f)
		require.NoError(t, err)
		return out
	}
	require.Equal(t, "Hi\nada@example.com? https://sendoff.example.com/answer/made-up {{person}}", own("Hi\n{{login}}? {{link}} {{person}}\n"))
	require.Equal(t, "Hi\n\nTo answer: https://sendoff.example.com/answer/made-up", own("Hi\n"))
	f.Ask.Login = "a\nBcc: b@example.com"
	require.Contains(t, own("{{login}}\nbody"), "a Bcc: b@example.com\nbody")
}

func TestAParkedCleanUpIsNoOffboarding(t *testing.T) {
	t.Parallel()
	f := notices.DemoFacts(schema.NoticeParked)
	f.Door = schema.DoorInactivity
	text, err := notices.Render(schema.NoticeRules{}, f)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(text, "The clean-up of an account of Ada Lovelace needs somebody\n"), text)
	require.NotContains(t, text, "ffboarding")
	require.Equal(t, "own", render(t, "own", f))
}

func TestStepsInWords(t *testing.T) {
	t.Parallel()
	f := notices.DemoFacts(schema.NoticeAsk)
	for want, steps := range map[string][]schema.StepFact{
		"nothing is changed":                  {{Kind: schema.StepSnapshot}},
		"it is signed out everywhere":         {{Kind: schema.StepRevokeSessions}},
		"after 36 hours somebody looks at it": {{Kind: schema.StepWait, WaitSeconds: 36 * 3600}, {Kind: schema.StepManual}},
		"after 1m30s it is deleted":           {{Kind: schema.StepWait, WaitSeconds: 90}, {Kind: schema.StepDelete}},
		"from 2027-01-01T00:00:00Z on, somebody is told": {
			{Kind: schema.StepWait, StepParams: schema.StepParams{Until: "2027-01-01T00:00:00Z"}}, {Kind: schema.StepNotify},
		},
		"it is taken out of its groups; after 1 day it is made active again": {
			{Kind: schema.StepRemoveFromGroups}, {Kind: schema.StepWait, WaitSeconds: 86400}, {Kind: schema.StepReactivate},
		},
	} {
		f.Ask.Text, f.Ask.Steps = "{{steps}} {{link}}", steps
		text, err := notices.Render(schema.NoticeRules{}, f)
		require.NoError(t, err)
		require.Equal(t, want+" "+f.Ask.Link, text)
	}
}

func TestRulesCannotRouteAQuestion(t *testing.T) {
	t.Parallel()
	_, report := notices.Parse("n.yaml", rulesOf(t, schema.NoticeAsk, "x"))
	require.ErrorContains(t, report.Err(), "")
	var codes []string
	for _, p := range report.Errors {
		codes = append(codes, p.Code)
	}
	require.Contains(t, codes, "not_routed")
	require.Len(t, codes, 2, "neither in a route nor as a text")
	require.Error(t, yamltest.NewSchema(t, notices.JSONSchema()).Judge(t, string(rulesOf(t, schema.NoticeAsk, "x"))))
}
