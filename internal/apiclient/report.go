package apiclient

import (
	"encoding/json"
	"time"
)

// Report is everything known about a case.
type Report struct {
	Case            Case              `json:"case"`
	ClosedAt        string            `json:"closed_at"`
	Source          string            `json:"source"`
	Receivers       []string          `json:"receivers"`
	Accounts        []ReportAccount   `json:"accounts"`
	Decisions       []Decision        `json:"decisions"`
	Writes          []Write           `json:"writes"`
	Windows         []Window          `json:"windows"`
	Events          []json.RawMessage `json:"events"`
	EventsTruncated bool              `json:"events_truncated"`
	Unproven        []Unproven        `json:"unproven"`
}

// ReportAccount is what the case does not already say about an account.
type ReportAccount struct {
	PlanID            string        `json:"plan_id"`
	Connection        string        `json:"connection"`
	AccountID         string        `json:"account_id"`
	Login             string        `json:"login"`
	Receiver          string        `json:"receiver"`
	Hash              string        `json:"hash"`
	ApprovalsRequired int           `json:"approvals_required"`
	ApprovalsGiven    int           `json:"approvals_given"`
	Holds             string        `json:"holds"`
	VendorHolds       []string      `json:"vendor_holds"`
	Restrictions      []Restriction `json:"restrictions"`
	Snapshot          *Snapshot     `json:"snapshot"`
}

// Snapshot counts what was found before the first write.
type Snapshot struct {
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
	ItemsRead        int    `json:"items_read"`
	ItemsTotal       int    `json:"items_total"`
}

// Unproven is something a case could not prove.
type Unproven struct {
	PlanID  string `json:"plan_id"`
	Step    string `json:"step"`
	Message string `json:"message"`
}

// Write is one request that changed, or may have changed, something at a vendor.
type Write struct {
	PlanID     string            `json:"plan_id"`
	Step       string            `json:"step"`
	Op         string            `json:"op"`
	N          int               `json:"n"`
	Undo       bool              `json:"undo"`
	IntendedAt time.Time         `json:"intended_at"`
	Outcome    string            `json:"outcome"`
	OutcomeAt  *time.Time        `json:"outcome_at"`
	Details    map[string]string `json:"details"`
}

// Window is a time in which a suspended account was active for a call.
type Window struct {
	PlanID   string     `json:"plan_id"`
	OpenedAt time.Time  `json:"opened_at"`
	ClosedAt *time.Time `json:"closed_at"`
}
