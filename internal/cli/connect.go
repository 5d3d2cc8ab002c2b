package cli

import (
	"context"

	"sendoff/internal/apiclient"
)

type connectCommands struct {
	Box connectBoxCommand `cmd:"" help:"Connect a Box enterprise by client credentials, by JWT, or by a consent in the browser."`
}

type connectBoxCommand struct {
	Name         string `required:"" xor:"name" help:"Name of the connection."`
	Renew        string `required:"" xor:"name" placeholder:"NAME" help:"With --browser: consent anew to this connection, as the same user; what it is configured with is kept."`
	BaseURL      string `placeholder:"URL" help:"Root of the API, such as https://api.box.com."`
	TokenURL     string `placeholder:"URL" help:"Where tokens are had, such as https://api.box.com/oauth2/token."`
	ClientID     string `placeholder:"ID" help:"Client id of the application; a configuration file names it."`
	EnterpriseID string `placeholder:"ID" help:"Id of the enterprise; a configuration file names it, and whoever consents belongs to it."`
	secretFlags
	As       string `placeholder:"USER_ID" help:"Act as this user instead of the service account."`
	Owner    string `placeholder:"EMAIL" help:"Who looks after the connection and is told of its alarms."`
	ReadOnly bool   `help:"Never send anything but reads."`
	browserFlags
}

// misuse finds flags that do not go together.
func (c *connectBoxCommand) misuse() error {
	switch {
	case c.Renew != "" && !c.Browser:
		return usage("--renew is of a consent in the browser", "add --browser, or replace credentials with: sendoff connections rotate "+c.Renew)
	case c.Renew == "" && (c.BaseURL == "" || c.TokenURL == ""):
		return usage("--base-url or --token-url is missing", "Box's own are https://api.box.com and https://api.box.com/oauth2/token")
	case c.Browser && (c.ConfigFile != "" || c.As != ""):
		return usage("--config-file and --as are not for a consent in the browser: whoever signs in is acted as", "give --client-id and --client-secret-file of an application with user authentication")
	case c.Browser && c.Renew == "" && c.ClientID == "":
		return usage("--client-id is missing", "give the client id of the application")
	case !c.Browser && c.ConfigFile == "" && (c.ClientID == "" || c.EnterpriseID == ""):
		return usage("--client-id or --enterprise-id is missing", "give both, or --config-file with Box's own configuration file, which names them")
	}
	return nil
}

// Run checks and stores the connection.
func (c *connectBoxCommand) Run(in *invocation) error {
	if err := c.misuse(); err != nil {
		return err
	}
	secret, err := in.readSecret(c.secretFlags)
	if err != nil {
		return err
	}
	if c.Browser {
		return in.consent(c.browserFlags, apiclient.NewConsent{
			Name: c.Name + c.Renew, Renew: c.Renew != "", Vendor: "box", BaseURL: c.BaseURL, TokenURL: c.TokenURL, ClientID: c.ClientID,
			ClientSecret: secret.ClientSecret, EnterpriseID: c.EnterpriseID, Owner: c.Owner, ReadOnly: c.ReadOnly,
		})
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	made, err := api.Connect(in.ctx, apiclient.NewConnection{
		Name: c.Name, Vendor: "box", BaseURL: c.BaseURL, TokenURL: c.TokenURL, ClientID: c.ClientID,
		EnterpriseID: c.EnterpriseID, AsUser: c.As, Owner: c.Owner, ReadOnly: c.ReadOnly, Secret: secret,
	})
	if err != nil {
		return err
	}
	return in.result(made, func() {
		in.printCheck("Connected", made)
		in.printDiagnosis(made.Connection.Name, made.Diagnosis)
	})
}

func (in *invocation) printCheck(done string, c apiclient.Checked) {
	mode := "read and write"
	if c.Connection.ReadOnly {
		mode = "read only"
	}
	kind := "user"
	if c.Check.Service {
		kind = "service account"
	}
	in.print("%s %s: %s enterprise %s, as %s %s (role %s), %s.", done, c.Connection.Name, c.Connection.Vendor, c.Check.EnterpriseID, kind, c.Check.ActsAs, c.Check.Role, mode)
}

type connectionCommands struct {
	List        listConnectionsCommand   `cmd:"" help:"List connections."`
	Show        showConnectionCommand    `cmd:"" help:"Show a connection."`
	Test        testConnectionCommand    `cmd:"" help:"Let the doctor look at a connection, by reads alone."`
	Diagnosis   diagnosisCommand         `cmd:"" help:"Show what the doctor last found."`
	Scopes      scopesCommand            `cmd:"" help:"List the scopes that connections of a vendor want, and what each serves."`
	Owner       ownerCommand             `cmd:"" help:"Name who looks after a connection and is told of its alarms."`
	Schedule    scheduleCommand          `cmd:"" help:"Show or change how often a connection's runs begin by themselves."`
	Rotate      rotateConnectionCommand  `cmd:"" help:"Replace a connection's credentials; running cases go on."`
	Disable     disableConnectionCommand `cmd:"" help:"Stop the use of a connection; its plans park."`
	Enable      enableConnectionCommand  `cmd:"" help:"Use a connection again."`
	AllowWrites allowWritesCommand       `cmd:"" help:"Let a read-only connection write, as after a recovery."`
	Declare     declareCommand           `cmd:"" help:"Declare that a vendor whose legal holds cannot be read has none. Needs an admin."`
	Remove      removeConnectionCommand  `cmd:"" help:"Revoke a connection's tokens, with proof, and forget it and its secrets."`
}

type listConnectionsCommand struct{}

// Run lists connections.
func (c *listConnectionsCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, err := api.Connections(in.ctx)
	if err != nil {
		return err
	}
	declared, err := api.Declarations(in.ctx)
	if err != nil {
		return err
	}
	shown := make([]shownConnection, len(list))
	for i, c := range list {
		shown[i] = shownConnection{Connection: c, Declaration: declarationOf(declared, c.Name)}
	}
	return in.result(map[string]any{"connections": shown}, func() {
		var rows [][]string
		for _, c := range shown {
			access := "read-write"
			if c.ReadOnly {
				access = "read-only"
			}
			rows = append(rows, []string{c.Name, c.Vendor, c.State, atOr(c.Since, ""), c.Code, access, c.EnterpriseID, c.BaseURL, holdsText(c.Declaration)})
		}
		in.table("NAME|VENDOR|STATE|SINCE|CODE|ACCESS|ENTERPRISE|BASE URL|LEGAL HOLDS", rows)
	})
}

type connectionChange struct {
	Name   string `arg:"" help:"Name of the connection."`
	Reason string `help:"Why; kept in the audit trail."`
}

type disableConnectionCommand struct{ connectionChange }

// Run disables a connection.
func (c *disableConnectionCommand) Run(in *invocation) error {
	return in.changeConnection((*apiclient.Client).DisableConnection, c.connectionChange, "Disabled")
}

type enableConnectionCommand struct{ connectionChange }

// Run enables a connection.
func (c *enableConnectionCommand) Run(in *invocation) error {
	return in.changeConnection((*apiclient.Client).EnableConnection, c.connectionChange, "Enabled")
}

func (in *invocation) changeConnection(change connectionCall, c connectionChange, done string) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	got, err := change(api, in.ctx, c.Name, c.Reason)
	if err != nil {
		return err
	}
	return in.result(got, func() { in.print("%s connection %s.", done, got.Name) })
}

// connectionCall is one of the client's methods that change a connection.
type connectionCall func(api *apiclient.Client, ctx context.Context, name, reason string) (apiclient.Connection, error)
