package web

import (
	"context"
	"net/http"
	"time"

	"sendoff/schema"
)

type groupBody struct {
	Connection  string            `json:"connection"`
	GroupID     schema.ExternalID `json:"group_id" doc:"The vendor's id"`
	Name        string            `json:"name"`
	Members     int64             `json:"members" doc:"As listed; of a group of everybody the vendor lists none"`
	Everybody   bool              `json:"everybody" doc:"Whether all accounts are members"`
	Provenance  string            `json:"provenance" doc:"The directory that owns it; empty = the vendor itself"`
	CreatedAt   *time.Time        `json:"created_at"`
	FirstSeenAt time.Time         `json:"first_seen_at"`
}

type membershipBody struct {
	MembershipID schema.ExternalID    `json:"membership_id"`
	GroupID      schema.ExternalID    `json:"group_id"`
	GroupName    string               `json:"group_name"`
	AccountID    schema.ExternalID    `json:"account_id" doc:"The vendor's id"`
	ID           schema.AccountID     `json:"id" doc:"Ours; empty = the account was not listed"`
	Login        string               `json:"login"`
	Status       schema.AccountStatus `json:"status"`
	Kind         schema.AccountKind   `json:"kind"`
	Role         string               `json:"role" doc:"The vendor's word"`
	Permissions  map[string]bool      `json:"permissions" doc:"What a group's administrator may do; null = nothing said"`
	LastActiveAt *time.Time           `json:"last_active_at"`
	FirstSeenAt  time.Time            `json:"first_seen_at"`
}

type listGroupsInput struct {
	Page
	Connection string `query:"connection" doc:"Name of the connection; empty = all" maxLength:"63"`
	Name       string `query:"name" doc:"How the name begins, without regard to case" maxLength:"254"`
}

type listGroupsOutput struct {
	Body struct {
		Groups []groupBody `json:"groups" nullable:"false"`
		Next   string      `json:"next"`
	}
}

type groupMembersInput struct {
	Page
	Connection string            `path:"connection" maxLength:"63"`
	ID         schema.ExternalID `path:"id" doc:"The vendor's id" maxLength:"1000"`
}

type accountGroupsInput struct {
	Page
	ID schema.AccountID `path:"id" doc:"Our id" maxLength:"64"`
}

type membersOutput struct {
	Body struct {
		Group   groupBody        `json:"group"`
		Members []membershipBody `json:"members" nullable:"false"`
		Next    string           `json:"next"`
	}
}

type accountGroupsOutput struct {
	Body struct {
		Groups []membershipBody `json:"groups" nullable:"false"`
		Next   string           `json:"next"`
	}
}

func (s *server) registerGroups() {
	handle(s, route{
		id: "list-groups", method: http.MethodGet, path: "/v1/groups", roles: readers(), summary: "List groups, by name",
	}, s.listGroups)
	handle(s, route{
		id: "list-group-members", method: http.MethodGet, path: "/v1/groups/{connection}/{id}/members", roles: readers(),
		summary: "List the members of a group",
	}, s.groupMembers)
	handle(s, route{
		id: "list-account-groups", method: http.MethodGet, path: "/v1/accounts/{id}/groups", roles: readers(),
		summary: "List the groups of an account; those of which everybody is a member are not among them",
	}, s.accountGroups)
}

func (s *server) listGroups(ctx context.Context, _ schema.Principal, in *listGroupsInput) (*listGroupsOutput, error) {
	id, err := s.connectionID(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.store.ListGroups(ctx, id, in.Name, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listGroupsOutput{}
	out.Body.Groups, out.Body.Next = []groupBody{}, next
	for _, g := range rows {
		out.Body.Groups = append(out.Body.Groups, groupOf(g))
	}
	return out, nil
}

func (s *server) groupMembers(ctx context.Context, _ schema.Principal, in *groupMembersInput) (*membersOutput, error) {
	id, err := s.connectionID(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	g, err := s.store.Group(ctx, id, in.ID)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.store.GroupMembers(ctx, id, in.ID, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &membersOutput{}
	out.Body.Group, out.Body.Members, out.Body.Next = groupOf(g), membershipsOf(rows), next
	return out, nil
}

func (s *server) accountGroups(ctx context.Context, _ schema.Principal, in *accountGroupsInput) (*accountGroupsOutput, error) {
	rows, next, err := s.store.AccountGroups(ctx, in.ID, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &accountGroupsOutput{}
	out.Body.Groups, out.Body.Next = membershipsOf(rows), next
	return out, nil
}

func groupOf(g schema.GroupRow) groupBody {
	return groupBody{
		Connection: g.Connection, GroupID: g.ExternalID, Name: g.Name, Members: g.Members, Everybody: g.Everybody,
		Provenance: g.Provenance, CreatedAt: instant(g.CreatedAt), FirstSeenAt: g.FirstSeenAt.UTC(),
	}
}

func membershipsOf(rows []schema.MembershipRow) []membershipBody {
	out := []membershipBody{}
	for _, m := range rows {
		out = append(out, membershipBody{
			MembershipID: m.ExternalID, GroupID: m.GroupID, GroupName: m.GroupName, AccountID: m.AccountID, ID: m.OurID, Login: m.Login,
			Status: m.Status, Kind: m.Kind, Role: m.Role, Permissions: m.Permissions, LastActiveAt: instant(m.LastActiveAt), FirstSeenAt: m.FirstSeenAt.UTC(),
		})
	}
	return out
}
