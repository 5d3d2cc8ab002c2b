package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/apiclient"
)

func TestRedrawStaysWithinTheScreen(t *testing.T) {
	t.Parallel()
	var cases []apiclient.Case
	for i := range 30 {
		state := "done"
		if i == 29 {
			state = "settling"
		}
		cases = append(cases, apiclient.Case{CaseID: fmt.Sprint(i), State: state, Email: fmt.Sprintf("leaver%d@example.com", i)})
	}
	var out bytes.Buffer
	show := redraw(&out)
	show(cases[:2])
	require.Equal(t, 2, strings.Count(out.String(), "\n"))
	require.NotContains(t, out.String(), "A\x1b[J", "nothing was drawn before")

	out.Reset()
	show(cases)
	got := out.String()
	require.True(t, strings.HasPrefix(got, "\x1b[2A\x1b[J\x1b[?7l"), "%q", got)
	require.True(t, strings.HasSuffix(got, "\x1b[?7h"))
	require.Equal(t, 20, strings.Count(got, "\n"))
	require.Contains(t, strings.SplitN(got, "\n", 2)[0], "leaver29@example.com  settling", "what is at work comes first")
	require.Contains(t, got, "... and 11 more")
}
