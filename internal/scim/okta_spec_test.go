package scim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// oktaStep is one step of Okta's "SCIM 2.0 SPEC Test", a Runscope test.
type oktaStep struct {
	Type       string              `json:"step_type"`
	Note       string              `json:"note"`
	Method     string              `json:"method"`
	URL        string              `json:"url"`
	Body       string              `json:"body"`
	Headers    map[string][]string `json:"headers"`
	Assertions []struct {
		Comparison string `json:"comparison"`
		Source     string `json:"source"`
		Property   string `json:"property"`
		Value      any    `json:"value"`
	} `json:"assertions"`
	Variables []struct{ Name, Source, Property string } `json:"variables"`
}

// TestOktaSpec runs what Okta demands of a server before it lists it.
func TestOktaSpec(t *testing.T) {
	t.Parallel()
	var suite struct{ Steps []oktaStep }
	require.NoError(t, json.Unmarshal(reference(t, "scim-okta-spec-test.json", "Okta's checks"), &suite))
	b := setup(t)
	b.user("somebody@example.com") // the first check wants one
	vars := map[string]string{
		"SCIMBaseURL": b.url, "auth": "Bearer " + token, "InvalidUserEmail": "nobody@example.com", "UserIdThatDoesNotExist": "010101001010101011001010101011",
		"randomEmail": "random@example.com", "randomUsername": "random@example.com", "randomUsernameCaps": "RANDOM@EXAMPLE.COM",
		"randomGivenName": "Random", "randomFamilyName": "Person",
	}
	requests, checks := 0, 0
	for _, step := range suite.Steps {
		if step.Type != "request" {
			continue
		}
		requests++
		checks += step.run(t, b.client, vars)
	}
	require.GreaterOrEqual(t, requests, 12)
	t.Logf("%d requests, %d checks", requests, checks)
}

func (s oktaStep) run(t *testing.T, client *http.Client, vars map[string]string) int {
	t.Helper()
	fill := func(text string) string {
		return regexp.MustCompile(`\{\{(\w+)\}\}`).ReplaceAllStringFunc(text, func(m string) string {
			value, ok := vars[strings.Trim(m, "{}")]
			require.True(t, ok, "%s: %s is not known", s.Note, m)
			return value
		})
	}
	url := strings.NewReplacer(" ", "%20", `"`, "%22").Replace(fill(s.URL))
	req, err := http.NewRequestWithContext(t.Context(), s.Method, url, strings.NewReader(fill(s.Body)))
	require.NoError(t, err)
	for name, values := range s.Headers {
		for _, v := range values {
			req.Header.Add(name, fill(v))
		}
	}
	began := time.Now()
	res, err := client.Do(req)
	require.NoError(t, err)
	took := time.Since(began)
	defer res.Body.Close()
	var body any
	require.NoError(t, json.NewDecoder(res.Body).Decode(&body), s.Note)
	for _, a := range s.Assertions {
		var got any
		switch a.Source {
		case "response_status":
			got = float64(res.StatusCode)
		case "response_time":
			got = float64(took.Milliseconds())
		case "response_json":
			got = property(body, a.Property)
		default:
			t.Fatalf("%s: no source %s", s.Note, a.Source)
		}
		want := ""
		if a.Value != nil {
			want = fill(fmt.Sprint(a.Value))
		}
		require.True(t, holds(t, a.Comparison, got, want), "%s: %s %s %s %s, but it is %v", s.Note, a.Source, a.Property, a.Comparison, want, got)
	}
	for _, v := range s.Variables {
		vars[v.Name] = fmt.Sprint(property(body, v.Property))
	}
	return len(s.Assertions)
}

// property follows a path such as Resources[0].name.
func property(body any, path string) any {
	for _, part := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if i, err := strconv.Atoi(part); err == nil {
			body = dig(body, i)
			continue
		}
		body = dig(body, part)
	}
	return body
}

func holds(t *testing.T, comparison string, got any, want string) bool {
	t.Helper()
	number := func() float64 {
		n, err := strconv.ParseFloat(want, 64)
		require.NoError(t, err)
		return n
	}
	switch comparison {
	case "equal":
		return fmt.Sprint(got) == want
	case "equal_number":
		return got == number()
	case "not_empty":
		return got != nil && got != "" && fmt.Sprint(got) != "[]"
	case "has_value", "contains":
		if list, ok := got.([]any); ok {
			for _, x := range list {
				if fmt.Sprint(x) == want {
					return true
				}
			}
			return false
		}
		return strings.Contains(fmt.Sprint(got), want)
	case "is_a_number":
		_, ok := got.(float64)
		return ok
	case "is_less_than":
		n, ok := got.(float64)
		return ok && n < number()
	}
	t.Fatalf("no comparison %s", comparison)
	return false
}
