package web

import (
	"context"
	"net/http"
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

type ownerInput struct {
	ConnectionName
	Body struct {
		Owner string `json:"owner" doc:"E-mail address of who looks after the connection; empty = nobody"`
	}
}

type scheduleBody struct {
	Sync     string `json:"sync,omitempty" doc:"How often accounts and groups are listed, such as 24h; 0 = never"`
	Activity string `json:"activity,omitempty" doc:"How often events are read; 0 = never"`
	Probe    string `json:"probe,omitempty" doc:"How often the doctor looks"`
	Backfill string `json:"backfill,omitempty" doc:"How far back the first read of events goes, such as 183d"`
}

type scheduleInput struct {
	ConnectionName
	Body scheduleBody
}

type scheduleOutput struct{ Body scheduleBody }

type alarmsInput struct {
	Page
	Ended bool `query:"ended" doc:"Those that are over as well"`
}

type alarmBody struct {
	ID           schema.AlarmID    `json:"id"`
	Connection   string            `json:"connection" doc:"Empty = not about a connection"`
	Source       string            `json:"source" doc:"Of HR events; empty = not about one"`
	Policy       string            `json:"policy" doc:"Empty = not about one"`
	AccessReview string            `json:"access_review" doc:"Empty = not about one"`
	CampaignID   schema.CampaignID `json:"campaign_id" doc:"Of the access review; empty = not about a campaign"`
	Code         string            `json:"code"`
	Message      string            `json:"message"`
	Fix          string            `json:"fix"`
	RaisedAt     time.Time         `json:"raised_at"`
	ToldAt       *time.Time        `json:"told_at" doc:"null = the owner could not be told yet"`
	ClearedAt    *time.Time        `json:"cleared_at" doc:"null = open"`
}

type alarmsOutput struct {
	Body struct {
		Alarms []alarmBody `json:"alarms" nullable:"false"`
		Next   string      `json:"next"`
	}
}

func (s *server) registerAlarms() {
	handle(s, route{
		id: "list-alarms", method: http.MethodGet, path: "/v1/alarms", roles: readers(), summary: "List what somebody has to know of, newest first",
	}, s.listAlarms)
	handle(s, route{
		id: "end-alarm", method: http.MethodPost, path: "/v1/alarms/{id}/end", roles: deciders(),
		summary: "End an alarm that nothing ends but somebody's word",
	}, s.endAlarm)
}

type endAlarmInput struct {
	ID   string `path:"id" maxLength:"63"`
	Body struct {
		Reason string `json:"reason"`
	}
}

type nothingOutput struct{ Body struct{} }

func (s *server) endAlarm(ctx context.Context, by schema.Principal, in *endAlarmInput) (*nothingOutput, error) {
	var f faults
	reason := f.reason(in.Body.Reason)
	if err := f.err("the alarm was not ended"); err != nil {
		return nil, err
	}
	return &nothingOutput{}, s.store.EndAlarm(ctx, schema.AlarmID(in.ID), reason, by)
}

// registerUpkeep registers who looks after a connection, and how often it is used.
func (s *server) registerUpkeep() {
	handle(s, route{
		id: "set-connection-owner", method: http.MethodPut, path: "/v1/connections/{name}/owner", roles: adminsOnly(),
		summary: "Name who looks after a connection and is told of its alarms",
	}, s.setOwner)
	handle(s, route{
		id: "show-schedule", method: http.MethodGet, path: "/v1/connections/{name}/schedule", roles: readers(),
		summary: "Show how often a connection's runs begin by themselves",
	}, s.showSchedule)
	handle(s, route{
		id: "set-schedule", method: http.MethodPut, path: "/v1/connections/{name}/schedule", roles: adminsOnly(),
		summary: "Change how often a connection's runs begin by themselves; what is left out stays",
	}, s.setSchedule)
}

func (s *server) listAlarms(ctx context.Context, _ schema.Principal, in *alarmsInput) (*alarmsOutput, error) {
	list, next, err := s.store.ListAlarms(ctx, in.Ended, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &alarmsOutput{}
	out.Body.Alarms, out.Body.Next = []alarmBody{}, next
	for _, a := range list {
		out.Body.Alarms = append(out.Body.Alarms, alarmBody{
			ID: a.ID, Connection: a.Connection, Source: a.Source, Policy: a.Policy, AccessReview: a.AccessReview, CampaignID: a.CampaignID,
			Code: a.Code, Message: a.Message, Fix: a.Fix,
			RaisedAt: a.RaisedAt.UTC(), ToldAt: instant(a.ToldAt), ClearedAt: instant(a.ClearedAt),
		})
	}
	return out, nil
}

func (s *server) setOwner(ctx context.Context, by schema.Principal, in *ownerInput) (*connectionOutput, error) {
	var f faults
	owner := checkOwner(&f, in.Body.Owner)
	if err := f.err("the owner is not valid; nothing was changed"); err != nil {
		return nil, err
	}
	c, err := s.store.SetConnectionOwner(ctx, in.Name, owner, by)
	return &connectionOutput{Body: connectionOf(c)}, err
}

func (s *server) showSchedule(ctx context.Context, _ schema.Principal, in *ConnectionName) (*scheduleOutput, error) {
	c, err := s.store.ConnectionByName(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	have, err := s.store.Schedule(ctx, c.ID)
	return &scheduleOutput{Body: scheduleOf(have)}, err
}

func (s *server) setSchedule(ctx context.Context, by schema.Principal, in *scheduleInput) (*scheduleOutput, error) {
	c, err := s.store.ConnectionByName(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	to, err := s.store.Schedule(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	var f faults
	for _, v := range []struct {
		field, text string
		into        *time.Duration
	}{{"sync", in.Body.Sync, &to.Sync}, {"activity", in.Body.Activity, &to.Activity}, {"probe", in.Body.Probe, &to.Probe}, {"backfill", in.Body.Backfill, &to.Backfill}} {
		f.duration(v.field, v.text, v.into)
	}
	if err := f.err("the schedule is not valid; nothing was changed"); err != nil {
		return nil, err
	}
	to, err = s.store.SetSchedule(ctx, c.Name, to, by)
	return &scheduleOutput{Body: scheduleOf(to)}, err
}

// duration reads a duration; an empty text leaves what is there.
func (f *faults) duration(field, text string, into *time.Duration) {
	switch text {
	case "":
		return
	case "0":
		*into = 0
		return
	}
	d, err := intake.ParseDuration(text)
	if err != nil {
		f.add(field, "duration", err.Error(), "give one such as 15m, 24h or 183d")
		return
	}
	*into = d
}

func scheduleOf(s schema.Schedule) scheduleBody {
	return scheduleBody{
		Sync: intake.FormatDuration(s.Sync), Activity: intake.FormatDuration(s.Activity),
		Probe: intake.FormatDuration(s.Probe), Backfill: intake.FormatDuration(s.Backfill),
	}
}
