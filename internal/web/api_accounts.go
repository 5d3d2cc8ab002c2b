package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// defaultThreshold is how long an account has to be silent to be inactive, where
// nobody says otherwise.
const defaultThreshold = "90d"

// perUserCollaborations says why no account has a list of what was shared with it.
const perUserCollaborations = "not collected: Box lists none per user"

// AccountRowBody is an account as lists show it. (Exported, for huma leaves out
// unexported embedded structs.)
type AccountRowBody struct {
	ID           schema.AccountID      `json:"id" doc:"Ours; it never changes"`
	Connection   string                `json:"connection"`
	AccountID    schema.ExternalID     `json:"account_id" doc:"The vendor's id"`
	Login        string                `json:"login"`
	Name         string                `json:"name"`
	Status       schema.AccountStatus  `json:"status" doc:"active, suspended, restricted, missing or deleted"`
	VendorStatus string                `json:"vendor_status" doc:"The vendor's own word"`
	Kind         schema.AccountKind    `json:"kind" doc:"person, service, app or external"`
	Role         schema.AccountRole    `json:"role" doc:"member, coadmin or admin"`
	SpaceUsed    int64                 `json:"space_used_bytes"`
	SpaceAmount  int64                 `json:"space_amount_bytes" doc:"Negative = unlimited"`
	CreatedAt    *time.Time            `json:"created_at" doc:"At the vendor; null = it does not say"`
	ObservedAt   time.Time             `json:"observed_at" doc:"When the vendor last told of it"`
	FirstSeenAt  time.Time             `json:"first_seen_at"`
	MissingSince *time.Time            `json:"missing_since" doc:"null = it was in the last listing"`
	Person       string                `json:"person" doc:"Address of who holds it; empty = not known, or without address"`
	PersonID     schema.PersonID       `json:"person_id" doc:"Empty = not known"`
	PersonBy     schema.MatchedBy      `json:"person_by" doc:"link, email, employee_number or case; empty = not known"`
	LastActiveAt *time.Time            `json:"last_active_at" doc:"null = no use was ever seen"`
	LastEvent    string                `json:"last_event"`
	LastSource   schema.ActivitySource `json:"last_source"`
}

type listAccountsInput struct {
	Page
	Connection string   `query:"connection" doc:"Name of the connection; empty = all" maxLength:"63"`
	Status     []string `query:"status,explode" enum:"active,suspended,restricted,missing,deleted" doc:"May be given several times"`
	Kind       []string `query:"kind,explode" enum:"person,service,app,external" doc:"May be given several times"`
	Role       string   `query:"role" enum:"member,coadmin,admin" doc:"The administrative role"`
	Privileged bool     `query:"privileged" doc:"Only accounts that administer others"`
	Login      string   `query:"login" doc:"How the login begins, without regard to case" maxLength:"254"`
	Person     string   `query:"person" enum:"known,unknown" doc:"Whether a person is known to hold it"`
}

type listAccountsOutput struct {
	Body struct {
		Accounts []AccountRowBody `json:"accounts" nullable:"false"`
		Next     string           `json:"next"`
	}
}

type accountDetailInput struct {
	ID        string `path:"id" doc:"Our id, CONNECTION/ID with the vendor's id, or the whole login" maxLength:"1100"`
	Threshold string `query:"threshold" doc:"How long it has to be silent to be inactive, such as 90d" default:"90d" maxLength:"32"`
}

type accountDetailOutput struct{ Body accountDetailBody }

type accountDetailBody struct {
	AccountRowBody
	Tracking       map[string]string   `json:"tracking" nullable:"false" doc:"Attributes that the vendor keeps for its customer"`
	Issue          schema.AccountIssue `json:"issue" doc:"unmatched, ambiguous or contradiction; empty = none"`
	Threshold      string              `json:"threshold"`
	Grade          schema.Grade        `json:"grade" doc:"active, inactive, never, unknown or not_collected, for the threshold"`
	GradeSource    string              `json:"grade_source" doc:"The source that silence is judged by; empty = none is collected"`
	CoveredFrom    *time.Time          `json:"covered_from" doc:"Since when every event of that source is known"`
	CoveredTo      *time.Time          `json:"covered_to"`
	Activity       []activityBody      `json:"activity" nullable:"false" doc:"By source, in the order they are believed"`
	Groups         int64               `json:"groups" doc:"Memberships that the vendor lists"`
	Collaborations string              `json:"collaborations" doc:"What is known of what others shared with it"`
	Changes        []changeBody        `json:"changes" nullable:"false" doc:"The last ones, newest first"`
	Datasets       []datasetBody       `json:"datasets" nullable:"false"`
}

type activityBody struct {
	Source        schema.ActivitySource `json:"source"`
	FirstActiveAt *time.Time            `json:"first_active_at"`
	LastActiveAt  *time.Time            `json:"last_active_at" doc:"null = it saw no use"`
	LastEvent     string                `json:"last_event"`
	CoveredFrom   *time.Time            `json:"covered_from" doc:"Since when every event is known, without a hole; null = nothing is collected"`
	CoveredTo     *time.Time            `json:"covered_to"`
}

// datasetBody is how old what is known is.
type datasetBody struct {
	Connection string              `json:"connection"`
	Dataset    schema.Dataset      `json:"dataset"`
	State      schema.DatasetState `json:"state" doc:"collected, partial or not_collected"`
	Reason     string              `json:"reason" doc:"Code, where it is not whole"`
	Detail     string              `json:"detail"`
	AsOf       *time.Time          `json:"as_of" doc:"When it was listed; null = never"`
	Stale      bool                `json:"stale" doc:"Whether a run of its schedule was missed"`
	Rows       int64               `json:"rows"`
}

func (s *server) registerAccounts() {
	handle(s, route{
		id: "list-accounts", method: http.MethodGet, path: "/v1/accounts", roles: readers(), summary: "List accounts, by login",
	}, s.listAccounts)
	handle(s, route{
		id: "show-account", method: http.MethodGet, path: "/v1/accounts/{id}", roles: readers(),
		summary: "Everything known of an account, each part with its source and age",
	}, s.showAccount)
	s.registerGroups()
}

func (s *server) listAccounts(ctx context.Context, _ schema.Principal, in *listAccountsInput) (*listAccountsOutput, error) {
	id, err := s.connectionID(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.store.ListAccounts(ctx, schema.AccountFilter{
		ConnectionID: id, Statuses: wordsOf[schema.AccountStatus](in.Status), Kinds: wordsOf[schema.AccountKind](in.Kind),
		Role: schema.AccountRole(in.Role), Privileged: in.Privileged, LoginPrefix: strings.TrimSpace(in.Login),
		Person: schema.PersonKnown(in.Person), After: in.Cursor, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	out := &listAccountsOutput{}
	out.Body.Accounts, out.Body.Next = []AccountRowBody{}, next
	for _, a := range rows {
		out.Body.Accounts = append(out.Body.Accounts, accountRowOf(a))
	}
	return out, nil
}

func (s *server) showAccount(ctx context.Context, _ schema.Principal, in *accountDetailInput) (*accountDetailOutput, error) {
	threshold, err := readThreshold(in.Threshold)
	if err != nil {
		return nil, err
	}
	d, err := s.store.AccountDetail(ctx, in.ID, threshold, s.now())
	if err != nil {
		return nil, err
	}
	return &accountDetailOutput{Body: accountDetailOf(d)}, nil
}

// connectionID is the id of the connection named; "" for no name.
func (s *server) connectionID(ctx context.Context, name string) (schema.ConnectionID, error) {
	if name == "" {
		return "", nil
	}
	c, err := s.store.ConnectionByName(ctx, name)
	return c.ID, err
}

// readThreshold reads how long a silence has to be.
func readThreshold(text string) (time.Duration, error) {
	const most = 10 * 365 * 24 * time.Hour
	if text == "" {
		text = defaultThreshold
	}
	d, err := intake.ParseDuration(text)
	switch {
	case err != nil:
		return 0, oneFault("threshold", "duration", err.Error(), "write it like 90d")
	case d <= 0 || d > most:
		return 0, oneFault("threshold", "range", "the threshold is not between 1s and 10 years", "write it like 90d")
	}
	return d, nil
}

func wordsOf[T ~string](words []string) []T {
	var out []T
	for _, w := range words {
		out = append(out, T(w))
	}
	return out
}

func accountRowOf(a schema.AccountRow) AccountRowBody {
	return AccountRowBody{
		ID: a.ID, Connection: a.Connection, AccountID: a.ExternalID, Login: a.Login, Name: a.Name, Status: a.Status,
		VendorStatus: a.VendorStatus, Kind: a.Kind, Role: a.Role, SpaceUsed: a.SpaceUsed, SpaceAmount: a.SpaceAmount,
		CreatedAt: instant(a.CreatedAt), ObservedAt: a.ObservedAt.UTC(), FirstSeenAt: a.FirstSeenAt.UTC(), MissingSince: instant(a.MissingSince),
		Person: a.PersonEmail, PersonID: a.PersonID, PersonBy: a.PersonBy,
		LastActiveAt: instant(a.LastActiveAt), LastEvent: a.LastEvent, LastSource: a.LastSource,
	}
}

func accountDetailOf(d schema.AccountDetail) accountDetailBody {
	b := accountDetailBody{
		AccountRowBody: accountRowOf(d.AccountRow), Tracking: d.Tracking, Issue: d.Issue, Threshold: intake.FormatDuration(d.Threshold),
		Grade: d.Grade, GradeSource: string(d.Basis.Source), CoveredFrom: instant(d.Basis.Covered.From), CoveredTo: instant(d.Basis.Covered.To),
		Activity: []activityBody{}, Groups: d.Groups, Collaborations: perUserCollaborations, Changes: []changeBody{}, Datasets: datasetsOf(d.Datasets),
	}
	if b.Tracking == nil {
		b.Tracking = map[string]string{}
	}
	for _, a := range d.Activities {
		b.Activity = append(b.Activity, activityBody{
			Source: a.Source, FirstActiveAt: instant(a.FirstActiveAt), LastActiveAt: instant(a.LastActiveAt), LastEvent: a.LastEvent,
			CoveredFrom: instant(a.Covered.From), CoveredTo: instant(a.Covered.To),
		})
	}
	for _, c := range d.Changes {
		b.Changes = append(b.Changes, changeOf(schema.ChangeRow{Change: c, Connection: d.Connection}))
	}
	return b
}

func datasetsOf(list []schema.DatasetFreshness) []datasetBody {
	out := []datasetBody{}
	for _, d := range list {
		out = append(out, datasetBody{
			Connection: d.Connection, Dataset: d.Dataset, State: d.State, Reason: d.Reason, Detail: d.Detail,
			AsOf: instant(d.AsOf), Stale: d.Stale, Rows: d.Rows,
		})
	}
	return out
}
