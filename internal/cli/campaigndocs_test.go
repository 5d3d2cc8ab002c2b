package cli_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/campaign"
	"sendoff/schema"
)

// TestCommandsOfAccessReviewsAreDocumented looks up each command of access reviews in
// docs/cli.md, and each command that docs/reviews.md names in the program.
func TestCommandsOfAccessReviewsAreDocumented(t *testing.T) {
	t.Parallel()
	r := setup(t).run("review", "--help")
	require.Equal(t, 0, r.code)
	has := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  review ([a-z]+(?: [a-z]+)?)`).FindAllStringSubmatch(r.out, -1) {
		has[m[1]] = true
	}
	require.GreaterOrEqual(t, len(has), 28)
	list, err := os.ReadFile("../../docs/cli.md")
	require.NoError(t, err)
	rows := strings.Join(regexp.MustCompile("(?m)^\\| `review .*$").FindAllString(string(list), -1), "\n")
	for command := range has {
		if command == "away set" { // which away alone is
			continue
		}
		word := strings.Replace(command, " list", ` (?:list|\[list\])`, 1)
		require.Regexp(t, "(?:`|review |\\|)"+word+"[ `\\\\]", rows, command)
	}
	page, err := os.ReadFile("../../docs/reviews.md")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile("(?:sendoff |`)review ([a-z]+)(?: ([a-z]+))?").FindAllStringSubmatch(string(page), -1) {
		group := has[m[1]+" list"]
		require.True(t, has[m[1]] || has[m[1]+" "+m[2]] || group && m[2] == "", "docs/reviews.md names %q", m[0])
	}
}

// TestCodesOfAccessReviewsAreDocumented: what a reviewer, an owner or an auditor may
// be told by a code has a row in docs/reviews.md.
func TestCodesOfAccessReviewsAreDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/reviews.md")
	require.NoError(t, err)
	page := string(b)
	for _, code := range campaign.Codes() {
		require.Contains(t, page, "\n| `"+code+"` | "+campaign.Explain(code), "the sentence that the program says")
	}
	var words []string
	for _, kind := range []string{"CampaignState", "RemovalState", "ReviewerAlarm"} {
		words = append(words, constantsOf(t, kind, "../../schema")...)
	}
	require.Greater(t, len(words), 20)
	words = append(words, schema.ReturnCauses()...)
	for _, code := range []schema.FindingCode{
		schema.CampaignStaleFacts, schema.CampaignUnhealthy, schema.CampaignOverlaps, schema.CampaignNotCollected, schema.CampaignOwnerUnknown, schema.CampaignHasAlarms,
		schema.CampaignUndecided, schema.CampaignOpenRemovals, schema.CampaignFailedRemovals, schema.CampaignNotClosed,
	} {
		words = append(words, string(code))
	}
	for _, code := range []schema.Code{schema.CodeStale, schema.CodeForbidden, schema.CodeConflict, schema.CodeInvalid, schema.CodeClosed, schema.CodeNotFound} {
		words = append(words, string(code))
	}
	for _, word := range words {
		require.Contains(t, page, "\n| `"+word+"` |", word)
	}
	for _, end := range constantsOf(t, "CampaignEnd", "../../schema") {
		require.Regexp(t, "\n\\| `ended` \\|.*`"+end+"`", page, end)
	}
	require.Contains(t, page, fmt.Sprintf("Below %d people", campaign.MinPeers))
	require.Contains(t, page, fmt.Sprintf("Risk is `medium` from %d points and `high` from %d.", campaign.MediumFrom, campaign.HighFrom))
}
