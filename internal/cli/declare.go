package cli

import (
	"sendoff/internal/apiclient"
	"sendoff/schema"
)

type declareCommand struct {
	Name         string `arg:"" help:"Name of the connection."`
	NoLegalHolds bool   `xor:"what" required:"" help:"Declare that the vendor has no legal holds, for a connection that cannot read them."`
	Withdraw     bool   `xor:"what" required:"" help:"Withdraw the declaration."`
	Reason       string `required:"" help:"How you know; kept in the audit trail."`
	Expires      string `placeholder:"30d" help:"With --no-legal-holds: how long it counts, 365d at most, or until when."`
}

// Run declares or withdraws.
func (c *declareCommand) Run(in *invocation) error {
	switch {
	case c.NoLegalHolds && c.Expires == "":
		return usage("a declaration expires", "give --expires 30d, or 365d at most")
	case c.Withdraw && c.Expires != "":
		return usage("--expires does not go with --withdraw", "leave it out")
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	d, err := api.Declare(in.ctx, c.Name, c.NoLegalHolds, c.Reason, c.Expires)
	if err != nil {
		return translateSubject(err)
	}
	return in.result(d, func() {
		if c.Withdraw {
			in.print("Withdrawn: deletes over %s stop until its legal holds can be read.", d.Connection)
			return
		}
		in.print("Declared: the vendor of %s has no legal holds, until %s.", d.Connection, at(d.ExpiresAt))
		in.note("Plans that parked with HOLDS_UNREADABLE go on with: sendoff cases resume CASE --reason R")
	})
}

type showConnectionCommand struct {
	Name string `arg:"" help:"Name of the connection."`
}

// shownConnection is a connection with its declaration; null = none was made.
type shownConnection struct {
	apiclient.Connection
	Declaration *apiclient.Declaration `json:"no_legal_holds"`
}

// Run shows a connection.
func (c *showConnectionCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	got, err := api.Connection(in.ctx, c.Name)
	if err != nil {
		return err
	}
	declared, err := api.Declarations(in.ctx)
	if err != nil {
		return err
	}
	shown := shownConnection{Connection: got, Declaration: declarationOf(declared, got.Name)}
	return in.result(shown, func() {
		access := "read-write"
		if got.ReadOnly {
			access = "read-only"
		}
		in.print("name        %s", got.Name)
		in.print("vendor      %s, enterprise %s", got.Vendor, got.EnterpriseID)
		in.print("state       %s, %s", connectionState(got), access)
		in.print("owner       %s", orDash(got.Owner))
		in.print("base URL    %s", got.BaseURL)
		in.print("acts as     %s", orDash(got.AsUser))
		in.print("stored      %s, changed %s", at(got.CreatedAt), at(got.UpdatedAt))
		in.print("legal holds %s", declarationText(shown.Declaration))
	})
}

// connectionState says how a connection fares, since when, and for what reason.
func connectionState(c apiclient.Connection) string {
	text := c.State
	if c.Since != nil {
		text += " since " + at(*c.Since)
	}
	if schema.ProbeCode(c.Code).Fault() {
		text += " (" + c.Code + "; see: sendoff connections diagnosis " + c.Name + ")"
	}
	return text + ", looked at " + atOr(c.CheckedAt, "never")
}

func declarationOf(list []apiclient.Declaration, connection string) *apiclient.Declaration {
	for i := range list {
		if list[i].Connection == connection {
			return &list[i]
		}
	}
	return nil
}

// declarationText says what is declared about a vendor's legal holds.
func declarationText(d *apiclient.Declaration) string {
	switch {
	case d == nil:
		return "read from the vendor"
	case d.Live:
		return "none, declared by " + d.DeclaredBy + " until " + at(d.ExpiresAt) + ": " + d.Reason
	case d.WithdrawnAt != nil:
		return "read from the vendor; a declaration was withdrawn " + at(*d.WithdrawnAt)
	default:
		return "read from the vendor; a declaration expired " + at(d.ExpiresAt)
	}
}

// holdsText is declarationText for a column.
func holdsText(d *apiclient.Declaration) string {
	if d == nil || !d.Live {
		return "read"
	}
	return "declared none until " + at(d.ExpiresAt)
}
