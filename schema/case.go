package schema

import "time"

// Door is where a case came from.
type Door string

// The doors (DESIGN section 1).
const (
	DoorOffboarding  Door = "offboarding"
	DoorAccessReview Door = "access_review"
	DoorInactivity   Door = "inactivity"
)

// Rank is the rank of the plans a door makes; 0 for a door that does not exist.
func (d Door) Rank() Rank {
	switch d {
	case DoorOffboarding:
		return RankOffboarding
	case DoorAccessReview:
		return RankAccessReview
	case DoorInactivity:
		return RankInactivity
	}
	return 0
}

// Case is why we act on a person.
type Case struct {
	ID          CaseID
	Door        Door
	PersonID    PersonID
	Email       string // of the person
	Template    string
	Grace       time.Duration
	Receivers   []string  // logins, in order of preference
	EffectiveAt time.Time // zero = at once
	Approvals   int
	RequestedBy string // principal's name
	RequestedID TokenID
	Source      string // cli, csv, api, hr
	Hash        string
	CreatedAt   time.Time
	ClosedAt    time.Time // zero = open
}

// Request asks for an offboarding.
type Request struct {
	Door  Door // empty = offboarding
	Email string
	// PersonID is who leaves, where that is known; empty = whose the address is.
	PersonID PersonID
	// Logins are those of other accounts of the person, looked for besides Email.
	Logins      []string
	Receivers   []string
	EffectiveAt time.Time // zero = at once
	Grace       time.Duration
	Template    string
	Approvals   int
	Source      string
	// SendAgain accepts that a transfer is sent although an earlier case ended
	// while its transfer had no verdict: a second destination folder may appear.
	SendAgain bool
	// AccountID is the one account that is meant, of the door inactivity: no other
	// account of the person is looked for. LastActiveAt and Threshold are why.
	AccountID    AccountID
	LastActiveAt string
	Threshold    time.Duration
}

// Draft is a case that was planned and not yet written: what `--plan` shows.
type Draft struct {
	Request  Request
	Accounts []DraftAccount
	Findings []Finding
	Hash     string // CaseHash over the plans
}

// DraftAccount is the plan for one account of a draft.
type DraftAccount struct {
	Connection     Connection
	Account        Account
	Receiver       *Account // nil = none needed or none valid
	Steps          []Step
	Facts          Facts
	Findings       []Finding
	PlannedBytes   int64 // bytes the receiver would get
	TemplateRecord Template
}

// AllFindings returns the draft's findings and those of its accounts.
func (d Draft) AllFindings() []Finding {
	all := append([]Finding(nil), d.Findings...)
	for _, a := range d.Accounts {
		all = append(all, a.Findings...)
	}
	return all
}
