package evidence

import (
	"fmt"
	"time"

	"sendoff/schema"
)

type wireReview struct {
	ID          schema.AccessReviewID `json:"id"`
	Name        string                `json:"name"`
	Version     int                   `json:"version"`
	Hash        string                `json:"sha256"` // of the rule
	Rule        wireRule              `json:"rule"`
	Source      string                `json:"source"`
	Set         string                `json:"set"`
	State       schema.PolicyState    `json:"state"`
	PauseReason string                `json:"pause_reason"`
	PausedBy    string                `json:"paused_by"`
	UpdatedBy   string                `json:"updated_by"`
	UpdatedID   schema.TokenID        `json:"updated_id"`
	UpdatedAt   instant               `json:"updated_at"`
	CreatedAt   instant               `json:"created_at"`
}

type wireRule struct {
	Name         string                   `json:"name"`
	Title        string                   `json:"title"`
	Owner        string                   `json:"owner"`
	Scope        wireScope                `json:"scope"`
	Freshness    wireFreshness            `json:"freshness"`
	Schedule     wireSchedule             `json:"schedule"`
	Events       []schema.CampaignTrigger `json:"events"`
	Stages       []wireStage              `json:"stages"`
	Owners       []wireOwner              `json:"owners"`
	LoadCap      int                      `json:"load_cap"`
	Decisions    wireDecisions            `json:"decisions"`
	Time         wireTime                 `json:"time"`
	Quality      wireQuality              `json:"quality"`
	Effect       wireEffect               `json:"effect"`
	WatchSeconds int64                    `json:"watch_seconds"`
}

type wireScope struct {
	Connections   []string             `json:"connections"`
	Items         []schema.ItemKind    `json:"items"`
	Kinds         []schema.AccountKind `json:"kinds"`
	Roles         []schema.AccountRole `json:"roles"`
	Groups        []string             `json:"groups"`
	Match         string               `json:"match"`
	UnusedSeconds int64                `json:"unused_for_seconds"`
	UnknownUse    bool                 `json:"unknown_use"`
	Changed       bool                 `json:"changed"`
	Privileged    bool                 `json:"privileged"`
	Holders       schema.HolderScope   `json:"holders"`
}

type wireFreshness struct {
	SyncSeconds     int64            `json:"sync_seconds"`
	ActivitySeconds int64            `json:"activity_seconds"`
	Doctor          bool             `json:"doctor"`
	PatienceSeconds int64            `json:"patience_seconds"`
	Stale           schema.StaleRule `json:"stale"`
}

type wireSchedule struct {
	EverySeconds  int64              `json:"every_seconds"`
	Times         []wireScheduleTime `json:"times"`
	Zone          string             `json:"zone"`
	JitterSeconds int64              `json:"jitter_seconds"`
	Blackout      []wireBlackout     `json:"blackout"`
}

type wireScheduleTime struct {
	Hour     int            `json:"hour"`
	Minute   int            `json:"minute"`
	Weekdays []time.Weekday `json:"weekdays"` // 0 = Sunday
	Days     []int          `json:"days"`
	Months   []time.Month   `json:"months"`
}

type wireBlackout struct {
	From   day    `json:"from"`
	To     day    `json:"to"`
	Reason string `json:"reason"`
}

// day is a date on the wire: YYYY-MM-DD, "" for none.
type day struct{ schema.Date }

// MarshalText refuses what is no day of the calendar.
func (d day) MarshalText() ([]byte, error) {
	if back, err := schema.ParseDate(d.String()); err != nil || back != d.Date {
		return nil, fmt.Errorf("a day is not one of the calendar")
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads a day.
func (d *day) UnmarshalText(b []byte) error {
	read, err := schema.ParseDate(string(b))
	if err != nil {
		return fmt.Errorf("a day is YYYY-MM-DD")
	}
	d.Date = read
	return nil
}

type wireStage struct {
	Name string          `json:"name"`
	Of   schema.StageOf  `json:"of"`
	Who  []wireCandidate `json:"who"`
}

type wireCandidate struct {
	Whom       schema.ReviewerKind `json:"whom"`
	To         []string            `json:"to"`
	Connection string              `json:"connection"`
	Group      string              `json:"group"`
	When       string              `json:"when"`
}

type wireOwner struct {
	Connection string   `json:"connection"`
	Group      string   `json:"group"`
	To         []string `json:"to"`
}

type wireDecisions struct {
	ReasonFor      []schema.ItemAnswer `json:"reason_for"`
	HighRiskReason bool                `json:"high_risk_reason"`
	BulkBelow      schema.RiskLevel    `json:"bulk_below"`
	Abstain        bool                `json:"abstain"`
	Carry          schema.RiskLevel    `json:"carry"`
	CarryTimes     int                 `json:"carry_times"`
}

type wireTime struct {
	DueSeconds           int64                  `json:"due_seconds"`
	RemindSeconds        []int64                `json:"remind_seconds"`
	EscalateAfterSeconds int64                  `json:"escalate_after_seconds"`
	EscalateForSeconds   int64                  `json:"escalate_for_seconds"`
	Silence              schema.CampaignSilence `json:"silence"`
	WorkingDays          bool                   `json:"working_days"`
}

type wireQuality struct {
	MinItems        int         `json:"min_items"`
	MinSeconds      int         `json:"min_seconds"`
	ApproveAll      int         `json:"approve_all_percent"`
	Against         int         `json:"against_percent"`
	ControlsForEach int         `json:"controls_for_each"`
	Decoys          []wireDecoy `json:"decoys"`
}

type wireDecoy struct {
	Login string `json:"login"`
	Name  string `json:"name"`
	Note  string `json:"note"`
}

type wireEffect struct {
	When      schema.EffectTime  `json:"when"`
	Account   []wireStep         `json:"account"`
	Role      schema.AccountRole `json:"role"`
	Receivers []string           `json:"receivers"`
	Approvals int                `json:"approvals"`
	Budget    wireBudget         `json:"budget"`
}

type wireBudget struct {
	PerRun     int   `json:"per_run"`
	PerDay     int   `json:"per_day"`
	Connection int   `json:"connection"`
	Percent    int   `json:"percent"`
	Bytes      int64 `json:"bytes"`
	Privileged int   `json:"privileged"`
}

// wireStep is a step of a plan.
type wireStep struct {
	Kind        schema.StepKind     `json:"kind"`
	WaitSeconds int64               `json:"wait_seconds"`
	Until       string              `json:"until"`
	Trash       schema.TrashRule    `json:"trash"`
	Reactivate  bool                `json:"reactivate"`
	Channel     schema.Channel      `json:"channel"`
	To          []string            `json:"to"`
	Message     string              `json:"message"`
	Title       string              `json:"title"`
	Owner       string              `json:"owner"`
	Groups      []schema.ExternalID `json:"groups"`
	Role        schema.AccountRole  `json:"role"`
}

func stepOf(s schema.StepFact) wireStep {
	return wireStep{
		Kind: s.Kind, WaitSeconds: s.WaitSeconds, Until: s.Until, Trash: s.Trash, Reactivate: s.Reactivate, Channel: s.Channel, To: some(s.To),
		Message: s.Message, Title: s.Title, Owner: s.Owner, Groups: some(s.Groups), Role: s.Role,
	}
}

func (s wireStep) step() schema.StepFact {
	return schema.StepFact{Kind: s.Kind, WaitSeconds: s.WaitSeconds, StepParams: schema.StepParams{
		Until: s.Until, Trash: s.Trash, Reactivate: s.Reactivate, Channel: s.Channel, To: none(s.To), Message: s.Message, Title: s.Title, Owner: s.Owner,
		Groups: none(s.Groups), Role: s.Role,
	}}
}
