package evidence

import "sendoff/schema"

type wireItem struct {
	ID             schema.ItemID            `json:"id"`
	Version        int                      `json:"version"`
	Facts          wireFacts                `json:"facts"`
	Context        wireContext              `json:"context"`
	Recommended    schema.ItemAnswer        `json:"recommended"`
	RecommendedFor []string                 `json:"recommended_for"`
	Risk           schema.RiskLevel         `json:"risk"`
	Score          int                      `json:"score"`
	RiskFor        []string                 `json:"risk_for"`
	Control        bool                     `json:"control"`
	Decoy          string                   `json:"control_note"` // what it should be seen through by
	State          schema.CampaignItemState `json:"state"`
	Stage          int                      `json:"stage"` // 0 = the first
	ReviewerID     schema.PersonID          `json:"reviewer_id"`
	Reviewer       string                   `json:"reviewer"`
	Position       int                      `json:"position"`
	AssignedAt     instant                  `json:"assigned_at"`
	EscalateAt     instant                  `json:"escalate_at"`
	Answer         schema.ItemAnswer        `json:"answer"`
	Reason         string                   `json:"reason"`
	DecidedBy      string                   `json:"decided_by"`
	DecidedAt      instant                  `json:"decided_at"`
	Why            string                   `json:"why"`
	RemovalID      schema.RemovalID         `json:"removal_id"`
	Removal        schema.RemovalState      `json:"removal"`
	UpdatedAt      instant                  `json:"updated_at"`
	Shown          []wireShown              `json:"shown"`
	Decisions      []wireDecision           `json:"decisions"`
	Assignments    []wireAssignment         `json:"assignments"`
}

type wireFacts struct {
	AccountID     schema.AccountID        `json:"account_id"`
	Kind          schema.ItemKind         `json:"kind"`
	Ref           string                  `json:"ref"`
	ConnectionID  schema.ConnectionID     `json:"connection_id"`
	ExternalID    schema.ExternalID       `json:"external_id"`
	Login         string                  `json:"login"`
	HolderID      schema.PersonID         `json:"holder_id"`
	Employment    schema.EmploymentStatus `json:"employment"`
	AccountStatus schema.AccountStatus    `json:"account_status"`
	AccountKind   schema.AccountKind      `json:"account_kind"`
	Role          schema.AccountRole      `json:"role"`
	Access        string                  `json:"access"`
	Group         string                  `json:"group"`
	Provenance    string                  `json:"provenance"`
	Target        string                  `json:"target"`
	Grade         schema.Grade            `json:"grade"`
	Held          bool                    `json:"held"`
}

type wireContext struct {
	Connection   string                `json:"connection"`
	Name         string                `json:"name"`
	Holder       string                `json:"holder"`
	HolderEmail  string                `json:"holder_email"`
	Employment   schema.EmploymentKind `json:"employment_kind"`
	Department   string                `json:"department"`
	Manager      string                `json:"manager"`
	Since        instant               `json:"since"`
	SinceSeen    bool                  `json:"since_seen"`
	GrantedBy    string                `json:"granted_by"`
	LastActiveAt instant               `json:"last_active_at"`
	LastEvent    string                `json:"last_event"`
	Source       schema.ActivitySource `json:"source"`
	CoveredFrom  instant               `json:"covered_from"`
	CoveredTo    instant               `json:"covered_to"`
	ObservedAt   instant               `json:"observed_at"`
	Bytes        int64                 `json:"bytes"`
	Peers        int64                 `json:"peers"`
	PeersWith    int64                 `json:"peers_with"`
	Last         *wireLast             `json:"last_decision"` // null = none
	Changed      bool                  `json:"changed"`
	FreesSeat    bool                  `json:"frees_seat"`
	SeatPerYear  *wireMoney            `json:"seat_per_year"` // null = no contract is known
	Everybody    bool                  `json:"everybody"`
}

type wireLast struct {
	CampaignID schema.CampaignID `json:"campaign_id"`
	Answer     schema.ItemAnswer `json:"answer"`
	Reason     string            `json:"reason"`
	By         string            `json:"by"`
	At         instant           `json:"at"`
	Carried    int               `json:"carried"`
	FactsHash  string            `json:"facts_sha256"`
}

type wireMoney struct {
	Minor    int64  `json:"minor_units"`
	Currency string `json:"currency"`
}

type wireShown struct {
	Version int          `json:"version"`
	Facts   wireFacts    `json:"facts"`
	At      instant      `json:"at"`
	Weighed *wireWeighed `json:"weighed,omitempty"` // of a version before the present one; absent = it was not kept
}

type wireWeighed struct {
	Context        wireContext       `json:"context"`
	Recommended    schema.ItemAnswer `json:"recommended"`
	RecommendedFor []string          `json:"recommended_for"`
	Risk           schema.RiskLevel  `json:"risk"`
	Score          int               `json:"score"`
	RiskFor        []string          `json:"risk_for"`
}

type wireDecision struct {
	ID         schema.DecisionID `json:"id"`
	Stage      int               `json:"stage"`
	Version    int               `json:"version"`
	Answer     schema.ItemAnswer `json:"answer"`
	Reason     string            `json:"reason"`
	Bulk       bool              `json:"bulk"`
	Principal  string            `json:"principal"`
	TokenID    schema.TokenID    `json:"token_id"`
	ReviewerID schema.PersonID   `json:"reviewer_id"`
	DecidedAt  instant           `json:"decided_at"`
	Current    bool              `json:"current"`
	Number     int               `json:"number,omitempty"` // of the item's decisions, in the order they were taken in; absent = not kept
}

type wireAssignment struct {
	Stage      int             `json:"stage"`
	ReviewerID schema.PersonID `json:"reviewer_id"`
	Reviewer   string          `json:"reviewer"`
	Via        []wireVia       `json:"via"`
	Why        string          `json:"why"`
	At         instant         `json:"at"`
	EndedAt    instant         `json:"ended_at"`
	EndWhy     string          `json:"end_why"`
}

type wireVia struct {
	From schema.PersonID `json:"from"`
	To   schema.PersonID `json:"to"`
	Why  string          `json:"why"`
}

func itemOf(i schema.EvidenceItem) wireItem {
	return wireItem{
		ID: i.ID, Version: i.Version, Facts: factsOf(i.Facts), Context: contextOf(i.Context), Recommended: i.Recommendation.Answer,
		RecommendedFor: some(i.Recommendation.Reasons), Risk: i.Risk.Level, Score: i.Risk.Score, RiskFor: some(i.Risk.Reasons), Control: i.Control,
		Decoy: i.Context.Decoy, State: i.State, Stage: i.Stage, ReviewerID: i.ReviewerID, Reviewer: i.Reviewer, Position: i.Position,
		AssignedAt: at(i.AssignedAt), EscalateAt: at(i.EscalateAt), Answer: i.Answer, Reason: i.Reason, DecidedBy: i.DecidedBy, DecidedAt: at(i.DecidedAt),
		Why: i.Why, RemovalID: i.RemovalID, Removal: i.Removal, UpdatedAt: at(i.UpdatedAt),
		Shown:       each(i.Shown, shownOf),
		Decisions:   each(i.Decisions, decisionOf),
		Assignments: each(i.Assignments, assignmentOf),
	}
}

func (i wireItem) item(campaign schema.CampaignID) schema.EvidenceItem {
	c := i.Context.context()
	c.Decoy = i.Decoy
	return schema.EvidenceItem{
		CampaignItem: schema.CampaignItem{
			ID: i.ID, CampaignID: campaign, Version: i.Version, Facts: i.Facts.facts(), Context: c,
			Recommendation: schema.Recommendation{Answer: i.Recommended, Reasons: i.RecommendedFor},
			Risk:           schema.Risk{Level: i.Risk, Score: i.Score, Reasons: i.RiskFor}, Control: i.Control,
			State: i.State, Stage: i.Stage, ReviewerID: i.ReviewerID, Reviewer: i.Reviewer, Position: i.Position,
			AssignedAt: i.AssignedAt.Time, EscalateAt: i.EscalateAt.Time, Answer: i.Answer, Reason: i.Reason, DecidedBy: i.DecidedBy, DecidedAt: i.DecidedAt.Time,
			Why: i.Why, RemovalID: i.RemovalID, Removal: i.Removal, UpdatedAt: i.UpdatedAt.Time,
		},
		Shown:       each(i.Shown, func(s wireShown) schema.ShownFacts { return s.shown(i.Decoy) }),
		Decisions:   each(i.Decisions, func(d wireDecision) schema.CampaignDecision { return d.decision(campaign, i.ID) }),
		Assignments: each(i.Assignments, wireAssignment.assignment),
	}
}

func shownOf(s schema.ShownFacts) wireShown {
	out := wireShown{Version: s.Version, Facts: factsOf(s.Facts), At: at(s.At)}
	if w := s.Weighed; w != nil {
		out.Weighed = &wireWeighed{
			contextOf(w.Context), w.Recommendation.Answer, some(w.Recommendation.Reasons), w.Risk.Level, w.Risk.Score, some(w.Risk.Reasons),
		}
	}
	return out
}

func (s wireShown) shown(decoy string) schema.ShownFacts {
	out := schema.ShownFacts{Version: s.Version, Facts: s.Facts.facts(), At: s.At.Time}
	if w := s.Weighed; w != nil {
		out.Weighed = &schema.ShownWeighed{
			Context: w.Context.context(), Recommendation: schema.Recommendation{Answer: w.Recommended, Reasons: w.RecommendedFor},
			Risk: schema.Risk{Level: w.Risk, Score: w.Score, Reasons: w.RiskFor},
		}
		out.Weighed.Context.Decoy = decoy
	}
	return out
}

func factsOf(f schema.ItemFacts) wireFacts {
	return wireFacts{
		AccountID: f.AccountID, Kind: f.Kind, Ref: f.Ref, ConnectionID: f.ConnectionID, ExternalID: f.ExternalID, Login: f.Login, HolderID: f.HolderID,
		Employment: f.Employment, AccountStatus: f.AccountStatus, AccountKind: f.AccountKind, Role: f.Role, Access: f.Access, Group: f.Group,
		Provenance: f.Provenance, Target: f.Target, Grade: f.Grade, Held: f.Held,
	}
}

func (f wireFacts) facts() schema.ItemFacts {
	return schema.ItemFacts{
		ItemRef:      schema.ItemRef{AccountID: f.AccountID, Kind: f.Kind, Ref: f.Ref},
		ConnectionID: f.ConnectionID, ExternalID: f.ExternalID, Login: f.Login, HolderID: f.HolderID,
		Employment: f.Employment, AccountStatus: f.AccountStatus, AccountKind: f.AccountKind, Role: f.Role, Access: f.Access, Group: f.Group,
		Provenance: f.Provenance, Target: f.Target, Grade: f.Grade, Held: f.Held,
	}
}

func contextOf(c schema.ItemContext) wireContext {
	w := wireContext{
		Connection: c.Connection, Name: c.Name, Holder: c.Holder, HolderEmail: c.HolderEmail, Employment: c.Employment, Department: c.Department,
		Manager: c.Manager, Since: at(c.Since), SinceSeen: c.SinceSeen, GrantedBy: c.GrantedBy, LastActiveAt: at(c.LastActiveAt), LastEvent: c.LastEvent,
		Source: c.Source, CoveredFrom: at(c.CoveredFrom), CoveredTo: at(c.CoveredTo), ObservedAt: at(c.ObservedAt), Bytes: c.Bytes,
		Peers: c.Peers.People, PeersWith: c.Peers.With, Changed: c.Changed, FreesSeat: c.FreesSeat, Everybody: c.Everybody,
	}
	if l := c.Last; l != nil {
		w.Last = &wireLast{l.CampaignID, l.Answer, l.Reason, l.By, at(l.At), l.Carried, l.FactsHash}
	}
	if c.SeatPerYear != nil {
		w.SeatPerYear = &wireMoney{c.SeatPerYear.Minor, c.SeatPerYear.Currency}
	}
	return w
}

func (c wireContext) context() schema.ItemContext {
	out := schema.ItemContext{
		Connection: c.Connection, Name: c.Name, Holder: c.Holder, HolderEmail: c.HolderEmail, Employment: c.Employment, Department: c.Department,
		Manager: c.Manager, Since: c.Since.Time, SinceSeen: c.SinceSeen, GrantedBy: c.GrantedBy, LastActiveAt: c.LastActiveAt.Time, LastEvent: c.LastEvent,
		Source: c.Source, CoveredFrom: c.CoveredFrom.Time, CoveredTo: c.CoveredTo.Time, ObservedAt: c.ObservedAt.Time, Bytes: c.Bytes,
		Peers: schema.Peers{People: c.Peers, With: c.PeersWith}, Changed: c.Changed, FreesSeat: c.FreesSeat, Everybody: c.Everybody,
	}
	if l := c.Last; l != nil {
		out.Last = &schema.LastDecision{
			CampaignID: l.CampaignID, Answer: l.Answer, Reason: l.Reason, By: l.By, At: l.At.Time, Carried: l.Carried, FactsHash: l.FactsHash,
		}
	}
	if c.SeatPerYear != nil {
		out.SeatPerYear = &schema.Money{Minor: c.SeatPerYear.Minor, Currency: c.SeatPerYear.Currency}
	}
	return out
}

func decisionOf(d schema.CampaignDecision) wireDecision {
	return wireDecision{
		ID: d.ID, Stage: d.Stage, Version: d.Version, Answer: d.Answer, Reason: d.Reason, Bulk: d.Bulk, Principal: d.Principal, TokenID: d.TokenID,
		ReviewerID: d.ReviewerID, DecidedAt: at(d.DecidedAt), Current: d.Current, Number: d.Number,
	}
}

func (d wireDecision) decision(campaign schema.CampaignID, item schema.ItemID) schema.CampaignDecision {
	return schema.CampaignDecision{
		ID: d.ID, CampaignID: campaign, ItemID: item, Stage: d.Stage, Version: d.Version, Answer: d.Answer, Reason: d.Reason, Bulk: d.Bulk,
		Principal: d.Principal, TokenID: d.TokenID, ReviewerID: d.ReviewerID, DecidedAt: d.DecidedAt.Time, Current: d.Current, Number: d.Number,
	}
}

func assignmentOf(a schema.AssignmentRow) wireAssignment {
	return wireAssignment{
		Stage: a.Stage, ReviewerID: a.ReviewerID, Reviewer: a.Reviewer, Via: each(a.Via, func(v schema.Via) wireVia { return wireVia(v) }), Why: a.Why,
		At: at(a.At), EndedAt: at(a.EndedAt), EndWhy: a.EndWhy,
	}
}

func (a wireAssignment) assignment() schema.AssignmentRow {
	return schema.AssignmentRow{
		Stage: a.Stage, ReviewerID: a.ReviewerID, Reviewer: a.Reviewer, Via: each(a.Via, func(v wireVia) schema.Via { return schema.Via(v) }), Why: a.Why,
		At: a.At.Time, EndedAt: a.EndedAt.Time, EndWhy: a.EndWhy,
	}
}
