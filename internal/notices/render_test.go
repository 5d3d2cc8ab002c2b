package notices_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/notices"
	"sendoff/internal/yamlfile/yamltest"
	"sendoff/schema"
)

func TestEveryEventHasAText(t *testing.T) {
	t.Parallel()
	for _, e := range schema.NoticeEvents() {
		text, err := notices.Render(schema.NoticeRules{}, notices.DemoFacts(e))
		require.NoError(t, err)
		subject, body, _ := strings.Cut(text, "\n")
		require.NotEmpty(t, strings.TrimSpace(body), e)
		require.LessOrEqual(t, len(subject), 200)
		require.NotContains(t, text, "{{", e)
		for _, p := range notices.Placeholders(e) {
			alone, err := notices.Render(schema.NoticeRules{Texts: map[schema.NoticeEvent]string{e: p}}, notices.DemoFacts(e))
			require.NoError(t, err)
			require.NotEqual(t, p, alone)
			require.NotEmpty(t, alone, "%s of %s", p, e)
		}
		if !e.Routed() {
			continue
		}
		// An editor who copies the built-in text gets rules that lint.
		_, report := notices.Parse("n.yaml", rulesOf(t, e, notices.BuiltinText(e)))
		require.NoError(t, report.Err())
	}
	_, err := notices.Render(schema.NoticeRules{}, schema.NoticeFacts{Event: "gone"})
	require.Equal(t, schema.CodeInvalid, schema.CodeOf(err))
}

func rulesOf(t *testing.T, e schema.NoticeEvent, text string) []byte {
	t.Helper()
	return []byte("apiVersion: sendoff/v1\nkind: Notices\nroutes:\n  - {audience: it, events: [" + string(e) + "], channel: slack, to: [it]}\ntexts:\n  " +
		string(e) + ": " + strconv.Quote(text) + "\n")
}

func render(t *testing.T, text string, f schema.NoticeFacts) string {
	t.Helper()
	out, err := notices.Render(schema.NoticeRules{Texts: map[schema.NoticeEvent]string{f.Event: text}}, f)
	require.NoError(t, err)
	return out
}

func TestNoFactWritesAHeaderOrAPlaceholder(t *testing.T) {
	t.Parallel()
	f := notices.DemoFacts(schema.NoticePlanned)
	f.Person = " Ada\r\nBcc: x@example.com\n\u2028{{case}} \u202eevil\x00 "
	require.Equal(t, "Ada Bcc: x@example.com {{case}} evil leaves\nbody", render(t, "{{person}} leaves\nbody", f))
	f.Person = strings.Repeat("é", 1000)
	require.Len(t, []rune(render(t, "{{person}}", f)), 503)
	f.Person = " \n"
	require.Equal(t, "somebody whose name is not known", render(t, "{{person}}", f))
}

func TestMomentsAreLocalAndSayWhose(t *testing.T) {
	t.Parallel()
	f := notices.DemoFacts(schema.NoticePlanned)
	moment := func() string { return render(t, "{{moment}}", f) }
	require.Equal(t, "2026-11-30 18:00 Europe/Berlin (UTC+01:00, the zone of the person)", moment())
	f.DueAt, f.ZoneFrom = time.Date(2026, 7, 31, 16, 0, 0, 0, time.UTC), schema.ZoneNone
	require.Equal(t, "2026-07-31 18:00 Europe/Berlin (UTC+02:00)", moment())
	f.TimeZone, f.ZoneFrom = "Asia/Kathmandu", schema.ZoneOfSite
	require.Equal(t, "2026-07-31 21:45 Asia/Kathmandu (UTC+05:45, the zone of the site)", moment())
	for _, zone := range []string{"", "UTC", "Mars/Olympus"} {
		f.TimeZone = zone
		require.Equal(t, "2026-07-31 16:00 UTC", moment())
	}
	f.DueAt = time.Time{}
	require.Equal(t, "at once", moment())
	require.Equal(t, "never", render(t, "{{moment}}", schema.NoticeFacts{Event: schema.NoticeFeedSilent}))
}

func TestEvidenceIsALinkOrTheCommand(t *testing.T) {
	t.Parallel()
	f := notices.DemoFacts(schema.NoticeDone)
	require.Equal(t, "https://sendoff.example.com/v1/cases/"+string(f.CaseID)+"/report", render(t, "{{evidence}}", f))
	f.PublicURL = ""
	require.Equal(t, "sendoff cases report "+string(f.CaseID), render(t, "{{evidence}}", f))
}

func TestCausesAndFindingsAreToldInOurWords(t *testing.T) {
	t.Parallel()
	f := notices.DemoFacts(schema.NoticeParked)
	for _, code := range constantsOf(t, "ParkCode") {
		f.Cause = schema.ParkCode(code)
		require.NotContains(t, render(t, "{{cause}} {{fix}}", f), "look at the case and decide", code)
	}
	f.Cause = "NEW"
	require.Equal(t, "NEW: it waits for a decision (step transfer) look at the case and decide", render(t, "{{cause}} {{fix}}", f))
	f = notices.DemoFacts(schema.NoticeRefused)
	for _, code := range constantsOf(t, "FindingCode") {
		if warning(code) {
			continue
		}
		f.Findings = []schema.FindingCode{schema.FindingCode(code)}
		require.NotContains(t, render(t, "{{fix}}", f), "look at the leaver", code)
	}
	f.Findings = []schema.FindingCode{schema.Busy, schema.ReceiverMissing}
	require.Equal(t, "BUSY: another case works on the account; RECEIVER_MISSING: there is content and no receiver is valid", render(t, "{{cause}}", f))
}

// warning tells whether pre-flight lets a plan pass with the finding.
func warning(code string) bool {
	switch schema.FindingCode(code) {
	case schema.TrashPresent, schema.AlreadyInactive, schema.AlreadyActive, schema.RetentionPresent, schema.MassTrashRecent, schema.FileSharesWillDie, schema.OpenLinks,
		schema.LockedFolders, schema.ContentFrozen, schema.RelayNotCollected, schema.SupersedesLower, schema.ContentNotSurveyed:
		return true
	}
	return false
}

// constantsOf returns the string constants that schema declares with the type.
func constantsOf(t *testing.T, kind string) []string {
	t.Helper()
	entries, err := os.ReadDir("../../schema")
	require.NoError(t, err)
	var out []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), "../../schema/"+e.Name(), nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != kind {
				return true
			}
			for _, v := range spec.Values {
				if lit, ok := v.(*ast.BasicLit); ok {
					text, err := strconv.Unquote(lit.Value)
					require.NoError(t, err)
					out = append(out, text)
				}
			}
			return true
		})
	}
	require.GreaterOrEqual(t, len(out), 10, kind)
	return out
}

// TestFactsHaveNoPlaceForSecretsOrContent: whoever adds a member thinks of what a
// notice may say. It is the reason why no text holds a file's name.
func TestFactsHaveNoPlaceForSecretsOrContent(t *testing.T) {
	t.Parallel()
	var members []string
	for _, v := range []any{schema.NoticeFacts{}, schema.NoticeAccount{}, schema.NoticeAskFacts{}, schema.NoticeCampaignFacts{}, schema.NoticeNeed{}} {
		for i := range reflect.TypeOf(v).NumField() {
			members = append(members, reflect.TypeOf(v).Field(i).Name)
		}
	}
	require.Equal(t, strings.Fields(`To Event Person CaseID Door PlanID DueAt TimeZone ZoneFrom Accounts Cause CauseOf Findings Reports Receives
		BatchID Size Source Alarm AlarmFix PublicURL Ask Campaign Connection State
		ID TokenHash Text Policy Owner Connection Login LastActiveAt Steps Until Silence Over Link
		ID Title Owner DueAt Open High Needs Over Code What Fix`), members)
}

func TestSchemaAgreesWithTheParser(t *testing.T) {
	t.Parallel()
	s := yamltest.NewSchema(t, notices.JSONSchema())
	s.Agrees(t, true, documents(t, "valid"), parse)
	s.Agrees(t, false, documents(t, "invalid"), parse)
	for _, text := range []string{"{{persona}}", "{{{person}}", "{{batch}}", "{{person", "{{", " "} {
		s.Agrees(t, false, []string{string(rulesOf(t, schema.NoticePlanned, text))}, parse)
	}
	for _, text := range []string{"{", "{a} {{person}}{", "}} {{person}} }}", "a\n{{case}}"} {
		s.Agrees(t, true, []string{string(rulesOf(t, schema.NoticePlanned, text))}, parse)
	}
}

func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	const file = "../../docs/notices.md"
	examples := yamltest.Examples(t, file, "kind: "+notices.Kind+"\n")
	yamltest.NewSchema(t, notices.JSONSchema()).Agrees(t, true, examples, parse)
	for _, source := range examples {
		require.Empty(t, parse("example", []byte(source)).Warnings)
	}
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, e := range schema.NoticeEvents() {
		require.Contains(t, string(page), "| `"+string(e)+"` |")
		for _, p := range notices.Placeholders(e) {
			require.Contains(t, string(page), "`"+p+"`")
		}
	}
}

func TestPublishedSchema(t *testing.T) {
	t.Parallel()
	yamltest.Published(t, "../../docs/schemas/notices.schema.json", notices.JSONSchema())
}
