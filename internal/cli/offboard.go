package cli

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"sendoff/internal/apiclient"
	"sendoff/internal/intake"
	"sendoff/schema"
)

type offboardCommand struct {
	Email      string   `arg:"" optional:"" help:"Address of the leaver."`
	From       string   `placeholder:"FILE" help:"CSV of leavers: email, last_day, time_zone, receivers; - reads stdin."`
	TransferTo []string `placeholder:"EMAIL" sep:"none" help:"Who gets the content: a login, or manager, manager-of-manager, department-owner; repeat it for further choices. A default for rows of --from."`
	At         string   `placeholder:"TIME" help:"When it begins: 2026-12-01T18:00:00+01:00 or \"2026-12-01 18:00 Europe/Berlin\"; now when left out."`
	Grace      string   `placeholder:"DURATION" help:"How long the suspended account waits before its delete: 30d, 12h, 0s."`
	Template   string   `placeholder:"NAME" help:"leaver, suspend, transfer, delete, or one from a file."`
	Approvals  *int     `placeholder:"N" help:"How many others must approve first: 0, 1 or 2."`
	Cause      string   `enum:"leaver,access-review,inactivity" default:"leaver" help:"Why: leaver, access-review or inactivity; a higher cause takes over from a lower one."`
	SendAgain  bool     `help:"Transfer although an earlier case ended while its transfer had no verdict; a second destination folder may appear."`
	Plan       bool     `xor:"confirm,wait" help:"Show what would be done and start nothing."`
	Confirm    string   `placeholder:"HASH" xor:"confirm" help:"Start only if the plan still has this hash."`
	Wait       bool     `xor:"wait" help:"Wait until every case is done, parked or cancelled."`
}

// asked is what the command line or the file asks for; lines has the line of
// each request in the file, and is empty without one.
type asked struct {
	requests []apiclient.Request
	lines    []int
}

func (a asked) source() string {
	if len(a.lines) > 0 {
		return "csv"
	}
	return "cli"
}

// Run plans or starts the offboardings.
func (c *offboardCommand) Run(in *invocation) error {
	ask, err := c.read(in)
	if err != nil {
		return err
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	if c.Plan {
		plan, err := api.Plan(in.ctx, ask.requests)
		if err != nil {
			return ask.translate(err)
		}
		_ = in.result(plan, func() { in.printPlan(plan) })
		return planExit(plan).orNil()
	}
	made, err := api.CreateCases(in.ctx, ask.requests, c.Confirm, ask.source())
	if err != nil {
		return ask.translate(err)
	}
	in.warn(made.Warnings)
	if c.Approvals != nil && *c.Approvals > 0 {
		for _, made := range made.Cases {
			in.note("It needs approval by %d: sendoff cases approve %s --hash %s", *c.Approvals, made.CaseID, made.Hash)
		}
	}
	if c.Wait {
		return in.wait(api, made.Cases, c.From != "")
	}
	return in.result(caseShape(made.Cases, c.From != ""), func() { in.printStarted(made.Cases) })
}

// warn writes each warning once, with how often it was given.
func (in *invocation) warn(warnings []apiclient.Finding) {
	times := map[string]int{}
	text := func(w apiclient.Finding) string { return w.Code + ": " + w.Message }
	for _, w := range warnings {
		times[text(w)]++
	}
	for _, w := range warnings {
		switch n := times[text(w)]; n {
		case 0: // written already
		case 1:
			in.note("warning: %s", text(w))
		default:
			in.note("warning (%d times): %s", n, text(w))
		}
		delete(times, text(w))
	}
}

// caseShape is one case as it is, several as a list: a script that offboards one
// person reads .case_id, one that hands in a file always a list.
func caseShape(cases []apiclient.Case, list bool) any {
	if len(cases) == 1 && !list {
		return cases[0]
	}
	return map[string]any{"cases": orEmpty(cases)}
}

func (c *offboardCommand) read(in *invocation) (asked, error) {
	defaults, problems := c.defaults()
	switch {
	case c.Email == "" && c.From == "":
		return asked{}, usage("nobody is named", "give the leaver's address, or a file with --from")
	case c.Email != "" && c.From != "":
		return asked{}, usage("both an address and --from are given", "give one of them")
	case c.From != "" && c.At != "":
		return asked{}, usage("--at does not go with --from", "use the columns last_day and time_zone")
	}
	if c.From != "" {
		if len(problems) > 0 {
			return asked{}, usage("the command line cannot be used; nothing was started", "", problems...)
		}
		return c.readFile(in, defaults)
	}
	email, err := intake.ParseAddress(c.Email)
	if err != nil {
		problems = append([]apiclient.Problem{{Where: "EMAIL", Message: err.Error(), Fix: "give the address the person signs in with"}}, problems...)
	}
	defaults.Email = email
	if c.At != "" {
		t, err := intake.ParseInstant(c.At)
		if err != nil {
			problems = append(problems, apiclient.Problem{Where: "--at", Message: err.Error(), Fix: "leave it out to begin at once"})
		}
		defaults.EffectiveAt = t.Format(time.RFC3339)
	}
	if len(problems) > 0 {
		return asked{}, usage("the command line cannot be used; nothing was started", "", problems...)
	}
	return asked{requests: []apiclient.Request{defaults}}, nil
}

// defaults are what the flags say for every request.
func (c *offboardCommand) defaults() (apiclient.Request, []apiclient.Problem) {
	causes := map[string]schema.Door{"leaver": "", "access-review": schema.DoorAccessReview, "inactivity": schema.DoorInactivity}
	r := apiclient.Request{
		Cause: string(causes[c.Cause]), Receivers: c.TransferTo, Grace: c.Grace, Template: c.Template, Approvals: c.Approvals, SendAgain: c.SendAgain,
	}
	var problems []apiclient.Problem
	if c.Grace != "" {
		if _, err := intake.ParseDuration(c.Grace); err != nil {
			problems = append(problems, apiclient.Problem{Where: "--grace", Message: err.Error(), Fix: "write it such as 30d; 0s means no grace"})
		}
	}
	for _, to := range c.TransferTo {
		if _, err := intake.ParseReceiver(to); err != nil {
			problems = append(problems, apiclient.Problem{Where: "--transfer-to", Message: err.Error(), Fix: "repeat the flag for several receivers"})
		}
	}
	return r, problems
}

func (c *offboardCommand) readFile(in *invocation, defaults apiclient.Request) (asked, error) {
	source := in.stdin
	if c.From != "-" {
		f, err := os.Open(c.From)
		if err != nil {
			return asked{}, usage("the file of leavers cannot be read: "+err.Error(), "name a CSV file with the header email,last_day,time_zone,receivers")
		}
		defer f.Close()
		source = f
	}
	ask, problems := parseLeavers(source, defaults)
	if len(problems) > 0 {
		return asked{}, usage(fmt.Sprintf("the file of leavers has %d faults; nothing was started", len(problems)), "", problems...)
	}
	return ask, nil
}

var requestPlace = regexp.MustCompile(`^requests\[(\d+)\]\.?`)

// translate names the lines and flags that were typed, where the server names
// members of the request.
func (a asked) translate(err error) error {
	e, ok := err.(*apiclient.Error) //nolint:errorlint // the client returns it unwrapped
	if !ok {
		return err
	}
	for i, p := range e.Problems {
		m := requestPlace.FindStringSubmatch(p.Where)
		if m == nil {
			continue
		}
		rest := strings.TrimPrefix(p.Where, m[0])
		n, _ := strconv.Atoi(m[1]) // digits, by the pattern
		switch {
		case n < len(a.lines):
			rest = strings.TrimSpace(fmt.Sprintf("line %d %s", a.lines[n], rest))
		case len(a.requests) == 1:
			rest = flagOf(rest)
		}
		e.Problems[i].Where = strings.TrimSpace(rest)
	}
	return e
}

// flagOf is the flag that a member of a request comes from.
func flagOf(member string) string {
	name, _, _ := strings.Cut(member, "[")
	flags := map[string]string{
		"email": "EMAIL", "receivers": "--transfer-to", "effective_at": "--at", "grace": "--grace",
		"template": "--template", "approvals": "--approvals", "send_again": "--send-again",
	}
	if flag, ok := flags[name]; ok {
		return flag
	}
	return strings.Trim(member, " ()")
}
