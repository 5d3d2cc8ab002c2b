package boxsim

import (
	"fmt"
	"log/slog"
	"slices"
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
	// Volume makes it a big company.
	Volume Volume
	// Scale divides job times, the 60 s and 10 min limits of the transfer call,
	// event delay, space lag and trash life. It never touches expires_in,
	// Retry-After or the rate window. 0 means 1.
	Scale float64
	// Rate is the number of calls per minute and acting user; 0 means no limit.
	// Box's own is 1000.
	Rate int
	// TokenLife is how long an access token lives in wall time; 0 means 3600 s.
	TokenLife time.Duration
	// CodeLife and RefreshLife are how long authorization codes and refresh
	// tokens live in wall time; 0 means 30 s and 60 days.
	CodeLife, RefreshLife time.Duration
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
	case c.TokenLife < 0 || c.CodeLife < 0 || c.RefreshLife < 0:
		return fmt.Errorf("box simulator: the life of tokens (%v), codes (%v) or refresh tokens (%v) is negative", c.TokenLife, c.CodeLife, c.RefreshLife)
	}
	if err := c.Volume.check(); err != nil {
		return err
	}
	return c.Switches.check()
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
	ModeApplied503 Mode = "applied503" // 503 at once, the job goes on
	ModeFull       Mode = "full"       // refused as if the receiver had no room, nothing starts
)

func modes() []Mode {
	return []Mode{
		ModeQuick, ModeSlow200, ModeGateway504, ModeDrop, ModeRefused, ModeNever, ModePre503, ModeApplied503, ModeFull,
	}
}

func (m Mode) check() error {
	if slices.Contains(modes(), m) {
		return nil
	}
	return fmt.Errorf("box simulator: mode %q is unknown: use one of %q", m, modes())
}

// TransferPlan is how transfers from one account go.
type TransferPlan struct {
	Mode Mode
	// Duration of the job in simulated time; 0 is the mode's own.
	Duration time.Duration
	// Dies lets the next job end after it has moved DiesAfterItems items, or
	// the share DiesAfterShare (0 to 1) of them if that is above 0. Nothing goes
	// on with it; a further request starts a new job for the rest.
	Dies           bool
	DiesAfterItems int
	DiesAfterShare float64
	// LeavesBehind are ids of items that no job moves, nor what lies in them.
	LeavesBehind []string
}

func (p TransferPlan) check() error {
	if p.Duration < 0 || p.DiesAfterItems < 0 || p.DiesAfterShare < 0 || p.DiesAfterShare > 1 {
		return fmt.Errorf("box simulator: transfer plan: use 0 or more for the duration and for items, 0 to 1 for the share")
	}
	return p.Mode.check()
}

// transferMode is a plan as a user carries it.
type transferMode struct {
	mode     Mode
	duration time.Duration
	dies     bool
	diesAt   func(items int) int
	leaves   []string
}

func (p TransferPlan) mode() transferMode {
	return transferMode{p.Mode, p.Duration, p.Dies, func(items int) int {
		if p.DiesAfterShare > 0 {
			return int(float64(items) * p.DiesAfterShare)
		}
		return min(p.DiesAfterItems, items)
	}, slices.Clone(p.LeavesBehind)}
}
