package web

import (
	"context"
	"net/http"
	"time"

	"sendoff/internal/notices"
	"sendoff/schema"
)

type noticeRulesBody struct {
	Version   int                           `json:"version" doc:"0 = none were applied, nobody is told"`
	Routes    []noticeRoute                 `json:"routes" nullable:"false"`
	Texts     map[schema.NoticeEvent]string `json:"texts" doc:"Of events; those that are absent have the built-in text"`
	Source    string                        `json:"source" doc:"The file as it was applied"`
	UpdatedBy string                        `json:"updated_by"`
	UpdatedAt *time.Time                    `json:"updated_at" doc:"null = none were applied"`
}

type noticeRoute struct {
	Audience schema.Audience      `json:"audience"`
	Events   []schema.NoticeEvent `json:"events" nullable:"false"`
	Channel  schema.Channel       `json:"channel"`
	To       []string             `json:"to" nullable:"false" doc:"Empty = the manager, who is found for each leaver"`
}

type (
	showNoticeRulesInput struct {
		Version int `query:"version" minimum:"0" doc:"0 = as they are now"`
	}
	showNoticeRulesOutput  struct{ Body noticeRulesBody }
	applyNoticeRulesInput  struct{ Body applyNoticeRulesBody }
	applyNoticeRulesOutput struct{ Body appliedNoticeRules }
)

type applyNoticeRulesBody struct {
	File        string `json:"file" doc:"The file's name, for messages" maxLength:"500"`
	Source      string `json:"source" doc:"The file's text"`
	FromVersion *int   `json:"from_version,omitempty" doc:"The version that was looked at, 0 = there was none; absent = whatever there is"`
	DryRun      bool   `json:"dry_run,omitempty" doc:"Tell what would change and change nothing"`
}

type appliedNoticeRules struct {
	Applied     bool             `json:"applied"`
	Change      string           `json:"change" enum:"created,changed,unchanged"`
	FromVersion int              `json:"from_version" doc:"0 = there was none"`
	Version     int              `json:"version" doc:"That it has, or would have"`
	Previous    string           `json:"previous" doc:"The text that is replaced"`
	Warnings    []schema.Problem `json:"warnings" nullable:"false"`
}

type noticeBody struct {
	ID          schema.NoticeID    `json:"id"`
	Event       schema.NoticeEvent `json:"event"`
	Audience    schema.Audience    `json:"audience"`
	Channel     schema.Channel     `json:"channel"`
	To          []string           `json:"to" nullable:"false" doc:"Empty = the manager, who is found when it is sent"`
	CaseID      schema.CaseID      `json:"case_id"`
	PlanID      schema.PlanID      `json:"plan_id"`
	LeaverID    schema.LeaverID    `json:"leaver_id"`
	BatchID     schema.BatchID     `json:"batch_id"`
	SourceID    schema.SourceID    `json:"source_id"`
	Cause       schema.ParkCode    `json:"cause" doc:"Of a parked plan"`
	Rules       int                `json:"rules" doc:"The version of the rules it was made by"`
	State       schema.NoticeState `json:"state"`
	Attempts    int                `json:"attempts"`
	LastError   string             `json:"last_error"`
	TextHash    string             `json:"text_sha256" doc:"Of what was sent last; empty = nothing was written"`
	CreatedAt   time.Time          `json:"created_at"`
	DeliveredAt *time.Time         `json:"delivered_at" doc:"null = not delivered"`
}

type (
	listNoticesInput struct {
		Page
		State string `query:"state" enum:"pending,delivered,failed,skipped" doc:"Only those in this state"`
		Case  string `query:"case" maxLength:"254" doc:"Only those about a case: its id, 8 or more characters of it, or an address"`
	}
	listNoticesOutput struct {
		Body struct {
			Notices []noticeBody `json:"notices" nullable:"false"`
			Next    string       `json:"next"`
		}
	}
	retryNoticeInput struct {
		ID schema.NoticeID `path:"id" maxLength:"64"`
	}
	noticeOutput struct{ Body noticeBody }
)

func (s *server) registerNotices() {
	handle(s, route{
		id: "show-notice-rules", method: http.MethodGet, path: "/v1/notices/rules", roles: adminsOnly(), summary: "Show who is told of what",
	}, s.showNoticeRules)
	handle(s, route{
		id: "apply-notice-rules", method: http.MethodPut, path: "/v1/notices/rules", roles: adminsOnly(),
		summary: "Check a file of rules and store it as another version",
	}, s.applyNoticeRules)
	handle(s, route{
		id: "list-notices", method: http.MethodGet, path: "/v1/notices", roles: readers(), summary: "List notices, newest first",
	}, s.listNotices)
	handle(s, route{
		id: "retry-notice", method: http.MethodPost, path: "/v1/notices/{id}/retry", roles: deciders(), summary: "Queue a notice that failed again",
	}, s.retryNotice)
}

func (s *server) showNoticeRules(ctx context.Context, _ schema.Principal, in *showNoticeRulesInput) (*showNoticeRulesOutput, error) {
	find := func() (schema.NoticeRules, error) { return s.store.NoticeRules(ctx) }
	if in.Version > 0 {
		find = func() (schema.NoticeRules, error) { return s.store.NoticeRulesVersion(ctx, in.Version) }
	}
	r, err := find()
	if err != nil {
		return nil, err
	}
	body := noticeRulesBody{
		Version: r.Version, Routes: []noticeRoute{}, Texts: r.Texts, Source: r.Source, UpdatedBy: r.UpdatedBy, UpdatedAt: instant(r.UpdatedAt),
	}
	if body.Texts == nil {
		body.Texts = map[schema.NoticeEvent]string{}
	}
	for _, one := range r.Routes {
		body.Routes = append(body.Routes, noticeRoute{Audience: one.Audience, Events: nonNil(one.Events), Channel: one.Channel, To: nonNil(one.To)})
	}
	return &showNoticeRulesOutput{Body: body}, nil
}

func (s *server) applyNoticeRules(ctx context.Context, by schema.Principal, in *applyNoticeRulesInput) (*applyNoticeRulesOutput, error) {
	want, report := notices.Parse(in.Body.File, []byte(in.Body.Source))
	if err := report.Err(); err != nil {
		return nil, err
	}
	now, err := s.store.NoticeRules(ctx)
	if err != nil {
		return nil, err
	}
	out := appliedNoticeRules{
		FromVersion: now.Version, Version: now.Version, Previous: now.Source, Change: "unchanged", Warnings: nonNil(report.Warnings),
	}
	switch {
	case now.Version == 0:
		out.Change, out.Version = "created", 1
	case now.Source != want.Source:
		out.Change, out.Version = "changed", now.Version+1
	}
	if in.Body.DryRun {
		return &applyNoticeRulesOutput{Body: out}, nil
	}
	want.Version = now.Version
	if in.Body.FromVersion != nil {
		want.Version = *in.Body.FromVersion // the store compares, under its lock
	}
	applied, err := s.store.ApplyNoticeRules(ctx, want, by)
	if err != nil {
		return nil, err
	}
	out.Applied, out.Version = true, applied.Version
	return &applyNoticeRulesOutput{Body: out}, nil
}

func (s *server) listNotices(ctx context.Context, _ schema.Principal, in *listNoticesInput) (*listNoticesOutput, error) {
	f := schema.NoticeFilter{State: schema.NoticeState(in.State), After: in.Cursor, Limit: in.Limit}
	if in.Case != "" {
		c, err := s.store.FindCase(ctx, in.Case)
		if err != nil {
			return nil, err
		}
		f.CaseID = c.ID
	}
	list, next, err := s.store.ListNotices(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &listNoticesOutput{}
	out.Body.Notices, out.Body.Next = []noticeBody{}, next
	for _, n := range list {
		out.Body.Notices = append(out.Body.Notices, noticeOf(n))
	}
	return out, nil
}

func (s *server) retryNotice(ctx context.Context, by schema.Principal, in *retryNoticeInput) (*noticeOutput, error) {
	n, err := s.store.RetryNotice(ctx, in.ID, by)
	if err != nil {
		return nil, err
	}
	return &noticeOutput{Body: noticeOf(n)}, nil
}

func noticeOf(n schema.QueuedNotice) noticeBody {
	b := noticeBody{
		ID: n.ID, Event: n.Event, Audience: n.Audience, Channel: n.Channel, To: nonNil(n.To), CaseID: n.CaseID, PlanID: n.PlanID, LeaverID: n.LeaverID,
		BatchID: n.BatchID, SourceID: n.SourceID, Rules: n.Version, State: n.State, Attempts: n.Attempts, LastError: n.LastError, TextHash: n.TextHash,
		CreatedAt: n.CreatedAt.UTC(), DeliveredAt: instant(n.DeliveredAt),
	}
	if n.Cause != nil {
		b.Cause = n.Cause.Code
	}
	return b
}
