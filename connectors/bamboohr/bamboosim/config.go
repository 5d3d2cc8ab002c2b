package bamboosim

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"
)

// The built-in company and its key.
const (
	Company   = "sim"
	CompanyID = "12345"
	APIKey    = "not-a-secret-of-anybody"
)

// Config describes a simulated company. Its zero value has nobody in it.
type Config struct {
	Seed int64
	// Employees is how many are made up, besides those of People.
	Employees int
	People    []Person
	// WebhookURL, which must be on loopback, hears of changes from the start.
	WebhookURL string
	// WithFields makes that webhook one of the family employee_with_fields.
	WithFields bool
	// Scale divides the pauses before a webhook is sent again; 0 means 1.
	Scale float64
	// Rate is the number of calls per minute; 0 = no limit.
	Rate     int
	Switches Switches
	Logger   *slog.Logger // nil is silent
}

func (c Config) check() error {
	switch {
	case c.Employees < 0 || c.Rate < 0:
		return fmt.Errorf("bamboohr simulator: employees is %d and rate %d: use 0 or more", c.Employees, c.Rate)
	case c.Scale < 0:
		return fmt.Errorf("bamboohr simulator: scale is %v: use a number above 0", c.Scale)
	case c.WebhookURL != "" && !onLoopback(c.WebhookURL):
		return fmt.Errorf("bamboohr simulator: the webhook's address is not on loopback: use http://127.0.0.1:PORT/PATH")
	}
	return c.Switches.check()
}

// onLoopback tells whether an address is one that a simulator may send to.
func onLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// Person is an employee to make.
type Person struct {
	ID         string `json:"id,omitempty"` // empty = the next number
	Email      string `json:"email"`
	First      string `json:"first"`
	Last       string `json:"last"`
	Manager    string `json:"manager,omitempty"` // an employee's id
	Number     string `json:"number,omitempty"`
	HireDate   string `json:"hire_date,omitempty"` // YYYY-MM-DD; empty = two years ago
	Status     string `json:"status,omitempty"`    // of employment; empty = Full-Time
	Department string `json:"department,omitempty"`
	Location   string `json:"location,omitempty"`
}

// ParsePerson reads "id,email,first,last,managerID"; what stands at the end may be
// left out.
func ParsePerson(s string) (Person, error) {
	parts := strings.Split(s, ",")
	if len(parts) < 2 || len(parts) > 5 {
		return Person{}, fmt.Errorf("an employee is id,email,first,last,managerID; the id may be empty")
	}
	for len(parts) < 5 {
		parts = append(parts, "")
	}
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return Person{ID: parts[0], Email: parts[1], First: parts[2], Last: parts[3], Manager: parts[4]}, nil
}

const dateLayout = time.DateOnly

func readDate(s string) (time.Time, error) {
	d, err := time.Parse(dateLayout, s)
	if err != nil {
		return d, fmt.Errorf("the date %q is not YYYY-MM-DD", s)
	}
	return d, nil
}
