package cli

import "sendoff/internal/apiclient"

type pauseCommand struct {
	Reason string `required:"" help:"Why; kept in the audit trail."`
}

// Run pauses the engine.
func (c *pauseCommand) Run(in *invocation) error { return in.setEngine(true, c.Reason) }

type unpauseCommand struct {
	Reason string `help:"Why; kept in the audit trail."`
}

// Run lets the engine go on.
func (c *unpauseCommand) Run(in *invocation) error { return in.setEngine(false, c.Reason) }

func (in *invocation) setEngine(paused bool, reason string) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	e, err := api.SetEngine(in.ctx, paused, reason)
	if err != nil {
		return err
	}
	return in.result(e, func() {
		if e.Paused {
			in.print("Paused: the engine sends no write until sendoff unpause. Calls already sent are not taken back.")
		} else {
			in.print("The engine may write again.")
		}
	})
}

type tokenCommands struct {
	Create createTokenCommand `cmd:"" help:"Make a token; it is shown once."`
	List   listTokensCommand  `cmd:"" help:"List tokens."`
	Revoke revokeTokenCommand `cmd:"" help:"Revoke a token."`
}

type createTokenCommand struct {
	Name    string `required:"" help:"Name of who holds it; decisions are signed with it."`
	Role    string `required:"" enum:"admin,operator,reviewer,auditor" help:"admin, operator, reviewer or auditor."`
	Email   string `placeholder:"EMAIL" help:"Address of the person who holds it: nobody can offboard themselves with it."`
	Expires string `required:"" placeholder:"90d" help:"How long it is valid (90d), until when (RFC 3339), or never."`
}

// Run makes a token.
func (c *createTokenCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	made, err := api.CreateToken(in.ctx, apiclient.NewToken{Name: c.Name, Role: c.Role, Email: c.Email, Expires: c.Expires})
	if err != nil {
		return err
	}
	return in.result(made, func() {
		in.print("%s", made.Token)
		in.note("Token %s, role %s, expires %s. It is shown only now.", made.Record.Name, made.Record.Role, atOr(made.Record.ExpiresAt, "never"))
	})
}

type listTokensCommand struct{}

// Run lists tokens.
func (c *listTokensCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, err := api.Tokens(in.ctx)
	if err != nil {
		return err
	}
	return in.result(map[string]any{"tokens": list}, func() {
		var rows [][]string
		for _, t := range list {
			rows = append(rows, []string{t.Name, t.Role, t.Email, atOr(t.ExpiresAt, "never"), atOr(t.RevokedAt, ""), atOr(t.LastUsedAt, "never"), t.CreatedBy, t.ID})
		}
		in.table("NAME|ROLE|EMAIL|EXPIRES|REVOKED|LAST USED|MADE BY|ID", rows)
	})
}

type revokeTokenCommand struct {
	Name string `arg:"" help:"Name or id of the token."`
}

// Run revokes a token.
func (c *revokeTokenCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	t, err := api.RevokeToken(in.ctx, c.Name)
	if err != nil {
		return err
	}
	return in.result(t, func() { in.print("Revoked token %s.", t.Name) })
}
