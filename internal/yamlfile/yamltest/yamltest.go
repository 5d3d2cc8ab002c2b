// Package yamltest holds readers of YAML files, their JSON Schemas and their pages of
// documentation to the same words.
package yamltest

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

// Parse reads a file of one kind and says what is wrong with it.
type Parse func(file string, source []byte) yamlfile.Report

// Documents splits a file of test data at its document marks.
func Documents(t testing.TB, file string) []string {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.Split(string(b), "\n---\n")
}

// JudgedAsTheySay runs a test for each document of files whose names the form makes:
// what is wrong with it is what its comments say, and nothing is with those of "valid".
func JudgedAsTheySay(t *testing.T, form string, names []string, parse Parse) {
	t.Helper()
	for _, name := range names {
		for i, doc := range Documents(t, fmt.Sprintf(form, name)) {
			t.Run(fmt.Sprintf("%s %d", name, i+1), func(t *testing.T) {
				t.Parallel()
				report := parse("test.yaml", []byte(doc))
				errs, warnings := Expected(doc)
				require.Equal(t, errs, Told(t, report.Errors), doc)
				require.Equal(t, warnings, Told(t, report.Warnings), doc)
				require.Equal(t, name == "valid", report.Err() == nil)
			})
		}
	}
}

var expectation = regexp.MustCompile(`# (want|warn): ([a-z_, ]+)`)

// Expected reads what the comments of a document say: "line: code" of each error
// and warning, in order.
func Expected(doc string) (errs, warnings []string) {
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

// Told is what was found in test.yaml, as Expected says it. Each has a place, a message and a fix.
func Told(t *testing.T, problems []schema.Problem) []string {
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

// RefusesWhatIsNone holds a reader to what a file of no kind is.
func RefusesWhatIsNone(t *testing.T, parse Parse) {
	t.Helper()
	for source, code := range map[string]string{
		"": "empty", "# nothing": "empty", "a: [": "yaml", "\ta: b": "yaml", "a: b\n---\nc: d": "documents", "- a": "type", "text": "type",
		"a: &a [*a]": "alias", strings.Repeat("[", 1000): "yaml", strings.Repeat("a\n", 40e3): "too_large",
	} {
		report := parse("test.yaml", []byte(source))
		require.NotEmpty(t, report.Errors, "%.20q", source)
		require.Equal(t, code, report.Errors[0].Code, "%.20q: %+v", source, report.Errors)
	}
}

var fence = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// Examples are the YAML files on a page of documentation that hold a text.
func Examples(t *testing.T, page, holding string) []string {
	t.Helper()
	b, err := os.ReadFile(page)
	require.NoError(t, err)
	var out []string
	for _, m := range fence.FindAllSubmatch(b, -1) {
		if source := string(m[1]); strings.Contains(source, holding) {
			out = append(out, source)
		}
	}
	require.NotEmpty(t, out)
	return out
}

// Directory writes files, by name, into a directory of their own.
func Directory(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, source := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600))
	}
	return dir
}

// FoundIn lists what was found, below the directory: "place: code".
func FoundIn(dir string, problems []schema.Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, strings.TrimPrefix(strings.Replace(p.Where, dir, ".", 1), "./")+": "+p.Code)
	}
	return out
}

// ChangeEach changes one value of a rule after the other, calls back, and puts it as
// it was. Except leaves out a member of a struct; nil = none.
func ChangeEach(t *testing.T, rule any, except func(of any, member string) bool, changed func(path string)) {
	t.Helper()
	changeEach(t, reflect.ValueOf(rule).Elem(), "", except, changed)
}

func changeEach(t *testing.T, v reflect.Value, path string, except func(any, string) bool, changed func(string)) {
	t.Helper()
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; except == nil || !except(v.Interface(), name) {
				changeEach(t, v.Field(i), path+"."+name, except, changed)
			}
		}
		return
	case reflect.Slice:
		for i := range v.Len() {
			changeEach(t, v.Index(i), path+"[]", except, changed)
		}
		return
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + step(v.Type(), path))
	default:
		t.Fatalf("%s is a %s", path, v.Kind())
	}
	changed(path)
	v.Set(old)
}

// step is by how much a number changes so that its text does.
func step(of reflect.Type, path string) int64 {
	switch {
	case of == reflect.TypeFor[time.Duration]():
		return int64(time.Hour)
	case strings.HasSuffix(path, ".WaitSeconds"):
		return 60
	case strings.HasSuffix(path, ".Weekdays[]"):
		return 2
	}
	return 1
}
