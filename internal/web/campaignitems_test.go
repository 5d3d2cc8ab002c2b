package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// someItem is an item as a store tells it; control is what must not get out.
func someItem(control bool) schema.CampaignItem {
	return schema.CampaignItem{
		ID: "i1", CampaignID: "c1", Version: 2, State: schema.ItemOpen, ReviewerID: "p2", Reviewer: "Boss", AssignedAt: now, EscalateAt: now.Add(time.Hour), UpdatedAt: now,
		Facts: schema.ItemFacts{
			ItemRef: schema.ItemRef{AccountID: "a1", Kind: schema.ItemGroup, Ref: "g1"}, ConnectionID: "x1", ExternalID: "111", Login: "ada@example.com", HolderID: "p1",
			Employment: "employed", AccountStatus: schema.AccountActive, AccountKind: schema.KindPerson, Role: schema.RoleMember, Access: "member", Group: "Finance",
			Provenance: "okta", Grade: schema.GradeInactive, Held: true,
		},
		Context: schema.ItemContext{
			Connection: "box-main", Name: "Ada", Holder: "Ada L.", HolderEmail: "ada@example.com", Employment: "employee", Department: "Sales", Manager: "boss@example.com",
			Since: now.Add(-time.Hour), SinceSeen: true, GrantedBy: "root@example.com", LastActiveAt: now, LastEvent: "LOGIN", Source: "box", CoveredFrom: now.Add(-time.Hour),
			CoveredTo: now, ObservedAt: now, Bytes: 1 << 30, Peers: schema.Peers{People: 9, With: 2},
			Last:      &schema.LastDecision{CampaignID: "c0", Answer: schema.AnswerKeep, Reason: "needed", By: "boss", At: now, Carried: 1, FactsHash: "feed"},
			FreesSeat: true, SeatPerYear: &schema.Money{Minor: 18000, Currency: "EUR"}, Decoy: "made up",
		},
		Recommendation: schema.Recommendation{Answer: schema.AnswerRevoke, Reasons: []string{"UNUSED"}},
		Risk:           schema.Risk{Level: schema.RiskHigh, Score: 70, Reasons: []string{"PRIVILEGED"}}, Control: control,
	}
}

// someItemJSON is what a reviewer is shown of it.
const someItemJSON = `{"id":"i1","campaign_id":"c1","version":2,"kind":"group","ref":"g1",
	"facts":{"connection_id":"x1","account_id":"111","login":"ada@example.com","holder_id":"p1","employment":"employed","account_status":"active","account_kind":"person",
		"role":"member","access":"member","group":"Finance","provenance":"okta","target":"","grade":"inactive","held":true},
	"context":{"connection":"box-main","name":"Ada","holder":"Ada L.","holder_email":"ada@example.com","employment_kind":"employee","department":"Sales",
		"manager":"boss@example.com","since":"2026-11-21T11:00:00Z","since_seen":true,"granted_by":"root@example.com","last_active_at":"2026-11-21T12:00:00Z",
		"last_event":"LOGIN","source":"box","covered_from":"2026-11-21T11:00:00Z","covered_to":"2026-11-21T12:00:00Z","observed_at":"2026-11-21T12:00:00Z",
		"bytes":1073741824,"peers":{"people":9,"with":2},
		"last_decision":{"campaign_id":"c0","answer":"keep","reason":"needed","by":"boss","at":"2026-11-21T12:00:00Z","carried":1},
		"changed":false,"frees_seat":true,"seat_per_year":{"amount":"180.00","amount_minor":18000,"currency":"EUR"},"everybody":false},
	"recommendation":{"answer":"revoke","reasons":["UNUSED"]},"risk":{"level":"high","score":70,"reasons":["PRIVILEGED"]},
	"state":"open","stage":0,"reviewer_id":"p2","reviewer":"Boss","position":0,"assigned_at":"2026-11-21T12:00:00Z","escalate_at":"2026-11-21T13:00:00Z",
	"answer":"","reason":"","decided_by":"","decided_at":null,"why":"","removal_id":"","removal":"","updated_at":"2026-11-21T12:00:00Z"}`

func TestItemsAsTheirReviewersSeeThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	knowing(b)
	b.store.PersonRefFunc = func(string) (schema.PersonID, error) { return "p2", nil }
	var filter schema.CampaignItemFilter
	b.store.CampaignItemsFunc = func(_ schema.CampaignID, f schema.CampaignItemFilter, by schema.Principal) ([]schema.CampaignItem, string, error) {
		filter = f
		return []schema.CampaignItem{someItem(true)}, "n", nil // a store that tells too much
	}
	b.store.CampaignItemFunc = func(schema.CampaignID, schema.ItemID, schema.Principal) (schema.CampaignItem, error) {
		return someItem(true), nil
	}
	b.store.ReviewQueueFunc = func(after string, limit int, by schema.Principal) ([]schema.CampaignItem, string, error) {
		require.Equal(t, "c", after)
		require.Equal(t, 7, limit)
		return []schema.CampaignItem{someItem(true)}, by.Email, nil
	}
	a := b.do("boss", "GET", "/v1/campaigns/c1/items", "")
	require.JSONEq(t, `[`+someItemJSON+`]`, field(t, a, "items"))
	require.JSONEq(t, someItemJSON, b.do("boss", "GET", "/v1/campaigns/c1/items/i1", "").raw)
	a = b.do("boss", "GET", "/v1/my/items?cursor=c&limit=7", "")
	require.JSONEq(t, `[`+someItemJSON+`]`, field(t, a, "items"))
	require.Equal(t, "boss@example.com", a.json["next"], "whoever asks")
	require.JSONEq(t, `[`+someItemJSON+`]`, field(t, b.do("leaver", "GET", "/v1/my/items?cursor=c&limit=7", ""), "items"), "one's own items, whatever the role")
	for _, path := range []string{"/v1/campaigns/c1/items", "/v1/campaigns/c1/items/i1"} {
		a = b.do("auditor", "GET", path, "")
		require.Contains(t, a.raw, `"control":true`)
		require.Contains(t, a.raw, `"account":"a1"`)
		require.NotContains(t, a.raw, "made up")
		a = b.do("boss", "GET", path, "")
		require.NotContains(t, a.raw, `"control"`)
	}
	a = b.do("operator", "GET", "/v1/campaigns/c1/items?state=open&answer=keep&risk=high&kind=group&reviewer=boss%40example.com&account=box-main%2F111&cursor=c&limit=5", "")
	require.Equal(t, "n", a.json["next"], a.raw)
	require.Equal(t, schema.CampaignItemFilter{
		State: schema.ItemOpen, Answer: schema.AnswerKeep, Risk: schema.RiskHigh, Kind: schema.ItemGroup, Reviewer: "p2", Account: "a1", After: "c", Limit: 5,
	}, filter)
	require.Equal(t, http.StatusForbidden, b.do("boss", "GET", "/v1/campaigns/c1/items?reviewer=ada%40example.com", "").status)
	require.Equal(t, http.StatusForbidden, b.do("boss", "GET", "/v1/campaigns/c1/items?account=box-main%2F111", "").status)
	require.Equal(t, http.StatusUnprocessableEntity, b.do("boss", "GET", "/v1/my/items?limit=501", "").status)
}

const (
	itemOne = "0192f0c4-0000-7000-8000-000000000001"
	itemTwo = "0192f0c4-0000-7000-8000-000000000002"
	wordOne = "0192f0c4-0000-7000-8000-00000000000a"
)

func TestDecideItems(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var got []schema.Decide
	b.store.DecideItemsFunc = func(id schema.CampaignID, words []schema.Decide, by schema.Principal) ([]schema.Decided, error) {
		require.Equal(t, "boss@example.com", by.Email)
		got = words
		out := make([]schema.Decided, len(words))
		for i, w := range words {
			out[i] = schema.Decided{ItemID: w.ItemID, Version: w.Version, State: schema.ItemDecided, Answer: w.Answer, Duplicate: w.Reason == "again"}
			if w.Reason == "late" {
				out[i].Duplicate, out[i].Overtaken, out[i].Answer, out[i].Message, out[i].Fix = true, true, schema.AnswerRevoke, "the item says revoke", "change the reason"
			}
			if w.ItemID == itemTwo {
				out[i] = schema.Decided{
					ItemID: w.ItemID, Code: "stale", Message: "it is other than it was shown", Fix: "look again", Version: 3, State: schema.ItemOpen,
					Changed: []schema.Difference{{Fact: "role", Before: "member", Now: "admin"}},
				}
			}
		}
		return out, nil
	}
	body := `{"decisions":[{"id":"` + strings.ToUpper(wordOne) + `","item":"` + itemOne + `","version":2,"answer":"revoke","reason":" gone ","bulk":true},
		{"item":"` + itemTwo + `","version":2,"answer":"keep"},{"id":"0192f0c4-0000-7000-8000-00000000000b","item":"` + itemOne + `","version":2,"answer":"keep","reason":"again"},
		{"id":"0192f0c4-0000-7000-8000-00000000000c","item":"` + itemOne + `","version":2,"answer":"keep","reason":"late"}]}`
	a := b.do("boss", "POST", "/v1/campaigns/c1/decisions", body)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, schema.Decide{ID: wordOne, ItemID: itemOne, Version: 2, Answer: schema.AnswerRevoke, Reason: "gone", Bulk: true}, got[0])
	require.NoError(t, uuid.Validate(string(got[1].ID)), "the server names a word that has no name")
	require.JSONEq(t, `[{"id":"`+wordOne+`","item":"`+itemOne+`","result":"taken","overtaken":false,"answer":"revoke","code":"","message":"","fix":"","changed":[],"version":2,"state":"decided"},
		{"id":"`+string(got[1].ID)+`","item":"`+itemTwo+`","result":"refused","overtaken":false,"answer":"","code":"stale","message":"it is other than it was shown","fix":"look again",
			"changed":[{"fact":"role","before":"member","now":"admin"}],"version":3,"state":"open"},
		{"id":"0192f0c4-0000-7000-8000-00000000000b","item":"`+itemOne+`","result":"duplicate","overtaken":false,"answer":"keep","code":"","message":"","fix":"","changed":[],"version":2,"state":"decided"},
		{"id":"0192f0c4-0000-7000-8000-00000000000c","item":"`+itemOne+`","result":"duplicate","overtaken":true,"answer":"revoke","code":"","message":"the item says revoke",
			"fix":"change the reason","changed":[],"version":2,"state":"decided"}]`,
		field(t, a, "decisions"))
	require.InDelta(t, 2, a.json["taken"], 0)
	require.InDelta(t, 1, a.json["refused"], 0)
	require.InDelta(t, 1, a.json["overtaken"], 0)

	a = b.do("boss", "POST", "/v1/campaigns/c1/decisions", `{"decisions":[{"item":"`+itemTwo+`","version":2,"answer":"keep"}]}`)
	require.Equal(t, http.StatusConflict, a.status, a.raw)
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
	require.JSONEq(t, `{"title":"Conflict","status":409,"detail":"it is other than it was shown","code":"stale","fix":"look again",
		"changed":[{"fact":"role","before":"member","now":"admin"}],"version":3,"state":"open"}`, a.raw)
	doc := spec(t, b)
	require.Contains(t, doc.Paths.Find("/v1/campaigns/{id}/decisions").Post.Responses.Map(), "409")
}

func TestOneWordThatIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one := `{"decisions":[{"item":"` + itemOne + `","version":2,"answer":"keep"}]}`
	for code, status := range map[schema.Code]int{
		schema.CodeStale: 409, schema.CodeConflict: 409, schema.CodeClosed: 409, schema.CodeForbidden: 403, schema.CodeNotFound: 404, schema.CodeInvalid: 422,
	} {
		b.store.DecideItemsFunc = func(schema.CampaignID, []schema.Decide, schema.Principal) ([]schema.Decided, error) {
			return []schema.Decided{{ItemID: itemOne, Code: string(code), Message: "no", Fix: "do otherwise", Version: 2}}, nil
		}
		a := b.do("boss", "POST", "/v1/campaigns/c1/decisions", one)
		require.Equal(t, status, a.status, code)
		require.Equal(t, string(code), a.json["code"])
		require.Equal(t, "no", a.json["detail"])
	}
	b.store.DecideItemsFunc = func(schema.CampaignID, []schema.Decide, schema.Principal) ([]schema.Decided, error) {
		return nil, &schema.Error{Code: schema.CodeForbidden, Message: "no reviewer of the campaign"}
	}
	require.Equal(t, http.StatusForbidden, b.do("boss", "POST", "/v1/campaigns/c1/decisions", one).status)
	b.store.DecideItemsFunc = func(schema.CampaignID, []schema.Decide, schema.Principal) ([]schema.Decided, error) { return nil, nil }
	require.Equal(t, http.StatusInternalServerError, b.do("boss", "POST", "/v1/campaigns/c1/decisions", one).status, "a word without an answer is not taken")
}

func TestWordsThatAreNoWords(t *testing.T) {
	t.Parallel()
	b := setup(t)
	post := func(body string) answer { return b.do("boss", "POST", "/v1/campaigns/c1/decisions", body) }
	require.Equal(t, []string{"decisions:count"}, post(`{"decisions":[]}`).problems())
	many := strings.Repeat(`{"item":"`+itemOne+`","version":1,"answer":"keep"},`, 501)
	require.Equal(t, []string{"decisions:count"}, post(`{"decisions":[`+strings.TrimSuffix(many, ",")+`]}`).problems())
	bad := func(id, item, reason string) string {
		return fmt.Sprintf(`{"id":%q,"item":%q,"version":1,"answer":"keep","reason":%q}`, id, item, reason)
	}
	require.Equal(t, []string{"decisions[0].id:uuid", "decisions[0].item:uuid", "decisions[0].reason:too_long", "decisions[1].id:uuid"},
		post(`{"decisions":[`+bad("w1", "i1", strings.Repeat("x", 501))+`,`+bad("{"+wordOne+"}", itemOne, "")+`]}`).problems())
	a := post(`{"decisions":[{"item":"` + itemOne + `","version":0,"answer":"perhaps","stray":1}]}`)
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Len(t, a.problems(), 3, a.raw)
	require.Equal(t, http.StatusForbidden, b.do("auditor", "POST", "/v1/campaigns/c1/decisions", `{"decisions":[]}`).status)
}

func TestWhatWasDecidedAboutAnItem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ItemDecisionsFunc = func(schema.CampaignID, schema.ItemID) ([]schema.CampaignDecision, error) {
		return []schema.CampaignDecision{
			{ID: "w1", ItemID: "i1", Version: 1, Answer: schema.AnswerRevoke, Reason: "gone", Bulk: true, Principal: "boss", TokenID: "t6", ReviewerID: "p2", DecidedAt: now},
			{ID: "w2", ItemID: "i1", Version: 1, Answer: schema.AnswerKeep, Principal: "boss", ReviewerID: "p2", DecidedAt: now, Current: true},
		}, nil
	}
	a := b.do("boss", "GET", "/v1/campaigns/c1/items/i1/decisions?limit=1", "")
	require.JSONEq(t, `[{"id":"w1","item":"i1","stage":0,"version":1,"answer":"revoke","reason":"gone","bulk":true,"principal":"boss","token_id":"t6","reviewer_id":"p2",
		"decided_at":"2026-11-21T12:00:00Z","current":false}]`, field(t, a, "decisions"))
	require.Equal(t, "w1", a.json["next"])
	a = b.do("boss", "GET", "/v1/campaigns/c1/items/i1/decisions?limit=1&cursor=w1", "")
	require.Contains(t, a.raw, `"id":"w2"`)
	require.Empty(t, a.json["next"])
}
