package notices_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/notices"
	"sendoff/internal/yamlfile"
	"sendoff/internal/yamlfile/yamltest"
	"sendoff/schema"
)

func documents(t testing.TB, name string) []string {
	t.Helper()
	return yamltest.Documents(t, "testdata/"+name+".yaml")
}

func parse(file string, source []byte) yamlfile.Report {
	_, report := notices.Parse(file, source)
	return report
}

func TestFilesAreJudgedAsTheirCommentsSay(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"valid", "invalid", "twice"} {
		for i, doc := range documents(t, file) {
			t.Run(fmt.Sprintf("%s %d", file, i+1), func(t *testing.T) {
				t.Parallel()
				report := parse("test.yaml", []byte(doc))
				errs, warnings := yamltest.Expected(doc)
				require.ElementsMatch(t, errs, yamltest.Told(t, report.Errors), doc)
				require.Equal(t, warnings, yamltest.Told(t, report.Warnings), doc)
				require.Equal(t, file == "valid", report.Err() == nil)
			})
		}
	}
}

func TestEverythingAFileCanSayReachesTheRules(t *testing.T) {
	t.Parallel()
	doc := documents(t, "valid")[0]
	got, report := notices.Parse("test.yaml", []byte(doc))
	require.NoError(t, report.Err())
	require.Equal(t, schema.NoticeRules{
		Source: doc,
		Routes: []schema.NoticeRoute{
			{Audience: "manager", Events: []schema.NoticeEvent{"planned", "starting", "moved", "done", "cancelled", "affected"}, Channel: "mail"},
			{Audience: "it", Events: []schema.NoticeEvent{"parked", "refused", "batch_held", "feed_silent"}, Channel: "slack", To: []string{"it-alerts"}},
			{Audience: "it", Events: []schema.NoticeEvent{"parked"}, Channel: "mail", To: []string{"it@example.com", "night@example.com"}},
			{Audience: "hr", Events: []schema.NoticeEvent{"batch_held", "feed_silent", "refused", "planned"}, Channel: "webhook", To: []string{"hr-system"}},
		},
		Texts: map[schema.NoticeEvent]string{
			"planned":    "{{person}} leaves\n\nOn {{moment}}: {{accounts}}. Case {{case}}, told by {{source}}, see {{evidence}}. { is a brace, and so is this: {",
			"parked":     "{{person}}: {{cause}}\n{{fix}}",
			"batch_held": "{{size}} of {{source}} in {{batch}}",
		},
	}, got)
}

func TestFaultsNameThePlaceholdersThereAre(t *testing.T) {
	t.Parallel()
	_, report := notices.Parse("n.yaml", []byte(documents(t, "invalid")[3]))
	err := report.Err()
	require.Equal(t, schema.CodeInvalid, schema.CodeOf(err))
	require.ErrorContains(t, err, `n.yaml line 7, column 12 (texts.planned): the placeholder "{{persona}}" is unknown`)
	require.ErrorContains(t, err, "{{batch}} says nothing of done")
	var e *schema.Error
	require.ErrorAs(t, err, &e)
	found := false
	for _, p := range e.Problems {
		if p.Code == "placeholder" {
			found = true
			require.Equal(t, "use one of: {{person}}, {{case}}, {{moment}}, {{accounts}}, {{source}}, {{evidence}}", p.Fix)
		}
	}
	require.True(t, found)
	_, report = notices.Parse("n.yaml", []byte(documents(t, "invalid")[2]))
	require.NotContains(t, fmt.Sprint(report.Errors), "services/T/B", "an URL is a secret")
}

func TestWhatIsNoRulesAtAll(t *testing.T) {
	t.Parallel()
	yamltest.RefusesWhatIsNone(t, parse)
}

// FuzzParse: whatever is read, there is an answer, and what is accepted renders.
func FuzzParse(f *testing.F) {
	for _, file := range []string{"valid", "invalid", "twice"} {
		for _, doc := range documents(f, file) {
			f.Add([]byte(doc))
		}
	}
	f.Add([]byte("a: &a [*a, *a]\nb: *a"))
	f.Fuzz(func(t *testing.T, source []byte) {
		got, report := notices.Parse("fuzz.yaml", source)
		for _, p := range append(report.Errors, report.Warnings...) {
			require.NotEmpty(t, p.Message)
			require.NotEmpty(t, p.Code)
		}
		if report.Err() != nil {
			return
		}
		require.Equal(t, string(source), got.Source)
		for _, e := range schema.NoticeEvents() {
			text, err := notices.Render(got, notices.DemoFacts(e))
			require.NoError(t, err)
			require.NotContains(t, text, "{{")
			require.NotEmpty(t, strings.TrimSpace(text))
		}
	})
}
