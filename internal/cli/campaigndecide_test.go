package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/cli"
	"sendoff/schema"
)

// decides makes the store take words, and keeps what was sent.
func (b *bundle) decides(answer func(schema.Decide) schema.Decided) *[][]schema.Decide {
	sent := &[][]schema.Decide{}
	b.store.CampaignItemFunc = func(_ schema.CampaignID, id schema.ItemID, _ schema.Principal) (schema.CampaignItem, error) {
		return membership(id), nil
	}
	b.store.DecideItemsFunc = func(_ schema.CampaignID, words []schema.Decide, _ schema.Principal) ([]schema.Decided, error) {
		*sent = append(*sent, words)
		var out []schema.Decided
		for _, w := range words {
			out = append(out, answer(w))
		}
		return out, nil
	}
	b.env[1] = "SENDOFF_TOKEN=sendoff_reviewer"
	return sent
}

func taken(w schema.Decide) schema.Decided {
	return schema.Decided{ItemID: w.ItemID, Version: w.Version, State: schema.ItemDecided}
}

func stale(w schema.Decide) schema.Decided {
	return schema.Decided{
		ItemID: w.ItemID, Code: string(schema.CodeStale), Message: "the item is not as it was shown", Fix: "look at what changed", Version: 3, State: schema.ItemOpen,
		Changed: []schema.Difference{{Fact: "role", Before: "member", Now: "coadmin"}},
	}
}

func TestReviewDecidesOneAsItWasShown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sent := b.decides(taken)
	r := b.run("review", "decide", string(campaign1), string(item1), "--revoke", "--reason", "left the team")
	require.Equal(t, cli.ExitUsage, r.code, "no answer to the question is no decision")
	require.Empty(t, *sent)
	require.Contains(t, r.out, "speaks for   revoke", "it is shown first")
	require.Contains(t, r.errout, "Revoke it? [y/N]")
	b.stdin = "y\n"
	r = b.run("review", "decide", string(campaign1), string(item1), "--revoke", "--reason", "left the team")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "1 taken.")
	w := (*sent)[0][0]
	require.NotEmpty(t, w.ID)
	require.Equal(t, schema.Decide{ID: w.ID, ItemID: item1, Version: 2, Answer: schema.AnswerRevoke, Reason: "left the team"}, w, "the version that was shown")

	b.stdin = ""
	r, v := b.runJSON("review", "decide", string(campaign1), string(item1), "--keep", "--seen", "1")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Equal(t, 1, (*sent)[1][0].Version)
	require.InDelta(t, 1, v["taken"], 0)
}

func TestReviewDecideOfAStaleItem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.decides(stale)
	r := b.run("review", "decide", string(campaign1), string(item1), "--keep", "--seen", "1")
	require.Equal(t, cli.ExitHashDiffers, r.code)
	require.Contains(t, r.out, "role: member -> coadmin\n  it has version 3 now\n  fix: look at what changed")
	r, v := b.runJSON("review", "decide", string(campaign1), string(item1), "--keep", "--seen", "1")
	require.Equal(t, cli.ExitHashDiffers, r.code)
	require.Equal(t, "stale", v["decisions"].([]any)[0].(map[string]any)["code"])
	b.decides(func(w schema.Decide) schema.Decided {
		return schema.Decided{ItemID: w.ItemID, Code: string(schema.CodeForbidden), Message: "nobody decides about an account that they hold", Fix: "have it reassigned"}
	})
	r = b.run("review", "decide", string(campaign1), string(item1), "--keep", "--seen", "1")
	require.Equal(t, cli.ExitRefused, r.code)
	require.Contains(t, r.out, "nobody decides about an account that they hold")
}

func TestReviewDecidesSeveralByOneAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sent := b.decides(func(w schema.Decide) schema.Decided {
		if w.ItemID == item2 {
			return stale(w)
		}
		return taken(w)
	})
	r := b.run("review", "decide", string(campaign1), string(item1), string(item2), string(item1), "--keep", "--yes")
	require.Equal(t, cli.ExitHashDiffers, r.code, r.errout)
	require.Contains(t, r.out, "1 taken, 1 refused.")
	require.Len(t, (*sent)[0], 2, "each once")
	require.True(t, (*sent)[0][0].Bulk)
	require.NotEqual(t, (*sent)[0][0].ID, (*sent)[0][1].ID)
	r = b.run("review", "decide", string(campaign1), string(item1), string(item2), "--keep")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.errout, "Keep all 2? [y/N]")
}

func TestReviewDecideRefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sent := b.decides(taken)
	id, item := string(campaign1), string(item1)
	for _, args := range [][]string{
		{id},
		{id, "--keep"},
		{id, item},
		{id, item, "--keep", "--revoke"},
		{id, item, string(item2), "--keep", "--seen", "1"},
		{id, item, "--keep", "--seen=-1"},
		{id, item, "--keep", "-o", "json"},
		{id, "-o", "json"},
		{id, item, "--file", "x"},
		{id, "--file", "/nowhere"},
	} {
		require.Equal(t, cli.ExitUsage, b.run(append([]string{"review", "decide"}, args...)...).code, args)
	}
	require.Empty(t, *sent)
}

func TestReviewDecidesByAFileOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := map[schema.DecisionID]bool{}
	sent := b.decides(func(w schema.Decide) schema.Decided {
		d := taken(w)
		d.Duplicate = before[w.ID]
		before[w.ID] = true
		return d
	})
	file := b.file("decisions.csv", "\xef\xbb\xbfItem,version,answer,reason,login\n"+string(item1)+",2,Keep,,a\n"+string(item2)+",1,revoke,\"gone, long ago\",b\n"+
		"a1b20000-0000-4000-8000-000000000003,1,,,c\n")
	require.Equal(t, cli.ExitUsage, b.run("review", "decide", string(campaign1), "--file", file).code)
	b.stdin = "y\n"
	r := b.run("review", "decide", string(campaign1), "--file", file)
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.errout, "Keep 1, revoke 1, abstain from 0; 1 rows have no answer.")
	require.Contains(t, r.out, "2 taken, 1 without an answer.")
	require.Equal(t, "gone, long ago", (*sent)[0][1].Reason)
	require.False(t, (*sent)[0][0].Bulk, "each row is a word of its own")
	r = b.run("review", "decide", string(campaign1), "--file", file, "--yes")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Contains(t, r.out, "2 taken, 2 of them before, 1 without an answer.")
	require.Equal(t, (*sent)[0], (*sent)[1], "the same ids")
	// What was corrected meanwhile is no longer what the item says.
	b.decides(func(w schema.Decide) schema.Decided {
		d := taken(w)
		if d.Duplicate, d.Answer = true, w.Answer; w.ItemID == item1 {
			d.Overtaken, d.Answer, d.Message, d.Fix = true, schema.AnswerRevoke, "it was taken before, and corrected since: the item says revoke", "change the reason to say it again"
		}
		return d
	})
	r = b.run("review", "decide", string(campaign1), "--file", file, "--yes")
	require.Equal(t, cli.ExitRefused, r.code, r.errout)
	require.Contains(t, r.out, "item "+string(item1)+": it was taken before, and corrected since: the item says revoke\n  fix: change the reason to say it again")
	require.Contains(t, r.out, "1 taken, 1 of them before, 1 taken before and corrected since, 1 without an answer.")
	r, v := b.runJSON("review", "decide", string(campaign1), "--file", file, "--yes")
	require.Equal(t, cli.ExitRefused, r.code)
	require.Equal(t, []any{1.0, 1.0}, []any{v["taken"], v["overtaken"]})
	b.decides(taken)
	b.store.Tokens["sendoff_other"] = schema.Principal{TokenID: "t4", Name: "other", Role: schema.RoleReviewer, Email: "other@example.com"}
	b.env[1] = "SENDOFF_TOKEN=sendoff_other"
	require.Contains(t, b.run("review", "decide", string(campaign1), "--file", file, "--yes").out, "2 taken, 1 without an answer.", "somebody else's word is another")
}

func TestReviewDecideTellsEveryFaultOfAFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sent := b.decides(taken)
	file := b.file("decisions.csv", "item,version,answer,reason\n"+string(item1)+",0,perhaps,\nx,1,keep,\n"+string(item2)+",1,,because\n"+
		string(item2)+",1,keep,\n"+string(item2)+",1,keep,\n1,2\n")
	r, v := b.runJSON("review", "decide", string(campaign1), "--file", file, "--yes")
	require.Equal(t, cli.ExitUsage, r.code)
	var where []string
	for _, p := range v["error"].(map[string]any)["problems"].([]any) {
		where = append(where, p.(map[string]any)["where"].(string))
	}
	require.Equal(t, []string{"line 2, column answer", "line 2, column version", "line 3, column item", "line 4, column answer", "line 6, column item", "line 7"}, where)
	require.Empty(t, *sent)
	for _, source := range []string{"", "item,answer\n", "item,version,answer,answer\n", "item,version,answer,colour\n", "item,version,answer\n", "item,version,answer\n\"x,1,keep\n"} {
		require.Equal(t, cli.ExitUsage, b.run("review", "decide", string(campaign1), "--file", b.file("x.csv", source), "--yes").code, source)
	}
}

func TestReviewDecideListsWhatWasTakenBeforeItFailed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sent := b.decides(taken)
	take := b.store.DecideItemsFunc
	b.store.DecideItemsFunc = func(id schema.CampaignID, words []schema.Decide, by schema.Principal) ([]schema.Decided, error) {
		if len(*sent) == 1 {
			return nil, &schema.Error{Code: schema.CodePaused, Message: "the engine is paused"}
		}
		return take(id, words, by)
	}
	rows := []string{"item,version,answer"}
	for i := range 501 {
		rows = append(rows, "a1b20000-0000-4000-8000-"+strings.Repeat("0", 9)+string(rune('0'+i/100))+string(rune('0'+i/10%10))+string(rune('0'+i%10))+",1,keep")
	}
	r := b.run("review", "decide", string(campaign1), "--file", b.file("many.csv", strings.Join(rows, "\n")), "--yes")
	require.Equal(t, cli.ExitRefused, r.code, r.errout)
	require.Contains(t, r.out, "500 taken, 1 unsettled: run it again.")
	require.Contains(t, r.errout, "the engine is paused")
}

// TestReviewDecideNamesNoCampaign: what refuses every word is no fault of an item.
func TestReviewDecideNamesNoCampaign(t *testing.T) {
	t.Parallel()
	for code, exit := range map[schema.Code]int{schema.CodeNotFound: cli.ExitNotFound, schema.CodeForbidden: cli.ExitUsage, schema.CodeClosed: cli.ExitRefused} {
		b := setup(t)
		b.store.DecideItemsFunc = func(schema.CampaignID, []schema.Decide, schema.Principal) ([]schema.Decided, error) {
			return nil, &schema.Error{Code: code, Message: "the campaign does not take it", Fix: "sendoff review list shows all campaigns"}
		}
		r := b.run("review", "decide", string(campaign1), string(item1), "--keep", "--seen", "2")
		require.Equal(t, exit, r.code, r.errout)
		require.Contains(t, r.errout, "the campaign does not take it")
		require.NotContains(t, r.out, "item ")
	}
}

// TestReviewDecideSendsAgain: a word whose answer was lost is sent again with the id
// it had.
func TestReviewDecideSendsAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sent := b.decides(taken)
	take := b.store.DecideItemsFunc
	b.store.DecideItemsFunc = func(id schema.CampaignID, words []schema.Decide, by schema.Principal) ([]schema.Decided, error) {
		out, err := take(id, words, by)
		if len(*sent) == 1 {
			return nil, &schema.Error{Code: schema.CodeUnavailable, Message: "the database went away"}
		}
		return out, err
	}
	r := b.run("review", "decide", string(campaign1), string(item1), "--keep", "--seen", "2")
	require.Equal(t, cli.ExitDone, r.code, r.errout)
	require.Len(t, *sent, 2)
	require.Equal(t, (*sent)[0], (*sent)[1])
}
