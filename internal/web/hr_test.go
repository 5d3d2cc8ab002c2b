package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/web"
	"sendoff/schema"
)

// accepts makes the store accept events once each, as the real one does.
func (b *bundle) accepts() *[]schema.HREvent {
	kept := &[]schema.HREvent{}
	b.store.AcceptEventFunc = func(e schema.HREvent) (schema.Accepted, error) {
		for _, before := range *kept {
			if before.EventID == e.EventID {
				return schema.Accepted{Event: before, Duplicate: true}, nil
			}
		}
		e.ID, e.Seq, e.ReceivedAt = schema.HREventID("e"+e.EventID[:4]), int64(len(*kept)+1), now
		*kept = append(*kept, e)
		return schema.Accepted{Event: e}, nil
	}
	return kept
}

func hexOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func postJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

// TestImportHR: a file is one event, known again by its hash; it is accepted whole
// or not at all.
func TestImportHR(t *testing.T) {
	t.Parallel()
	b := setup(t)
	kept := b.accepts()
	src := schema.Source{ID: "s1", Name: "hris", Kind: schema.SourceCSV, State: schema.ConnectionEnabled}
	b.store.SourceByNameFunc = func(name string) (schema.Source, error) {
		if name != src.Name {
			return schema.Source{}, &schema.Error{Code: schema.CodeNotFound, Message: "none"}
		}
		return src, nil
	}
	csv := "id,work_email,last_day,shoe\r\n1,ADA@example.com,2026-11-30,38\r\n2,grace@example.com,,39\r\n"
	file := map[string]any{"source": "hris", "csv": csv}
	a := b.do("operator", "POST", "/v1/hr/imports", postJSON(t, file))
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, false, a.json["duplicate"])
	require.Equal(t, []any{"shoe"}, a.json["ignored_columns"])
	require.Len(t, *kept, 1)
	e := (*kept)[0]
	require.Equal(t, hexOf(csv), e.EventID)
	require.Equal(t, hexOf(csv), e.BodyHash)
	require.Equal(t, csv, string(e.Body))
	require.Equal(t, schema.ViaImport, e.Via)
	require.Equal(t, schema.EventPending, e.State)
	require.Equal(t, schema.RosterWhole, e.Change.Roster.Mode)
	require.Equal(t, "hris", e.Change.Roster.Source)
	require.Equal(t, "2026-11-30", e.Change.Roster.Employments[0].LastWorkingDay.String())

	a = b.do("operator", "POST", "/v1/hr/imports", postJSON(t, file))
	require.Equal(t, true, a.json["duplicate"])
	require.Len(t, *kept, 1)
	file["mode"] = "changes"
	a = b.do("operator", "POST", "/v1/hr/imports", postJSON(t, file))
	require.Equal(t, false, a.json["duplicate"], "the same file says something else as changes")
	file["again"] = true
	require.Equal(t, false, b.do("operator", "POST", "/v1/hr/imports", postJSON(t, file)).json["duplicate"])
	require.Len(t, *kept, 3)

	b.store.ImportRosterFunc = func(r schema.Roster, dryRun bool) (schema.RosterResult, error) {
		require.True(t, dryRun)
		return schema.RosterResult{DryRun: true, Rows: len(r.Employments), Added: 2}, nil
	}
	a = b.do("operator", "POST", "/v1/hr/imports", postJSON(t, map[string]any{"source": "hris", "csv": csv, "dry_run": true}))
	require.Equal(t, 200, a.status, a.raw)
	require.Nil(t, a.json["event"])
	require.EqualValues(t, 2, a.json["dry_run"].(map[string]any)["added"])
	require.Len(t, *kept, 3, "a dry run accepts nothing")

	a = b.do("operator", "POST", "/v1/hr/imports", postJSON(t, map[string]any{"source": "nowhere", "csv": "id,last_day\n1,30/11/2026\n1,\n"}))
	require.Equal(t, []string{"source:unknown_source", "line 2, column 2 (last_day):date_syntax", "line 3, column 1 (id):duplicate"}, a.problems())
	src.State = schema.ConnectionDisabled
	require.Equal(t, []string{"source:closed"}, b.do("operator", "POST", "/v1/hr/imports", postJSON(t, file)).problems())
	src.State, src.Kind = schema.ConnectionEnabled, schema.SourceSCIM
	require.Equal(t, []string{"source:no_files"}, b.do("operator", "POST", "/v1/hr/imports", postJSON(t, file)).problems())
	require.Len(t, *kept, 3)

	src.Kind = schema.SourceCSV
	big := "id,photo\n1," + strings.Repeat("x", 3<<20) + "\n"
	a = b.do("operator", "POST", "/v1/hr/imports", postJSON(t, map[string]any{"source": "hris", "csv": big}))
	require.Equal(t, 200, a.status, "a file may be larger than other requests")

	b.store.ImportRosterFunc = nil
	a = b.do("operator", "POST", "/v1/people/roster", postJSON(t, map[string]any{"source": "hris", "csv": csv}))
	require.Equal(t, "refused", a.json["code"], "what a source tells goes through its inbox")
	require.Contains(t, a.json["fix"], "sendoff hr import")
}

// TestByHand: what a person says is an event of the built-in source, in their name.
func TestByHand(t *testing.T) {
	t.Parallel()
	b := setup(t)
	kept := b.accepts()
	b.store.SourceByNameFunc = func(name string) (schema.Source, error) {
		require.Equal(t, "manual", name)
		return schema.Source{ID: "m", Name: name, Kind: schema.SourceManual, State: schema.ConnectionEnabled}, nil
	}
	a := b.do("operator", "POST", "/v1/hr/leave", `{"email":"Grace@example.com","last_working_day":"2026-11-30","termination_date":"2026-12-31","time_zone":"Asia/Tokyo","reason":" told by phone "}`)
	require.Equal(t, 202, a.status, a.raw)
	tells := a.json["event"].(map[string]any)["tells"].(map[string]any)
	require.Equal(t, "leave", tells["kind"])
	require.Equal(t, map[string]any{
		"email": "grace@example.com", "last_working_day": "2026-11-30", "termination_date": "2026-12-31", "time_zone": "Asia/Tokyo",
		"for_cause": false, "reason": "told by phone", "principal": "night-shift",
	}, tells["hand"])
	e := (*kept)[0]
	require.Equal(t, schema.SourceID("m"), e.SourceID)
	require.Equal(t, schema.ViaHand, e.Via)
	require.Equal(t, schema.TokenID("t2"), e.Change.Hand.TokenID)
	require.Equal(t, hexOf(string(e.Body)), e.BodyHash)

	require.Equal(t, 202, b.do("operator", "POST", "/v1/hr/leave", `{"email":"grace@example.com","for_cause":true,"reason":"x"}`).status)
	require.Equal(t, 202, b.do("operator", "POST", "/v1/hr/return", `{"email":"grace@example.com","reason":"x"}`).status)
	require.Equal(t, 202, b.do("operator", "POST", "/v1/hr/return", `{"email":"grace@example.com","reason":"x"}`).status)
	require.Len(t, *kept, 4, "each word is an event of its own")
	require.Equal(t, schema.ChangeReturn, (*kept)[3].Change.Kind)

	require.Equal(t, []string{
		"email:email_syntax", "last_working_day:date_syntax", "time_zone:zone", "reason:required",
	}, b.do("operator", "POST", "/v1/hr/leave", `{"email":"grace","last_working_day":"30.11.2026","time_zone":"CEST","reason":" "}`).problems())
	require.Equal(t, []string{"last_working_day:one_of"}, b.do("operator", "POST", "/v1/hr/leave", `{"email":"g@example.com","reason":"x"}`).problems())
	require.Equal(t, []string{"termination_date:dates_order"}, b.do("operator", "POST", "/v1/hr/leave",
		`{"email":"g@example.com","last_working_day":"2026-12-02","termination_date":"2026-12-01","reason":"x"}`).problems())
	require.Equal(t, []string{"termination_date:date_syntax"}, b.do("operator", "POST", "/v1/hr/leave", `{"email":"g@example.com","termination_date":"0026-12-01","for_cause":true,"reason":"x"}`).problems())
	require.Equal(t, []string{"email:email_syntax", "reason:required"}, b.do("operator", "POST", "/v1/hr/return", `{"email":"","reason":""}`).problems())
	require.Len(t, *kept, 4)
}

// TestNobodySaysItOfThemselves: under whatever address.
func TestNobodySaysItOfThemselves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.PersonRefFunc = func(ref string) (schema.PersonID, error) {
		switch ref {
		case "ada@example.com", "countess@example.com":
			return "p1", nil
		case "grace@example.com":
			return "p2", nil
		}
		return "", &schema.Error{Code: schema.CodeNotFound, Message: "nobody"}
	}
	kept := b.accepts()
	b.store.SourceByNameFunc = func(name string) (schema.Source, error) { return schema.Source{ID: "m", Name: name}, nil }
	for _, who := range []string{"ADA@example.com", "countess@example.com"} {
		for _, path := range []string{"/v1/hr/leave", "/v1/hr/return"} {
			body := `{"email":"` + who + `","reason":"x"}`
			if path == "/v1/hr/leave" {
				body = `{"email":"` + who + `","for_cause":true,"reason":"x"}`
			}
			a := b.do("leaver", "POST", path, body)
			require.Equal(t, http.StatusForbidden, a.status, "%s %s: %s", path, who, a.raw)
		}
	}
	require.Empty(t, *kept)
	for _, who := range []string{"grace@example.com", "new@example.com"} {
		require.Equal(t, 202, b.do("leaver", "POST", "/v1/hr/return", `{"email":"`+who+`","reason":"x"}`).status)
	}
}

// TestHREvents: the body as it came is for those who audit.
func TestHREvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	event := schema.HREvent{
		ID: "e1", Seq: 7, Source: "hris", EventID: "msg_1", Via: schema.ViaWebhook, State: schema.EventApplied, ReceivedAt: now, AppliedAt: now,
		Body: []byte(`{"ssn":"123"}`), Change: schema.HRChange{Kind: schema.ChangeEmployments, Roster: &schema.Roster{Mode: schema.RosterChanges, Employments: make([]schema.Employment, 3)}},
		Outcome: []schema.EventOutcome{{ExternalID: "1", LeaverID: "l1", Effect: schema.EffectLeaver}},
	}
	b.store.HREventFunc = func(id schema.HREventID) (schema.HREvent, error) {
		if id != "e1" {
			return schema.HREvent{}, &schema.Error{Code: schema.CodeNotFound, Message: "none"}
		}
		return event, nil
	}
	raw := base64.StdEncoding.EncodeToString(event.Body)
	for role, may := range map[string]bool{"admin": true, "auditor": true, "operator": false} {
		a := b.do(role, "GET", "/v1/hr/events/e1", "")
		require.Equal(t, 200, a.status, a.raw)
		require.NotContains(t, a.json, "body", role)
		require.EqualValues(t, 13, a.json["body_size"])
		require.EqualValues(t, 3, a.json["tells"].(map[string]any)["employments"])
		require.Equal(t, "leaver", a.json["outcome"].([]any)[0].(map[string]any)["effect"])
		a = b.do(role, "GET", "/v1/hr/events/e1?raw=true", "")
		if may {
			require.Equal(t, raw, a.json["body"], role)
			continue
		}
		require.Equal(t, http.StatusForbidden, a.status, role)
		require.NotContains(t, a.raw, raw)
	}
	require.Equal(t, 404, b.do("admin", "GET", "/v1/hr/events/e2", "").status)

	b.store.ListHREventsFunc = func(f schema.HREventFilter) ([]schema.HREvent, string, error) {
		require.Equal(t, schema.HREventFilter{Source: "hris", State: schema.EventRefused, After: "x", Limit: 3}, f)
		return []schema.HREvent{{ID: "e2", State: schema.EventRefused, Problems: []schema.Problem{{Where: "body", Code: "syntax"}}}}, "more", nil
	}
	a := b.do("operator", "GET", "/v1/hr/events?source=hris&state=refused&cursor=x&limit=3", "")
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, "more", a.json["next"])
	require.Equal(t, 422, b.do("operator", "GET", "/v1/hr/events?state=lost", "").status)
}

func leaverFor(id schema.LeaverID) schema.Leaver {
	return schema.Leaver{
		ID: id, PersonID: "p1", Email: "ada@example.com", Source: "bamboohr", ExternalID: "7", State: schema.LeaverOpen, CaseID: "c1", OwnCase: true,
		Moment: schema.Moment{
			Starts: schema.StartsLastWorkingDay, Date: schema.Date{Year: 2026, Month: 12, Day: 1}, At: schema.LocalTime{Hour: 18},
			TimeZone: "Europe/Berlin", ZoneFrom: schema.ZoneOfPerson, DueAt: now,
		},
		Lost: []string{"sessions"},
	}
}

func TestLeaversAndTheirCases(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ListLeaversFunc = func(f schema.LeaverFilter) ([]schema.Leaver, string, error) {
		require.Equal(t, schema.LeaverFilter{Source: "bamboohr", State: schema.LeaverHeld, Email: "ada@example.com", Open: true, Batch: "b1", After: "x", Limit: 2}, f)
		return []schema.Leaver{leaverFor("l1")}, "more", nil
	}
	a := b.do("auditor", "GET", "/v1/hr/leavers?source=bamboohr&state=held&email=ADA@example.com&open=true&batch=b1&cursor=x&limit=2", "")
	require.Equal(t, 200, a.status, a.raw)
	require.Len(t, a.json["leavers"], 1)
	require.Equal(t, "more", a.json["next"])
	require.Equal(t, []string{"email:email_syntax"}, b.do("auditor", "GET", "/v1/hr/leavers?email=ada", "").problems())

	b.store.FindLeaverFunc = func(ref string) (schema.Leaver, error) { return leaverFor(schema.LeaverID(ref)), nil }
	a = b.do("operator", "GET", "/v1/hr/leavers/ada@example.com", "")
	require.Equal(t, "ada@example.com", a.json["id"])
	moment := map[string]any{
		"starts": "last_working_day", "date": "2026-12-01", "at": "18:00", "time_zone": "Europe/Berlin", "zone_from": "person", "due_at": "2026-11-21T12:00:00Z",
	}
	require.Equal(t, moment, a.json["moment"])

	b.store.FindCaseFunc = func(string) (schema.Case, error) { return schema.Case{ID: "c1"}, nil }
	b.store.CaseViewFunc = func(id schema.CaseID) (schema.CaseView, error) {
		return viewFor(schema.Case{ID: id, Email: "ada@example.com"}, schema.PlanWaiting), nil
	}
	a = b.do("operator", "GET", "/v1/cases/c1", "")
	require.NotContains(t, a.json, "leaver", "HR did not ask")
	b.store.LeaverOfCaseFunc = func(id schema.CaseID) (schema.Leaver, bool, error) { return leaverFor("l1"), id == "c1", nil }
	a = b.do("operator", "GET", "/v1/cases/c1", "")
	require.Equal(t, map[string]any{
		"id": "l1", "source": "bamboohr", "moment": moment, "for_cause": false, "state": "open", "lost": []any{"sessions"},
	}, a.json["leaver"])
	at := leaverFor("l1")
	at.Moment = schema.Moment{Starts: schema.StartsAtOnce, DueAt: now}
	b.store.LeaverOfCaseFunc = func(schema.CaseID) (schema.Leaver, bool, error) { return at, true, nil }
	a = b.do("operator", "GET", "/v1/cases/c1", "")
	require.Equal(t, map[string]any{"starts": "at_once", "date": "", "at": "", "time_zone": "", "zone_from": "", "due_at": "2026-11-21T12:00:00Z"}, a.json["leaver"].(map[string]any)["moment"])
}

func TestSites(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.ListSitesFunc = func(after string, limit int) ([]schema.Site, string, error) {
		require.Equal(t, "x", after)
		return []schema.Site{{Name: "Tokyo", TimeZone: "Asia/Tokyo", UpdatedBy: "root", UpdatedAt: now}}[:limit], "more", nil
	}
	a := b.do("auditor", "GET", "/v1/hr/sites?cursor=x&limit=1", "")
	require.Equal(t, 200, a.status, a.raw)
	require.Len(t, a.json["sites"], 1)
	var set []schema.Site
	b.store.SetSiteFunc = func(s schema.Site, by schema.Principal) (schema.Site, error) {
		set = append(set, s)
		s.UpdatedBy = by.Name
		return s, nil
	}
	a = b.do("admin", "PUT", "/v1/hr/sites", `{"name":" Tokyo ","time_zone":"Asia/Tokyo"}`)
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, "root", a.json["updated_by"])
	require.Equal(t, 200, b.do("admin", "PUT", "/v1/hr/sites", `{"name":"Tokyo","time_zone":""}`).status)
	require.Equal(t, []schema.Site{{Name: "Tokyo", TimeZone: "Asia/Tokyo"}, {Name: "Tokyo"}}, set)
	require.Equal(t, []string{"time_zone:zone", "name:required"}, b.do("admin", "PUT", "/v1/hr/sites", `{"name":" ","time_zone":"JST"}`).problems())
}

// TestBatches: a release says how large the batch was that was looked at.
func TestBatches(t *testing.T) {
	t.Parallel()
	b := setup(t)
	held := schema.Batch{
		ID: "b1", Scope: schema.BatchOfSource, ScopeName: "hris", State: schema.BatchHeld, Size: 40, Started: 1, Allowed: 5, Limit: schema.DefaultStartLimit(), CreatedAt: now,
		Releases: []schema.BatchDecision{{Kind: schema.BatchReleased, Reason: "a plant closes", Principal: "root", Size: 38, CreatedAt: now}},
	}
	b.store.ListBatchesFunc = func(f schema.BatchFilter) ([]schema.Batch, string, error) {
		require.Equal(t, schema.BatchFilter{State: schema.BatchHeld, After: "x", Limit: 2}, f)
		return []schema.Batch{held}, "more", nil
	}
	a := b.do("auditor", "GET", "/v1/batches?state=held&cursor=x&limit=2", "")
	require.Equal(t, 200, a.status, a.raw)
	one := a.json["batches"].([]any)[0].(map[string]any)
	require.Equal(t, "hris", one["of"])
	require.EqualValues(t, 2, one["releases_needed"])
	require.EqualValues(t, 38, one["decisions"].([]any)[0].(map[string]any)["size"])

	b.store.FindBatchFunc = func(ref string) (schema.Batch, error) {
		require.Equal(t, "b1b1b1b1", ref)
		return held, nil
	}
	require.Equal(t, 200, b.do("auditor", "GET", "/v1/batches/b1b1b1b1", "").status)
	var said []schema.BatchDecision
	b.store.DecideBatchFunc = func(id schema.BatchID, d schema.BatchDecision, by schema.Principal) (schema.Batch, error) {
		require.Equal(t, schema.BatchID("b1"), id)
		require.Equal(t, "night-shift", by.Name)
		said = append(said, d)
		return held, nil
	}
	require.Equal(t, 200, b.do("operator", "POST", "/v1/batches/b1b1b1b1/release", `{"reason":" seen ","size":40}`).status)
	require.Equal(t, 200, b.do("operator", "POST", "/v1/batches/b1b1b1b1/discard", `{"reason":"a wrong file","size":40}`).status)
	require.Equal(t, []schema.BatchDecision{
		{Kind: schema.BatchReleased, Reason: "seen", Principal: "night-shift", TokenID: "t2", Size: 40},
		{Kind: schema.BatchDiscarded, Reason: "a wrong file", Principal: "night-shift", TokenID: "t2", Size: 40},
	}, said)
	require.Equal(t, []string{"reason:required", "size:out_of_range"}, b.do("operator", "POST", "/v1/batches/b1b1b1b1/release", `{"reason":"","size":0}`).problems())
	require.Equal(t, 422, b.do("operator", "POST", "/v1/batches/b1b1b1b1/release", `{"reason":"x"}`).status, "nobody releases what they did not look at")
}

// TestWithoutHR: a server without a store of HR serves none of it, and a SCIM
// handler is asked without a token of the API.
func TestWithoutHR(t *testing.T) {
	t.Parallel()
	b := setup(t)
	scim := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte(r.URL.Path + r.Header.Get("Authorization")))
	})
	srv := httptest.NewServer(web.New(web.Config{Store: b.store, Planner: b.planner, Checker: b.checker, SCIM: scim}))
	t.Cleanup(srv.Close)
	plain := *b
	plain.srv = srv
	require.Equal(t, 404, plain.do("admin", "GET", "/v1/hr/sources", "").status)
	a := plain.do("scim_x", "GET", "/scim/v2/Users/1", "")
	require.Equal(t, http.StatusTeapot, a.status)
	require.Equal(t, "/scim/v2/Users/1Bearer sendoff_scim_x", a.raw)
	require.Equal(t, 404, b.do("admin", "GET", "/scim/v2/Users", "").status, "nothing is mounted")
	require.Equal(t, http.StatusUnauthorized, plain.do("", "GET", "/scim/v2x", "").status)
}

// TestALeaverIsRetriedAndAnAlarmEnded: both by somebody's word alone, an alarm with
// a reason.
func TestALeaverIsRetriedAndAnAlarmEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.FindLeaverFunc = func(ref string) (schema.Leaver, error) {
		require.Equal(t, "lea@example.com", ref)
		return schema.Leaver{ID: "0197c0de-0000-7000-8000-000000000007", State: schema.LeaverRefused}, nil
	}
	var retried schema.LeaverID
	b.store.RetryLeaverFunc = func(id schema.LeaverID, _ schema.Principal) error { retried = id; return nil }
	require.Equal(t, http.StatusOK, b.do("operator", "POST", "/v1/hr/leavers/lea@example.com/retry", "").status)
	require.Equal(t, schema.LeaverID("0197c0de-0000-7000-8000-000000000007"), retried)

	var ended string
	b.store.EndAlarmFunc = func(id schema.AlarmID, reason string, _ schema.Principal) error {
		ended = string(id) + " " + reason
		return nil
	}
	require.Equal(t, http.StatusUnprocessableEntity, b.do("operator", "POST", "/v1/alarms/a1/end", `{"reason":" "}`).status)
	require.Empty(t, ended)
	require.Equal(t, http.StatusOK, b.do("operator", "POST", "/v1/alarms/a1/end", `{"reason":"looked"}`).status)
	require.Equal(t, "a1 looked", ended)
}
