package schema

import "time"

// Absence is a time in which a person decides nothing.
type Absence struct {
	ID         string
	PersonID   PersonID
	Person     string // their address; empty = none is known
	From       time.Time
	Until      time.Time // zero = until it is ended
	DelegateID PersonID  // who decides meanwhile; empty = the next in each chain
	Delegate   string    // their address
	Reason     string
	CreatedBy  string
	SetBy      PersonID // the person of that token's address; empty = not known
	CreatedAt  time.Time
	EndedAt    time.Time // zero = it holds
}

// Covers tells whether the person is absent at an instant.
func (a Absence) Covers(at time.Time) bool {
	return a.EndedAt.IsZero() && !at.Before(a.From) && (a.Until.IsZero() || at.Before(a.Until))
}

// Colleague is somebody who could be a reviewer.
type Colleague struct {
	ID        PersonID
	Name      string
	Emails    []string // lower case, all that they have or had
	ManagerID PersonID
	Left      bool   // their last day is over, or no address reaches them
	Zone      string // IANA; empty = UTC
	Absences  []Absence
}

// Directory is everybody who could be a reviewer of a campaign, and who owns what.
type Directory struct {
	People map[PersonID]Colleague
	// Owner is the campaign's owner; empty = nobody has the address.
	Owner PersonID
	// AppOwners are the owners of connections, GroupOwners those of groups: by the
	// file, or else their administrators.
	AppOwners   map[ConnectionID]PersonID
	GroupOwners map[GroupKey][]PersonID
	// Candidates are the people of each candidate that is named or a group, by stage
	// and place in its chain.
	Candidates map[CandidateKey][]PersonID
	// Load is how many items each has in the campaign.
	Load map[PersonID]int
}

// GroupKey names a group of a connection.
type GroupKey struct {
	ConnectionID ConnectionID
	GroupID      ExternalID
}

// CandidateKey names a candidate of a review.
type CandidateKey struct{ Stage, Place int }

// Unassigned is an item that needs a reviewer.
type Unassigned struct {
	ItemID  ItemID
	Version int
	Stage   int
	// ConnectionID is of the account: by it the app owner is found.
	ConnectionID ConnectionID
	HolderID     PersonID
	ManagerID    PersonID // of the holder
	// Holders are all who count as holders besides: who held the account before, too.
	Holders []PersonID
	Logins  []string // of the account, lower case
	Group   GroupKey // zero = not of a group
	Applies string   // of its stage
	// From is the place in the chain to begin at. Deciders decided in other stages;
	// Past had the item in this stage and lost it: none of them gets it by the chain.
	From     int
	Deciders []PersonID
	Past     []PersonID
	// To is who it was reassigned to by a principal, also one of Past; empty = by the
	// chain.
	To PersonID
}

// Assignment is the reviewer found for an item.
type Assignment struct {
	ItemID     ItemID
	Version    int
	Stage      int      // this, From and To: of the item when it was looked at
	From       int      // the place in the chain that was begun at
	To         PersonID // who a principal named
	ReviewerID PersonID // empty = nobody may decide: Why says so
	Place      int      // in the chain; its length = the campaign's owner, one more = nobody
	Via        []Via    // how it came to them
	Why        string   // codes of who was passed over, in words
}

// Via is one handing on of an item.
type Via struct {
	From PersonID `json:"from,omitempty"`
	To   PersonID `json:"to"`
	Why  string   `json:"why"` // manager, delegate, fallback, load, escalation, reassigned
}

// ReviewerAlarm is why the decisions of a reviewer are doubted.
type ReviewerAlarm string

// The alarms.
const (
	AlarmSpeed      ReviewerAlarm = "TOO_FAST"
	AlarmApproveAll ReviewerAlarm = "APPROVES_ALL"
	AlarmAgainst    ReviewerAlarm = "AGAINST_FACTS" // mostly against recommendations
	AlarmControl    ReviewerAlarm = "CONTROL_KEPT"  // a control item was kept
)

// ReviewerStats sum the decisions of a reviewer in a campaign.
type ReviewerStats struct {
	ReviewerID   PersonID
	Name         string
	Email        string
	Items        int // that they have or decided
	Open         int
	Decided      int
	Kept         int
	Revoked      int
	Abstained    int
	Bulk         int // decided by one answer for several
	Recommended  int // decided ones with a recommendation
	Against      int // of these, decided otherwise
	SaidRevoke   int // decided ones that were recommended to be revoked
	MedianMillis int64
	ControlsKept int
	Reminders    int
	RemindedAt   time.Time
	Alarms       []ReviewerAlarm
	// Looked is the second look at them: who took it, and what they say.
	LookedBy   string
	LookedAt   time.Time
	LookReason string
	// LookedDecisions is how many decisions the look was at: later ones are not
	// covered by it.
	LookedDecisions int
	// Looks are all second looks, also those that later decisions made void.
	Looks []TakenLook // oldest first
}

// TakenLook is a second look that was taken.
type TakenLook struct {
	By        string
	TokenID   TokenID
	At        time.Time
	Reason    string
	Decisions int  // how many it was at, and left to stand
	Redo      bool // the decisions were given to others
	Redone    int  // how many of them
	Current   bool // it is the one that counts: nothing was decided since
}

// Alarms are why the decisions of a reviewer are doubted, in the order of the
// constants. They are computed from what was decided so far: correcting decisions
// may end one.
func (q QualityRule) Alarms(s ReviewerStats) []ReviewerAlarm {
	var list []ReviewerAlarm
	raise := func(a ReviewerAlarm, when bool) {
		if when {
			list = append(list, a)
		}
	}
	judged := s.Decided > 0 && s.Decided >= q.MinItems
	raise(AlarmSpeed, judged && q.MinSeconds > 0 && s.MedianMillis < int64(q.MinSeconds)*1000)
	raise(AlarmApproveAll, judged && q.ApproveAll > 0 && s.SaidRevoke > 0 && s.Kept*100 >= s.Decided*q.ApproveAll)
	raise(AlarmAgainst, judged && q.Against > 0 && s.Recommended >= q.MinItems && s.Against*100 >= s.Recommended*q.Against)
	raise(AlarmControl, s.ControlsKept > 0)
	return list
}

// Cleared tells whether no alarm stands against a sign-off.
func (s ReviewerStats) Cleared() bool {
	return len(s.Alarms) == 0 || (!s.LookedAt.IsZero() && s.LookedDecisions == s.Decided)
}

// SecondLook is another principal's word on an alarmed reviewer's decisions.
type SecondLook struct {
	Reviewer PersonID
	Redo     bool // give all of their decisions to the next in each chain
	Reason   string
}

// Reassign gives items to somebody else.
type Reassign struct {
	Items  []ItemID // empty = all open ones of From
	From   PersonID
	To     string // address
	Reason string
}

// OpenReviewer is a reviewer with open items.
type OpenReviewer struct {
	ID         PersonID
	Email      string
	Zone       string // IANA; empty = UTC
	Open       int
	ToldAt     time.Time // zero = not yet told of anything
	RemindedAt time.Time // zero = never
}

// NewAbsence asks for an absence. People are named by address.
type NewAbsence struct {
	Person   string // empty = whoever asks
	From     time.Time
	Until    time.Time // zero = until it is ended
	Delegate string    // empty = the next in each chain
	Reason   string
}
