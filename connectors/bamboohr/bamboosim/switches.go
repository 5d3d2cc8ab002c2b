package bamboosim

import (
	"fmt"
	"slices"
)

// Switches choose among what BambooHR's document leaves open. The zero value is
// what we believe.
type Switches struct {
	// EmptyObject: an empty map of employees is {}; otherwise [], as PHP writes it.
	EmptyObject bool `json:"empty_object"`
	// QuietFuture: a termination dated ahead changes the list of the table and not
	// that of employees.
	QuietFuture bool `json:"quiet_future"`
	// NoFutureDate: terminationDate stays empty until the day, also with
	// onlyCurrent=false; only the table tells.
	NoFutureDate bool `json:"no_future_date"`
	// LatestWhenEmpty is what latest is when nothing changed: "since", or "now".
	LatestWhenEmpty string `json:"latest_when_empty"`
	// SinceExclusive: changes of the very second of since are left out.
	SinceExclusive bool `json:"since_exclusive"`
	// MissingFields are those the key's owner may not see: left out of records.
	MissingFields []string `json:"missing_fields"`
	// HiddenEmployees are ids that answer 403.
	HiddenEmployees []string `json:"hidden_employees"`
	// NoTable: the key's owner may not see the table employmentStatus: 404.
	NoTable bool `json:"no_table"`
	// ListForOAuth: GET /employees is for OAuth alone, as it is documented: 401.
	ListForOAuth bool `json:"list_for_oauth"`
	// OwnerWithoutRecord: the key's owner is no employee: /employees/0 answers 404.
	OwnerWithoutRecord bool `json:"owner_without_record"`
	// SlowDownStatus is the status of too many calls: 0 = 503, or 429.
	SlowDownStatus int `json:"slow_down_status"`
	// NoRetryAfter: that answer names no wait.
	NoRetryAfter bool `json:"no_retry_after"`
	// KeepTimestamp: a webhook that is sent again has its first timestamp.
	KeepTimestamp bool `json:"keep_timestamp"`
	// NumericZone: the times in payloads end in +0000, as in a page of the
	// documentation; otherwise in Z, as in the OpenAPI document.
	NumericZone bool `json:"numeric_zone"`
	// LogLimited: the log of a webhook answers 200 with an error of code 429.
	LogLimited bool `json:"log_limited"`
}

func (s Switches) check() error {
	if !slices.Contains([]string{"", "since", "now"}, s.LatestWhenEmpty) {
		return fmt.Errorf("bamboohr simulator: latest_when_empty is %q: use since or now", s.LatestWhenEmpty)
	}
	if !slices.Contains([]int{0, 429, 503}, s.SlowDownStatus) {
		return fmt.Errorf("bamboohr simulator: slow_down_status is %d: use 429 or 503", s.SlowDownStatus)
	}
	return nil
}
