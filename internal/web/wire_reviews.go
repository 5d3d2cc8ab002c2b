package web

import (
	"cmp"
	"context"
	"slices"
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// connectionNames are names by id. A page of connections is long, so that this is
// one query.
type connectionNames map[schema.ConnectionID]string

// of is the name of a connection, its id where that is not known any more.
func (n connectionNames) of(id schema.ConnectionID) string {
	if name, ok := n[id]; ok {
		return name
	}
	return string(id)
}

func (s *server) connectionNames(ctx context.Context) (connectionNames, error) {
	names, after := connectionNames{}, ""
	for {
		list, next, err := s.store.ListConnections(ctx, after, maxPage)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			names[c.ID] = c.Name
		}
		if next == "" {
			return names, nil
		}
		after = next
	}
}

// maxPage is the longest page of a list.
const maxPage = 500

type spendingBody struct {
	Accounts    int                  `json:"accounts" doc:"Plans that write to a vendor"`
	Privileged  int                  `json:"privileged"`
	Bytes       int64                `json:"bytes" doc:"To be transferred or deleted"`
	Connections []connectionSpending `json:"connections" nullable:"false"`
}

type connectionSpending struct {
	Connection string `json:"connection"`
	Accounts   int    `json:"accounts"`
}

type overrunBody struct {
	Limit      schema.BudgetLimit `json:"limit" enum:"per_run,per_day,connection,percent,bytes,privileged,engine,engine_connection"`
	Connection string             `json:"connection" doc:"Of the limits of a connection; else empty"`
	Used       int64              `json:"used" doc:"Before"`
	Wanted     int64              `json:"wanted" doc:"Besides"`
	Allowed    int64              `json:"allowed"`
}

func spendingOf(sp schema.Spending, names connectionNames) spendingBody {
	b := spendingBody{Accounts: sp.Accounts, Privileged: sp.Privileged, Bytes: sp.Bytes, Connections: []connectionSpending{}}
	for id, n := range sp.Connection {
		b.Connections = append(b.Connections, connectionSpending{names.of(id), n})
	}
	slices.SortFunc(b.Connections, func(x, y connectionSpending) int { return cmp.Compare(x.Connection, y.Connection) })
	return b
}

func overrunsOf(list []schema.Overrun, names connectionNames) []overrunBody {
	return listOf(list, func(o schema.Overrun) overrunBody {
		b := overrunBody{Limit: o.Limit, Used: o.Used, Wanted: o.Wanted, Allowed: o.Allowed}
		if o.Subject != "" {
			b.Connection = names.of(o.Subject)
		}
		return b
	})
}

type basisBody struct {
	Connection  string     `json:"connection"`
	CoveredFrom *time.Time `json:"covered_from" doc:"null = its activity is not collected"`
	CoveredTo   *time.Time `json:"covered_to"`
	SyncedAt    *time.Time `json:"synced_at" doc:"When its accounts were last listed; null = never"`
	Why         string     `json:"why" doc:"Code of why activity is not collected or the listing is not whole"`
}

func basisOf(list []schema.PopulationBasis) []basisBody {
	return listOf(list, func(p schema.PopulationBasis) basisBody {
		b := basisBody{Connection: p.Connection, SyncedAt: instant(p.SyncedAt), Why: p.Why}
		if !p.Covered.Empty() {
			b.CoveredFrom, b.CoveredTo = instant(p.Covered.From), instant(p.Covered.To)
		}
		return b
	})
}

// ReviewBody is a review run as lists show it.
type ReviewBody struct {
	ID          schema.ReviewID      `json:"id"`
	Policy      string               `json:"policy"`
	PolicyID    schema.PolicyID      `json:"policy_id"`
	Version     int                  `json:"version" doc:"Of the policy"`
	Mode        schema.ReviewMode    `json:"mode" enum:"act,shadow,cold_start,report"`
	State       schema.ReviewState   `json:"state" enum:"gathering,judging,planning,held,approving,acting,ended"`
	End         string               `json:"end" doc:"done, reported, stale, too_many, discarded, cancelled, failed or blackout; empty = it is open"`
	Why         string               `json:"why" doc:"Of an end that is neither done nor reported"`
	Trigger     schema.RunTrigger    `json:"trigger" enum:"schedule,person"`
	RequestedBy string               `json:"requested_by" doc:"Empty = a schedule"`
	ScheduledAt *time.Time           `json:"scheduled_at"`
	Looked      int64                `json:"looked" doc:"Accounts that were judged"`
	Matched     int64                `json:"matched"`
	Reasons     []schema.ReasonCount `json:"reasons" nullable:"false" doc:"Accounts by why they were taken or left"`
	Changed     int64                `json:"changed" doc:"Accounts whose verdict is another than in the run before"`
	Basis       []basisBody          `json:"basis" nullable:"false" doc:"What grades are proven by"`
	Hash        string               `json:"hash" doc:"Of its plans, for an approval; empty = not planned"`
	Wanted      spendingBody         `json:"wanted" doc:"What its plans would use"`
	Overruns    []overrunBody        `json:"overruns" nullable:"false" doc:"Limits that this exceeds"`
	BudgetWait  *budgetWaitBody      `json:"budget_wait" doc:"Confirmed accounts that wait for room in a budget of 24 hours; null = none"`
	BatchID     schema.BatchID       `json:"batch_id" doc:"The batch that holds it; empty = never held"`
	Approvals   int                  `json:"approvals" doc:"Needed"`
	Approved    []reviewApprovalBody `json:"approved" nullable:"false"`
	CreatedAt   time.Time            `json:"created_at"`
	JudgedAt    *time.Time           `json:"judged_at" doc:"The instant that grades are of; null = not yet"`
	EndedAt     *time.Time           `json:"ended_at" doc:"null = it is open"`
}

type budgetWaitBody struct {
	Accounts int           `json:"accounts"`
	Since    time.Time     `json:"since"`
	Until    time.Time     `json:"until" doc:"When there is room for the first of them, if nobody else takes it"`
	Overruns []overrunBody `json:"overruns" nullable:"false" doc:"Limits that have no room"`
}

func budgetWaitOf(w *schema.BudgetWait, names connectionNames) *budgetWaitBody {
	if w == nil {
		return nil
	}
	return &budgetWaitBody{w.Accounts, w.Since.UTC(), w.Until.UTC(), overrunsOf(w.Overruns, names)}
}

type reviewApprovalBody struct {
	Principal string    `json:"principal"`
	Reason    string    `json:"reason"`
	Hash      string    `json:"hash"`
	At        time.Time `json:"at"`
}

// reviewOf renders a review run; names may lack connections that it does not name.
func reviewOf(r schema.Review, names connectionNames) ReviewBody {
	return ReviewBody{
		ID: r.ID, Policy: r.Policy, PolicyID: r.PolicyID, Version: r.Version, Mode: r.Mode, State: r.State, End: string(r.End), Why: r.Why,
		Trigger: r.Trigger, RequestedBy: r.RequestedBy, ScheduledAt: instant(r.ScheduledAt), Looked: r.Looked,
		Matched: schema.CountOf(r.Reasons, schema.ReasonMatched), Reasons: nonNil(r.Reasons), Changed: r.Changed, Basis: basisOf(r.Basis), Hash: r.Hash,
		Wanted: spendingOf(r.Wanted, names), Overruns: overrunsOf(r.Overruns, names), BudgetWait: budgetWaitOf(r.BudgetWait, names), BatchID: r.BatchID, Approvals: r.Approvals,
		Approved: listOf(r.Approved, func(a schema.ReviewApproval) reviewApprovalBody {
			return reviewApprovalBody{a.Principal, a.Reason, a.Hash, a.CreatedAt.UTC()}
		}),
		CreatedAt: r.CreatedAt.UTC(), JudgedAt: instant(r.JudgedAt), EndedAt: instant(r.EndedAt),
	}
}

type reviewItemBody struct {
	Account      schema.AccountID    `json:"account" doc:"Our id"`
	Connection   string              `json:"connection"`
	AccountID    schema.ExternalID   `json:"account_id" doc:"The vendor's id"`
	Login        string              `json:"login" doc:"As it was"`
	Privileged   bool                `json:"privileged"`
	State        schema.ItemState    `json:"state" enum:"matched,planned,refused,asking,ready,started,kept,silent,drifted,cancelled"`
	Grade        schema.Grade        `json:"grade"`
	Threshold    string              `json:"threshold"`
	LastActiveAt *time.Time          `json:"last_active_at" doc:"null = no use was ever seen"`
	Facts        *schema.Facts       `json:"facts" doc:"What its plan's hash is over; null = not planned"`
	Hash         string              `json:"hash"`
	Bytes        int64               `json:"bytes" doc:"That its plan would move or destroy"`
	Findings     []schema.Finding    `json:"findings" nullable:"false"`
	Drift        []schema.Difference `json:"drift" nullable:"false" doc:"What is not as it was approved"`
	Why          string              `json:"why" doc:"Of a refused, kept or drifted one"`
	CaseID       schema.CaseID       `json:"case_id" doc:"Empty = none was started"`
	AskUntil     *time.Time          `json:"ask_until" doc:"When silence counts; null = nobody is asked"`
	UpdatedAt    time.Time           `json:"updated_at"`
}

func itemOf(i schema.ReviewItem, names connectionNames) reviewItemBody {
	return reviewItemBody{
		Account: i.AccountID, Connection: names.of(i.ConnectionID), AccountID: i.ExternalID, Login: i.Login, Privileged: i.Privileged, State: i.State,
		Grade: i.Grade, Threshold: intake.FormatDuration(i.Threshold), LastActiveAt: instant(i.LastActiveAt), Facts: i.Facts, Hash: i.Hash, Bytes: i.Bytes,
		Findings: nonNil(i.Findings), Drift: nonNil(i.Drift), Why: i.Why, CaseID: i.CaseID, AskUntil: instant(i.AskUntil), UpdatedAt: i.UpdatedAt.UTC(),
	}
}

type verdictRowBody struct {
	Account    schema.AccountID     `json:"account" doc:"Our id"`
	Connection string               `json:"connection"`
	AccountID  schema.ExternalID    `json:"account_id" doc:"The vendor's id"`
	Login      string               `json:"login"`
	Reason     schema.VerdictReason `json:"reason"`
	Before     schema.VerdictReason `json:"before" doc:"In the run before; empty = the same, or there was none"`
	Exclusion  *int                 `json:"exclusion" doc:"Index of the policy's exclusion that keeps it out; null = none"`
}

func verdictRowOf(v schema.VerdictRow) verdictRowBody {
	return verdictRowBody{v.AccountID, v.Connection, v.ExternalID, v.Login, v.Reason, v.Before, exclusionIndex(v.Exclusion)}
}

// exclusionIndex is nil where no exclusion is meant.
func exclusionIndex(i int) *int {
	if i < 0 {
		return nil
	}
	return &i
}

type reviewReportBody struct {
	Review ReviewBody     `json:"review"`
	Items  []stateCount   `json:"items" nullable:"false" doc:"By state"`
	Plans  []stateCount   `json:"plans" nullable:"false" doc:"Of the items that were started, by the state of their plans"`
	Asks   askCounts      `json:"asks"`
	Seats  seatCounts     `json:"seats"`
	Saves  []renewalMoney `json:"at_renewal" nullable:"false" doc:"Saved in each period from the renewal on, by currency"`
	Kept   []excludedBody `json:"excluded" nullable:"false"`
}

type stateCount struct {
	State string `json:"state"`
	Count int64  `json:"count"`
}

type askCounts struct {
	Asked         int `json:"asked"`
	Answered      int `json:"answered"`
	Needed        int `json:"needed"`
	NotNeeded     int `json:"not_needed"`
	Undeliverable int `json:"undeliverable"`
}

type seatCounts struct {
	Freed int64 `json:"freed" doc:"By proven deletes"`
	Ahead int64 `json:"ahead" doc:"That open plans of the run will free"`
}

type renewalMoney struct {
	Amount   string `json:"amount"`
	Minor    int64  `json:"amount_minor" doc:"In the currency's minor unit"`
	Currency string `json:"currency"`
}

type excludedBody struct {
	Exclusion int    `json:"exclusion" doc:"Index into the policy's exclusions"`
	Reason    string `json:"reason"`
	Count     int64  `json:"count"`
}

func reportOfReview(r schema.ReviewReport, names connectionNames) reviewReportBody {
	return reviewReportBody{
		Review: reviewOf(r.Review, names),
		Items:  listOf(r.Items, func(c schema.ItemCount) stateCount { return stateCount{string(c.State), c.Count} }),
		Plans:  listOf(r.Plans, func(c schema.PlanCount) stateCount { return stateCount{string(c.State), c.Count} }),
		Asks:   askCounts{r.Asked, r.Answered, r.Needed, r.NotNeeded, r.Undeliverable},
		Seats:  seatCounts{r.SeatsFreed, r.SeatsAhead},
		Saves:  listOf(r.AtRenewal, func(m schema.Money) renewalMoney { return renewalMoney{m.Amount(), m.Minor, m.Currency} }),
		Kept:   listOf(r.Excluded, func(e schema.ExcludedCount) excludedBody { return excludedBody{e.Exclusion, e.Reason, e.Count} }),
	}
}
