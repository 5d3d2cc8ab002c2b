package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"sendoff/internal/roster"
	"sendoff/schema"
)

const rosterPath = "/v1/people/roster"

// maxRosterBody leaves room for a file of the greatest size as a JSON text.
const maxRosterBody = roster.MaxBytes + roster.MaxBytes/4

type rosterInput struct {
	Body struct {
		Source      string            `json:"source" doc:"Name of the system that the roster is from: its employments are told apart by it"`
		Mode        string            `json:"mode,omitempty" enum:"whole,changes" default:"whole" doc:"whole: all employments of the source, and those left out are marked absent, which ends nothing; changes: some"`
		DryRun      bool              `json:"dry_run,omitempty" doc:"Tell what it would do and write nothing"`
		CSV         string            `json:"csv,omitempty" doc:"The roster as CSV with a header; or employments"`
		Employments []employmentInput `json:"employments,omitempty" nullable:"false" doc:"The roster as a list. A member that none of them has keeps its values"`
	}
}

type employmentInput struct {
	ExternalID      string  `json:"external_id" doc:"The source's own id; it never changes"`
	Kind            *string `json:"kind,omitempty" doc:"employee or contractor; empty = employee"`
	Name            *string `json:"name,omitempty"`
	Email           *string `json:"email,omitempty" doc:"The work address"`
	EmployeeNumber  *string `json:"employee_number,omitempty"`
	HireDate        *string `json:"hire_date,omitempty" doc:"YYYY-MM-DD, as all dates"`
	LastWorkingDay  *string `json:"last_working_day,omitempty"`
	TerminatedOn    *string `json:"terminated_on,omitempty"`
	GardenLeaveFrom *string `json:"garden_leave_from,omitempty" doc:"The first day without work before the employment ends"`
	Status          *string `json:"status,omitempty" doc:"active, on_leave or ended; empty = nothing is said"`
	ForCause        *bool   `json:"for_cause,omitempty" doc:"It ends at once"`
	LeaveReason     *string `json:"leave_reason,omitempty"`
	TimeZone        *string `json:"time_zone,omitempty" doc:"IANA name"`
	Department      *string `json:"department,omitempty"`
	Site            *string `json:"site,omitempty"`
	Manager         *string `json:"manager,omitempty" doc:"The manager's external_id, or work address"`
}

// row is the employment by the names of a roster's columns.
func (e employmentInput) row() map[roster.Column]string {
	row := map[roster.Column]string{roster.ExternalID: e.ExternalID}
	for column, value := range map[roster.Column]*string{
		roster.Kind: e.Kind, roster.Name: e.Name, roster.Email: e.Email, roster.EmployeeNumber: e.EmployeeNumber, roster.HireDate: e.HireDate,
		roster.LastWorkingDay: e.LastWorkingDay, roster.TerminatedOn: e.TerminatedOn, roster.LeaveReason: e.LeaveReason,
		roster.GardenLeaveFrom: e.GardenLeaveFrom, roster.Status: e.Status,
		roster.TimeZone: e.TimeZone, roster.Department: e.Department, roster.Site: e.Site, roster.Manager: e.Manager,
	} {
		if value != nil {
			row[column] = *value
		}
	}
	if e.ForCause != nil {
		row[roster.ForCause] = strconv.FormatBool(*e.ForCause)
	}
	return row
}

type rosterOutput struct{ Body rosterBody }

type rosterBody struct {
	Source      string            `json:"source"`
	Mode        schema.RosterMode `json:"mode"`
	DryRun      bool              `json:"dry_run"`
	Rows        int               `json:"rows"`
	Added       int               `json:"added"`
	Changed     int               `json:"changed"`
	Unchanged   int               `json:"unchanged"`
	Absent      int               `json:"absent" doc:"Known employments that a whole roster leaves out; nothing ends by that"`
	Refused     int               `json:"refused" doc:"Rows not applied; issues say why"`
	NewPeople   int               `json:"new_people"`
	Merged      int               `json:"merged" doc:"People known by a case alone, found to be people of the roster"`
	Ignored     []string          `json:"ignored_columns" nullable:"false"`
	Entries     []rosterEntryBody `json:"entries" nullable:"false" doc:"The first 200 each of added, changed, absent and refused"`
	Issues      []issueBody       `json:"issues" nullable:"false" doc:"The first 200 of the source"`
	Correlation correlationBody   `json:"correlation"`
}

type rosterEntryBody struct {
	Change     schema.RosterChange `json:"change"`
	ExternalID string              `json:"external_id"`
	PersonID   schema.PersonID     `json:"person_id"`
	Joined     string              `json:"joined" doc:"Why a new employment is a known person's: email or employee_number; empty = the person is new"`
	Fields     []string            `json:"fields" nullable:"false" doc:"What differs; absent = it is there again"`
}

func (s *server) registerRoster() {
	handle(s, route{
		id: "import-roster", method: http.MethodPost, path: rosterPath, roles: deciders(), body: maxRosterBody,
		summary: "Take over who is employed from a roster: all of it, or with dry_run nothing",
	}, s.importRoster)
}

func (s *server) importRoster(ctx context.Context, by schema.Principal, in *rosterInput) (*rosterOutput, error) {
	r, err := readRoster(in)
	if err != nil {
		return nil, err
	}
	if err := s.refuseLiveSource(ctx, r.Source); err != nil {
		return nil, err
	}
	done, err := s.store.ImportRoster(ctx, r, in.Body.DryRun, by)
	if err != nil {
		return nil, err
	}
	return &rosterOutput{Body: rosterOf(r, done)}, nil
}

// refuseLiveSource: what a source of HR events tells goes through its inbox, or
// nobody would be asked whether those people leave.
func (s *server) refuseLiveSource(ctx context.Context, name string) error {
	if s.hr == nil {
		return nil
	}
	src, err := s.hr.SourceByName(ctx, name)
	switch {
	case schema.CodeOf(err) == schema.CodeNotFound:
		return nil
	case err != nil:
		return err
	}
	return &schema.Error{
		Code: schema.CodeRefused, Message: src.Name + " is a source of HR events: people leave by what it tells; nothing was changed",
		Fix: "import the file with: sendoff hr import FILE --source " + src.Name,
	}
}

// rosterOf is what a roster did, or would do.
func rosterOf(r schema.Roster, done schema.RosterResult) rosterBody {
	return rosterBody{
		Source: r.Source, Mode: r.Mode, DryRun: done.DryRun, Rows: done.Rows, Added: done.Added, Changed: done.Changed,
		Unchanged: done.Unchanged, Absent: done.Absent, Refused: done.Refused, NewPeople: done.NewPeople, Merged: done.Merged,
		Ignored: nonNil(r.Ignored), Issues: listOf(done.Issues, issueOf), Correlation: correlationOf(done.Correlation),
		Entries: listOf(done.Entries, func(e schema.RosterEntry) rosterEntryBody {
			return rosterEntryBody{e.Change, e.ExternalID, e.PersonID, e.Joined, nonNil(e.Fields)}
		}),
	}
}

// readRoster checks the request and reports every fault at once.
func readRoster(in *rosterInput) (schema.Roster, error) {
	var f faults
	r := schema.Roster{Source: strings.TrimSpace(in.Body.Source), Mode: schema.RosterMode(in.Body.Mode)}
	if !nameForm.MatchString(r.Source) {
		f.add("source", "name", "a source has 1 to 63 letters, digits, dots, dashes and underscores and begins with a letter or digit", "name the system that the roster is from, such as bamboohr")
	}
	if (in.Body.CSV == "") == (len(in.Body.Employments) == 0) {
		f.add("employments", "one_of", "not exactly one of csv and employments is given", "send the roster in one of both forms")
		return r, f.err("the roster cannot be used; nothing was changed")
	}
	var read roster.Result
	if in.Body.CSV != "" {
		read = roster.ReadCSV([]byte(in.Body.CSV))
	} else {
		rows := make([]map[roster.Column]string, len(in.Body.Employments))
		for i, e := range in.Body.Employments {
			rows[i] = e.row()
		}
		read = roster.ReadRows(rows)
	}
	f.list = append(f.list, read.Problems...)
	r.Employments, r.Fields, r.Ignored = read.Employments, read.Fields, read.Ignored
	return r, f.err("the roster cannot be used; nothing was changed")
}
