package web

import (
	"context"
	"io"
	"maps"
	"slices"

	"sendoff/internal/intake"
	"sendoff/schema"
)

type inactiveInput struct {
	Format
	Page
	Connection string   `query:"connection" doc:"Name of the connection; empty = all" maxLength:"63"`
	Threshold  string   `query:"threshold" doc:"How long an account has to be silent to be inactive, such as 90d" default:"90d" maxLength:"32"`
	Grade      []string `query:"grade,explode" enum:"active,inactive,never,unknown,not_collected" doc:"May be given several times; none = inactive and never"`
	Status     []string `query:"status,explode" enum:"active,suspended,restricted,missing,deleted" doc:"May be given several times; none = active and restricted"`
	Kind       []string `query:"kind,explode" enum:"person,service,app,external" doc:"May be given several times; none = person"`
}

type inactiveBody struct {
	ReportHeadBody
	Threshold string                 `json:"threshold"`
	Counts    map[schema.Grade]int64 `json:"counts" doc:"Of all that connection, statuses and kinds select, by grade; null = not the first page"`
	Accounts  []inactiveRowBody      `json:"accounts" nullable:"false" doc:"Silent longest first"`
	Next      string                 `json:"next"`
}

type inactiveRowBody struct {
	AccountRowBody
	Grade   schema.Grade   `json:"grade"`
	Band    schema.AgeBand `json:"band" doc:"Days for which silence is proven: under_30, 30_59, 60_89, 90_179, 180_and_more; or never, unknown, not_collected"`
	Manager string         `json:"manager" doc:"Address; empty = none is known"`
	Seat    bool           `json:"seat" doc:"Whether it holds one"`
}

func (s *server) registerInactive() {
	handleReport(s, report[inactiveInput, inactiveBody]{
		route:  route{id: "report-inactive", path: "/v1/reports/inactive", summary: "Accounts by grade, those silent longest first"},
		format: func(in *inactiveInput) Format { return in.Format },
		page: func(ctx context.Context, in *inactiveInput) (inactiveBody, error) {
			f, err := s.inactiveFilter(ctx, in)
			if err != nil {
				return inactiveBody{}, err
			}
			r, err := s.store.ReportInactive(ctx, f)
			return inactiveOf(r, f), err
		},
		csv: s.writeInactive,
	})
}

func (s *server) inactiveFilter(ctx context.Context, in *inactiveInput) (schema.InactiveFilter, error) {
	threshold, err := readThreshold(in.Threshold)
	if err != nil {
		return schema.InactiveFilter{}, err
	}
	id, err := s.connectionID(ctx, in.Connection)
	return schema.InactiveFilter{
		ConnectionID: id, Threshold: threshold, Grades: wordsOf[schema.Grade](in.Grade), Statuses: wordsOf[schema.AccountStatus](in.Status),
		Kinds: wordsOf[schema.AccountKind](in.Kind), Now: s.now(), After: in.Cursor, Limit: in.Limit,
	}, err
}

func inactiveOf(r schema.InactiveReport, f schema.InactiveFilter) inactiveBody {
	b := inactiveBody{
		ReportHeadBody: headOf(r.ReportHead), Threshold: intake.FormatDuration(f.Threshold), Counts: maps.Clone(r.Counts), Accounts: []inactiveRowBody{}, Next: r.Next,
	}
	if b.Counts != nil {
		for _, g := range []schema.Grade{schema.GradeActive, schema.GradeInactive, schema.GradeNever, schema.GradeUnknown, schema.GradeNotCollected} {
			b.Counts[g] += 0 // said also where there is none
		}
	}
	for _, a := range r.Rows {
		b.Accounts = append(b.Accounts, inactiveRowBody{AccountRowBody: accountRowOf(a.AccountRow), Grade: a.Grade, Band: a.Band, Manager: a.Manager, Seat: a.Seat})
	}
	return b
}

// accountColumns stand at the beginning of every row that tells of an account.
func accountColumns() []string {
	return []string{
		"connection", "account_id", "login", "name", "status", "kind", "role", "person", "person_by", "last_active_at", "last_event", "last_source",
		"created_at", "space_used_bytes",
	}
}

func accountCells(a schema.AccountRow) []string {
	return []string{
		csvText(a.Connection), csvText(string(a.ExternalID)), csvText(a.Login), csvText(a.Name), string(a.Status), string(a.Kind), csvText(string(a.Role)),
		csvText(a.PersonEmail), string(a.PersonBy), csvTime(a.LastActiveAt), csvText(a.LastEvent), csvText(string(a.LastSource)),
		csvTime(a.CreatedAt), csvInt(a.SpaceUsed),
	}
}

func (s *server) writeInactive(ctx context.Context, in *inactiveInput, w io.Writer) error {
	f, err := s.inactiveFilter(ctx, in)
	if err != nil {
		return err
	}
	t, err := newCSVTable(w, slices.Concat(accountColumns(), []string{"grade", "band", "threshold", "manager", "seat"}, ageColumns())...)
	if err != nil {
		return err
	}
	f.Limit = csvPage
	return everyRow(t, func(after string) (string, error) {
		f.After = after
		r, err := s.store.ReportInactive(ctx, f)
		if err != nil {
			return "", err
		}
		for _, a := range r.Rows {
			mine := []string{string(a.Grade), string(a.Band), intake.FormatDuration(f.Threshold), csvText(a.Manager), csvBool(a.Seat)}
			if err := t.row(slices.Concat(accountCells(a.AccountRow), mine, ageCells(r.ReportHead, a.ConnectionID))...); err != nil {
				return "", err
			}
		}
		return r.Next, nil
	})
}
