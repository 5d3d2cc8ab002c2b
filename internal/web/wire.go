package web

import (
	"reflect"
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

// caseBody is a case as people and programs are shown it.
type caseBody struct {
	CaseID      schema.CaseID    `json:"case_id"`
	State       schema.PlanState `json:"state"`
	Email       string           `json:"email"`
	Template    string           `json:"template"`
	EffectiveAt *time.Time       `json:"effective_at" doc:"null = at once"`
	Grace       string           `json:"grace"`
	Hash        string           `json:"hash"`
	RequestedBy string           `json:"requested_by"`
	CreatedAt   time.Time        `json:"created_at"`
	Leaver      *caseLeaverBody  `json:"leaver,omitempty" doc:"What HR wants, when one case is shown; absent = HR did not ask"`
	Accounts    []accountBody    `json:"accounts" nullable:"false"`
}

type accountBody struct {
	Connection  string            `json:"connection"`
	AccountID   schema.ExternalID `json:"account_id" doc:"The vendor's id"`
	PlanID      schema.PlanID     `json:"plan_id"`
	State       schema.PlanState  `json:"state"`
	Step        schema.StepKind   `json:"step" doc:"The current step; empty when the plan has ended"`
	Cause       schema.ParkCode   `json:"cause" doc:"Why it is parked; empty = it is not"`
	CauseDetail *causeBody        `json:"cause_detail"`
	WaitUntil   *time.Time        `json:"wait_until"`
	Position    int               `json:"position,omitempty" doc:"In the queue for a transfer, 1 = next"`
	Steps       []stepBody        `json:"steps" nullable:"false"`
	Transfer    *transferBody     `json:"transfer" doc:"null = none was begun"`
}

type causeBody struct {
	Owner   schema.Owner `json:"owner" doc:"Who can usually mend it: operator, admin or vendor"`
	Message string       `json:"message"`
	Fix     string       `json:"fix"`
	At      time.Time    `json:"at"`
}

type stepBody struct {
	Kind       schema.StepKind   `json:"kind"`
	State      schema.StepState  `json:"state"`
	StartedAt  *time.Time        `json:"started_at"`
	FinishedAt *time.Time        `json:"finished_at"`
	Proof      map[string]string `json:"proof" nullable:"false"`
}

type transferBody struct {
	State          schema.TransferState `json:"state"`
	Attempts       int                  `json:"attempts" doc:"Requests sent, definite refusals included"`
	BytesBefore    int64                `json:"bytes_before"`
	BytesLeft      int64                `json:"bytes_left"`
	WitnessesFound int                  `json:"witnesses_found"`
	WitnessesTotal int                  `json:"witnesses_total"`
	FolderIDs      []schema.ExternalID  `json:"folder_ids" nullable:"false"`
	Position       int                  `json:"position" doc:"In the lane's queue, 1 = next; 0 = not queued"`
}

func caseOf(v schema.CaseView) caseBody {
	c := v.Case
	b := caseBody{
		CaseID: c.ID, State: v.State, Email: c.Email, Template: c.Template, EffectiveAt: instant(c.EffectiveAt),
		Grace: intake.FormatDuration(c.Grace), Hash: c.Hash, RequestedBy: c.RequestedBy, CreatedAt: c.CreatedAt.UTC(),
		Accounts: []accountBody{},
	}
	for _, a := range v.Accounts {
		b.Accounts = append(b.Accounts, accountOf(a))
	}
	return b
}

func accountOf(a schema.AccountView) accountBody {
	p := a.Plan
	b := accountBody{
		Connection: a.Connection, AccountID: a.Account.ExternalID, PlanID: p.ID, State: p.State,
		WaitUntil: instant(p.WaitUntil), Steps: []stepBody{},
	}
	if st, ok := p.Step(p.CurrentStep); ok && !p.State.Ended() {
		b.Step = st.Kind
	}
	if p.Cause != nil {
		b.Cause = p.Cause.Code
		b.CauseDetail = &causeBody{Owner: p.Cause.Code.Owner(), Message: p.Cause.Message, Fix: p.Cause.Fix, At: p.Cause.At.UTC()}
	}
	for _, st := range p.Steps {
		proof := st.Proof
		if proof == nil {
			proof = map[string]string{}
		}
		b.Steps = append(b.Steps, stepBody{
			Kind: st.Kind, State: st.State, StartedAt: instant(st.StartedAt), FinishedAt: instant(st.FinishedAt), Proof: proof,
		})
	}
	if t := a.Transfer; t != nil {
		b.Position = t.Position
		b.Transfer = &transferBody{
			State: t.State, Attempts: t.Attempts, BytesBefore: t.BytesBefore, BytesLeft: t.BytesLeft,
			WitnessesFound: t.WitnessFound, WitnessesTotal: t.WitnessTotal, FolderIDs: nonNil(t.FolderIDs), Position: t.Position,
		}
	}
	return b
}

// instant renders a time that may be absent: in UTC, nil for zero.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// nonNil makes an empty list where there is none, so that JSON says [].
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
