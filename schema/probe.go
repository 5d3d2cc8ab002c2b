package schema

import "time"

// ProbeCode is what the doctor found wrong with a connection.
type ProbeCode string

// The codes of the doctor. docs/doctor.md has a row for each.
const (
	ProbeOK                   ProbeCode = "OK"
	ProbeScopeMissing         ProbeCode = "SCOPE_MISSING"
	ProbeScopeOptionalMissing ProbeCode = "SCOPE_OPTIONAL_MISSING"
	ProbeAppNotApproved       ProbeCode = "APP_NOT_APPROVED"
	ProbeTokenExpired         ProbeCode = "TOKEN_EXPIRED"
	ProbeTokenRevoked         ProbeCode = "TOKEN_REVOKED"
	ProbeGrantLost            ProbeCode = "GRANT_LOST" // a single-use refresh token was used and its successor never stored
	ProbeCredentialsWrong     ProbeCode = "CREDENTIALS_WRONG"
	ProbeRoleInsufficient     ProbeCode = "ROLE_INSUFFICIENT"
	ProbeIntegrationRemoved   ProbeCode = "INTEGRATION_REMOVED"
	ProbeEnterpriseMismatch   ProbeCode = "ENTERPRISE_MISMATCH"
	ProbePlanWithoutEvents    ProbeCode = "PLAN_WITHOUT_EVENTS"
	ProbeClockSkew            ProbeCode = "CLOCK_SKEW"
	ProbeRateExhausted        ProbeCode = "RATE_EXHAUSTED"
	ProbeBaseURLUnreachable   ProbeCode = "BASE_URL_UNREACHABLE"
	ProbeGrantRefused         ProbeCode = "GRANT_REFUSED"  // the token host gives one answer for several causes
	ProbeAccessRefused        ProbeCode = "ACCESS_REFUSED" // so does the API
	ProbeMalformed            ProbeCode = "ANSWER_MALFORMED"
	ProbeNotProbed            ProbeCode = "NOT_PROBED" // what comes before it failed, or only a write could tell
)

// Ability is one thing a connector can be asked to prove.
type Ability struct {
	Name     string    `json:"name"`               // such as list_accounts
	Scope    string    `json:"scope,omitempty"`    // what the vendor calls the right
	Serves   string    `json:"serves"`             // the features that need it, for people
	Datasets []Dataset `json:"datasets,omitempty"` // lost without it
	Required bool      `json:"required"`
	Writes   bool      `json:"writes,omitempty"` // only a write could prove it: shown, never probed
}

// Candidate is one possible cause of a finding, and what to look at.
type Candidate struct {
	Cause string `json:"cause"`
	Look  string `json:"look"`
}

// ProbeResult is what became of one ability.
type ProbeResult struct {
	Ability    Ability     `json:"ability"`
	Code       ProbeCode   `json:"code"`
	Message    string      `json:"message"`
	Fix        string      `json:"fix,omitempty"`
	Candidates []Candidate `json:"candidates,omitempty"` // of GRANT_REFUSED and ACCESS_REFUSED, likeliest first
	Detail     string      `json:"detail,omitempty"`     // status and request id, for the vendor's support
}

// Diagnosis is one visit of the doctor.
type Diagnosis struct {
	ConnectionID ConnectionID
	At           time.Time
	Health       Health
	Identity     DiagnosedIdentity
	Results      []ProbeResult
	// Partial tells that probing stopped at a fault: what else was found wrong
	// before may still be.
	Partial bool
	// Limits are what the acting role cannot do, whatever scopes it has.
	Limits []string
}

// DiagnosedIdentity is who the connection acts as.
type DiagnosedIdentity struct {
	ExternalID   ExternalID
	Role         AccountRole
	EnterpriseID string
	Service      bool
}

// First is the first result of that code.
func (d Diagnosis) First(code ProbeCode) (ProbeResult, bool) {
	for _, r := range d.Results {
		if r.Code == code {
			return r, true
		}
	}
	return ProbeResult{}, false
}

// Health is how a connection fares, as the doctor last saw it.
type Health string

// The healths. Beside them a connection that is disabled shows as such.
const (
	HealthPending  Health = "pending"  // not looked at yet
	HealthActive   Health = "active"   // all that it needs
	HealthDegraded Health = "degraded" // usable; something optional is missing, or it fails for now
	HealthFailed   Health = "failed"   // unusable until somebody acts
)

// AlarmID names an alarm.
type AlarmID string

// Alarm is something somebody has to know of, once. It is open until what raised
// it is over.
type Alarm struct {
	ID             AlarmID
	ConnectionID   ConnectionID   // empty = not about a connection
	SourceID       SourceID       // empty = not about a source of HR events
	PolicyID       PolicyID       // empty = not about a policy
	AccessReviewID AccessReviewID // empty = not about an access review
	CampaignID     CampaignID     // of the access review; empty = about the review itself
	Code           string         // a ProbeCode, AlarmActivityHole, AlarmSyncQuarantined or another
	Message        string
	Fix            string
	RaisedAt       time.Time
	ToldAt         time.Time // zero = the owner could not be told yet
	ClearedAt      time.Time // zero = open
}

// Codes of alarms that are no ProbeCode.
const (
	AlarmActivityHole    = "ACTIVITY_HOLE"
	AlarmSyncQuarantined = "SYNC_QUARANTINED"
	// AlarmFeedSilent: a source told nothing for longer than its rhythm.
	AlarmFeedSilent = "FEED_SILENT"
	// AlarmOverBudget: a review run is held because its plans exceed a budget.
	AlarmOverBudget = "OVER_BUDGET"
	// AlarmBudgetWait: confirmed accounts of a review run wait for room in a budget
	// of 24 hours.
	AlarmBudgetWait = "BUDGET_WAIT"
	// AlarmReviewFailed: a policy's review failed, and its schedule is paused.
	AlarmReviewFailed = "REVIEW_FAILED"
	// AlarmCampaignFailed: a campaign of an access review cannot go on.
	AlarmCampaignFailed = "CAMPAIGN_FAILED"
	// AlarmCampaignNotBegun: a campaign was due while the one before was open.
	AlarmCampaignNotBegun = "CAMPAIGN_NOT_BEGUN"
	// AlarmReturnUnseen: access that came back after a signature is looked at by nobody.
	AlarmReturnUnseen = "RETURN_UNSEEN"
	// AlarmPollFailed: a source's API cannot be read.
	AlarmPollFailed = "POLL_FAILED"
	// AlarmEventReused: an event id came again with another body.
	AlarmEventReused = "EVENT_ID_REUSED"
	// AlarmEventRefused: signed events cannot be read.
	AlarmEventRefused = "EVENT_REFUSED"
	// AlarmBatchHeld: a batch of leavers awaits its release.
	AlarmBatchHeld = "BATCH_HELD"
	// AlarmForCause: somebody is dismissed for cause who has another employment.
	AlarmForCause        = "FOR_CAUSE_BUT_EMPLOYED"
	AlarmSyncFailing     = "SYNC_FAILING"
	AlarmActivityFailing = "ACTIVITY_FAILING"
)
