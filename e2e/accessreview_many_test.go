package e2e_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"sendoff/internal/apiclient"
	"sendoff/internal/cli"
	"sendoff/internal/evidence"
	"sendoff/schema"
)

// setting is a number that the environment may set another.
func setting(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// answerTo is what the reviewer of an item says, whoever asks and however often.
func answerTo(item string) string {
	sum := sha256.Sum256([]byte(item))
	return []string{"keep", "keep", "keep", "revoke"}[sum[0]%4]
}

// wordOn is a word with an id of its own: what is sent again is the same word.
func wordOn(i apiclient.CampaignItem) apiclient.ItemWord {
	return apiclient.ItemWord{
		ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(i.ID)).String(), Item: i.ID, Version: i.Version, Answer: answerTo(i.ID), Reason: "known",
	}
}

// Many reviewers decide at the same time while the server is killed twice: no word
// is lost, none is applied twice, and each is its reviewer's.
func TestDecisionsSurviveKills(t *testing.T) {
	t.Parallel()
	items, reviewers := setting(t, "SENDOFF_ITEMS", 200), setting(t, "SENDOFF_REVIEWERS", 10)
	s := startServer(t, settings{simScale: fast, engineScale: fast})
	s.spawn("worker")
	owner := s.hire("Ow Ner")
	people := [][2]person{{owner, {}}}
	bosses := make([]person, reviewers)
	for i := range bosses {
		bosses[i] = s.hire(fmt.Sprintf("Bo Ss %03d", i))
		people = append(people, [2]person{bosses[i], owner})
	}
	for i := range items {
		people = append(people, [2]person{s.hire(fmt.Sprintf("Wor Ker %05d", i)), bosses[i%reviewers]})
	}
	s.must("sync", "box", "--wait")
	s.roster(people...)
	s.must("review", "create", s.write("quarterly.yaml", accessReview(owner,
		"scope: {connections: [box], kinds: [person], match: 'account.login.startsWith(\"wor\")'}",
		"time: {due: 300d, silence: keep}", "quality: {min_items: 100000}",
		"effect: {account: [snapshot, suspend], budget: {per_run: 1, percent: 100}}",
	)), "--yes")
	id := ask[apiclient.Campaign](s, cli.ExitDone, "review", "start", "quarterly").ID
	s.eventually(10*time.Minute, "the campaign is open", func() bool {
		api, err := s.asAdmin()
		if err != nil {
			return false
		}
		c, err := api.Campaign(t.Context(), id)
		return err == nil && c.State == "open"
	})
	tokens := s.reviewerTokens(bosses)

	took := s.decideAll(id, tokens, items)
	e := s.evidenceOf(id)
	require.Len(t, e.Items, items)
	for _, i := range e.Items {
		require.Equal(t, "decided", string(i.State), i.ID)
		require.Equal(t, answerTo(string(i.ID)), string(i.Answer))
		require.Len(t, i.Decisions, 1, "applied once")
		require.True(t, i.Decisions[0].Current)
		require.Equal(t, i.ReviewerID, i.Decisions[0].ReviewerID, "it is its reviewer's")
		require.NotEmpty(t, i.Decisions[0].TokenID)
	}
	s.must("audit", "verify")
	slices.Sort(took)
	t.Logf("%d decisions by %d reviewers, p50 %s, p95 %s", items, reviewers, took[len(took)/2], took[len(took)*95/100])
}

// reviewerTokens makes a token for each.
func (s *stack) reviewerTokens(people []person) []string {
	s.t.Helper()
	api, err := s.asAdmin()
	require.NoError(s.t, err)
	out := make([]string, len(people))
	for i, p := range people {
		made, err := api.CreateToken(s.t.Context(), apiclient.NewToken{
			Name: "reviewer-" + strings.ReplaceAll(p.login, "@", "-at-"), Role: "reviewer", Email: p.login, Expires: "1d",
		})
		require.NoError(s.t, err)
		out[i] = made.Token
	}
	return out
}

// decideAll lets all reviewers decide all they have, and kills the server when a
// third and two thirds are decided. It returns how long each word took that was
// answered at once.
func (s *stack) decideAll(id string, tokens []string, items int) []time.Duration {
	s.t.Helper()
	var mu sync.Mutex
	var took []time.Duration
	var done atomic.Int64
	var all sync.WaitGroup
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Minute)
	defer cancel()
	began := time.Now()
	for _, token := range tokens {
		all.Go(func() {
			mine := s.mine(ctx, id, token)
			for _, i := range mine {
				d := s.sayUntilTaken(ctx, id, token, wordOn(i))
				done.Add(1)
				mu.Lock()
				took = append(took, d)
				mu.Unlock()
			}
		})
	}
	for _, at := range []int{items / 3, 2 * items / 3} {
		s.eventually(10*time.Minute, "part is decided", func() bool { return done.Load() >= int64(at) })
		s.server.Kill()
		s.serve()
	}
	all.Wait()
	require.EqualValues(s.t, items, done.Load())
	s.t.Logf("%.0f decisions a second, with the server away twice", float64(items)/time.Since(began).Seconds())
	return took
}

// mine are the open items of a reviewer.
func (s *stack) mine(ctx context.Context, id, token string) (list []apiclient.CampaignItem) {
	for cursor := ""; ; {
		page, next, err := s.pageOf(ctx, id, token, cursor)
		if err != nil {
			if ctx.Err() != nil {
				return list
			}
			away(ctx)
			continue
		}
		list = append(list, page...)
		if cursor = next; next == "" {
			return list
		}
	}
}

func (s *stack) pageOf(ctx context.Context, id, token, cursor string) ([]apiclient.CampaignItem, string, error) {
	url, err := s.tryBase()
	if err != nil {
		return nil, "", err
	}
	api, err := apiclient.New(url, token)
	if err != nil {
		return nil, "", err
	}
	return api.CampaignItems(ctx, id, apiclient.CampaignItemFilter{State: "open"}, cursor, 200)
}

// sayUntilTaken sends a word until the server says that it has it, as a client does
// whose answers are lost.
func (s *stack) sayUntilTaken(ctx context.Context, id, token string, w apiclient.ItemWord) time.Duration {
	for {
		began := time.Now()
		url, err := s.tryBase()
		var api *apiclient.Client
		if err == nil {
			api, err = apiclient.New(url, token)
		}
		if err == nil {
			_, err = api.DecideItems(ctx, id, []apiclient.ItemWord{w})
		}
		if err == nil || ctx.Err() != nil {
			return time.Since(began)
		}
		away(ctx)
	}
}

// away is how long a client waits for a server that is away.
func away(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(100 * time.Millisecond):
	}
}

// evidenceOf exports a campaign and reads it back.
func (s *stack) evidenceOf(id string) schema.CampaignEvidence {
	s.t.Helper()
	out, err := evidence.Read(strings.NewReader(s.must("review", "export", id, "--format", "json").out))
	require.NoError(s.t, err)
	return out
}
