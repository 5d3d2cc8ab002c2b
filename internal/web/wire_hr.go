package web

import (
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// sourceBody is a source of HR events as people and programs are shown it: without
// its secrets.
type sourceBody struct {
	ID         schema.SourceID        `json:"id"`
	Name       string                 `json:"name"`
	Kind       schema.SourceKind      `json:"kind" enum:"standard-webhooks,bamboohr,hmac,scim,csv,manual"`
	State      schema.ConnectionState `json:"state" enum:"enabled,disabled,removed"`
	Door       string                 `json:"door" doc:"Where it sends to; empty = it sends nothing"`
	TimeZone   string                 `json:"time_zone" doc:"The company's: it counts where neither person nor site has one"`
	Template   string                 `json:"template" doc:"Of the cases it opens"`
	Receivers  []string               `json:"receivers" nullable:"false"`
	Approvals  int                    `json:"approvals"`
	Owner      string                 `json:"owner" doc:"Who is told of its alarms; empty = nobody"`
	Rhythm     string                 `json:"rhythm" doc:"How long it may be silent before that is an alarm; 0s = for ever"`
	Limit      startLimitBody         `json:"limit"`
	Mapping    *schema.Mapping        `json:"mapping" doc:"null = it has none"`
	Signature  *schema.Signature      `json:"signature" doc:"null = it has none"`
	BaseURL    string                 `json:"base_url" doc:"Of its API; empty = it has none"`
	PollEvery  string                 `json:"poll_every" doc:"0s = it is not polled"`
	Version    int64                  `json:"version"`
	CreatedAt  time.Time              `json:"created_at"`
	UpdatedAt  time.Time              `json:"updated_at"`
	HeardAt    *time.Time             `json:"last_heard_at" doc:"When it last told anything, or was asked with success; null = never"`
	EventAt    *time.Time             `json:"last_event_at" doc:"null = never"`
	NextPollAt *time.Time             `json:"next_poll_at" doc:"null = it is not polled"`
	PollError  string                 `json:"poll_error" doc:"Of the last poll; empty = it went well"`
}

type startLimitBody struct {
	Number  int    `json:"number"`
	Percent int    `json:"percent" doc:"Of those the source tells of who have not left"`
	Window  string `json:"window"`
}

// sourceOf renders a source; its door is a path, or with the server's public URL
// a URL.
func (s *server) sourceOf(src schema.Source) sourceBody {
	return sourceBody{
		ID: src.ID, Name: src.Name, Kind: src.Kind, State: src.State, Door: s.doorOf(src), TimeZone: src.TimeZone, Template: src.Template,
		Receivers: nonNil(src.Receivers), Approvals: src.Approvals, Owner: src.Owner, Rhythm: intake.FormatDuration(src.Rhythm),
		Limit: limitOf(src.Limit), Mapping: src.Mapping, Signature: src.Signature, BaseURL: src.BaseURL, PollEvery: intake.FormatDuration(src.PollEvery),
		Version: src.Version, CreatedAt: src.CreatedAt.UTC(), UpdatedAt: src.UpdatedAt.UTC(), HeardAt: instant(src.LastHeardAt),
		EventAt: instant(src.LastEventAt), NextPollAt: instant(src.NextPollAt), PollError: src.PollError,
	}
}

func (s *server) doorOf(src schema.Source) string {
	switch {
	case pushes(src.Kind):
		return s.publicURL + "/hooks/" + src.Name
	case src.Kind == schema.SourceSCIM:
		return s.publicURL + "/scim/v2"
	}
	return ""
}

// pushes tells whether a source of the kind sends webhooks.
func pushes(k schema.SourceKind) bool {
	return k == schema.SourceStandardWebhooks || k == schema.SourceHMAC || k == schema.SourceBambooHR
}

func limitOf(l schema.StartLimit) startLimitBody {
	return startLimitBody{Number: l.Number, Percent: l.Percent, Window: intake.FormatDuration(l.Window)}
}

type sourceTokenBody struct {
	ID         schema.TokenID `json:"id"`
	CreatedAt  time.Time      `json:"created_at"`
	CreatedBy  string         `json:"created_by"`
	ExpiresAt  *time.Time     `json:"expires_at" doc:"null = never"`
	RevokedAt  *time.Time     `json:"revoked_at" doc:"null = valid"`
	LastUsedAt *time.Time     `json:"last_used_at" doc:"null = never used"`
}

func sourceTokenOf(t schema.SourceToken) sourceTokenBody {
	return sourceTokenBody{
		ID: t.ID, CreatedAt: t.CreatedAt.UTC(), CreatedBy: t.CreatedBy,
		ExpiresAt: instant(t.ExpiresAt), RevokedAt: instant(t.RevokedAt), LastUsedAt: instant(t.LastUsedAt),
	}
}

// HREventBody is what a source told, without the body that it came in. (Exported,
// for huma leaves out unexported embedded structs.)
type HREventBody struct {
	ID         schema.HREventID   `json:"id"`
	Seq        int64              `json:"seq" doc:"The order in which events were accepted"`
	Source     string             `json:"source"`
	EventID    string             `json:"event_id" doc:"The source's own, unique within the source"`
	GroupID    string             `json:"group_id" doc:"Of events that came together and are applied together; empty = it stands alone"`
	Via        schema.EventVia    `json:"via" enum:"webhook,scim,poll,import,hand"`
	State      schema.EventState  `json:"state" enum:"pending,applied,refused"`
	Tells      hrChangeBody       `json:"tells"`
	BodyHash   string             `json:"body_hash" doc:"Hex SHA-256 of the body as it came"`
	Problems   []schema.Problem   `json:"problems" nullable:"false" doc:"Of a refused one"`
	Outcome    []eventOutcomeBody `json:"outcome" nullable:"false" doc:"What applying it did, by person"`
	ReceivedAt time.Time          `json:"received_at"`
	AppliedAt  *time.Time         `json:"applied_at" doc:"null = not applied"`
}

type hrChangeBody struct {
	Kind        schema.HRChangeKind `json:"kind" doc:"employments, hint, leave or return; empty = it cannot be read"`
	Mode        schema.RosterMode   `json:"mode" doc:"Of employments: whole or changes"`
	Employments int                 `json:"employments" doc:"How many it tells of"`
	Hand        *byHandBody         `json:"hand" doc:"What somebody said by hand; null = nobody did"`
}

type byHandBody struct {
	Email          string `json:"email"`
	LastWorkingDay string `json:"last_working_day"`
	TerminatedOn   string `json:"termination_date"`
	TimeZone       string `json:"time_zone"`
	ForCause       bool   `json:"for_cause"`
	Reason         string `json:"reason"`
	Principal      string `json:"principal"`
}

type eventOutcomeBody struct {
	ExternalID string             `json:"external_id" doc:"Of the employment; empty = by hand"`
	PersonID   schema.PersonID    `json:"person_id"`
	LeaverID   schema.LeaverID    `json:"leaver_id"`
	Effect     schema.EventEffect `json:"effect" doc:"none, refused, leaver, held, moved, withdrawn, by_hand or poll"`
	Detail     string             `json:"detail"`
}

func hrEventOf(e schema.HREvent) HREventBody {
	b := HREventBody{
		ID: e.ID, Seq: e.Seq, Source: e.Source, EventID: e.EventID, GroupID: e.GroupID, Via: e.Via, State: e.State, BodyHash: e.BodyHash,
		Tells: hrChangeBody{Kind: e.Change.Kind}, Problems: nonNil(e.Problems),
		Outcome: listOf(e.Outcome, func(o schema.EventOutcome) eventOutcomeBody {
			return eventOutcomeBody{o.ExternalID, o.PersonID, o.LeaverID, o.Effect, o.Detail}
		}),
		ReceivedAt: e.ReceivedAt.UTC(), AppliedAt: instant(e.AppliedAt),
	}
	if r := e.Change.Roster; r != nil {
		b.Tells.Mode, b.Tells.Employments = r.Mode, len(r.Employments)
	}
	if h := e.Change.Hand; h != nil {
		b.Tells.Hand = &byHandBody{
			Email: h.Email, LastWorkingDay: h.LastWorkingDay.String(), TerminatedOn: h.TerminatedOn.String(), TimeZone: h.TimeZone,
			ForCause: h.ForCause, Reason: h.Reason, Principal: h.Principal,
		}
	}
	return b
}

// momentBody is when a leaver's clock starts, and why then.
type momentBody struct {
	Starts   schema.Starts   `json:"starts" enum:"last_working_day,termination_date,garden_leave,at_once"`
	Date     string          `json:"date" doc:"Empty = at once"`
	At       string          `json:"at" doc:"Local time on the date, HH:MM; empty = at once"`
	TimeZone string          `json:"time_zone" doc:"Empty = at once"`
	ZoneFrom schema.ZoneFrom `json:"zone_from" doc:"Whose zone: person, site or company; empty = at once"`
	DueAt    time.Time       `json:"due_at"`
}

func momentOf(m schema.Moment) momentBody {
	b := momentBody{Starts: m.Starts, Date: m.Date.String(), TimeZone: m.TimeZone, ZoneFrom: m.ZoneFrom, DueAt: m.DueAt.UTC()}
	if b.Date != "" {
		b.At = m.At.String()
	}
	return b
}

// leaverBody is what HR wants for a person who leaves.
type leaverBody struct {
	ID         schema.LeaverID    `json:"id"`
	PersonID   schema.PersonID    `json:"person_id"`
	Email      string             `json:"email"`
	Name       string             `json:"name"`
	Source     string             `json:"source"`
	ExternalID string             `json:"external_id" doc:"Of the employment that decides; empty = by hand"`
	Moment     momentBody         `json:"moment"`
	ForCause   bool               `json:"for_cause"`
	Reason     string             `json:"reason" doc:"Of leaving, as the source says"`
	ByHand     bool               `json:"by_hand" doc:"Feeds do not change it"`
	State      schema.LeaverState `json:"state" enum:"held,planning,no_account,refused,open,withdrawn,ended"`
	End        schema.LeaverEnd   `json:"end" doc:"How it ended: done, withdrawn, cancelled, no_account or discarded; empty = it has not"`
	CaseID     schema.CaseID      `json:"case_id" doc:"Empty = none yet"`
	OwnCase    bool               `json:"own_case" doc:"Whether the case was opened for this leaver; another's is neither moved nor cancelled by HR"`
	BatchID    schema.BatchID     `json:"batch_id" doc:"Of one that is or was held"`
	Findings   []schema.Finding   `json:"findings" nullable:"false" doc:"Why pre-flight refuses"`
	Lost       []string           `json:"lost" nullable:"false" doc:"What does not come back of a withdrawn one"`
	Revision   int64              `json:"revision"`
	Template   string             `json:"template"`
	Receivers  []string           `json:"receivers" nullable:"false"`
	Approvals  int                `json:"approvals"`
	CreatedAt  time.Time          `json:"created_at"`
	UpdatedAt  time.Time          `json:"updated_at"`
	EndedAt    *time.Time         `json:"ended_at"`
}

func leaverOf(l schema.Leaver) leaverBody {
	return leaverBody{
		ID: l.ID, PersonID: l.PersonID, Email: l.Email, Name: l.Name, Source: l.Source, ExternalID: l.ExternalID, Moment: momentOf(l.Moment),
		ForCause: l.ForCause, Reason: l.Reason, ByHand: l.ByHand, State: l.State, End: l.End, CaseID: l.CaseID, OwnCase: l.OwnCase,
		BatchID: l.BatchID, Findings: nonNil(l.Findings), Lost: nonNil(l.Lost), Revision: l.Revision, Template: l.Template,
		Receivers: nonNil(l.Receivers), Approvals: l.Approvals, CreatedAt: l.CreatedAt.UTC(), UpdatedAt: l.UpdatedAt.UTC(), EndedAt: instant(l.EndedAt),
	}
}

// caseLeaverBody is what a case says of the leaver it works for.
type caseLeaverBody struct {
	ID       schema.LeaverID    `json:"id"`
	Source   string             `json:"source"`
	Moment   momentBody         `json:"moment"`
	ForCause bool               `json:"for_cause"`
	State    schema.LeaverState `json:"state"`
	Lost     []string           `json:"lost" nullable:"false" doc:"What does not come back of a withdrawn one"`
}

func caseLeaverOf(l schema.Leaver) *caseLeaverBody {
	return &caseLeaverBody{ID: l.ID, Source: l.Source, Moment: momentOf(l.Moment), ForCause: l.ForCause, State: l.State, Lost: nonNil(l.Lost)}
}

// batchBody is what would have started more than its limit allows.
type batchBody struct {
	ID        schema.BatchID      `json:"id"`
	Scope     schema.BatchScope   `json:"scope" enum:"hr_source,policy"`
	Of        string              `json:"of" doc:"Name of the source or policy"`
	State     schema.BatchState   `json:"state" enum:"held,released,discarded"`
	Size      int                 `json:"size" doc:"How many it would start"`
	Started   int                 `json:"started" doc:"How many had been started within the window"`
	Allowed   int                 `json:"allowed"`
	Limit     startLimitBody      `json:"limit"`
	Needed    int                 `json:"releases_needed" doc:"By how many different principals"`
	Decisions []batchDecisionBody `json:"decisions" nullable:"false" doc:"Oldest first"`
	CreatedAt time.Time           `json:"created_at"`
	EndedAt   *time.Time          `json:"ended_at" doc:"null = it is held"`
}

type batchDecisionBody struct {
	Kind      schema.BatchState `json:"kind" enum:"released,discarded"`
	Reason    string            `json:"reason"`
	Principal string            `json:"principal"`
	Size      int               `json:"size" doc:"How large the batch was that the principal saw"`
	At        time.Time         `json:"at"`
}

func batchOf(b schema.Batch) batchBody {
	return batchBody{
		ID: b.ID, Scope: b.Scope, Of: b.ScopeName, State: b.State, Size: b.Size, Started: b.Started, Allowed: b.Allowed, Limit: limitOf(b.Limit),
		Needed: schema.ReleasesNeeded, CreatedAt: b.CreatedAt.UTC(), EndedAt: instant(b.EndedAt),
		Decisions: listOf(b.Releases, func(d schema.BatchDecision) batchDecisionBody {
			return batchDecisionBody{d.Kind, d.Reason, d.Principal, d.Size, d.CreatedAt.UTC()}
		}),
	}
}
