package evidence

import "sendoff/schema"

type wireCounts struct {
	Items    int64       `json:"items"`
	States   []wireCount `json:"states"`
	Answers  []wireCount `json:"answers"`
	Risks    []wireCount `json:"risks"`
	Removals []wireCount `json:"removals"`
	Returned int64       `json:"returned"`
	Controls int64       `json:"controls"`
}

type wireCount struct {
	Of    string `json:"of"`
	Count int64  `json:"count"`
}

func countsOf(c schema.CampaignCounts) wireCounts {
	return wireCounts{
		Items: c.Items, Returned: c.Returned, Controls: c.Controls,
		States:   each(c.States, func(n schema.StateCount) wireCount { return wireCount{string(n.State), n.Count} }),
		Answers:  each(c.Answers, func(n schema.AnswerCount) wireCount { return wireCount{string(n.Answer), n.Count} }),
		Risks:    each(c.Risks, func(n schema.RiskCount) wireCount { return wireCount{string(n.Risk), n.Count} }),
		Removals: each(c.Removals, func(n schema.RemovalCount) wireCount { return wireCount{string(n.State), n.Count} }),
	}
}

func (c wireCounts) counts() schema.CampaignCounts {
	return schema.CampaignCounts{
		Items: c.Items, Returned: c.Returned, Controls: c.Controls,
		States: each(c.States, func(n wireCount) schema.StateCount {
			return schema.StateCount{State: schema.CampaignItemState(n.Of), Count: n.Count}
		}),
		Answers: each(c.Answers, func(n wireCount) schema.AnswerCount {
			return schema.AnswerCount{Answer: schema.ItemAnswer(n.Of), Count: n.Count}
		}),
		Risks: each(c.Risks, func(n wireCount) schema.RiskCount {
			return schema.RiskCount{Risk: schema.RiskLevel(n.Of), Count: n.Count}
		}),
		Removals: each(c.Removals, func(n wireCount) schema.RemovalCount {
			return schema.RemovalCount{State: schema.RemovalState(n.Of), Count: n.Count}
		}),
	}
}

type wireReviewer struct {
	ReviewerID      schema.PersonID        `json:"reviewer_id"`
	Name            string                 `json:"name"`
	Email           string                 `json:"email"`
	Items           int                    `json:"items"`
	Open            int                    `json:"open"`
	Decided         int                    `json:"decided"`
	Kept            int                    `json:"kept"`
	Revoked         int                    `json:"revoked"`
	Abstained       int                    `json:"abstained"`
	Bulk            int                    `json:"bulk"`
	Recommended     int                    `json:"recommended"`
	Against         int                    `json:"against"`
	SaidRevoke      int                    `json:"said_revoke"`
	MedianMillis    int64                  `json:"median_milliseconds"`
	ControlsKept    int                    `json:"controls_kept"`
	Reminders       int                    `json:"reminders"`
	RemindedAt      instant                `json:"reminded_at"`
	Alarms          []schema.ReviewerAlarm `json:"alarms"`
	LookedBy        string                 `json:"looked_by"`
	LookedAt        instant                `json:"looked_at"`
	LookReason      string                 `json:"look_reason"`
	LookedDecisions int                    `json:"looked_decisions"`
	Looks           []wireLook             `json:"looks,omitzero"` // nil = of the first format
}

func reviewerOf(s schema.ReviewerStats) wireReviewer {
	return wireReviewer{
		ReviewerID: s.ReviewerID, Name: s.Name, Email: s.Email, Items: s.Items, Open: s.Open, Decided: s.Decided, Kept: s.Kept, Revoked: s.Revoked,
		Abstained: s.Abstained, Bulk: s.Bulk, Recommended: s.Recommended, Against: s.Against, SaidRevoke: s.SaidRevoke, MedianMillis: s.MedianMillis,
		ControlsKept: s.ControlsKept, Reminders: s.Reminders, RemindedAt: at(s.RemindedAt), Alarms: some(s.Alarms), LookedBy: s.LookedBy,
		LookedAt: at(s.LookedAt), LookReason: s.LookReason, LookedDecisions: s.LookedDecisions, Looks: each(s.Looks, lookOf),
	}
}

func (s wireReviewer) reviewer() schema.ReviewerStats {
	return schema.ReviewerStats{
		ReviewerID: s.ReviewerID, Name: s.Name, Email: s.Email, Items: s.Items, Open: s.Open, Decided: s.Decided, Kept: s.Kept, Revoked: s.Revoked,
		Abstained: s.Abstained, Bulk: s.Bulk, Recommended: s.Recommended, Against: s.Against, SaidRevoke: s.SaidRevoke, MedianMillis: s.MedianMillis,
		ControlsKept: s.ControlsKept, Reminders: s.Reminders, RemindedAt: s.RemindedAt.Time, Alarms: s.Alarms, LookedBy: s.LookedBy,
		LookedAt: s.LookedAt.Time, LookReason: s.LookReason, LookedDecisions: s.LookedDecisions, Looks: each(s.Looks, wireLook.look),
	}
}

type wireRemoval struct {
	ID         schema.RemovalID    `json:"id"`
	AccountID  schema.AccountID    `json:"account_id"`
	ExternalID schema.ExternalID   `json:"external_id"`
	Login      string              `json:"login"`
	Name       string              `json:"name"`
	State      schema.RemovalState `json:"state"`
	Plan       *wirePlan           `json:"plan"`        // null = not planned
	PlanHash   string              `json:"plan_sha256"` // of the plan as it was approved
	Bytes      int64               `json:"bytes"`
	Findings   []wireFinding       `json:"findings"`
	Why        string              `json:"why"`
	Way        string              `json:"way"`
	CaseID     schema.CaseID       `json:"case_id"`
	PlanState  schema.PlanState    `json:"plan_state"`
	WaitsFor   schema.CaseID       `json:"waits_for"`
	ProvenAt   instant             `json:"proven_at"`
	CheckedAt  instant             `json:"checked_at"`
	WatchUntil instant             `json:"watch_until"`
	CreatedAt  instant             `json:"created_at"`
	UpdatedAt  instant             `json:"updated_at"`
}

// wirePlan is what was planned for an account: what the hash of a plan is of.
type wirePlan struct {
	Cause            string              `json:"cause"`
	ConnectionID     schema.ConnectionID `json:"connection_id"`
	EnterpriseID     string              `json:"enterprise_id"`
	AccountID        schema.ExternalID   `json:"account_external_id"`
	Login            string              `json:"login"`
	Role             schema.AccountRole  `json:"role"`
	Kind             schema.AccountKind  `json:"kind"`
	Receiver         schema.ExternalID   `json:"receiver"`
	ReceiverLogin    string              `json:"receiver_login"`
	Steps            []wireStep          `json:"steps"`
	Template         string              `json:"template"`
	TemplateVersion  int                 `json:"template_version"`
	EffectiveAt      string              `json:"effective_at"`
	SendAgain        bool                `json:"send_again"`
	Restrictions     []string            `json:"restrictions"`
	Holds            schema.HoldsKnown   `json:"holds"`
	LastActiveAt     string              `json:"last_active_at"`
	ThresholdSeconds int64               `json:"threshold_seconds"`
}

func removalOf(r schema.Removal) wireRemoval {
	w := wireRemoval{
		ID: r.ID, AccountID: r.AccountID, ExternalID: r.Account.ExternalID, Login: r.Account.Login, Name: r.Account.Name, State: r.State, PlanHash: r.Hash,
		Bytes: r.Bytes, Findings: findingsOf(r.Findings), Why: r.Why, Way: r.Way, CaseID: r.CaseID, PlanState: r.PlanState, WaitsFor: r.WaitsFor,
		ProvenAt: at(r.ProvenAt), CheckedAt: at(r.CheckedAt), WatchUntil: at(r.WatchUntil), CreatedAt: at(r.CreatedAt), UpdatedAt: at(r.UpdatedAt),
	}
	if f := r.Facts; f != nil {
		w.Plan = &wirePlan{
			Cause: f.Cause, ConnectionID: f.ConnectionID, EnterpriseID: f.EnterpriseID, AccountID: f.AccountID, Login: f.Login, Role: f.Role, Kind: f.Kind,
			Receiver: f.Receiver, ReceiverLogin: f.ReceiverLogin, Steps: each(f.Steps, stepOf), Template: f.Template, TemplateVersion: f.TemplateVersion,
			EffectiveAt: f.EffectiveAt, SendAgain: f.SendAgain, Restrictions: some(f.Restrictions), Holds: f.Holds, LastActiveAt: f.LastActiveAt,
			ThresholdSeconds: f.ThresholdSeconds,
		}
	}
	return w
}

func (r wireRemoval) removal(campaign schema.CampaignID) schema.Removal {
	out := schema.Removal{
		ID: r.ID, CampaignID: campaign, AccountID: r.AccountID, State: r.State, Hash: r.PlanHash, Bytes: r.Bytes, Findings: findings(r.Findings),
		Account: schema.Account{ID: r.AccountID, ExternalID: r.ExternalID, Login: r.Login, Name: r.Name},
		Why:     r.Why, Way: r.Way, CaseID: r.CaseID, PlanState: r.PlanState, WaitsFor: r.WaitsFor, ProvenAt: r.ProvenAt.Time,
		CheckedAt: r.CheckedAt.Time, WatchUntil: r.WatchUntil.Time, CreatedAt: r.CreatedAt.Time, UpdatedAt: r.UpdatedAt.Time,
	}
	if p := r.Plan; p != nil {
		out.Facts = &schema.Facts{
			Cause: p.Cause, ConnectionID: p.ConnectionID, EnterpriseID: p.EnterpriseID, AccountID: p.AccountID, Login: p.Login, Role: p.Role, Kind: p.Kind,
			Receiver: p.Receiver, ReceiverLogin: p.ReceiverLogin, Steps: each(p.Steps, wireStep.step), Template: p.Template, TemplateVersion: p.TemplateVersion,
			EffectiveAt: p.EffectiveAt, SendAgain: p.SendAgain, Restrictions: none(p.Restrictions), Holds: p.Holds, LastActiveAt: p.LastActiveAt,
			ThresholdSeconds: p.ThresholdSeconds,
		}
	}
	return out
}

type wireReturn struct {
	ItemID   schema.ItemID     `json:"item_id"`
	Facts    wireFacts         `json:"facts"`
	Cause    string            `json:"cause"`
	Detail   string            `json:"detail"`
	SeenAt   instant           `json:"seen_at"`
	FollowUp schema.CampaignID `json:"follow_up"`
}

func returnOf(r schema.Return) wireReturn {
	return wireReturn{ItemID: r.ItemID, Facts: factsOf(r.Facts), Cause: r.Cause, Detail: r.Detail, SeenAt: at(r.SeenAt), FollowUp: r.FollowUp}
}

func (r wireReturn) back(campaign schema.CampaignID) schema.Return {
	return schema.Return{
		CampaignID: campaign, ItemID: r.ItemID, Facts: r.Facts.facts(), Cause: r.Cause, Detail: r.Detail, SeenAt: r.SeenAt.Time, FollowUp: r.FollowUp,
	}
}
