package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func someStats() schema.ReviewerStats {
	return schema.ReviewerStats{
		ReviewerID: "p2", Name: "Boss", Email: "boss@example.com", Items: 20, Open: 1, Decided: 19, Kept: 18, Revoked: 1, Abstained: 2, Bulk: 3, Recommended: 10, Against: 8,
		SaidRevoke: 9, MedianMillis: 2350, ControlsKept: 1, Reminders: 2, RemindedAt: now, Alarms: []schema.ReviewerAlarm{schema.AlarmSpeed, schema.AlarmControl},
		Looks: []schema.TakenLook{{By: "Owner", At: now.AddDate(0, 0, -1), Reason: "again", Decisions: 1, Redo: true, Redone: 18}},
	}
}

func TestReviewersOfACampaign(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ReviewerStatsFunc = func(schema.CampaignID) ([]schema.ReviewerStats, error) {
		return []schema.ReviewerStats{someStats(), {ReviewerID: "p3"}}, nil
	}
	a := b.do("auditor", "GET", "/v1/campaigns/c1/reviewers?limit=1", "")
	require.JSONEq(t, `[{"reviewer_id":"p2","name":"Boss","email":"boss@example.com","items":20,"open":1,"decided":19,"kept":18,"revoked":1,"abstained":2,"bulk":3,
		"recommended":10,"against":8,"recommended_revoke":9,"median_seconds":2.35,"controls_kept":1,"reminders":2,"reminded_at":"2026-11-21T12:00:00Z",
		"alarms":["TOO_FAST","CONTROL_KEPT"],"cleared":false,"looked_by":"","looked_at":null,"look_reason":"","looked_decisions":0,
		"looks":[{"by":"Owner","at":"2026-11-20T12:00:00Z","reason":"again","decisions":1,"redone":18,"redo":true,"current":false}]}]`, field(t, a, "reviewers"))
	require.Equal(t, "p2", a.json["next"])
	a = b.do("auditor", "GET", "/v1/campaigns/c1/reviewers?limit=1&cursor=p2", "")
	require.Contains(t, a.raw, `"reviewer_id":"p3"`)
	require.Empty(t, a.json["next"])

	b.store.RemindReviewersFunc = func(_ schema.CampaignID, reviewer string) (int, error) {
		if reviewer == "" {
			return 3, nil
		}
		require.Equal(t, "boss@example.com", reviewer)
		return 1, nil
	}
	require.JSONEq(t, `{"reminded":3}`, b.do("operator", "POST", "/v1/campaigns/c1/remind", `{}`).raw)
	require.JSONEq(t, `{"reminded":1}`, b.do("operator", "POST", "/v1/campaigns/c1/remind", `{"reviewer":"boss@example.com"}`).raw)
}

func TestReassignAndLook(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.PersonRefFunc = func(ref string) (schema.PersonID, error) {
		if ref != "boss@example.com" {
			return "", &schema.Error{Code: schema.CodeNotFound, Message: "there is no such person"}
		}
		return "p2", nil
	}
	var got schema.Reassign
	b.store.ReassignFunc = func(_ schema.CampaignID, r schema.Reassign) (int, error) {
		got = r
		if r.To == "holder@example.com" {
			return 0, &schema.Error{Code: schema.CodeForbidden, Message: "nobody decides about an account they hold"}
		}
		return 4, nil
	}
	post := func(body string) answer { return b.do("operator", "POST", "/v1/campaigns/c1/reassign", body) }
	require.JSONEq(t, `{"items":4}`, post(`{"from":"boss@example.com","to":"Two@Example.com","reason":" on leave "}`).raw)
	require.Equal(t, schema.Reassign{From: "p2", To: "two@example.com", Reason: "on leave"}, got)
	require.JSONEq(t, `{"items":4}`, post(`{"items":["`+itemOne+`"],"to":"two@example.com","reason":"x"}`).raw)
	require.Equal(t, []schema.ItemID{itemOne}, got.Items)
	require.Equal(t, http.StatusForbidden, post(`{"from":"boss@example.com","to":"holder@example.com","reason":"x"}`).status)
	require.Equal(t, http.StatusNotFound, post(`{"from":"x@example.com","to":"two@example.com","reason":"x"}`).status)
	require.Equal(t, []string{"reason:required", "to:email_syntax", "items:one_of"}, post(`{"to":"two","reason":""}`).problems())
	require.Equal(t, []string{"items:one_of", "items[0]:uuid"}, post(`{"items":["i1"],"from":"boss@example.com","to":"two@example.com","reason":"x"}`).problems())

	b.store.SecondLookFunc = func(_ schema.CampaignID, l schema.SecondLook) (schema.ReviewerStats, error) {
		require.Equal(t, schema.SecondLook{Reviewer: "p2", Redo: true, Reason: "too fast"}, l)
		s := someStats()
		s.LookedBy, s.LookedAt, s.LookReason, s.LookedDecisions = "night-shift", now, l.Reason, s.Decided
		return s, nil
	}
	a := b.do("operator", "POST", "/v1/campaigns/c1/look", `{"reviewer":"boss@example.com","redo":true,"reason":"too fast"}`)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.Equal(t, true, a.json["cleared"])
	require.Equal(t, []string{"reviewer:required", "reason:required"}, b.do("operator", "POST", "/v1/campaigns/c1/look", `{"reviewer":"","reason":""}`).problems())
}

func TestAbsences(t *testing.T) {
	t.Parallel()
	b := setup(t)
	away := schema.Absence{ID: "v1", PersonID: "p2", Person: "two@example.com", From: now.Add(-time.Hour), DelegateID: "p3", Delegate: "three@example.com", Reason: "holidays", CreatedBy: "boss", CreatedAt: now}
	b.store.AbsencesFunc = func(person, after string, limit int) ([]schema.Absence, string, error) {
		return []schema.Absence{away}, person + "/" + after, nil
	}
	a := b.do("boss", "GET", "/v1/absences?cursor=c", "")
	require.JSONEq(t, `[{"id":"v1","person_id":"p2","person":"two@example.com","from":"2026-11-21T11:00:00Z","until":null,"delegate_id":"p3","delegate":"three@example.com",
		"reason":"holidays","created_by":"boss","created_at":"2026-11-21T12:00:00Z","ended_at":null,"now":true}]`, field(t, a, "absences"))
	require.Equal(t, "boss@example.com/c", a.json["next"], "a reviewer's own")
	require.Equal(t, "boss@example.com/", b.do("boss", "GET", "/v1/absences?person=BOSS%40example.com", "").json["next"])
	require.Equal(t, http.StatusForbidden, b.do("boss", "GET", "/v1/absences?person=ada%40example.com", "").status)
	require.Equal(t, http.StatusForbidden, b.do("reviewer", "GET", "/v1/absences", "").status, "a token of nobody has no absences")
	require.Equal(t, "/", b.do("auditor", "GET", "/v1/absences", "").json["next"])
	require.Equal(t, "p9/", b.do("operator", "GET", "/v1/absences?person=p9", "").json["next"])

	var got schema.NewAbsence
	b.store.SetAbsenceFunc = func(n schema.NewAbsence, by schema.Principal) (schema.Absence, error) {
		if n.Person != "" && by.Role == schema.RoleReviewer {
			return schema.Absence{}, &schema.Error{Code: schema.CodeForbidden, Message: "not of others"}
		}
		got = n
		return away, nil
	}
	a = b.do("boss", "POST", "/v1/absences", `{"until":"2026-12-01T00:00:00+01:00","delegate":"Two@example.com","reason":"holidays"}`)
	require.Equal(t, http.StatusCreated, a.status, a.raw)
	require.Equal(t, schema.NewAbsence{Until: time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC), Delegate: "two@example.com", Reason: "holidays"}, got)
	require.Equal(t, http.StatusForbidden, b.do("boss", "POST", "/v1/absences", `{"person":"ada@example.com","reason":"x"}`).status)
	require.Equal(t, []string{"reason:required", "person:email_syntax", "delegate:email_syntax", "from:time_without_zone", "until:order"},
		b.do("operator", "POST", "/v1/absences", `{"person":"a","delegate":"b","from":"tomorrow","until":"2026-11-21T11:00:00Z","reason":""}`).problems())
	b.store.EndAbsenceFunc = func(id string) (schema.Absence, error) {
		ended := away
		ended.ID, ended.EndedAt = id, now
		return ended, nil
	}
	a = b.do("boss", "DELETE", "/v1/absences/v1", "")
	require.Equal(t, "2026-11-21T12:00:00Z", a.json["ended_at"], a.raw)
	require.Equal(t, false, a.json["now"])
}
