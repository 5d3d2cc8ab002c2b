package cli

import (
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
)

type groupCommands struct {
	List    listGroupsCommand   `cmd:"" help:"List groups, by name."`
	Members groupMembersCommand `cmd:"" help:"List the members of a group."`
}

type listGroupsCommand struct {
	Connection string `placeholder:"NAME" help:"Only groups of this connection."`
	Name       string `placeholder:"PREFIX" help:"Only groups whose name begins so."`
	Limit      int    `default:"100" help:"How many at most."`
}

// Run lists groups.
func (c *listGroupsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.VendorGroup, string, error) {
		p, err := api.Groups(in.ctx, c.Connection, c.Name, cursor, limit)
		return p.Groups, p.Next, err
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"groups": list, "next": next}, func() {
		var rows [][]string
		for _, g := range list {
			members := strconv.FormatInt(g.Members, 10)
			if g.Everybody {
				members = "everybody"
			}
			rows = append(rows, []string{g.Connection + "/" + g.GroupID, g.Name, members, g.Provenance, atOr(g.CreatedAt, ""), at(g.FirstSeenAt)})
		}
		in.table("GROUP|NAME|MEMBERS|FROM|CREATED|FIRST SEEN", rows)
		in.more(next)
	})
}

type groupMembersCommand struct {
	Group string `arg:"" placeholder:"CONNECTION/ID" help:"The group, as groups list shows it."`
	Limit int    `default:"100" help:"How many at most."`
}

// Run lists a group's members.
func (c *groupMembersCommand) Run(in *invocation) error {
	connection, id, ok := strings.Cut(c.Group, "/")
	if !ok || connection == "" || id == "" {
		return usage("a group is named by CONNECTION/ID with the vendor's id", "sendoff groups list shows them")
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	var group apiclient.VendorGroup
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.Membership, string, error) {
		p, err := api.GroupMembers(in.ctx, connection, id, cursor, limit)
		group = p.Group
		return p.Members, p.Next, err
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"group": group, "members": list, "next": next}, func() {
		if group.Everybody {
			in.print("Every account of %s is a member of %s; the vendor lists none of them.", group.Connection, group.Name)
			return
		}
		var rows [][]string
		for _, m := range list {
			rows = append(rows, []string{m.AccountID, m.Login, m.Status, m.Role, permissionsText(m.Permissions), atOr(m.LastActiveAt, "none seen"), at(m.FirstSeenAt)})
		}
		in.table("ACCOUNT|LOGIN|STATUS|ROLE|MAY|LAST USE|FIRST SEEN", rows)
		in.more(next)
	})
}

// permissionsText names what is allowed.
func permissionsText(may map[string]bool) string {
	allowed := map[string]string{}
	for name, yes := range may {
		if yes {
			allowed[name] = "yes"
		}
	}
	return proofText(allowed)
}
