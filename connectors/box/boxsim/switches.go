package boxsim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Answers to a transfer call that names an account of a running job.
const (
	Busy409       = "409"       // 409 operation_blocked_temporary, the default
	BusyLocked403 = "locked403" // 403 "User is locked"
	BusyLocked400 = "locked400" // 400 "User is locked"
	BusyStart     = "start"     // a second job is started
)

// Switches choose between behaviours of Box that are documented in two ways or
// not at all. The zero value is the most likely one of each. What each means
// and which values it takes is told by KnownSwitches; an empty text is the
// first of them.
type Switches struct {
	// The transfer call and its job.
	ChangeIDs                 bool   `json:"change_ids"`
	RootItemsNested           bool   `json:"root_items_nested"`
	BusyAnswer                string `json:"busy_answer"`
	RefuseInactiveSource      bool   `json:"refuse_inactive_source"`
	InactiveSourceAnswer      string `json:"inactive_source_answer"`
	AcceptInactiveDestination bool   `json:"accept_inactive_destination"`
	ExternalDestination       string `json:"external_destination"`
	SameDestination           string `json:"same_destination"`
	StorageFull               string `json:"storage_full"`
	DeadJobAnswer             string `json:"dead_job_answer"`
	FolderName                string `json:"folder_name"`
	SecondFolderName          string `json:"second_folder_name"`
	TrashStays                bool   `json:"trash_stays"`
	WorkflowsStay             bool   `json:"workflows_stay"`
	TransferEvents            string `json:"transfer_events"`
	ContentStaysOpen          bool   `json:"content_stays_open"`

	// The delete of an account.
	DeleteIgnoresTrash      bool   `json:"delete_ignores_trash"`
	DeleteIgnoresZeroByte   bool   `json:"delete_ignores_zero_byte"`
	DeleteIgnoresWorkflows  bool   `json:"delete_ignores_workflows"`
	DeleteIgnoresRunningJob bool   `json:"delete_ignores_running_job"`
	RunningDeleteAnswer     string `json:"running_delete_answer"`
	RetainedDeleteAnswer    string `json:"retained_delete_answer"`
	RecentlyActiveAnswer    string `json:"recently_active_answer"`
	HeldDeleteAnswer        string `json:"held_delete_answer"`
	DeleteEventSource       string `json:"delete_event_source"`

	// Accounts and what is read of them.
	AdminRefusal         string  `json:"admin_refusal"`
	SpaceLagSeconds      float64 `json:"space_lag_s"`
	SpaceIgnoresTrash    bool    `json:"space_ignores_trash"`
	UnlimitedSpace       string  `json:"unlimited_space"`
	StatusLagSeconds     float64 `json:"status_lag_s"`
	StatusNotApplied     bool    `json:"status_not_applied"`
	LoginCase            string  `json:"login_case"`
	FilterMatchesAliases bool    `json:"filter_matches_aliases"`
	ForeignUser          string  `json:"foreign_user"`
	ListServiceAccount   bool    `json:"list_service_account"`
	Seats                int     `json:"seats"`
	NoSeatAnswer         string  `json:"no_seat_answer"`
	OffsetCode           string  `json:"offset_code"`
	UnknownFields        string  `json:"unknown_fields"`
	ProvenanceLocks      bool    `json:"provenance_locks"`

	// Listings.
	MarkerPages       int     `json:"marker_pages"`
	MarkerLifeSeconds float64 `json:"marker_life_s"`
	MarkerExpiry      string  `json:"marker_expiry"`
	ShiftingPages     string  `json:"shifting_pages"`
	TotalCount        string  `json:"total_count"`
	ShortPages        bool    `json:"short_pages"`
	RepeatedEntries   bool    `json:"repeated_entries"`
	DeletedCreator    string  `json:"deleted_creator"`

	// Tokens, scopes and limits.
	NoGovernanceScope    bool    `json:"no_governance_scope"`
	NoAsUser             bool    `json:"no_as_user"`
	NoUserTokens         bool    `json:"no_user_tokens"`
	CoadminsRestricted   bool    `json:"coadmins_restricted"`
	AppState             string  `json:"app_state"`
	ScopeRefusal         string  `json:"scope_refusal"`
	RemovedAppGrant      string  `json:"removed_app_grant"`
	RemovedAppCall       string  `json:"removed_app_call"`
	DeactivatedAnswer    string  `json:"deactivated_answer"`
	TerminateKillsTokens bool    `json:"terminate_kills_tokens"`
	AsUserDebits         string  `json:"as_user_debits"`
	ClockSkewSeconds     float64 `json:"clock_skew_s"`

	// Events.
	PlanWithoutEvents      bool    `json:"plan_without_events"`
	CoadminsWithoutReports bool    `json:"coadmins_without_reports"`
	LateEventsSeconds      float64 `json:"late_events_s"`
	StreamReachSeconds     float64 `json:"stream_reach_s"`
	EventSkewSeconds       float64 `json:"event_skew_s"`
	AsUserEvents           string  `json:"as_user_events"`
	EmptyPageKeepsPosition bool    `json:"empty_page_keeps_position"`
	PositionType           string  `json:"position_type"`
	EditEventDetails       bool    `json:"edit_event_details"`
}

// SwitchInfo tells about one switch.
type SwitchInfo struct {
	Name string `json:"name"`
	// Values are what the switch takes, the default first. A number has the
	// one entry "0" and takes any that its meaning allows.
	Values []string `json:"values"`
	Means  string   `json:"means"`
}

// check refuses values that no switch has. The names come from the same table
// that documents them.
func (s Switches) check() error {
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("box simulator: switches: %w", err)
	}
	var values map[string]any
	if err := json.Unmarshal(raw, &values); err != nil {
		return fmt.Errorf("box simulator: switches: %w", err)
	}
	for _, info := range KnownSwitches() {
		switch v := values[info.Name].(type) {
		case string:
			if v != "" && !slices.Contains(info.Values, v) {
				return fmt.Errorf("box simulator: %s %q is unknown: use one of %s", info.Name, v, strings.Join(info.Values, ", "))
			}
		case float64:
			if v < 0 && info.Name != "clock_skew_s" && info.Name != "event_skew_s" {
				return fmt.Errorf("box simulator: %s is %v: use 0 or more", info.Name, v)
			}
		}
	}
	return nil
}

// DecodeSwitches changes, in base, the switches that the JSON object names.
// A name that is no switch is an error that lists all that are.
func DecodeSwitches(raw []byte, base Switches) (Switches, error) {
	var named map[string]json.RawMessage
	if err := json.Unmarshal(raw, &named); err != nil {
		return base, fmt.Errorf("box simulator: switches: %w: send one JSON object of names and values", err)
	}
	known := map[string]bool{}
	var names []string
	for _, info := range KnownSwitches() {
		known[info.Name] = true
		names = append(names, info.Name)
	}
	for name := range named {
		if !known[name] {
			return base, fmt.Errorf("box simulator: switch %q is unknown: use one of %s", name, strings.Join(names, ", "))
		}
	}
	if err := json.Unmarshal(raw, &base); err != nil {
		return base, fmt.Errorf("box simulator: switches: %w", err)
	}
	return base, base.check()
}

// chosen is the status that a switch of the form "403" names.
func chosen(value string, fallback int) int {
	var status int
	if _, err := fmt.Sscanf(value, "%d", &status); err != nil {
		return fallback
	}
	return status
}

func (s Switches) spaceLag() time.Duration { return seconds(s.SpaceLagSeconds) }

func (s Switches) statusLag() time.Duration { return seconds(s.StatusLagSeconds) }

func (s Switches) clockSkew() time.Duration { return seconds(s.ClockSkewSeconds) }

func (s Switches) eventSkew() time.Duration { return seconds(s.EventSkewSeconds) }

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
