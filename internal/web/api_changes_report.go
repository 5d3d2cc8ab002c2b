package web

import (
	"context"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"sendoff/internal/intake"
	"sendoff/schema"
)

type changesInput struct {
	Format
	Page
	Connection string   `query:"connection" doc:"Name of the connection; empty = all" maxLength:"63"`
	Kind       []string `query:"kind,explode" doc:"May be given several times; none = all" maxItems:"32"`
	Account    string   `query:"account" doc:"Only of this account, by our id" maxLength:"64"`
	Since      string   `query:"since" doc:"Only what was seen since: an instant with its zone, or a duration such as 7d before now" maxLength:"64"`
	Until      string   `query:"until" doc:"Only what was seen before: the same" maxLength:"64"`
}

type changesBody struct {
	ReportHeadBody
	Changes []changeBody `json:"changes" nullable:"false" doc:"Newest first"`
	Next    string       `json:"next"`
}

// changeBody is one thing that is other than it was.
type changeBody struct {
	ID         int64             `json:"id"`
	Connection string            `json:"connection"`
	Kind       schema.ChangeKind `json:"kind"`
	AccountID  schema.ExternalID `json:"account_id" doc:"The vendor's id; empty = what changed is a group's"`
	Login      string            `json:"login" doc:"As it was then"`
	GroupID    schema.ExternalID `json:"group_id"`
	GroupName  string            `json:"group_name"`
	ItemID     schema.ExternalID `json:"item_id" doc:"Of what the group reaches"`
	Before     string            `json:"before"`
	After      string            `json:"after"`
	Since      *time.Time        `json:"since" doc:"When it was last seen to be as before; null = never"`
	SeenAt     time.Time         `json:"seen_at"`
	RunID      schema.RunID      `json:"run_id" doc:"The sync that saw it; empty = a read of one account"`
}

func (s *server) registerChangeReport() {
	handleReport(s, report[changesInput, changesBody]{
		route:  route{id: "report-changes", path: "/v1/reports/changes", summary: "Who gained or lost what, and when it was seen"},
		format: func(in *changesInput) Format { return in.Format },
		page: func(ctx context.Context, in *changesInput) (changesBody, error) {
			f, err := s.changeFilter(ctx, in)
			if err != nil {
				return changesBody{}, err
			}
			r, err := s.store.ReportChanges(ctx, f, s.now())
			b := changesBody{ReportHeadBody: headOf(r.ReportHead), Changes: []changeBody{}, Next: r.Next}
			for _, c := range r.Rows {
				b.Changes = append(b.Changes, changeOf(c))
			}
			return b, err
		},
		csv: s.writeChanges,
	})
}

func (s *server) changeFilter(ctx context.Context, in *changesInput) (schema.ChangeFilter, error) {
	var f faults
	out := schema.ChangeFilter{
		Kinds: wordsOf[schema.ChangeKind](in.Kind), AccountID: schema.AccountID(in.Account), After: in.Cursor, Limit: in.Limit,
		Since: s.readInstant(&f, "since", in.Since), Until: s.readInstant(&f, "until", in.Until),
	}
	for _, k := range out.Kinds {
		if !slices.Contains(schema.ChangeKinds(), k) {
			f.add("kind", "unknown", "there is no such kind of change", "docs/reports.md lists them")
		}
	}
	if in.Account != "" && uuid.Validate(in.Account) != nil {
		f.add("account", "id", "this is none of our ids", "accounts show prints it")
	}
	if err := f.err("the request is not valid"); err != nil {
		return out, err
	}
	var err error
	out.ConnectionID, err = s.connectionID(ctx, in.Connection)
	return out, err
}

// readInstant reads an instant with its zone, or how long ago it was.
func (s *server) readInstant(f *faults, where, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	if d, err := intake.ParseDuration(text); err == nil {
		return s.now().Add(-d)
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		f.add(where, "instant", "this is neither an instant with its zone nor a duration", "write it like 2026-11-01T00:00:00Z or 7d")
	}
	return at
}

func changeOf(c schema.ChangeRow) changeBody {
	return changeBody{
		ID: c.ID, Connection: c.Connection, Kind: c.Kind, AccountID: c.ExternalID, Login: c.Login, GroupID: c.GroupID, GroupName: c.GroupName,
		ItemID: c.ItemID, Before: c.Before, After: c.After, Since: instant(c.Since), SeenAt: c.SeenAt.UTC(), RunID: c.RunID,
	}
}

func (s *server) writeChanges(ctx context.Context, in *changesInput, w io.Writer) error {
	f, err := s.changeFilter(ctx, in)
	if err != nil {
		return err
	}
	columns := []string{"id", "seen_at", "connection", "kind", "account_id", "login", "group_id", "group_name", "item_id", "before", "after", "since", "run_id"}
	t, err := newCSVTable(w, slices.Concat(columns, ageColumns())...)
	if err != nil {
		return err
	}
	f.Limit = csvPage
	return everyRow(t, func(after string) (string, error) {
		f.After = after
		r, err := s.store.ReportChanges(ctx, f, s.now())
		if err != nil {
			return "", err
		}
		for _, c := range r.Rows {
			cells := []string{
				strconv.FormatInt(c.ID, 10), csvTime(c.SeenAt), csvText(c.Connection), string(c.Kind), csvText(string(c.ExternalID)), csvText(c.Login),
				csvText(string(c.GroupID)), csvText(c.GroupName), csvText(string(c.ItemID)), csvText(c.Before), csvText(c.After), csvTime(c.Since), string(c.RunID),
			}
			if err := t.row(slices.Concat(cells, ageCells(r.ReportHead, c.ConnectionID))...); err != nil {
				return "", err
			}
		}
		return r.Next, nil
	})
}
