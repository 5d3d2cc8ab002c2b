package web

import (
	"context"
	"io"
	"slices"
	"strings"

	"sendoff/schema"
)

type orphansInput struct {
	Format
	Page
	Connection string   `query:"connection" doc:"Name of the connection; empty = all" maxLength:"63"`
	Issue      string   `query:"issue" enum:"unmatched,ambiguous,contradiction" doc:"Empty = all"`
	Kind       []string `query:"kind,explode" enum:"person,service,app,external" doc:"May be given several times; none = person"`
}

type orphansBody struct {
	ReportHeadBody
	Counts   *orphanCountsBody `json:"counts" doc:"null = not the first page"`
	Accounts []orphanRowBody   `json:"accounts" nullable:"false"`
	Next     string            `json:"next"`
}

type orphanCountsBody struct {
	Unmatched            int64 `json:"unmatched" doc:"Accounts of people that nothing speaks for"`
	Ambiguous            int64 `json:"ambiguous" doc:"That several persons could hold"`
	Contradiction        int64 `json:"contradiction" doc:"Whose person the evidence contradicts"`
	Service              int64 `json:"service" doc:"Without a person, as the two below"`
	App                  int64 `json:"app"`
	External             int64 `json:"external"`
	People               int64 `json:"people" doc:"That a source tells of and who have not left"`
	PeopleWithoutManager int64 `json:"people_without_manager"`
}

type orphanRowBody struct {
	AccountRowBody
	Issue      schema.AccountIssue `json:"issue"`
	Candidates []string            `json:"candidates" nullable:"false" doc:"Whom evidence names"`
}

type unmanagedInput struct {
	Format
	Page
}

type unmanagedBody struct {
	People []unmanagedRowBody `json:"people" nullable:"false"`
	Next   string             `json:"next"`
}

type unmanagedRowBody struct {
	PersonID   schema.PersonID       `json:"person_id"`
	Email      string                `json:"email"`
	Name       string                `json:"name"`
	Department string                `json:"department"`
	Kind       schema.EmploymentKind `json:"kind"`
	Said       string                `json:"said" doc:"Whom the source names, who is not found; empty = nobody"`
}

func (s *server) registerOrphans() {
	handleReport(s, report[orphansInput, orphansBody]{
		route:  route{id: "report-orphans", path: "/v1/reports/orphans", summary: "Accounts that nobody, or not surely somebody, is known to hold"},
		format: func(in *orphansInput) Format { return in.Format },
		page: func(ctx context.Context, in *orphansInput) (orphansBody, error) {
			f, err := s.orphanFilter(ctx, in)
			if err != nil {
				return orphansBody{}, err
			}
			r, err := s.store.ReportOrphans(ctx, f)
			return orphansOf(r), err
		},
		csv: s.writeOrphans,
	})
	handleReport(s, report[unmanagedInput, unmanagedBody]{
		route:  route{id: "report-unmanaged", path: "/v1/reports/unmanaged", summary: "People without a manager who have not left"},
		format: func(in *unmanagedInput) Format { return in.Format },
		page: func(ctx context.Context, in *unmanagedInput) (unmanagedBody, error) {
			list, next, err := s.store.ReportUnmanaged(ctx, s.now(), in.Cursor, in.Limit)
			b := unmanagedBody{People: []unmanagedRowBody{}, Next: next}
			for _, p := range list {
				b.People = append(b.People, unmanagedRowBody(p))
			}
			return b, err
		},
		csv: s.writeUnmanaged,
	})
}

func (s *server) orphanFilter(ctx context.Context, in *orphansInput) (schema.OrphanFilter, error) {
	id, err := s.connectionID(ctx, in.Connection)
	return schema.OrphanFilter{
		ConnectionID: id, Issue: schema.AccountIssue(in.Issue), Kinds: wordsOf[schema.AccountKind](in.Kind), Now: s.now(), After: in.Cursor, Limit: in.Limit,
	}, err
}

func orphansOf(r schema.OrphanReport) orphansBody {
	b := orphansBody{ReportHeadBody: headOf(r.ReportHead), Accounts: []orphanRowBody{}, Next: r.Next}
	if c := r.Counts; c != nil {
		b.Counts = &orphanCountsBody{
			Unmatched: c.Issues[schema.AccountUnmatched], Ambiguous: c.Issues[schema.AccountAmbiguous], Contradiction: c.Issues[schema.AccountContradiction],
			Service: c.Others[schema.KindService], App: c.Others[schema.KindApp], External: c.Others[schema.KindExternal],
			People: c.People, PeopleWithoutManager: c.PeopleWithoutManager,
		}
	}
	for _, a := range r.Rows {
		b.Accounts = append(b.Accounts, orphanRowBody{AccountRowBody: accountRowOf(a.AccountRow), Issue: a.Issue, Candidates: nonNil(a.Candidates)})
	}
	return b
}

func (s *server) writeOrphans(ctx context.Context, in *orphansInput, w io.Writer) error {
	f, err := s.orphanFilter(ctx, in)
	if err != nil {
		return err
	}
	t, err := newCSVTable(w, slices.Concat(accountColumns(), []string{"issue", "candidates"}, ageColumns())...)
	if err != nil {
		return err
	}
	f.Limit = csvPage
	return everyRow(t, func(after string) (string, error) {
		f.After = after
		r, err := s.store.ReportOrphans(ctx, f)
		if err != nil {
			return "", err
		}
		for _, a := range r.Rows {
			mine := []string{string(a.Issue), csvText(strings.Join(a.Candidates, " "))}
			if err := t.row(slices.Concat(accountCells(a.AccountRow), mine, ageCells(r.ReportHead, a.ConnectionID))...); err != nil {
				return "", err
			}
		}
		return r.Next, nil
	})
}

func (s *server) writeUnmanaged(ctx context.Context, _ *unmanagedInput, w io.Writer) error {
	t, err := newCSVTable(w, "person_id", "email", "name", "department", "kind", "said", "report_at")
	if err != nil {
		return err
	}
	return everyRow(t, func(after string) (string, error) {
		list, next, err := s.store.ReportUnmanaged(ctx, s.now(), after, csvPage)
		if err != nil {
			return "", err
		}
		for _, p := range list {
			if err := t.row(string(p.PersonID), csvText(p.Email), csvText(p.Name), csvText(p.Department), string(p.Kind), csvText(p.Said), csvTime(s.now())); err != nil {
				return "", err
			}
		}
		return next, nil
	})
}
