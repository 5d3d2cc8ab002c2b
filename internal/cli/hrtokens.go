package cli

type sourceTokenCommands struct {
	List   listSourceTokensCommand  `cmd:"" help:"List the tokens of a SCIM source. Needs an admin."`
	Create createSourceTokenCommand `cmd:"" help:"Make a token of a SCIM source; it is shown once. Needs an admin."`
	Revoke revokeSourceTokenCommand `cmd:"" help:"Revoke a token of a SCIM source. Needs an admin."`
}

type listSourceTokensCommand struct {
	Source string `arg:"" help:"Name of the SCIM source."`
}

// Run lists tokens of a source.
func (c *listSourceTokensCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, err := api.SourceTokens(in.ctx, c.Source)
	if err != nil {
		return err
	}
	return in.result(map[string]any{"tokens": orEmpty(list)}, func() {
		var rows [][]string
		for _, t := range list {
			rows = append(rows, []string{t.ID, at(t.CreatedAt), t.CreatedBy, atOr(t.ExpiresAt, "never"), atOr(t.RevokedAt, ""), atOr(t.LastUsedAt, "never")})
		}
		in.table("ID|MADE|BY|EXPIRES|REVOKED|LAST USED", rows)
	})
}

type createSourceTokenCommand struct {
	Source  string `arg:"" help:"Name of the SCIM source."`
	Expires string `required:"" placeholder:"365d" help:"How long it is valid (365d), until when (RFC 3339), or never."`
}

// Run makes a token of a source.
func (c *createSourceTokenCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	made, err := api.CreateSourceToken(in.ctx, c.Source, c.Expires)
	if err != nil {
		return translateFlags(err, map[string]string{"expires": "--expires"})
	}
	return in.result(made, func() {
		in.print("%s", made.Token)
		in.note("Token %s of source %s, expires %s. It is shown only now.", made.Record.ID, c.Source, atOr(made.Record.ExpiresAt, "never"))
	})
}

type revokeSourceTokenCommand struct {
	Source string `arg:"" help:"Name of the SCIM source."`
	Token  string `arg:"" help:"Id of the token, as the list shows it."`
}

// Run revokes a token of a source.
func (c *revokeSourceTokenCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	t, err := api.RevokeSourceToken(in.ctx, c.Source, c.Token)
	if err != nil {
		return err
	}
	return in.result(t, func() { in.print("Revoked token %s of source %s.", t.ID, c.Source) })
}
