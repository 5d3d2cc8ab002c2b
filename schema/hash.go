package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Facts are what an approval covers. The type has neither maps nor floats, so
// its JSON is one byte string for one meaning. Byte counts, names and times of
// observation are left out: they change without changing what would be done.
type Facts struct {
	Cause           string       `json:"cause"` // offboarding, access_review, inactivity
	ConnectionID    ConnectionID `json:"connection_id"`
	EnterpriseID    string       `json:"enterprise_id"`
	AccountID       ExternalID   `json:"account_id"`
	Login           string       `json:"login"`
	Role            AccountRole  `json:"role"`
	Kind            AccountKind  `json:"kind"`
	Receiver        ExternalID   `json:"receiver"` // empty = none needed
	ReceiverLogin   string       `json:"receiver_login"`
	Steps           []StepFact   `json:"steps"`
	Template        string       `json:"template"`
	TemplateVersion int          `json:"template_version"`
	EffectiveAt     string       `json:"effective_at"`         // RFC 3339 in UTC; empty = at once
	SendAgain       bool         `json:"send_again,omitempty"` // see Request
	// Restrictions are the ids of the holds and protections that applied, and of
	// the vendor's legal holds, in order.
	Restrictions []string `json:"restrictions,omitempty"`
	// Holds says how the vendor's legal holds are known; empty = they do not
	// matter for these steps.
	Holds HoldsKnown `json:"holds,omitempty"`
	// LastActiveAt and ThresholdSeconds are why an inactivity review acts: RFC 3339
	// in UTC to the microsecond, "never" for an account that was never used. Empty
	// for other causes, and for rules that act on accounts in use.
	LastActiveAt     string `json:"last_active_at,omitempty"`
	ThresholdSeconds int64  `json:"threshold_seconds,omitempty"`
}

// HoldsKnown says how the vendor's legal holds on an account are known.
type HoldsKnown string

// The ways they are known.
const (
	HoldsRead       HoldsKnown = "read"       // by the connection
	HoldsDeclared   HoldsKnown = "declared"   // an admin declared that there are none
	HoldsUnreadable HoldsKnown = "unreadable" // nobody knows: nothing is deleted
)

// FormatInstant renders an instant for Facts: RFC 3339 in UTC, "" for zero.
func FormatInstant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Hash is the SHA-256 of the facts' JSON, in hex.
func (f Facts) Hash() string {
	// Strings and integers alone: Marshal cannot fail.
	b, _ := json.Marshal(f)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Drift names the facts in which two differ, for the message that asks again.
func (f Facts) Drift(now Facts) []string {
	var names []string
	differ := func(name string, same bool) {
		if !same {
			names = append(names, name)
		}
	}
	differ("enterprise_id", f.EnterpriseID == now.EnterpriseID)
	differ("account_id", f.AccountID == now.AccountID)
	differ("login", f.Login == now.Login)
	differ("role", f.Role == now.Role)
	differ("kind", f.Kind == now.Kind)
	differ("receiver", f.Receiver == now.Receiver && f.ReceiverLogin == now.ReceiverLogin)
	differ("steps", slices.EqualFunc(f.Steps, now.Steps, StepFact.Equal))
	differ("template", f.Template == now.Template && f.TemplateVersion == now.TemplateVersion)
	differ("effective_at", f.EffectiveAt == now.EffectiveAt)
	differ("restrictions", slices.Equal(f.Restrictions, now.Restrictions))
	differ("holds", f.Holds == now.Holds)
	differ("last_active_at", f.LastActiveAt == now.LastActiveAt)
	differ("threshold_seconds", f.ThresholdSeconds == now.ThresholdSeconds)
	return names
}

// CaseHash is the hash of a case: SHA-256 over the sorted hashes of its plans.
func CaseHash(planHashes []string) string {
	sorted := slices.Sorted(slices.Values(planHashes))
	sum := sha256.Sum256([]byte(strings.Join(sorted, "\n")))
	return hex.EncodeToString(sum[:])
}
