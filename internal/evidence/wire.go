package evidence

import (
	"encoding/json"
	"fmt"
	"time"

	"sendoff/schema"
)

// The wire types are the formats sendoff.evidence/1 and /2. They are not those of
// schema, so that renaming there cannot change what was signed. Members may be added to
// a later format only: Read refuses what it does not know. What was signed in the first
// is written in it again; the second has besides the lists batches and events, looks of
// a reviewer, number of a decision and weighed of shown. Lengths of time are seconds, instants RFC 3339 in UTC and "" for none, amounts of money minor units of their
// currency.

// instant is a time on the wire.
type instant struct{ time.Time }

func at(t time.Time) instant { return instant{t.UTC()} }

// text is the instant as it is written.
func (i instant) text() string {
	if i.IsZero() {
		return ""
	}
	return i.UTC().Format(time.RFC3339Nano)
}

// MarshalJSON refuses years that RFC 3339 cannot write.
func (i instant) MarshalJSON() ([]byte, error) {
	if year := i.UTC().Year(); year < 0 || year > 9999 {
		return nil, fmt.Errorf("the year %d cannot be written as RFC 3339", year)
	}
	return json.Marshal(i.text())
}

// UnmarshalJSON reads an instant in UTC.
func (i *instant) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if s == "" {
		*i = instant{}
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("an instant is RFC 3339 in UTC")
	}
	*i = at(t)
	return nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func duration(s int64) time.Duration { return time.Duration(s) * time.Second }

type wireCampaign struct {
	ID          schema.CampaignID      `json:"id"`
	ReviewID    schema.AccessReviewID  `json:"review_id"`
	Review      string                 `json:"review"`
	Version     int                    `json:"version"`
	Title       string                 `json:"title"`
	Owner       string                 `json:"owner"`
	Trigger     schema.CampaignTrigger `json:"trigger"`
	ScheduledAt instant                `json:"scheduled_at"`
	RequestedBy string                 `json:"requested_by"`
	RequestedID schema.TokenID         `json:"requested_id"`
	Accounts    []schema.AccountID     `json:"accounts"`
	Persons     []schema.PersonID      `json:"persons"`
	Follows     schema.CampaignID      `json:"follows"`
	State       schema.CampaignState   `json:"state"`
	End         schema.CampaignEnd     `json:"end"`
	Why         string                 `json:"why"`
	Basis       []wireBasis            `json:"basis"`
	Warnings    []wireFinding          `json:"warnings"`
	SnapshotAt  instant                `json:"snapshot_at"`
	OpenedAt    instant                `json:"opened_at"`
	DueAt       instant                `json:"due_at"`
	ClosedAt    instant                `json:"closed_at"`
	Overruns    []wireOverrun          `json:"overruns"`
	BatchID     schema.BatchID         `json:"batch_id"`
	SignedAt    instant                `json:"signed_at"`
	SignedBy    string                 `json:"signed_by"`
	SignReason  string                 `json:"sign_reason"`
	Evidence    string                 `json:"evidence_sha256"`
	CreatedAt   instant                `json:"created_at"`
	EndedAt     instant                `json:"ended_at"`
	WorkflowID  string                 `json:"workflow_id"`
}

type wireBasis struct {
	ConnectionID schema.ConnectionID `json:"connection_id"`
	Connection   string              `json:"connection"`
	CoveredFrom  instant             `json:"covered_from"`
	CoveredTo    instant             `json:"covered_to"`
	SyncedAt     instant             `json:"synced_at"`
	GroupsAsOf   instant             `json:"groups_as_of"`
	Unread       bool                `json:"unread"`
	Why          string              `json:"why"`
}

type wireFinding struct {
	Code       schema.FindingCode `json:"code"`
	Warning    bool               `json:"warning"`
	Connection string             `json:"connection"`
	Message    string             `json:"message"`
	Fix        string             `json:"fix"`
	CaseID     schema.CaseID      `json:"case_id"`
}

type wireOverrun struct {
	Limit   schema.BudgetLimit  `json:"limit"`
	Subject schema.ConnectionID `json:"subject"`
	Used    int64               `json:"used"`
	Wanted  int64               `json:"wanted"`
	Allowed int64               `json:"allowed"`
}

func findingsOf(list []schema.Finding) []wireFinding {
	return each(list, func(f schema.Finding) wireFinding { return wireFinding(f) })
}

func findings(list []wireFinding) []schema.Finding {
	return each(list, func(f wireFinding) schema.Finding { return schema.Finding(f) })
}

func campaignOf(c schema.Campaign) wireCampaign {
	return wireCampaign{
		ID: c.ID, ReviewID: c.ReviewID, Review: c.Review, Version: c.Version, Title: c.Title, Owner: c.Owner, Trigger: c.Trigger,
		ScheduledAt: at(c.ScheduledAt), RequestedBy: c.RequestedBy, RequestedID: c.RequestedID, Accounts: some(c.Accounts), Persons: some(c.Persons),
		Follows: c.Follows, State: c.State, End: c.End, Why: c.Why, Basis: each(c.Basis, basisOf), Warnings: findingsOf(c.Warnings),
		SnapshotAt: at(c.SnapshotAt), OpenedAt: at(c.OpenedAt), DueAt: at(c.DueAt), ClosedAt: at(c.ClosedAt),
		Overruns: each(c.Overruns, func(o schema.Overrun) wireOverrun { return wireOverrun(o) }), BatchID: c.BatchID,
		SignedAt: at(c.SignedAt), SignedBy: c.SignedBy, SignReason: c.SignReason, Evidence: c.Evidence, CreatedAt: at(c.CreatedAt), EndedAt: at(c.EndedAt),
		WorkflowID: c.WorkflowID,
	}
}

func (c wireCampaign) campaign() schema.Campaign {
	return schema.Campaign{
		ID: c.ID, ReviewID: c.ReviewID, Review: c.Review, Version: c.Version, Title: c.Title, Owner: c.Owner, Trigger: c.Trigger,
		ScheduledAt: c.ScheduledAt.Time, RequestedBy: c.RequestedBy, RequestedID: c.RequestedID, Accounts: c.Accounts, Persons: c.Persons,
		Follows: c.Follows, State: c.State, End: c.End, Why: c.Why, Basis: each(c.Basis, wireBasis.basis), Warnings: findings(c.Warnings),
		SnapshotAt: c.SnapshotAt.Time, OpenedAt: c.OpenedAt.Time, DueAt: c.DueAt.Time, ClosedAt: c.ClosedAt.Time,
		Overruns: each(c.Overruns, func(o wireOverrun) schema.Overrun { return schema.Overrun(o) }), BatchID: c.BatchID,
		SignedAt: c.SignedAt.Time, SignedBy: c.SignedBy, SignReason: c.SignReason, Evidence: c.Evidence, CreatedAt: c.CreatedAt.Time, EndedAt: c.EndedAt.Time,
		WorkflowID: c.WorkflowID,
	}
}

func basisOf(b schema.PopulationBasis) wireBasis {
	return wireBasis{
		ConnectionID: b.ConnectionID, Connection: b.Connection, CoveredFrom: at(b.Covered.From), CoveredTo: at(b.Covered.To), SyncedAt: at(b.SyncedAt),
		GroupsAsOf: at(b.GroupsAsOf), Unread: b.Unread, Why: b.Why,
	}
}

func (b wireBasis) basis() schema.PopulationBasis {
	return schema.PopulationBasis{
		ConnectionID: b.ConnectionID, Connection: b.Connection, Covered: schema.Interval{From: b.CoveredFrom.Time, To: b.CoveredTo.Time}, SyncedAt: b.SyncedAt.Time,
		GroupsAsOf: b.GroupsAsOf.Time, Unread: b.Unread, Why: b.Why,
	}
}

// each makes a list of another; never nil, which would be another JSON.
func each[A, B any](list []A, f func(A) B) []B {
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = f(a)
	}
	return out
}

// some is a list that is not nil.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
