package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"sendoff/schema"
)

// maxNarrow is how many accounts or persons a small campaign is made for at most.
const maxNarrow = 100

// CampaignRef is the path parameter of operations on one campaign.
type CampaignRef struct {
	ID schema.CampaignID `path:"id" doc:"Id of the campaign" maxLength:"63"`
}

type newCampaignInput struct {
	Body struct {
		Review   string   `json:"review" doc:"Name or id of the access review" maxLength:"63"`
		Start    bool     `json:"start,omitempty" doc:"At once; else it stays a draft"`
		Accounts []string `json:"accounts,omitempty" nullable:"false" doc:"Only these: our ids, CONNECTION/ID with the vendor's id, or whole logins"`
		Persons  []string `json:"persons,omitempty" nullable:"false" doc:"Only what these hold: our ids, or addresses they have or had"`
	}
}

type listCampaignsInput struct {
	Page
	Review string               `query:"review" doc:"Name or id of an access review; empty = every one" maxLength:"63"`
	State  schema.CampaignState `query:"state" enum:"draft,gathering,listing,assigning,open,closing,removing,held,closed,signed,ended," doc:"Empty = every state"`
}

type listCampaignsOutput struct {
	Body struct {
		Campaigns []CampaignBody `json:"campaigns" nullable:"false"`
		Next      string         `json:"next"`
	}
}

type (
	campaignOutput     struct{ Body CampaignBody }
	campaignViewOutput struct{ Body campaignViewBody }
)

type extendCampaignInput struct {
	CampaignRef
	Body struct {
		To     string `json:"to" doc:"The new deadline: RFC 3339 with zone"`
		Reason string `json:"reason"`
	}
}

type closeCampaignInput struct {
	CampaignRef
	Body struct {
		Early  bool   `json:"early,omitempty" doc:"Also with open items: silence is given its meaning now"`
		Reason string `json:"reason"`
	}
}

type cancelCampaignInput struct {
	CampaignRef
	Body struct {
		Reason string `json:"reason"`
	}
}

// registerCampaigns registers the campaigns of access reviews, their items, and who
// decides about these.
func (s *server) registerCampaigns() {
	if s.campaigns == nil {
		return
	}
	handle(s, route{
		id: "create-campaign", method: http.MethodPost, path: "/v1/campaigns", roles: deciders(), status: http.StatusCreated,
		summary: "Make a campaign of an access review: a draft, or started at once",
	}, s.newCampaign)
	handle(s, route{
		id: "list-campaigns", method: http.MethodGet, path: "/v1/campaigns", roles: everybody(), summary: "List campaigns, newest first",
	}, s.listCampaigns)
	handle(s, route{
		id: "show-campaign", method: http.MethodGet, path: "/v1/campaigns/{id}", roles: everybody(),
		summary: "Show a campaign with its counts and what stands against its sign-off",
	}, s.showCampaign)
	handle(s, route{
		id: "start-campaign", method: http.MethodPost, path: "/v1/campaigns/{id}/start", roles: deciders(), summary: "Start a draft",
	}, func(ctx context.Context, by schema.Principal, in *CampaignRef) (*campaignOutput, error) {
		return s.campaignShown(ctx)(s.campaigns.StartCampaign(ctx, in.ID, by))
	})
	handle(s, route{
		id: "extend-campaign", method: http.MethodPost, path: "/v1/campaigns/{id}/extend", roles: deciders(), summary: "Move the deadline of a campaign",
	}, s.extendCampaign)
	handle(s, route{
		id: "close-campaign", method: http.MethodPost, path: "/v1/campaigns/{id}/close", roles: deciders(),
		summary: "Take no more answers; with open items only when that is meant",
	}, func(ctx context.Context, by schema.Principal, in *closeCampaignInput) (*campaignOutput, error) {
		var f faults
		reason := f.reason(in.Body.Reason)
		if err := f.err("the request is not valid; nothing was closed"); err != nil {
			return nil, err
		}
		return s.campaignShown(ctx)(s.campaigns.CloseCampaign(ctx, in.ID, in.Body.Early, reason, by))
	})
	handle(s, route{
		id: "cancel-campaign", method: http.MethodPost, path: "/v1/campaigns/{id}/cancel", roles: deciders(),
		summary: "End a campaign without a sign-off; removals that have started go on",
	}, func(ctx context.Context, by schema.Principal, in *cancelCampaignInput) (*campaignOutput, error) {
		var f faults
		reason := f.reason(in.Body.Reason)
		if err := f.err("the request is not valid; nothing was cancelled"); err != nil {
			return nil, err
		}
		return s.campaignShown(ctx)(s.campaigns.CancelCampaign(ctx, in.ID, reason, by))
	})
	s.registerCampaignItems()
	s.registerCampaignReviewers()
	s.registerCampaignEnds()
	s.registerCampaignEvidence()
	s.registerAbsences()
}

// campaignShown renders a campaign, or passes its error on.
func (s *server) campaignShown(ctx context.Context) func(schema.Campaign, error) (*campaignOutput, error) {
	return func(c schema.Campaign, err error) (*campaignOutput, error) {
		if err != nil {
			return nil, err
		}
		names, err := s.overrunNames(ctx, c)
		return &campaignOutput{Body: campaignOf(c, names)}, err
	}
}

// overrunNames are the names of connections where a campaign names one by its id
// alone: what is over budget does.
func (s *server) overrunNames(ctx context.Context, list ...schema.Campaign) (connectionNames, error) {
	for _, c := range list {
		if len(c.Overruns) > 0 {
			return s.connectionNames(ctx)
		}
	}
	return nil, nil //nolint:nilnil // of no names none is known
}

func (s *server) newCampaign(ctx context.Context, by schema.Principal, in *newCampaignInput) (*campaignOutput, error) {
	var f faults
	f.required("review", in.Body.Review, "name an access review")
	n := schema.NewCampaign{Review: strings.TrimSpace(in.Body.Review), Start: in.Body.Start, Trigger: schema.CampaignByPerson}
	var err error
	if n.Accounts, err = narrowed(&f, "accounts", in.Body.Accounts, func(ref string) (schema.AccountID, error) { return s.accountNamed(ctx, ref) }); err != nil {
		return nil, err
	}
	if n.Persons, err = narrowed(&f, "persons", in.Body.Persons, func(ref string) (schema.PersonID, error) { return s.store.PersonRef(ctx, ref) }); err != nil {
		return nil, err
	}
	if err := f.err("the request is not valid; no campaign was made"); err != nil {
		return nil, err
	}
	return s.campaignShown(ctx)(s.campaigns.NewCampaign(ctx, n, by))
}

// pickWords says why a reference picks nothing. It does not repeat it: it may be
// somebody's address.
func pickWords(code schema.Code) string {
	switch code {
	case schema.CodeNotFound:
		return "nothing is known by it"
	case schema.CodeAmbiguous:
		return "several are known by it"
	}
	return "it is written as no reference is"
}

// narrowed finds what a list names. What is not there, or not one alone, is a fault
// of the request.
func narrowed[T any](f *faults, field string, refs []string, find func(string) (T, error)) ([]T, error) {
	if len(refs) > maxNarrow {
		f.add(field, "too_many", fmt.Sprintf("%d of them", len(refs)), fmt.Sprintf("name at most %d; more is the scope of an access review", maxNarrow))
		return nil, nil
	}
	var out []T
	for i, ref := range refs {
		found, err := find(strings.TrimSpace(ref))
		switch code := schema.CodeOf(err); {
		case err == nil:
			out = append(out, found)
		case code == schema.CodeNotFound, code == schema.CodeAmbiguous, code == schema.CodeInvalid:
			f.add(fmt.Sprintf("%s[%d]", field, i), string(code), pickWords(code), "give the id")
		default:
			return nil, err
		}
	}
	return out, nil
}

func (s *server) listCampaigns(ctx context.Context, _ schema.Principal, in *listCampaignsInput) (*listCampaignsOutput, error) {
	list, next, err := s.campaigns.Campaigns(ctx, schema.CampaignFilter{Review: in.Review, State: in.State, After: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	names, err := s.overrunNames(ctx, list...)
	out := &listCampaignsOutput{}
	out.Body.Campaigns, out.Body.Next = listOf(list, func(c schema.Campaign) CampaignBody { return campaignOf(c, names) }), next
	return out, err
}

func (s *server) showCampaign(ctx context.Context, by schema.Principal, in *CampaignRef) (*campaignViewOutput, error) {
	v, err := s.campaigns.CampaignView(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	secret := keepsSecrets(by)
	if secret {
		own, err := s.samePerson(ctx, by.Email, v.Owner)
		if err != nil {
			return nil, err
		}
		secret = !own
	}
	blocks := nonNil(v.Blocks)
	if secret {
		blocks = plainBlocks(v)
	}
	names, err := s.overrunNames(ctx, v.Campaign)
	return &campaignViewOutput{Body: campaignViewBody{
		CampaignBody: campaignOf(v.Campaign, names), Counts: campaignCountsOf(v.Counts, secret), Blocks: blocks,
	}}, err
}

// plainBlocks is what stands against a sign-off as reviewers see it. Control items
// stand against none, and are among all other numbers: told apart, they could be
// counted, and who is doubted would learn which word of theirs it was. So what is
// not decided is counted with them, and what is left is for those who read all.
func plainBlocks(v schema.CampaignView) []schema.Finding {
	list := []schema.Finding{}
	for _, b := range v.Blocks {
		if b.Code == schema.CampaignNotClosed {
			list = append(list, b)
		}
	}
	var n int64
	for _, s := range v.Counts.States {
		switch s.State {
		case schema.ItemUnassigned, schema.ItemOpen, schema.ItemUndecided:
			n += s.Count
		}
	}
	if n > 0 {
		list = append(list, schema.Finding{
			Code: schema.CampaignUndecided, Message: schema.UndecidedItems(n), Fix: "have them decided, or accept that with the signature",
		})
	}
	return list
}

func (s *server) extendCampaign(ctx context.Context, by schema.Principal, in *extendCampaignInput) (*campaignOutput, error) {
	var f faults
	e := schema.Extend{To: f.instant("to", in.Body.To), Reason: f.reason(in.Body.Reason)}
	if !e.To.IsZero() && !e.To.After(s.now()) {
		f.add("to", "past", "the time has passed", "give a later one")
	}
	if err := f.err("the request is not valid; nothing was moved"); err != nil {
		return nil, err
	}
	return s.campaignShown(ctx)(s.campaigns.ExtendCampaign(ctx, in.ID, e, by))
}

// instant reads an instant with its zone.
func (f *faults) instant(field, text string) time.Time {
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(text))
	if err != nil || t.UTC().Year() < minYear || t.UTC().Year() > maxYear {
		f.add(field, "time_without_zone", "not an instant with its zone", "write it in RFC 3339 such as 2026-12-01T18:00:00+01:00")
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}
