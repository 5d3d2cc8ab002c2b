package boxsim

import (
	"fmt"
	"log/slog"
	"time"
)

// Credentials of the two built-in clients. The read-only client may use every
// GET and is refused all writes.
const (
	MainClientID     = "sim"
	ReadOnlyClientID = "ro"
	ClientSecret     = "not-a-secret-of-anybody"
	EnterpriseID     = "900001"
	// otherEnterpriseID is where external users are at home.
	otherEnterpriseID = "900002"
)

// Config describes a simulated enterprise. Its zero value is a company of the
// admin and the service account alone, at wall speed, without a rate limit.
type Config struct {
	// Seed chooses names, trees, sizes and ids.
	Seed int64
	// Users is the number of accounts of the company: the admin, two coadmins
	// from 5 on, managed users for the rest. The service account comes on top.
	Users int
	// Scale divides job times, the 60 s and 10 min limits of the transfer call,
	// event delay, space lag and trash life. It never touches expires_in,
	// Retry-After or the rate window. 0 means 1.
	Scale float64
	// Rate is the number of calls per minute and acting user; 0 means no limit.
	// Box's own is 1000.
	Rate int
	// TokenLife is how long an access token lives in wall time; 0 means 3600 s.
	TokenLife time.Duration
	// Epoch is the instant the company's history is dated from; zero means now.
	Epoch    time.Time
	Switches Switches
	// Logger hears of starts and ends of jobs; nil is silent.
	Logger *slog.Logger
}

func (c Config) check() error {
	switch {
	case c.Users < 0:
		return fmt.Errorf("box simulator: users is %d: use 0 or more", c.Users)
	case c.Scale < 0:
		return fmt.Errorf("box simulator: scale is %v: use a number above 0", c.Scale)
	case c.Rate < 0:
		return fmt.Errorf("box simulator: rate is %d: use 0 for no limit, or calls per minute", c.Rate)
	case c.TokenLife < 0:
		return fmt.Errorf("box simulator: token life is %v: use a duration above 0", c.TokenLife)
	}
	return c.Switches.check()
}

// Answers to a transfer call that names an account of a running job.
const (
	Busy409       = "409"       // 409 operation_blocked_temporary, the default
	BusyLocked403 = "locked403" // 403 "User is locked"
	BusyLocked400 = "locked400" // 400 "User is locked"
	BusyStart     = "start"     // a second job is started
)

// Switches choose between behaviours of Box that are documented in two ways or
// not at all. The zero value is the most likely one of each.
type Switches struct {
	// ChangeIDs gives transferred items new ids; otherwise they keep theirs.
	ChangeIDs bool `json:"change_ids"`
	// RootItemsNested puts the source's root items one folder below the
	// destination folder; otherwise they are its direct children.
	RootItemsNested bool `json:"root_items_nested"`
	// BusyAnswer is one of 409 (also ""), locked403, locked400 and start.
	BusyAnswer string `json:"busy_answer"`
	// RefuseInactiveSource refuses the transfer of a deactivated account.
	RefuseInactiveSource bool `json:"refuse_inactive_source"`
	// AcceptInactiveDestination accepts a deactivated receiver.
	AcceptInactiveDestination bool `json:"accept_inactive_destination"`
	// TrashStays leaves trashed items with the source; otherwise all but
	// retained ones move to the receiver's trash.
	TrashStays bool `json:"trash_stays"`
	// SpaceLag is how long space_used shows the value of the past, in simulated
	// seconds.
	SpaceLagSeconds float64 `json:"space_lag_s"`
	// DeleteIgnoresTrash lets an un-forced delete pass with items in the trash.
	DeleteIgnoresTrash bool `json:"delete_ignores_trash"`
	// DeleteIgnoresZeroByte lets it pass with items of zero bytes.
	DeleteIgnoresZeroByte bool `json:"delete_ignores_zero_byte"`
	// DeleteIgnoresRunningJob lets it pass while a job still moves content; what
	// has not moved by then is destroyed.
	DeleteIgnoresRunningJob bool `json:"delete_ignores_running_job"`
	// ListServiceAccount shows the service account in GET /users.
	ListServiceAccount bool `json:"list_service_account"`
	// NoGovernanceScope takes retention and legal-hold scopes from all clients.
	NoGovernanceScope bool `json:"no_governance_scope"`
	// ContentStaysOpen lets collaborators reach content of a deactivated owner
	// and of a running job; otherwise both are refused with 403.
	ContentStaysOpen bool `json:"content_stays_open"`
	// TerminateKillsTokens also revokes the access tokens of a user whose
	// sessions are terminated.
	TerminateKillsTokens bool `json:"terminate_kills_tokens"`
	// EmptyPageKeepsPosition echoes the stream position on an empty page of
	// events; otherwise it is 0, as Box has answered.
	EmptyPageKeepsPosition bool `json:"empty_page_keeps_position"`
}

func (s Switches) check() error {
	switch s.BusyAnswer {
	case "", Busy409, BusyLocked403, BusyLocked400, BusyStart:
	default:
		return fmt.Errorf("box simulator: busy_answer %q is unknown: use 409, locked403, locked400 or start", s.BusyAnswer)
	}
	if s.SpaceLagSeconds < 0 {
		return fmt.Errorf("box simulator: space_lag_s is %v: use 0 or more", s.SpaceLagSeconds)
	}
	return nil
}

func (s Switches) spaceLag() time.Duration {
	return time.Duration(s.SpaceLagSeconds * float64(time.Second))
}

// Mode is how Box treats transfers of one source.
type Mode string

// Modes of a transfer. All limits are in simulated time.
const (
	ModeQuick      Mode = "quick"      // 200 once the job is done
	ModeSlow200    Mode = "slow200"    // 200 after 10 min, the job goes on
	ModeGateway504 Mode = "gateway504" // 504 with HTML after 60 s, the job goes on
	ModeDrop       Mode = "drop"       // connection closed after 20 s, the job goes on
	ModeRefused    Mode = "refused"    // 403, nothing starts
	ModeNever      Mode = "never"      // 504 after 60 s, half of the items move, the job never ends
	ModePre503     Mode = "pre503"     // 503, nothing starts
)

func (m Mode) check() error {
	switch m {
	case ModeQuick, ModeSlow200, ModeGateway504, ModeDrop, ModeRefused, ModeNever, ModePre503:
		return nil
	}
	return fmt.Errorf("box simulator: mode %q is unknown: use quick, slow200, gateway504, drop, refused, never or pre503", m)
}

// transferMode is a mode with the duration of its job; 0 means the mode's own.
type transferMode struct {
	mode     Mode
	duration time.Duration
}
