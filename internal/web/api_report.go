package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

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
		Receivers: nonNil(view.Case.Receivers), Accounts: []reportAccount{}, Decisions: []decisionBody{},
		Events: []json.RawMessage{}, Unproven: []unprovenBody{},
	}}
	for _, d := range decisions {
		out.Body.Decisions = append(out.Body.Decisions, decisionOf(d))
	}
	for _, a := range view.Accounts {
		out.Body.Accounts = append(out.Body.Accounts, reportAccountOf(a))
		out.Body.Unproven = append(out.Body.Unproven, unproven(a)...)
	}
	for !out.Body.EventsTruncated {
		bodies, err := s.store.CaseAudit(ctx, view.Case.ID, int64(len(out.Body.Events)), eventPage)
		if err != nil {
			return nil, err
		}
		out.Body.Events = append(out.Body.Events, raw(bodies)...)
		if len(bodies) < eventPage {
			break
		}
		out.Body.EventsTruncated = len(out.Body.Events) >= maxReportEvents
	}
	return out, nil
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
	r := reportAccount{
		PlanID: p.ID, Connection: a.Connection, AccountID: a.Account.ExternalID, Login: a.Account.Login,
		Receiver: p.Facts.ReceiverLogin, Hash: p.Hash, ApprovalsRequired: p.Approvals, ApprovalsGiven: p.Approved,
	}
	if sn := p.Snapshot; sn != nil {
		r.Snapshot = &snapshotBody{
			TakenAt: schema.FormatInstant(sn.TakenAt), Status: sn.Status, Role: sn.Role, SpaceUsedBytes: sn.SpaceUsed,
			Witnesses: len(sn.Witnesses), Trash: len(sn.Trash), TrashBytes: sn.TrashBytes, Groups: len(sn.GroupIDs),
			Collaborations: len(sn.Collabs), SharedWithSource: sn.OwnedForeign, ItemsRead: sn.DeepDone, ItemsTotal: sn.DeepTotal,
		}
	}
	return r
}

// unproven lists what the case cannot prove about an account.
func unproven(a schema.AccountView) []unprovenBody {
	var list []unprovenBody
	say := func(step schema.StepKind, message string) {
		list = append(list, unprovenBody{PlanID: a.Plan.ID, Step: step, Message: message})
	}
	if sn := a.Plan.Snapshot; sn != nil {
		if !sn.WitnessesOK {
			say(schema.StepSnapshot, "what the account owned could not be listed: "+sn.WitnessNote)
		}
		if sn.DeepDone < sn.DeepTotal {
			say(schema.StepSnapshot, "collaborations were read for "+strconv.Itoa(sn.DeepDone)+" of "+strconv.Itoa(sn.DeepTotal)+" items")
		}
	}
	if st, ok := a.Plan.StepOf(schema.StepRevokeSessions); ok && st.State == schema.StepDone {
		say(schema.StepRevokeSessions, "the vendor accepted the end of all sessions; it offers no way to read them back")
	}
	if t := a.Transfer; t != nil {
		switch t.State {
		case schema.TransferPresumed:
			say(schema.StepTransfer, "the transfer is presumed: the account reads as empty, but no item could be followed to its new place")
		case schema.TransferStalled:
			say(schema.StepTransfer, "the transfer stopped with "+strconv.Itoa(t.WitnessTotal-t.WitnessFound)+" of "+strconv.Itoa(t.WitnessTotal)+" items not found at the receiver")
		case schema.TransferSent, schema.TransferSettling:
			say(schema.StepTransfer, "the transfer was sent and is not proven yet")
		}
	}
	return list
}
