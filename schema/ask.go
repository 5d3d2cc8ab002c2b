package schema

import "time"

// AskID names a question to somebody about an account.
type AskID string

// AskWhom is who is asked.
type AskWhom string

// Who may be asked.
const (
	AskHolder  AskWhom = "holder"
	AskManager AskWhom = "manager"
	AskOwner   AskWhom = "owner" // of the connection
	AskNamed   AskWhom = "named"
)

// Silence is what no answer means.
type Silence string

// The meanings of silence.
const (
	SilenceNothing  Silence = "nothing"  // nothing happens to the account
	SilenceProceeds Silence = "proceeds" // if the question was delivered
)

// Ask says who is asked about an account before anything is done to it.
type Ask struct {
	Whom    AskWhom       `json:"whom"`
	To      []string      `json:"to,omitempty"` // of named: addresses, or names of webhooks
	Channel Channel       `json:"channel"`
	Wait    time.Duration `json:"wait"`
	Silence Silence       `json:"silence"`
	Text    string        `json:"text,omitempty"` // the first line is a mail's subject; empty = the built-in text
}

// Answer is what somebody says of an account.
type Answer string

// The answers.
const (
	AnswerNeeded    Answer = "needed"     // still needed: the clock starts again
	AnswerNotNeeded Answer = "not_needed" // nobody has to wait any longer
)

// AskState is what became of a question.
type AskState string

// The states of a question.
const (
	AskPending   AskState = "pending" // not delivered yet
	AskDelivered AskState = "delivered"
	AskAnswered  AskState = "answered"
	AskFailed    AskState = "failed" // could not be delivered: silence is no answer
	AskEnded     AskState = "ended"  // not needed any more
)

// AskRow is one question to one recipient about one account.
type AskRow struct {
	ID        AskID
	ReviewID  ReviewID
	AccountID AccountID
	Index     int // into the rule's Ask
	Whom      AskWhom
	Channel   Channel
	Recipient string // an address, or the name of a webhook
	State     AskState
	TokenHash string // hex SHA-256 of its link's token; never shown
	Answer    Answer
	Reason    string
	Wait      time.Duration // how long an answer is awaited, from its delivery on
	// DeliveredAt is when it was delivered, and Linked tells that it had a link to
	// answer by: else silence says nothing.
	DeliveredAt time.Time
	Linked      bool
	ExpiresAt   time.Time
	CreatedAt   time.Time
	AnsweredAt  time.Time
}

// AskPage is what the page of a question shows: nothing of it is secret to whom
// the link was sent.
type AskPage struct {
	AskRow
	Policy       string // its title, or name
	Connection   string
	Login        string
	LastActiveAt time.Time // zero = no use was ever seen
	Steps        []StepFact
	Until        time.Time // when the answer is awaited; zero = no more
	// Closed says why an answer can no longer be given; empty = it can.
	Closed string
}
