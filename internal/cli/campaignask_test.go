package cli

import (
	"bytes"
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/apiclient"
	"sendoff/internal/web"
	"sendoff/internal/web/webtest"
	"sendoff/schema"
)

// asks runs a round of questions over two items, with what is typed.
func asks(t *testing.T, typed string, refusals ...schema.Decided) (out, errout string, sent []schema.Decide) {
	t.Helper()
	store := &webtest.Store{Tokens: map[string]schema.Principal{"sendoff_rev": {TokenID: "t1", Name: "rev", Role: schema.RoleReviewer, Email: "rev@example.com"}}}
	item := func(id schema.ItemID) schema.CampaignItem {
		i := schema.CampaignItem{ID: id, CampaignID: "c1", Version: 1 + len(sent), State: schema.ItemOpen}
		i.Facts.Kind, i.Facts.Login, i.Facts.Held = schema.ItemAccount, "login-of-"+string(id[0])+"@example.com", true
		return i
	}
	ids := []schema.ItemID{"a1b20000-0000-4000-8000-000000000001", "b1b20000-0000-4000-8000-000000000002"}
	store.ReviewQueueFunc = func(after string, _ int, _ schema.Principal) ([]schema.CampaignItem, string, error) {
		other := item("c1b20000-0000-4000-8000-000000000003")
		other.CampaignID = "c2"
		if after == "" {
			return []schema.CampaignItem{item(ids[0]), other}, "next", nil
		}
		return []schema.CampaignItem{item(ids[1])}, "", nil
	}
	store.CampaignItemFunc = func(_ schema.CampaignID, id schema.ItemID, _ schema.Principal) (schema.CampaignItem, error) {
		return item(id), nil
	}
	store.DecideItemsFunc = func(_ schema.CampaignID, words []schema.Decide, _ schema.Principal) ([]schema.Decided, error) {
		sent = append(sent, words...)
		if len(refusals) > 0 {
			d := refusals[0]
			refusals = refusals[1:]
			d.ItemID = words[0].ItemID
			return []schema.Decided{d}, nil
		}
		return []schema.Decided{{ItemID: words[0].ItemID, Version: words[0].Version, State: schema.ItemDecided}}, nil
	}
	srv := httptest.NewServer(web.New(web.Config{
		Store: store, HR: store, AccessReviews: store, Campaigns: store, Planner: webtest.Receivers{}, Checker: webtest.Doctor{},
	}))
	t.Cleanup(srv.Close)
	var o, e bytes.Buffer
	in := &invocation{ctx: t.Context(), stdin: strings.NewReader(typed), stdout: &o, stderr: &e, env: []string{"SENDOFF_URL=" + srv.URL, "SENDOFF_TOKEN=sendoff_rev"}}
	api, err := in.client()
	require.NoError(t, err)
	require.NoError(t, in.askItems(api, "c1"))
	return o.String(), e.String(), sent
}

func TestAskedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	out, errout, sent := asks(t, "\nR\nleft the team\nx\nk\n\n")
	require.Len(t, sent, 2)
	require.Equal(t, []any{schema.AnswerRevoke, "left the team", 1}, []any{sent[0].Answer, sent[0].Reason, sent[0].Version})
	require.Equal(t, schema.AnswerKeep, sent[1].Answer)
	require.Contains(t, out, "login-of-a@example.com")
	require.Contains(t, out, "2 decided, 0 skipped, 0 left.")
	require.Equal(t, 2, strings.Count(errout, "nothing is decided by an empty line"), "neither an empty line nor another key is an answer")
}

func TestAskedAndNothingAnswered(t *testing.T) {
	t.Parallel()
	for typed, says := range map[string]string{
		"": "0 decided, 0 skipped, 2 left.", "q\n": "0 decided, 0 skipped, 2 left.", "s\ns\n": "0 decided, 2 skipped, 2 left.", "k": "0 decided, 0 skipped, 2 left.",
		"s\na\n": "0 decided, 1 skipped, 2 left.",
	} {
		out, _, sent := asks(t, typed)
		require.Empty(t, sent, "%q: a reason was not asked to its end", typed)
		require.Contains(t, out, says, typed)
	}
}

func TestAskedAgainAboutAStaleItem(t *testing.T) {
	t.Parallel()
	stale := schema.Decided{
		Code: string(schema.CodeStale), Message: "the item is not as it was shown", Version: 2, State: schema.ItemOpen,
		Changed: []schema.Difference{{Fact: "role", Before: "member", Now: "admin"}},
	}
	reason := schema.Decided{Code: string(schema.CodeInvalid), Message: "this answer needs a reason", Version: 3, State: schema.ItemOpen}
	out, _, sent := asks(t, "k\n\nr\n\nr\nsays why\nq\n", stale, reason)
	require.Contains(t, out, "role: member -> admin")
	require.Equal(t, 2, strings.Count(out, "login-of-a@example.com"), "it is shown again as it is now")
	require.Len(t, sent, 3)
	require.Equal(t, []int{1, 2, 3}, []int{sent[0].Version, sent[1].Version, sent[2].Version})
	require.NotEqual(t, sent[0].ID, sent[1].ID, "another word has another id")
	require.Contains(t, out, "1 decided, 0 skipped, 1 left.")

	closed := schema.Decided{Code: string(schema.CodeClosed), Message: "the campaign is closing"}
	out, _, _ = asks(t, "k\n\n", closed)
	require.Contains(t, out, "the campaign is closing")
	other := schema.Decided{Code: string(schema.CodeForbidden), Message: "the item is not yours to decide"}
	out, _, sent = asks(t, "k\n\nk\n\n", other)
	require.Contains(t, out, "1 decided, 0 skipped, 1 left.")
	require.Len(t, sent, 2)
}

// Ctrl-C ends a question that nobody answers, and nothing is decided by it.
func TestQuestionsEndWithTheCommand(t *testing.T) {
	t.Parallel()
	never, keyboard := io.Pipe()
	t.Cleanup(func() { require.NoError(t, keyboard.Close()) })
	ctx, cancel := context.WithCancel(t.Context())
	in := &invocation{ctx: ctx, stdin: never, stderr: io.Discard}
	ended := make(chan bool, 1)
	go func() { ended <- in.confirms("Apply this?") }()
	cancel()
	select {
	case yes := <-ended:
		require.False(t, yes)
	case <-time.After(10 * time.Second):
		require.Fail(t, "the question goes on")
	}
}

// What a vendor's user chose as a name neither moves the cursor nor turns around what
// stands beside it, nor begins a line of its own.
func TestNamesAreShownAsTheyAre(t *testing.T) {
	t.Parallel()
	var o, e bytes.Buffer
	in := &invocation{ctx: t.Context(), stdout: &o, stderr: &e}
	evil := "Fin\x1b[2J\u202eance\nrisk         low (0)"
	in.table("GROUP|ID", [][]string{{evil, ""}})
	i := apiclient.CampaignItem{Kind: "account"}
	i.Facts.Login, i.Facts.Held, i.Context.Name = "ada@example.com", true, evil
	in.printItem(&o, i)
	in.print("kept\n%s and %s", "lines\r\nof a file", "\x1b]0;title\x07")
	in.note("%s", "\u009b2J")
	require.Contains(t, o.String(), "Fin[U+001B][2J[U+202E]ance[U+000A]risk         low (0)  -\n")
	require.Contains(t, o.String(), "kept\nlines\r\nof a file and [U+001B]]0;title[U+0007]\n")
	require.Equal(t, 1, strings.Count(o.String(), "\nrisk  "), "what is printed by us alone")
	require.Equal(t, "[U+009B]2J\n", e.String())
	require.NotContains(t, o.String(), "\x1b")
}
