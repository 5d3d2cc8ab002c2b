package web

import (
	"context"
	"io"
	"math"
	"slices"
	"time"

	"sendoff/schema"
)

type usageInput struct {
	Format
	Page              // of the groups
	Connection string `query:"connection" required:"true" doc:"Name of the connection" maxLength:"63"`
	Days       int    `query:"days" doc:"How many days back, today included, where since is not given" minimum:"1" maximum:"731" default:"90"`
	Since      string `query:"since" doc:"First day (UTC), YYYY-MM-DD" maxLength:"10"`
	Until      string `query:"until" doc:"Last day (UTC), YYYY-MM-DD; empty = today" maxLength:"10"`
}

type usageBody struct {
	ReportHeadBody
	Connection  string                   `json:"connection"`
	Since       string                   `json:"since"`
	Until       string                   `json:"until"`
	Days        []usageSpanBody          `json:"days" nullable:"false"`
	Weeks       []usageSpanBody          `json:"weeks" nullable:"false" doc:"ISO weeks, whole also where they reach beyond the span"`
	Trend       *trendBody               `json:"trend" doc:"null = there are no two fully covered weeks four apart"`
	Adoption    shareBody                `json:"adoption" doc:"Of the accounts that may sign in, those used in the last 30 days"`
	Bands       map[schema.AgeBand]int64 `json:"bands" doc:"Accounts that may sign in, by the days for which silence is proven"`
	Departments []shareBody              `json:"departments" nullable:"false"`
	Groups      []shareBody              `json:"groups" nullable:"false"`
	GroupsNext  string                   `json:"groups_next"`
}

type usageSpanBody struct {
	Name     string               `json:"name" doc:"The day, or the ISO week such as 2026-W47"`
	From     string               `json:"from"`
	To       string               `json:"to"`
	Active   int64                `json:"active" doc:"Accounts of people that were used; at least so many where coverage is not full"`
	Coverage schema.CoverageState `json:"coverage" doc:"full, partial or none"`
}

type trendBody struct {
	Week   usageSpanBody `json:"week" doc:"The last fully covered week"`
	Before usageSpanBody `json:"before" doc:"Four weeks before it"`
	Change *float64      `json:"change_percent" doc:"null = nobody was active then"`
}

type shareBody struct {
	Name     string            `json:"name" doc:"Of a department or group; empty = the person has no department"`
	GroupID  schema.ExternalID `json:"group_id,omitempty"`
	NoPerson bool              `json:"no_person,omitempty" doc:"Accounts of which no person is known"`
	Accounts int64             `json:"accounts" doc:"That may sign in"`
	Active   int64             `json:"active" doc:"Used in the last 30 days"`
	NotKnown int64             `json:"not_known" doc:"Of which that is not known"`
	Share    *float64          `json:"share" doc:"Active of accounts; null = there are none"`
}

func (s *server) registerUsage() {
	handleReport(s, report[usageInput, usageBody]{
		route:  route{id: "report-usage", path: "/v1/reports/usage", summary: "Active users by day and week, trend, adoption, and use by department and group"},
		format: func(in *usageInput) Format { return in.Format },
		page: func(ctx context.Context, in *usageInput) (usageBody, error) {
			f, err := s.usageFilter(ctx, in)
			if err != nil {
				return usageBody{}, err
			}
			r, err := s.store.ReportUsage(ctx, f)
			return usageOf(r), err
		},
		csv: s.writeUsage,
	})
}

func (s *server) usageFilter(ctx context.Context, in *usageInput) (schema.UsageFilter, error) {
	var f faults
	day := func(where, text string) schema.Date {
		d, err := schema.ParseDate(text)
		if err != nil {
			f.add(where, "date", "this is no day of the calendar", "write it like 2026-11-01")
		}
		return d
	}
	out := schema.UsageFilter{From: day("since", in.Since), To: day("until", in.Until), Now: s.now(), GroupsAfter: in.Cursor, Limit: in.Limit}
	if out.To.IsZero() {
		out.To = schema.DateOf(s.now().UTC())
	}
	if out.From.IsZero() {
		out.From = schema.DateOf(out.To.In(time.UTC).AddDate(0, 0, 1-in.Days))
	}
	if err := f.err("the request is not valid"); err != nil {
		return out, err
	}
	c, err := s.store.ConnectionByName(ctx, in.Connection)
	out.ConnectionID = c.ID
	return out, err
}

func usageOf(r schema.UsageReport) usageBody {
	b := usageBody{
		ReportHeadBody: headOf(r.ReportHead), Connection: r.Connection, Since: r.From.String(), Until: r.To.String(), Bands: r.Bands,
		Days: []usageSpanBody{}, Weeks: []usageSpanBody{}, Adoption: shareOf(r.Adoption), Departments: []shareBody{}, Groups: []shareBody{}, GroupsNext: r.GroupsNext,
	}
	for _, d := range r.Days {
		b.Days = append(b.Days, spanOf(d, d.From.String()))
	}
	for _, w := range r.Weeks {
		b.Weeks = append(b.Weeks, spanOf(w, w.Week()))
	}
	if t := r.Trend; t != nil {
		b.Trend = &trendBody{Week: spanOf(t.Week, t.Week.Week()), Before: spanOf(t.Before, t.Before.Week())}
		if t.Before.Active > 0 {
			change := math.Round(1000*float64(t.Week.Active-t.Before.Active)/float64(t.Before.Active)) / 10
			b.Trend.Change = &change
		}
	}
	for _, d := range r.Departments {
		b.Departments = append(b.Departments, shareOf(d))
	}
	for _, g := range r.Groups {
		b.Groups = append(b.Groups, shareOf(g))
	}
	return b
}

func spanOf(u schema.UsageSpan, name string) usageSpanBody {
	return usageSpanBody{Name: name, From: u.From.String(), To: u.To.String(), Active: u.Active, Coverage: u.Coverage}
}

func shareOf(u schema.UsageShare) shareBody {
	b := shareBody{Name: u.Name, GroupID: u.GroupID, NoPerson: u.NoPerson, Accounts: u.Accounts, Active: u.Active, NotKnown: u.NotKnown}
	if u.Accounts > 0 {
		part := math.Round(10_000*float64(u.Active)/float64(u.Accounts)) / 10_000
		b.Share = &part
	}
	return b
}

// writeUsage writes all sections one below the other: a row has a section and a
// key.
func (s *server) writeUsage(ctx context.Context, in *usageInput, w io.Writer) error {
	f, err := s.usageFilter(ctx, in)
	if err != nil {
		return err
	}
	columns := []string{"connection", "section", "key", "from", "to", "accounts", "active", "share", "not_known", "coverage"}
	t, err := newCSVTable(w, slices.Concat(columns, ageColumns())...)
	if err != nil {
		return err
	}
	f.Limit = csvPage
	return everyRow(t, func(after string) (string, error) {
		f.GroupsAfter = after
		r, err := s.store.ReportUsage(ctx, f)
		if err != nil {
			return "", err
		}
		rows := usageGroupCells(r)
		if after == "" {
			rows = slices.Concat(usageCells(r), rows)
		}
		age := ageCells(r.ReportHead, r.ConnectionID)
		for _, cells := range rows {
			if err := t.row(slices.Concat([]string{csvText(r.Connection)}, cells, age)...); err != nil {
				return "", err
			}
		}
		return r.GroupsNext, nil
	})
}

// usageCells are the rows of all sections but the groups.
func usageCells(r schema.UsageReport) [][]string {
	span := func(section, name string, u schema.UsageSpan) []string {
		return []string{section, name, u.From.String(), u.To.String(), "", csvInt(u.Active), "", "", string(u.Coverage)}
	}
	var rows [][]string
	for _, d := range r.Days {
		rows = append(rows, span("day", d.From.String(), d))
	}
	for _, w := range r.Weeks {
		rows = append(rows, span("week", w.Week(), w))
	}
	if r.Trend != nil {
		rows = append(rows, span("trend", r.Trend.Week.Week(), r.Trend.Week), span("trend", r.Trend.Before.Week(), r.Trend.Before))
	}
	rows = append(rows, shareCells("adoption", "all", r.Adoption))
	for _, b := range schema.AgeBands() {
		rows = append(rows, []string{"band", string(b), "", "", csvInt(r.Bands[b]), "", "", "", ""})
	}
	for _, d := range r.Departments {
		section := "department"
		if d.NoPerson {
			section = "no_person"
		}
		rows = append(rows, shareCells(section, csvText(d.Name), d))
	}
	return rows
}

func usageGroupCells(r schema.UsageReport) [][]string {
	var rows [][]string
	for _, g := range r.Groups {
		rows = append(rows, shareCells("group", csvText(g.Name), g))
	}
	return rows
}

func shareCells(section, key string, u schema.UsageShare) []string {
	return []string{section, key, "", "", csvInt(u.Accounts), csvInt(u.Active), csvShare(u.Active, u.Accounts), csvInt(u.NotKnown), ""}
}
