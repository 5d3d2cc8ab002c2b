package apiclient

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"
)

// ReportHead is what every report begins with.
type ReportHead struct {
	At       time.Time  `json:"report_at"`
	Datasets []Dataset  `json:"datasets"`
	Coverage []Coverage `json:"coverage"`
}

// Coverage is what silence on a connection is judged by.
type Coverage struct {
	Connection  string     `json:"connection"`
	Source      string     `json:"source"`
	CoveredFrom *time.Time `json:"covered_from"`
	CoveredTo   *time.Time `json:"covered_to"`
}

// License is what a contract says of a connection's seats.
type License struct {
	Connection     string    `json:"connection"`
	Seats          int64     `json:"seats"`
	UnitPrice      string    `json:"unit_price"`
	UnitPriceMinor int64     `json:"unit_price_minor"`
	Currency       string    `json:"currency"`
	Period         string    `json:"period"`
	RenewsOn       string    `json:"renews_on"`
	UpdatedBy      string    `json:"updated_by"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// NewLicense says what a contract says.
type NewLicense struct {
	Seats    int64  `json:"seats"`
	Price    string `json:"unit_price"`
	Currency string `json:"currency"`
	Period   string `json:"period"`
	RenewsOn string `json:"renews_on,omitempty"`
}

// LicenseReport is the seats of each connection.
type LicenseReport struct {
	ReportHead
	Threshold   string       `json:"threshold"`
	Connections []LicenseRow `json:"connections"`
}

// LicenseRow is a connection's seats.
type LicenseRow struct {
	Connection  string       `json:"connection"`
	Vendor      string       `json:"vendor"`
	License     *License     `json:"license"`
	SeatsHeld   int64        `json:"seats_held"`
	Active      int64        `json:"active"`
	Restricted  int64        `json:"restricted"`
	Suspended   int64        `json:"suspended"`
	Dormant     int64        `json:"dormant"`
	Ungraded    int64        `json:"ungraded"`
	Missing     int64        `json:"missing"`
	Service     int64        `json:"service"`
	App         int64        `json:"app"`
	External    int64        `json:"external"`
	Free        *int64       `json:"free"`
	Over        *int64       `json:"over"`
	Utilisation *float64     `json:"utilisation"`
	Cost        string       `json:"cost"`
	Effects     []SeatEffect `json:"effects"`
}

// SeatEffect is what an act on accounts frees.
type SeatEffect struct {
	Act       string `json:"act"`
	Accounts  int64  `json:"accounts"`
	SeatsNow  int64  `json:"seats_now"`
	AtRenewal string `json:"saving_at_renewal"`
}

// InactiveReport is a page of accounts by grade.
type InactiveReport struct {
	ReportHead
	Threshold string           `json:"threshold"`
	Counts    map[string]int64 `json:"counts"`
	Accounts  []InactiveRow    `json:"accounts"`
	Next      string           `json:"next"`
}

// InactiveRow is an account with its grade.
type InactiveRow struct {
	AccountRow
	Grade   string `json:"grade"`
	Band    string `json:"band"`
	Manager string `json:"manager"`
	Seat    bool   `json:"seat"`
}

// OrphanReport is a page of accounts without a person.
type OrphanReport struct {
	ReportHead
	Counts   *OrphanCounts `json:"counts"`
	Accounts []OrphanRow   `json:"accounts"`
	Next     string        `json:"next"`
}

// OrphanCounts counts what is in doubt.
type OrphanCounts struct {
	Unmatched            int64 `json:"unmatched"`
	Ambiguous            int64 `json:"ambiguous"`
	Contradiction        int64 `json:"contradiction"`
	Service              int64 `json:"service"`
	App                  int64 `json:"app"`
	External             int64 `json:"external"`
	People               int64 `json:"people"`
	PeopleWithoutManager int64 `json:"people_without_manager"`
}

// OrphanRow is an account with what is in doubt.
type OrphanRow struct {
	AccountRow
	Issue      string   `json:"issue"`
	Candidates []string `json:"candidates"`
}

// UnmanagedPage is a page of people without a manager.
type UnmanagedPage struct {
	People []Unmanaged `json:"people"`
	Next   string      `json:"next"`
}

// Unmanaged is a person without a manager.
type Unmanaged struct {
	PersonID   string `json:"person_id"`
	Email      string `json:"email"`
	Name       string `json:"name"`
	Department string `json:"department"`
	Kind       string `json:"kind"`
	Said       string `json:"said"`
}

// ChangeReport is a page of changes.
type ChangeReport struct {
	ReportHead
	Changes []Change `json:"changes"`
	Next    string   `json:"next"`
}

// UsageReport is how much a connection is used.
type UsageReport struct {
	ReportHead
	Connection  string           `json:"connection"`
	Since       string           `json:"since"`
	Until       string           `json:"until"`
	Days        []UsageSpan      `json:"days"`
	Weeks       []UsageSpan      `json:"weeks"`
	Trend       *UsageTrend      `json:"trend"`
	Adoption    UsageShare       `json:"adoption"`
	Bands       map[string]int64 `json:"bands"`
	Departments []UsageShare     `json:"departments"`
	Groups      []UsageShare     `json:"groups"`
	GroupsNext  string           `json:"groups_next"`
}

// UsageSpan is a day or a week.
type UsageSpan struct {
	Name     string `json:"name"`
	From     string `json:"from"`
	To       string `json:"to"`
	Active   int64  `json:"active"`
	Coverage string `json:"coverage"`
}

// UsageTrend compares two weeks.
type UsageTrend struct {
	Week   UsageSpan `json:"week"`
	Before UsageSpan `json:"before"`
	Change *float64  `json:"change_percent"`
}

// UsageShare is how many of some accounts are used.
type UsageShare struct {
	Name     string   `json:"name"`
	GroupID  string   `json:"group_id,omitempty"`
	NoPerson bool     `json:"no_person,omitempty"`
	Accounts int64    `json:"accounts"`
	Active   int64    `json:"active"`
	NotKnown int64    `json:"not_known"`
	Share    *float64 `json:"share"`
}

// SetLicense says what the contract says of a connection's seats.
func (c *Client) SetLicense(ctx context.Context, connection string, n NewLicense) (License, error) {
	return call[License](ctx, c, http.MethodPut, path("licenses", connection), n)
}

// Licenses returns what contracts say of seats.
func (c *Client) Licenses(ctx context.Context) ([]License, error) {
	p, err := call[struct {
		Licenses []License `json:"licenses"`
	}](ctx, c, http.MethodGet, path("licenses"), nil)
	return p.Licenses, err
}

// The reports, as in their paths.
const (
	ReportOfUsage     = "usage"
	ReportOfLicenses  = "licenses"
	ReportOfInactive  = "inactive"
	ReportOfOrphans   = "orphans"
	ReportOfUnmanaged = "unmanaged"
	ReportOfChanges   = "changes"
)

// ReportPage returns a page of a report as the type of that report; filters are the
// query's parameters; limit is 0 for a report without pages.
func ReportPage[T any](ctx context.Context, c *Client, report string, filters url.Values, cursor string, limit int) (T, error) {
	return call[T](ctx, c, http.MethodGet, path("reports", report)+pageOf(filters, cursor, limit), nil)
}

// ReportCSV writes a whole report as CSV. One that was cut is an error.
func (c *Client) ReportCSV(ctx context.Context, report string, filters url.Values, w io.Writer) error {
	q := url.Values{"format": {"csv"}}
	for name, values := range filters {
		for _, v := range values {
			if v != "" {
				q.Add(name, v)
			}
		}
	}
	res, err := c.send(ctx, http.MethodGet, path("reports", report)+"?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(w, res.Body); err != nil {
		return &Error{Code: CodeUnreachable, Message: "the report broke off", Fix: "try again; what was written is not whole"}
	}
	return nil
}
