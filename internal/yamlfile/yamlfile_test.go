package yamlfile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/yamlfile"
	"sendoff/schema"
)

func TestFaultsStandInTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	r := yamlfile.New("a.yaml", "the thing is not usable")
	root := r.Load([]byte("late: 3\nsoon: x\nlate: 4\nwhere: y\n"), yamlfile.MaxBytes, 4)
	require.NotNil(t, root)
	m := r.Mapping(root, "", "late", "soon")
	_, ok := r.Duration(m["soon"], "soon")
	require.False(t, ok)
	_, ok = r.Integer(m["late"], "late", 5, 6)
	require.False(t, ok)
	require.Equal(t, 4, r.Faults())
	report := r.Report()
	var told []string
	for _, p := range report.Errors {
		told = append(told, p.Where+" "+p.Code)
		require.NotEmpty(t, p.Fix)
	}
	require.Equal(t, []string{
		"a.yaml line 1, column 7 (late) out_of_range", "a.yaml line 2, column 7 (soon) duration_syntax",
		"a.yaml line 3, column 1 (late) duplicate", "a.yaml line 4, column 1 unknown_member",
	}, told)
	require.ErrorContains(t, report.Err(), "the thing is not usable")
	require.Equal(t, schema.CodeInvalid, schema.CodeOf(report.Err()))
	require.NoError(t, yamlfile.Report{Warnings: report.Errors}.Err())
}

func TestValues(t *testing.T) {
	t.Parallel()
	source := "numbers: [7, 07, 0x7, '7', 7.0, 1_0]\ndays: [2026-12-31, '2026-12-31', 2026-02-30, '', 5]\ntimes: ['06:00', 06:00, 6:00, '24:00', 6]\n"
	r := yamlfile.New("a.yaml", "")
	m := r.Mapping(r.Load([]byte(source), yamlfile.MaxBytes, 4), "", "numbers", "days", "times")
	var numbers, days, times []bool
	for _, n := range r.Items(m["numbers"], "", 9) {
		_, ok := r.Integer(n, "", 0, 10)
		numbers = append(numbers, ok)
	}
	for _, n := range r.Items(m["days"], "", 9) {
		_, ok := r.Day(n, "")
		days = append(days, ok)
	}
	for _, n := range r.Items(m["times"], "", 9) {
		_, ok := r.TimeOfDay(n, "")
		times = append(times, ok)
	}
	require.Equal(t, []bool{true, false, false, false, false, false}, numbers)
	require.Equal(t, []bool{true, true, false, false, false}, days)
	require.Equal(t, []bool{true, true, false, false, false}, times)
}

// TestInside: a character of a text is found in the file, however it is written.
func TestInside(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		source       string
		line, column int // in the text
		at           string
	}{
		"plain":               {"a: x == yy", 1, 6, "1:9"},
		"single quotes":       {"a: 'x == \"y\"'", 1, 6, "1:10"},
		"escaped in single":   {"a: 'it''s == y'", 1, 9, "1:14"},
		"double quotes":       {`a: "x == \"y\" && z"`, 1, 13, "1:19"},
		"literal":             {"a: |\n  x == 1\n    && yy\n", 2, 6, "3:8"},
		"literal with a note": {"a: |- # why\n  x == 1\n", 1, 6, "2:8"},
		"folded":              {"a: >-\n  x == 1\n  && yy\n", 1, 11, "3:6"},
		"plain in lines":      {"a: x == 1\n  && yy\n", 1, 11, "2:6"},
		"in a list":           {"a: [b, 'c d']", 1, 3, "1:11"},
		"not ASCII":           {"a: 'ü == yy'", 1, 6, "1:10"},
		"behind the end":      {"a: x ==", 1, 9, "1:8"},
		"hidden by escapes":   {`a: "\x41 == y"`, 1, 6, "1:4"},
		"no such line":        {"a: x", 9, 1, "1:4"},
	} {
		r := yamlfile.New("", "")
		n := r.Mapping(r.Load([]byte(tc.source), yamlfile.MaxBytes, 4), "", "a")["a"]
		if len(n.Content) > 0 {
			n = n.Content[len(n.Content)-1]
		}
		at := r.Inside(n, tc.line, tc.column)
		place := strings.NewReplacer("line ", "", ", column ", ":").Replace(r.Where(at, ""))
		require.Equal(t, tc.at, place, name)
	}
}

// TestNearestMember: only what could have been mistyped is asked for.
func TestNearestMember(t *testing.T) {
	t.Parallel()
	for typed, meant := range map[string]string{
		"conections": "connections", "owners": "owner", "Owner": "owner", "titel": "", "zzz": "", "connection": "connections", "o": "",
	} {
		r := yamlfile.New("", "")
		r.Mapping(r.Load([]byte(typed+": 1"), yamlfile.MaxBytes, 4), "", "connections", "owner")
		want := `the member "` + typed + `" is unknown`
		if meant != "" {
			want += "; did you mean " + meant + "?"
		}
		require.Equal(t, want, r.Report().Errors[0].Message)
	}
}
