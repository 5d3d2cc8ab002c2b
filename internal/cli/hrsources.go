package cli

import (
	"fmt"
	"strings"

	"sendoff/internal/apiclient"
)

type sourceCommands struct {
	List    listSourcesCommand   `cmd:"" default:"withargs" help:"List sources, by name."`
	Show    showSourceCommand    `cmd:"" help:"Show a source."`
	Add     addSourceCommand     `cmd:"" help:"Add a source. Needs an admin."`
	Set     setSourceCommand     `cmd:"" help:"Change a source; what is left out stays. Needs an admin."`
	Rotate  rotateSourceCommand  `cmd:"" help:"Replace a source's secret or API key. Needs an admin."`
	Enable  enableSourceCommand  `cmd:"" help:"Hear a source again. Needs an admin."`
	Disable disableSourceCommand `cmd:"" help:"Take nothing from a source any more. Needs an admin."`
	Remove  removeSourceCommand  `cmd:"" help:"Forget a source's secrets, revoke its tokens and take nothing from it any more. Needs an admin."`
	Poll    pollSourceCommand    `cmd:"" help:"Ask a source's API now."`
}

// sourceFlags are what is set of a source.
type sourceFlags struct {
	TimeZone     string   `placeholder:"ZONE" help:"The company's zone, an IANA name: it counts where neither person nor site has one."`
	Template     string   `placeholder:"NAME" help:"Template of the cases it opens."`
	TransferTo   []string `placeholder:"EMAIL" sep:"none" help:"Who gets the content: a login, or manager, manager-of-manager, department-owner; repeat it for further choices."`
	Approvals    *int     `placeholder:"N" help:"How many others must approve each case: 0, 1 or 2."`
	Owner        *string  `placeholder:"EMAIL" help:"Who is told of its alarms; empty = nobody."`
	Rhythm       string   `placeholder:"7d" help:"How long it may be silent before that is an alarm; 0 = for ever."`
	LimitNumber  *int     `placeholder:"5" help:"How many leavers it may start within the window; the larger of it and the share counts."`
	LimitPercent *int     `placeholder:"2" help:"Which share of its people may leave within the window, in percent."`
	LimitWindow  string   `placeholder:"24h" help:"The window of the limit, 1h to 30d."`
	Mapping      string   `placeholder:"FILE" help:"File of YAML or JSON that says how its webhooks are read and signed; - reads stdin."`
	BaseURL      string   `placeholder:"URL" help:"Root of its API, such as https://acme.bamboohr.com."`
	PollEvery    string   `placeholder:"15m" help:"How often its API is asked."`
}

// fields reads the flags, and the file of the mapping.
func (c sourceFlags) fields(in *invocation) (apiclient.SourceFields, mappingFile, error) {
	f := apiclient.SourceFields{
		TimeZone: c.TimeZone, Template: c.Template, Receivers: c.TransferTo, Approvals: c.Approvals, Owner: c.Owner, Rhythm: c.Rhythm,
		BaseURL: c.BaseURL, PollEvery: c.PollEvery,
	}
	if c.LimitNumber != nil || c.LimitPercent != nil || c.LimitWindow != "" {
		f.Limit = &apiclient.StartLimitInput{Number: c.LimitNumber, Percent: c.LimitPercent, Window: c.LimitWindow}
	}
	if c.Mapping == "" {
		return f, mappingFile{}, nil
	}
	file, err := in.readMapping(c.Mapping)
	f.Mapping, f.Signature = file.Mapping, file.Signature
	return f, file, err
}

// translateSource names flags and places in the file, where the server names
// members of the request.
func translateSource(err error, file mappingFile) error {
	e, ok := err.(*apiclient.Error) //nolint:errorlint // the client returns it unwrapped
	if !ok {
		return err
	}
	for i, p := range e.Problems {
		if where, found := file.placed(p.Where); found {
			e.Problems[i].Where = where
		}
	}
	return translateFlags(e, map[string]string{
		"name": "NAME", "kind": "--kind", "time_zone": "--time-zone", "template": "--template", "receivers": "--transfer-to", "approvals": "--approvals",
		"owner": "--owner", "rhythm": "--rhythm", "limit.number": "--limit-number", "limit.percent": "--limit-percent", "limit.window": "--limit-window",
		"mapping": "--mapping", "signature": "--mapping", "base_url": "--base-url", "poll_every": "--poll-every",
		"secret": "--secret-file", "api_key": "--api-key-file", "overlap": "--overlap",
	})
}

// sourceSecretFlags name files with a secret alone.
type sourceSecretFlags struct {
	SecretFile string `placeholder:"FILE" help:"File with the secret that its webhooks are signed with; - reads stdin. Of standard-webhooks and hmac one is made when left out."`
	APIKeyFile string `name:"api-key-file" placeholder:"FILE" help:"File with the key of its API; - reads stdin."`
}

func (c sourceSecretFlags) read(in *invocation) (s apiclient.SourceSecrets, err error) {
	if c.SecretFile == "-" && c.APIKeyFile == "-" {
		return s, usage("both --secret-file and --api-key-file read stdin", "name a file for one of them")
	}
	if s.Secret, err = in.readOneSecret(c.SecretFile, "the secret's file"); err != nil {
		return s, err
	}
	s.APIKey, err = in.readOneSecret(c.APIKeyFile, "the API key's file")
	return s, err
}

// readOneSecret reads a file with a secret on one line; "" for no file.
func (in *invocation) readOneSecret(file, what string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := in.readText(file, maxSecretBytes)
	secret := strings.TrimSpace(text)
	if err != nil || secret == "" || strings.ContainsAny(secret, "\r\n") {
		return "", secretFault(what, err, "name a file that holds it alone, on one line")
	}
	return secret, nil
}

type listSourcesCommand struct{}

// Run lists sources.
func (c *listSourcesCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, err := api.Sources(in.ctx)
	if err != nil {
		return err
	}
	return in.result(map[string]any{"sources": list}, func() {
		var rows [][]string
		for _, s := range list {
			rows = append(rows, []string{s.Name, s.Kind, s.State, s.TimeZone, s.Template, limitText(s.Limit), atOr(s.HeardAt, "never"), rhythmText(s.Rhythm), s.PollError})
		}
		in.table("NAME|KIND|STATE|ZONE|TEMPLATE|LIMIT|LAST HEARD|SILENT AT MOST|POLL ERROR", rows)
	})
}

func limitText(l apiclient.StartLimit) string {
	return fmt.Sprintf("%d or %d %% in %s", l.Number, l.Percent, l.Window)
}

func rhythmText(d string) string {
	if d == "0s" {
		return "for ever"
	}
	return d
}

type sourceArg struct {
	Name string `arg:"" help:"Name of the source."`
}

type showSourceCommand struct{ sourceArg }

// Run shows a source.
func (c *showSourceCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	s, err := api.Source(in.ctx, c.Name)
	if err != nil {
		return err
	}
	return in.result(s, func() { in.printSource(api, s) })
}

func (in *invocation) printSource(api *apiclient.Client, s apiclient.Source) {
	in.print("source     %s (%s), %s", s.Name, s.Kind, s.State)
	if s.Door != "" {
		in.print("sends to   %s", doorText(api, s.Door))
	}
	in.print("zone       %s", s.TimeZone)
	in.print("cases      template %s, receivers %s, approvals %d", s.Template, noneIf(strings.Join(s.Receivers, ", ")), s.Approvals)
	in.print("limit      %s", limitText(s.Limit))
	in.print("heard      %s, may be silent %s", atOr(s.HeardAt, "never"), rhythmText(s.Rhythm))
	in.print("last event %s", atOr(s.EventAt, "never"))
	in.print("owner      %s", noneIf(s.Owner))
	if s.BaseURL != "" {
		in.print("polled     %s every %s, next %s", s.BaseURL, s.PollEvery, atOr(s.NextPollAt, "never"))
	}
	if s.PollError != "" {
		in.print("poll error %s", s.PollError)
	}
}

// doorText is where a source sends to. A server without a public URL is reached
// where this program reaches it, as far as this program knows.
func doorText(api *apiclient.Client, door string) string {
	if strings.HasPrefix(door, "/") {
		return strings.TrimRight(api.URL(), "/") + door
	}
	return door
}

func noneIf(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

type addSourceCommand struct {
	sourceArg
	Kind string `required:"" enum:"standard-webhooks,bamboohr,hmac,scim,csv" help:"standard-webhooks, bamboohr, hmac, scim or csv."`
	sourceFlags
	sourceSecretFlags
}

// Run adds a source.
func (c *addSourceCommand) Run(in *invocation) error {
	fields, file, err := c.fields(in)
	if err != nil {
		return err
	}
	if file.Kind != "" && file.Kind != c.Kind {
		return usage("the file of --mapping is for the kind "+file.Kind, "give --kind "+file.Kind+", or another file")
	}
	secrets, err := c.read(in)
	if err != nil {
		return err
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	made, err := api.AddSource(in.ctx, apiclient.NewSource{Name: c.Name, Kind: c.Kind, SourceFields: fields, SourceSecrets: secrets})
	if err != nil {
		return translateSource(err, file)
	}
	return in.result(made, func() {
		in.printSource(api, made.Source)
		in.printMadeSecret(made.Secret)
		if c.Kind == "scim" {
			in.note("Make a token for the identity provider: sendoff hr tokens create %s --expires 365d", c.Name)
		}
	})
}

func (in *invocation) printMadeSecret(secret string) {
	if secret != "" {
		in.print("secret     %s", secret)
		in.note("The secret is shown only now.")
	}
}

type setSourceCommand struct {
	sourceArg
	sourceFlags
	NoReceivers bool `help:"Name no receivers: the template's own count."`
}

// Run changes a source.
func (c *setSourceCommand) Run(in *invocation) error {
	fields, file, err := c.fields(in)
	if err != nil {
		return err
	}
	if c.NoReceivers {
		if len(c.TransferTo) > 0 {
			return usage("both --transfer-to and --no-receivers are given", "give one of them")
		}
		fields.Receivers = []string{}
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	s, err := api.SetSource(in.ctx, c.Name, fields)
	if err != nil {
		return translateSource(err, file)
	}
	return in.result(s, func() {
		in.printSource(api, s)
		if c.BaseURL != "" {
			in.note("An API key is good for one address: give it again with sendoff hr sources rotate %s --api-key-file FILE", s.Name)
		}
	})
}

type rotateSourceCommand struct {
	sourceArg
	sourceSecretFlags
	Overlap string `placeholder:"24h" help:"How long the secret before is good too, 30d at most; 0 = not at all, as after a leak."`
}

// Run rotates.
func (c *rotateSourceCommand) Run(in *invocation) error {
	secrets, err := c.read(in)
	if err != nil {
		return err
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	made, err := api.RotateSource(in.ctx, c.Name, secrets, c.Overlap)
	if err != nil {
		return translateSource(err, mappingFile{})
	}
	return in.result(made, func() {
		in.print("Rotated the secrets of %s.", made.Source.Name)
		in.printMadeSecret(made.Secret)
	})
}

type sourceChange struct {
	sourceArg
	reasonFlag
}

type enableSourceCommand struct{ sourceChange }

// Run enables a source.
func (c *enableSourceCommand) Run(in *invocation) error {
	return in.setSource(c.sourceChange, "enabled", "Enabled source %s.")
}

type disableSourceCommand struct{ sourceChange }

// Run disables a source.
func (c *disableSourceCommand) Run(in *invocation) error {
	return in.setSource(c.sourceChange, "disabled", "Disabled source %s: what it sends is refused.")
}

type removeSourceCommand struct{ sourceChange }

// Run removes a source.
func (c *removeSourceCommand) Run(in *invocation) error {
	return in.setSource(c.sourceChange, "removed", "Removed source %s: its secrets are forgotten and its tokens revoked. Its cases go on.")
}

func (in *invocation) setSource(c sourceChange, state, done string) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	s, err := api.SetSourceState(in.ctx, c.Name, state, c.Reason)
	if err != nil {
		return translateFlags(err, map[string]string{"reason": "--reason"})
	}
	return in.result(s, func() { in.print(done, s.Name) })
}

type pollSourceCommand struct{ sourceArg }

// Run lets a source be polled now.
func (c *pollSourceCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	s, err := api.PollSource(in.ctx, c.Name)
	if err != nil {
		return err
	}
	return in.result(s, func() {
		in.print("The API of %s is asked now.", s.Name)
		in.note("See what it told: sendoff hr events list --source %s", s.Name)
	})
}
