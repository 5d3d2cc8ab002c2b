package schema

import "time"

// ChannelSlack is an incoming webhook of Slack, by the name that the
// configuration gives it.
const ChannelSlack Channel = "slack"

// NoticeEvent is what a notice tells.
type NoticeEvent string

// The events.
const (
	NoticePlanned    NoticeEvent = "planned"    // a case was opened
	NoticeStarting   NoticeEvent = "starting"   // its first write is next
	NoticeParked     NoticeEvent = "parked"     // a plan needs somebody
	NoticeDone       NoticeEvent = "done"       // the case is closed; with the evidence
	NoticeCancelled  NoticeEvent = "cancelled"  // the case was cancelled and undone
	NoticeMoved      NoticeEvent = "moved"      // its moment is another
	NoticeRefused    NoticeEvent = "refused"    // pre-flight refuses a leaver of HR
	NoticeAffected   NoticeEvent = "affected"   // the leaver receives another's content, or has reports
	NoticeBatchHeld  NoticeEvent = "batch_held" // a batch needs two releases
	NoticeFeedSilent NoticeEvent = "feed_silent"
	// NoticeAlarm: a source of HR events has an alarm. Its owner is told, whatever the
	// rules.
	NoticeAlarm NoticeEvent = "alarm"
	// NoticeAsk: somebody is asked about an account that a policy matched. Whom, the
	// policy says; rules do not route it.
	NoticeAsk NoticeEvent = "ask"
	// A reviewer of a campaign, or its owner, is told whatever the rules.
	NoticeReviewAsk       NoticeEvent = "review_ask"       // there is something to decide
	NoticeReviewRemind    NoticeEvent = "review_remind"    // it is still to be decided
	NoticeReviewEscalated NoticeEvent = "review_escalated" // what another did not decide has come to them
	NoticeReviewOwner     NoticeEvent = "review_owner"     // the owner: the campaign needs them
)

// NoticeEvents lists them.
func NoticeEvents() []NoticeEvent {
	return []NoticeEvent{
		NoticePlanned, NoticeStarting, NoticeParked, NoticeDone, NoticeCancelled, NoticeMoved, NoticeRefused, NoticeAffected,
		NoticeBatchHeld, NoticeFeedSilent, NoticeAlarm, NoticeAsk,
	}
}

// OfCampaign tells whether the event is one of a campaign, told to a reviewer of it
// or to its owner.
func (e NoticeEvent) OfCampaign() bool {
	switch e {
	case NoticeReviewAsk, NoticeReviewRemind, NoticeReviewEscalated, NoticeReviewOwner:
		return true
	}
	return false
}

// Routed tells whether rules say who is told of the event, and in which words.
func (e NoticeEvent) Routed() bool {
	switch e {
	case NoticeAsk, NoticeReviewAsk, NoticeReviewRemind, NoticeReviewEscalated, NoticeReviewOwner:
		return false
	}
	return true
}

// Audience is who is told.
type Audience string

// The audiences. The manager is the leaver's, told by mail to their address; the
// leaver is never told.
const (
	AudienceManager Audience = "manager"
	AudienceIT      Audience = "it"
	AudienceHR      Audience = "hr"
	AudienceAsked   Audience = "asked" // by a policy; also the account's holder
	// The reviewer of a campaign, and who signs it.
	AudienceReviewer Audience = "reviewer"
	AudienceOwner    Audience = "owner"
)

// NoticeRoute says who is told of which events, and how.
type NoticeRoute struct {
	Audience Audience      `json:"audience"`
	Events   []NoticeEvent `json:"events"`
	Channel  Channel       `json:"channel"`
	To       []string      `json:"to,omitempty"` // addresses, or names of webhooks; the manager's are found
}

// NoticeRules is who is told of what, in which words.
type NoticeRules struct {
	Version   int
	Routes    []NoticeRoute
	Texts     map[NoticeEvent]string // of events; the first line is a mail's subject; others have the built-in text
	Source    string                 // the file's text; empty = none was applied, nobody is told
	UpdatedBy string
	UpdatedAt time.Time
}

// NoticeState is what became of a notice.
type NoticeState string

// The states.
const (
	NoticePending   NoticeState = "pending"
	NoticeDelivered NoticeState = "delivered"
	NoticeFailed    NoticeState = "failed"  // refused for good, or given up after two days
	NoticeSkipped   NoticeState = "skipped" // nothing was sent: what it tells was done already
)

// QueuedNotice is one notice to one audience by one channel.
type QueuedNotice struct {
	ID          NoticeID
	Event       NoticeEvent
	Audience    Audience
	Channel     Channel
	To          []string
	CaseID      CaseID
	PlanID      PlanID
	LeaverID    LeaverID
	BatchID     BatchID
	SourceID    SourceID
	AskID       AskID
	PolicyID    PolicyID
	ReviewID    ReviewID
	CampaignID  CampaignID
	PersonID    PersonID // whom a campaign's notice is to
	Cause       *Cause   // of a parked plan
	Version     int      // of the rules it was made by
	State       NoticeState
	Attempts    int
	LastError   string
	TextHash    string // hex SHA-256 of what was delivered
	CreatedAt   time.Time
	DeliveredAt time.Time
}

// NoticeFilter selects notices; zero values select all.
type NoticeFilter struct {
	State  NoticeState
	CaseID CaseID
	After  string
	Limit  int
}

// NoticeOutcome is what one try to deliver a notice came to.
type NoticeOutcome struct {
	State    NoticeState // pending = it is tried again
	Error    string      // of a try that failed: free of addresses and secrets
	TextHash string      // hex SHA-256 of the text; empty = none was written
	Linked   bool        // a question's text had the link to answer by
}

// NoticeFacts is what a notice may tell, and whom. It has no member for the name of
// a file or a folder, nor for a secret other than the link of a question, so that no
// text can hold one.
type NoticeFacts struct {
	To       []string // addresses or names of webhooks; empty = there is nobody to tell
	Event    NoticeEvent
	Person   string // the leaver's name, or address where no name is known
	CaseID   CaseID
	Door     Door // of the case; empty = there is none
	PlanID   PlanID
	DueAt    time.Time // zero = at once
	TimeZone string    // IANA name; empty = UTC
	ZoneFrom ZoneFrom  // whose zone it is
	Accounts []NoticeAccount
	Cause    ParkCode // of a parked plan
	CauseOf  StepKind // that was parked at
	Findings []FindingCode
	Reports  int // people who report to the leaver
	Receives int // open cases in which the leaver receives content
	BatchID  BatchID
	Size     int // of the batch
	Source   string
	Alarm    string // of a source: what is wrong, in fixed words
	AlarmFix string
	// PublicURL is where browsers reach the API; empty = nowhere.
	PublicURL string
	// Ask is what a question is about; nil for all other events.
	Ask *NoticeAskFacts
	// Campaign is what a campaign's reviewer or owner is told of; nil for all other
	// events.
	Campaign *NoticeCampaignFacts
}

// NoticeAskFacts is what a question says of an account.
type NoticeAskFacts struct {
	ID           AskID
	TokenHash    string // hex SHA-256 of its link's token
	Text         string // of the policy's rule; empty = the built-in one
	Policy       string // its title, or name
	Owner        string // of the policy: an address
	Connection   string
	Login        string
	LastActiveAt time.Time // zero = no use was ever seen
	Steps        []StepFact
	Until        time.Time // when the answer is awaited
	Silence      Silence
	// Over tells that no answer is awaited any more: nobody is asked then.
	Over bool
	// Link is where it is answered, made when it is sent and kept nowhere; empty =
	// there is no such page, and the owner is to be told.
	Link string
}

// NoticeAccount is how far the account on a connection is.
type NoticeAccount struct {
	Connection string // name
	State      PlanState
}
