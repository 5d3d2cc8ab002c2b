package notices_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/notices"
	"sendoff/schema"
)

// documents splits a file of test data at its document marks.
func documents(t testing.TB, name string) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".yaml")
	require.NoError(t, err)
	return strings.Split(string(b), "\n---\n")
}

var expectation = regexp.MustCompile(`# (want|warn): ([a-z_, ]+)`)

// expected reads what the comments of a document say: "line: code" of each error
// and warning, in order.
func expected(doc string) (errs, warnings []string) {
	for i, line := range strings.Split(doc, "\n") {
		m := expectation.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if strings.HasPrefix(line, "# want") {
			i++ // of the file as a whole: told where the document begins
		}
		for _, code := range strings.Split(m[2], ",") {
			text := fmt.Sprintf("%d: %s", i+1, strings.TrimSpace(code))
			if m[1] == "want" {
				errs = append(errs, text)
			} else {
				warnings = append(warnings, text)
			}
		}
	}
	return errs, warnings
}

var place = regexp.MustCompile(`^test\.yaml line (\d+), column \d+`)

func told(t *testing.T, problems []schema.Problem) []string {
	t.Helper()
	var out []string
	for _, p := range problems {
		m := place.FindStringSubmatch(p.Where)
		require.NotNil(t, m, "no place in %q", p.Where)
		require.NotEmpty(t, p.Message)
		require.NotEmpty(t, p.Fix, p.Message)
		out = append(out, m[1]+": "+p.Code)
	}
	return out
}

func TestFilesAreJudgedAsTheirCommentsSay(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"valid", "invalid", "twice"} {
		for i, doc := range documents(t, file) {
			t.Run(fmt.Sprintf("%s %d", file, i+1), func(t *testing.T) {
				t.Parallel()
				_, report := notices.Parse("test.yaml", []byte(doc))
				errs, warnings := expected(doc)
				require.ElementsMatch(t, errs, told(t, report.Errors), doc)
				require.Equal(t, warnings, told(t, report.Warnings), doc)
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
	for source, code := range map[string]string{
		"": "empty", "# nothing": "empty", "a: [": "yaml", "\ta: b": "yaml", "a: b\n---\nc: d": "documents", "- a": "type", "text": "type",
		"a: &a [*a]": "alias", strings.Repeat("[", 1000): "yaml", strings.Repeat("a\n", 40e3): "too_large",
	} {
		_, report := notices.Parse("test.yaml", []byte(source))
		require.NotEmpty(t, report.Errors, "%.20q", source)
		require.Equal(t, code, report.Errors[0].Code, "%.20q: %+v", source, report.Errors)
	}
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
