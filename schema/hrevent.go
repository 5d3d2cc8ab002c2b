package schema

import "time"

// EventVia is the door that an event came by.
type EventVia string

// The doors.
const (
	ViaWebhook EventVia = "webhook"
	ViaSCIM    EventVia = "scim"
	ViaPoll    EventVia = "poll"
	ViaImport  EventVia = "import"
	ViaHand    EventVia = "hand"
)

// EventState is what became of an event.
type EventState string

// The states of an event.
const (
	EventPending EventState = "pending" // accepted, not applied yet
	EventApplied EventState = "applied"
	EventRefused EventState = "refused" // it cannot be read; Problems say why
)

// HRChangeKind is what an event tells.
type HRChangeKind string

// The kinds of change.
const (
	// ChangeEmployments: facts of employments.
	ChangeEmployments HRChangeKind = "employments"
	// ChangeHint: something changed, and the source's API says what.
	ChangeHint HRChangeKind = "hint"
	// ChangeLeave and ChangeReturn: a person leaves, or does not after all, by
	// somebody's word. Feeds do not change what was said by hand.
	ChangeLeave  HRChangeKind = "leave"
	ChangeReturn HRChangeKind = "return"
)

// HRChange is what an event tells, in our words.
type HRChange struct {
	Kind   HRChangeKind `json:"kind"`
	Roster *Roster      `json:"roster,omitempty"` // of employments; its source is the event's
	Hand   *ByHand      `json:"hand,omitempty"`   // of leave and return
	Asked  *Asked       `json:"asked,omitempty"`  // of a file
}

// Asked is who handed a file in: they ask for what follows from it, and approve
// nothing of it.
type Asked struct {
	Principal string  `json:"principal"`
	TokenID   TokenID `json:"token_id"`
}

// ByHand is what somebody says of a person.
type ByHand struct {
	Email          string  `json:"email"`
	LastWorkingDay Date    `json:"last_working_day"`
	TerminatedOn   Date    `json:"terminated_on"`
	TimeZone       string  `json:"time_zone,omitempty"`
	ForCause       bool    `json:"for_cause,omitempty"`
	Reason         string  `json:"reason"`
	Principal      string  `json:"principal"`
	TokenID        TokenID `json:"token_id"`
}

// HREvent is what a source told, kept before it is answered.
type HREvent struct {
	ID       HREventID
	Seq      int64 // the order in which events were accepted
	SourceID SourceID
	Source   string // name
	EventID  string // the source's own id, unique within the source
	// GroupID joins events that came together: they are applied together. Empty =
	// the event stands alone.
	GroupID    string
	Via        EventVia
	BodyHash   string // hex SHA-256 of the body as it came
	Body       []byte // as it came, with what we do not know of
	Change     HRChange
	State      EventState
	Problems   []Problem // of a refused one
	Outcome    []EventOutcome
	ReceivedAt time.Time
	AppliedAt  time.Time // zero = not applied
}

// EventOutcome is what applying an event did about one person.
type EventOutcome struct {
	ExternalID string      `json:"external_id,omitempty"`
	PersonID   PersonID    `json:"person_id,omitempty"`
	LeaverID   LeaverID    `json:"leaver_id,omitempty"`
	Effect     EventEffect `json:"effect"`
	Detail     string      `json:"detail,omitempty"`
}

// EventEffect is what an event did.
type EventEffect string

// The effects.
const (
	EffectNone      EventEffect = "none"      // nothing about leaving
	EffectRefused   EventEffect = "refused"   // the row is not applied: an issue stands against it
	EffectLeaver    EventEffect = "leaver"    // somebody leaves
	EffectHeld      EventEffect = "held"      // somebody leaves, and the batch is held
	EffectMoved     EventEffect = "moved"     // the moment is another
	EffectWithdrawn EventEffect = "withdrawn" // they do not leave after all
	EffectByHand    EventEffect = "by_hand"   // what was said by hand stands
	EffectTooLate   EventEffect = "too_late"  // they stay after all, and the case is done: the leaver says what does not come back
	EffectPoll      EventEffect = "poll"      // the source's API is asked
)

// Accepted is what became of an event at the door.
type Accepted struct {
	Event     HREvent
	Duplicate bool // the same id and body came before: nothing was done
}

// HREventFilter selects events; zero values select all.
type HREventFilter struct {
	Source string
	State  EventState
	After  string
	Limit  int
}
