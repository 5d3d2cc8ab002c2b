package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"sendoff/schema"
)

const (
	eventPage = 500
	// maxReportEvents bounds a report; the rest is had from .../events.
	maxReportEvents = 5000
)

type reportBody struct {
	Case            caseBody          `json:"case"`
	ClosedAt        string            `json:"closed_at" doc:"Empty = open"`
	Source          string            `json:"source"`
	Receivers       []string          `json:"receivers" nullable:"false"`
	Accounts        []reportAccount   `json:"accounts" nullable:"false"`
	Decisions       []decisionBody    `json:"decisions" nullable:"false"`
	Writes          []writeBody       `json:"writes" nullable:"false" doc:"Every request that changed, or may have changed, something at a vendor"`
	Windows         []windowBody      `json:"windows" nullable:"false" doc:"When a suspended account was made active for a transfer's call"`
	Events          []json.RawMessage `json:"events" nullable:"false" doc:"The audit trail of the case, oldest first"`
	EventsTruncated bool              `json:"events_truncated" doc:"Whether there are more events than shown"`
	Unproven        []unprovenBody    `json:"unproven" nullable:"false" doc:"What could not be proven, and why"`
}

// reportAccount is what the case does not already say about an account.
type reportAccount struct {
	PlanID            schema.PlanID     `json:"plan_id"`
	Connection        string            `json:"connection"`
	AccountID         schema.ExternalID `json:"account_id"`
	Login             string            `json:"login"`
	Receiver          string            `json:"receiver" doc:"Login of who gets the content; empty = nobody"`
	Hash              string            `json:"hash"`
	ApprovalsRequired int               `json:"approvals_required"`
	ApprovalsGiven    int               `json:"approvals_given"`
	Holds             schema.HoldsKnown `json:"holds" doc:"How the vendor's legal holds are known; empty = they did not matter"`
	VendorHolds       []string          `json:"vendor_holds" nullable:"false" doc:"Ids of the vendor's legal hold policies on it"`
	Restrictions      []restrictionBody `json:"restrictions" nullable:"false" doc:"Holds and protections that applied while the case was open"`
	Snapshot          *snapshotBody     `json:"snapshot" doc:"null = not taken"`
}

// snapshotBody counts what was found before the first write.
type snapshotBody struct {
	TakenAt          string `json:"taken_at"`
	Status           string `json:"status"`
	Role             string `json:"role"`
	SpaceUsedBytes   int64  `json:"space_used_bytes"`
	Witnesses        int    `json:"witnesses"`
	Trash            int    `json:"trash"`
	TrashBytes       int64  `json:"trash_bytes"`
	Groups           int    `json:"groups"`
	Collaborations   int    `json:"collaborations"`
	SharedWithSource int    `json:"shared_with_source"`
	ItemsRead        int    `json:"items_read" doc:"Root items whose collaborations were read"`
	ItemsTotal       int    `json:"items_total"`
}

type unprovenBody struct {
	PlanID  schema.PlanID   `json:"plan_id"`
	Step    schema.StepKind `json:"step"`
	Message string          `json:"message"`
}

type reportOutput struct{ Body reportBody }

type eventsInput struct {
	CaseRef
	Page
}

type eventsOutput struct {
	Body struct {
		Events []json.RawMessage `json:"events" nullable:"false"`
		Next   string            `json:"next"`
	}
}

func (s *server) registerReport() {
	handle(s, route{
		id: "report-case", method: http.MethodGet, path: "/v1/cases/{ref}/report", roles: readers(),
		summary: "Everything known about a case, with what could not be proven",
	}, s.report)
	handle(s, route{
		id: "case-events", method: http.MethodGet, path: "/v1/cases/{ref}/events", roles: readers(),
		summary: "The audit trail of a case, oldest first",
	}, s.events)
}

func (s *server) report(ctx context.Context, _ schema.Principal, in *CaseRef) (*reportOutput, error) {
	view, err := s.find(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	decisions, err := s.store.Decisions(ctx, view.Case.ID)
	if err != nil {
		return nil, err
	}
	out := &reportOutput{Body: reportBody{
		Case: caseOf(view), ClosedAt: schema.FormatInstant(view.Case.ClosedAt), Source: view.Case.Source,
		Receivers: nonNil(view.Case.Receivers), Accounts: []reportAccount{}, Decisions: []decisionBody{}, Unproven: []unprovenBody{},
	}}
	for _, d := range decisions {
		out.Body.Decisions = append(out.Body.Decisions, decisionOf(d))
	}
	if out.Body.Events, out.Body.EventsTruncated, err = s.allEvents(ctx, view.Case.ID); err != nil {
		return nil, err
	}
	trail := readTrail(out.Body.Events)
	out.Body.Writes, out.Body.Windows = nonNil(trail.writes), nonNil(trail.windows)
	for _, a := range view.Accounts {
		shown := reportAccountOf(a)
		if shown.Restrictions, err = s.restrictionsOf(ctx, view.Case, a); err != nil {
			return nil, err
		}
		out.Body.Accounts = append(out.Body.Accounts, shown)
		out.Body.Unproven = append(out.Body.Unproven, unproven(a, decisions, trail)...)
	}
	return out, nil
}

// allEvents reads the audit trail of a case up to the bound of a report, and tells
// whether there is more.
func (s *server) allEvents(ctx context.Context, id schema.CaseID) ([]json.RawMessage, bool, error) {
	events := []json.RawMessage{}
	for len(events) < maxReportEvents {
		bodies, err := s.store.CaseAudit(ctx, id, int64(len(events)), eventPage)
		if err != nil {
			return nil, false, err
		}
		events = append(events, raw(bodies)...)
		if len(bodies) < eventPage {
			return events, false, nil
		}
	}
	return events, true, nil
}

// restrictionsOf lists what restrained an account while its case was open.
func (s *server) restrictionsOf(ctx context.Context, c schema.Case, a schema.AccountView) ([]restrictionBody, error) {
	until := c.ClosedAt
	if until.IsZero() {
		until = s.now()
	}
	list, err := s.store.RestrictionsDuring(ctx, a.Plan.ConnectionID, a.Account.ExternalID, a.Account.Login, c.CreatedAt, until)
	out := []restrictionBody{}
	for _, r := range list {
		connection := ""
		if r.ConnectionID != "" {
			connection = a.Connection // one that applied is of this connection
		}
		out = append(out, s.restrictionOf(r, connection))
	}
	return out, err
}

func (s *server) events(ctx context.Context, _ schema.Principal, in *eventsInput) (*eventsOutput, error) {
	var after int64
	if in.Cursor != "" {
		n, err := strconv.ParseInt(in.Cursor, 10, 64)
		if err != nil || n < 0 {
			return nil, oneFault("cursor", "cursor", "this is no cursor of this list", "use the next of the page before, or none")
		}
		after = n
	}
	c, err := s.store.FindCase(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	bodies, err := s.store.CaseAudit(ctx, c.ID, after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &eventsOutput{}
	out.Body.Events = raw(bodies)
	if len(bodies) == in.Limit {
		// A stream counts its records from 1 without holes.
		out.Body.Next = strconv.FormatInt(after+int64(len(bodies)), 10)
	}
	return out, nil
}

func raw(bodies [][]byte) []json.RawMessage {
	out := make([]json.RawMessage, len(bodies))
	for i, b := range bodies {
		out[i] = b
	}
	return out
}

func reportAccountOf(a schema.AccountView) reportAccount {
	p := a.Plan
	shown := reportAccount{
		PlanID: p.ID, Connection: a.Connection, AccountID: a.Account.ExternalID, Login: a.Account.Login,
		Receiver: p.Facts.ReceiverLogin, Hash: p.Hash, ApprovalsRequired: p.Approvals, ApprovalsGiven: p.Approved,
		Holds: p.Facts.Holds, VendorHolds: []string{},
	}
	for _, r := range p.Facts.Restrictions {
		if id, ok := strings.CutPrefix(r, "legal_hold:"); ok {
			shown.VendorHolds = append(shown.VendorHolds, id)
		}
	}
	if sn := p.Snapshot; sn != nil {
		shown.Snapshot = &snapshotBody{
			TakenAt: schema.FormatInstant(sn.TakenAt), Status: sn.Status, Role: sn.Role, SpaceUsedBytes: sn.SpaceUsed,
			Witnesses: len(sn.Witnesses), Trash: len(sn.Trash), TrashBytes: sn.TrashBytes, Groups: len(sn.GroupIDs),
			Collaborations: len(sn.Collabs), SharedWithSource: sn.OwnedForeign, ItemsRead: sn.DeepDone, ItemsTotal: sn.DeepTotal,
		}
	}
	return shown
}
