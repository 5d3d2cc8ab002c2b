package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/apiclient"
	"sendoff/internal/intake"
)

func TestParseLeavers(t *testing.T) {
	t.Parallel()
	in := "\ufeffreceivers,Email,time_zone,last_day\r\n" +
		"\"boss@example.com; deputy@example.com\",Ada@Example.com,Europe/Berlin,2026-11-30\r\n" +
		",bob@example.com,,2026-11-30T12:00:00-05:00\r\n" +
		"\r\n" +
		"x@example.com y@example.com,eve@example.com,,\r\n"
	got, problems := parseLeavers(strings.NewReader(in), apiclient.Request{Grace: "12h", Template: "leaver", Receivers: []string{"default@example.com"}})
	require.Empty(t, problems)
	require.Equal(t, []int{2, 3, 5}, got.lines)
	require.Equal(t, []apiclient.Request{
		{Email: "ada@example.com", Receivers: []string{"boss@example.com", "deputy@example.com"}, EffectiveAt: "2026-11-30T18:00:00+01:00", Grace: "12h", Template: "leaver"},
		{Email: "bob@example.com", Receivers: []string{"default@example.com"}, EffectiveAt: "2026-11-30T12:00:00-05:00", Grace: "12h", Template: "leaver"},
		{Email: "eve@example.com", Receivers: []string{"x@example.com", "y@example.com"}, Grace: "12h", Template: "leaver"},
	}, got.requests)
}

func TestParseLeaversNamesEveryFaultWithItsPlace(t *testing.T) {
	t.Parallel()
	const header = "email,last_day,time_zone,receivers\n"
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"empty":             {"", []string{"line 1"}},
		"header alone":      {header, []string{"file"}},
		"unknown column":    {"email,lastday,Manager\n", []string{"line 1, column 2", "line 1, column 3"}},
		"column twice":      {"email,email\n", []string{"line 1, column 2"}},
		"no email column":   {"last_day\n2026-11-30\n", []string{"line 1"}},
		"semicolons":        {"email;last_day;time_zone;receivers\n", []string{"line 1, column 1"}},
		"bad address":       {header + "ada,,,\n", []string{"line 2, column 1 (email)"}},
		"day without zone":  {header + "ada@example.com,2026-11-30,,\n", []string{"line 2, column 2 (last_day)"}},
		"time without zone": {header + "ada@example.com,2026-11-30T18:00:00,UTC,\n", []string{"line 2, column 2 (last_day)"}},
		"bad day":           {header + "ada@example.com,30.11.2026,UTC,\n", []string{"line 2, column 2 (last_day)"}},
		"bad zone":          {header + "ada@example.com,2026-11-30,Mars/Base,\n", []string{"line 2, column 3 (time_zone)"}},
		"bad receiver":      {header + "ada@example.com,,,boss\n", []string{"line 2, column 4 (receivers)"}},
		"receiver leaves":   {header + "ada@example.com,,,ADA@example.com\n", []string{"line 2, column 4 (receivers)"}},
		"duplicate":         {header + "ada@example.com,,,\n\nADA@example.com,,,\n", []string{"line 4, column 1 (email)"}},
		"too few columns":   {header + "ada@example.com\n", []string{"line 2"}},
		"quotes":            {header + "a\"b,,,\nbob,,,\n", []string{"line 2, character 2", "line 3, column 1 (email)"}},
		"not UTF-8":         {header + "ada@example.com,\xff,,\n", []string{"line 2, column 2 (last_day)"}},
		"all at once":       {header + "ada,2026-11-30,,x\nbob@example.com,x,UTC,\n", []string{"line 2, column 1 (email)", "line 2, column 2 (last_day)", "line 2, column 4 (receivers)", "line 3, column 2 (last_day)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, problems := parseLeavers(strings.NewReader(c.in), apiclient.Request{})
			var where []string
			for _, p := range problems {
				where = append(where, p.Where)
				require.NotEmpty(t, p.Message)
				require.NotEmpty(t, p.Fix)
			}
			require.Equal(t, c.want, where)
		})
	}
	_, problems := parseLeavers(strings.NewReader("email\n"+strings.Repeat("x\n", 1001)), apiclient.Request{})
	require.Contains(t, problems[len(problems)-1].Message, "more than 1000")
}

func FuzzParseLeavers(f *testing.F) {
	f.Add("email,last_day,time_zone,receivers\nada@example.com,2026-11-30,Europe/Berlin,boss@example.com;b@example.com\n")
	f.Add("\ufeffemail\n\"a\"\"b@example.com\"\n")
	f.Add("email;last_day\n")
	f.Add("email,last_day\nada@example.com,2026-11-30T18:00:00+01:00\n\"x")
	f.Fuzz(func(t *testing.T, in string) {
		got, problems := parseLeavers(strings.NewReader(in), apiclient.Request{})
		require.Len(t, got.lines, len(got.requests))
		for _, p := range problems {
			require.NotEmpty(t, p.Where)
			require.NotEmpty(t, p.Fix)
		}
		if len(problems) > 0 {
			return
		}
		require.NotEmpty(t, got.requests)
		seen := map[string]bool{}
		for i, r := range got.requests {
			email, err := intake.ParseAddress(r.Email)
			require.NoError(t, err)
			require.Equal(t, email, r.Email)
			require.False(t, seen[email])
			seen[email] = true
			require.True(t, i == 0 || got.lines[i] > got.lines[i-1])
			if r.EffectiveAt != "" {
				_, err := time.Parse(time.RFC3339, r.EffectiveAt)
				require.NoError(t, err)
			}
		}
	})
}
