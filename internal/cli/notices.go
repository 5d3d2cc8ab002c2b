package cli

import (
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"sendoff/internal/apiclient"
	"sendoff/internal/notices"
	"sendoff/schema"
)

type noticeCommands struct {
	Lint    lintNoticesCommand   `cmd:"" help:"Check a file of rules. Needs no server."`
	Preview previewNoticeCommand `cmd:"" help:"Print an event's text with made-up facts. With a file it needs no server."`
	Apply   applyNoticesCommand  `cmd:"" help:"Store a file of rules."`
	Rules   noticeRulesCommand   `cmd:"" help:"Print the rules as they were applied."`
	List    listNoticesCommand   `cmd:"" help:"List notices, newest first."`
	Retry   retryNoticeCommand   `cmd:"" help:"Send a notice that failed again."`
	Schema  noticeSchemaCommand  `cmd:"" help:"Print the JSON Schema of rules, for editors."`
}

// readNotices reads a little more than rules may have, so that a file that is too
// large is refused for that.
func readNotices(path string) (apiclient.NoticeFile, error) {
	unreadable := usage("the file "+path+" cannot be read", "check the path and its permissions")
	f, err := os.Open(path)
	if err != nil {
		return apiclient.NoticeFile{}, unreadable
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, notices.MaxBytes+1))
	if err != nil {
		return apiclient.NoticeFile{}, unreadable
	}
	return apiclient.NoticeFile{File: path, Source: string(b)}, nil
}

type lintNoticesCommand struct {
	File string `arg:"" help:"File of rules."`
}

// Run checks the file; with errors it ends with ExitUsage.
func (c *lintNoticesCommand) Run(in *invocation) error {
	f, err := readNotices(c.File)
	if err != nil {
		return err
	}
	rules, report := notices.Parse(f.File, []byte(f.Source))
	errs, warnings := problemsOf(report.Errors), problemsOf(report.Warnings)
	status := exitStatus(ExitDone)
	if len(errs) > 0 {
		status = ExitUsage
	}
	shown := map[string]any{"file": f.File, "ok": len(errs) == 0, "errors": errs, "warnings": warnings}
	if err := in.result(shown, func() {
		in.printProblems("error", errs)
		in.printProblems("warning", warnings)
		if len(errs) == 0 {
			in.print("%s: the rules are usable; routes: %d, texts: %d", f.File, len(rules.Routes), len(rules.Texts))
		}
	}); err != nil {
		return err
	}
	return status.orNil()
}

func (in *invocation) printProblems(word string, list []apiclient.Problem) {
	for _, p := range list {
		in.print("%s: %s: %s", p.Where, word, p.Message)
		in.print("    fix: %s", p.Fix)
	}
}

type previewNoticeCommand struct {
	Event string `arg:"" help:"The event, such as planned."`
	File  string `arg:"" optional:"" help:"File of rules; the server's without."`
}

// Run prints the text of an event.
func (c *previewNoticeCommand) Run(in *invocation) error {
	event := schema.NoticeEvent(c.Event)
	if !slices.Contains(schema.NoticeEvents(), event) {
		return usage("there is no event "+strconv.Quote(c.Event), "use one of: "+strings.Join(eventNames(), ", "))
	}
	rules, err := c.rules(in)
	if err != nil {
		return err
	}
	text, err := notices.Render(rules, notices.DemoFacts(event))
	if err != nil {
		return err
	}
	_, own := rules.Texts[event]
	var told []string
	for _, r := range rules.Routes {
		if slices.Contains(r.Events, event) {
			told = append(told, string(r.Audience)+" by "+string(r.Channel))
		}
	}
	return in.result(map[string]any{"event": event, "builtin": !own, "text": text, "told": orEmpty(told)}, func() {
		in.print("%s", text)
		if len(told) == 0 {
			in.note("No route tells of %s.", event)
		} else {
			in.note("Told: %s.", strings.Join(told, ", "))
		}
	})
}

func eventNames() []string {
	var names []string
	for _, e := range schema.NoticeEvents() {
		names = append(names, string(e))
	}
	return names
}

func (c *previewNoticeCommand) rules(in *invocation) (schema.NoticeRules, error) {
	var f apiclient.NoticeFile
	if c.File == "" {
		api, err := in.client()
		if err != nil {
			return schema.NoticeRules{}, err
		}
		applied, err := api.NoticeRules(in.ctx, 0)
		if err != nil || applied.Version == 0 {
			return schema.NoticeRules{}, err // the built-in texts
		}
		f = apiclient.NoticeFile{File: "version " + strconv.Itoa(applied.Version), Source: applied.Source}
	} else {
		var err error
		if f, err = readNotices(c.File); err != nil {
			return schema.NoticeRules{}, err
		}
	}
	rules, report := notices.Parse(f.File, []byte(f.Source))
	if len(report.Errors) > 0 {
		return rules, &apiclient.Error{Code: apiclient.CodeUsage, Message: "the rules of notices are not usable", Problems: problemsOf(report.Errors)}
	}
	return rules, nil
}

type applyNoticesCommand struct {
	File string `arg:"" help:"File of rules."`
	Plan bool   `help:"Show the difference and store nothing."`
	Yes  bool   `help:"Do not ask."`
}

// Run shows what would change, asks, and stores exactly that.
func (c *applyNoticesCommand) Run(in *invocation) error {
	if in.json && !c.Plan && !c.Yes {
		return usage("this asks before it stores, and JSON output cannot", "look with --plan, then repeat with --yes")
	}
	f, err := readNotices(c.File)
	if err != nil {
		return err
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	f.DryRun = true
	planned, err := api.ApplyNoticeRules(in.ctx, f)
	if err != nil {
		return err
	}
	if c.Plan {
		return in.result(planned, func() { in.printNoticeChange(f, planned) })
	}
	if !in.json {
		in.printNoticeChange(f, planned)
	}
	if planned.Change == "unchanged" {
		return in.result(planned, func() {})
	}
	if !c.Yes && !in.confirms("Store this? [y/N] ") {
		return usage("nothing was stored", "answer y, or give --yes")
	}
	f.DryRun, f.FromVersion = false, &planned.FromVersion
	applied, err := api.ApplyNoticeRules(in.ctx, f)
	if err != nil {
		return err
	}
	return in.result(applied, func() { in.print("Stored the rules as version %d.", applied.Version) })
}

func (in *invocation) printNoticeChange(f apiclient.NoticeFile, planned apiclient.AppliedNoticeRules) {
	switch planned.Change {
	case "unchanged":
		in.print("%s: the rules stay at version %d", f.File, planned.FromVersion)
	case "created":
		in.print("%s: there are no rules yet", f.File)
	default:
		in.print("%s: the rules, version %d, become version %d", f.File, planned.FromVersion, planned.Version)
	}
	for _, line := range difference(planned.Previous, f.Source) {
		in.print("  %s", line)
	}
	for _, p := range planned.Warnings {
		in.note("%s: warning: %s", p.Where, p.Message)
		in.note("    fix: %s", p.Fix)
	}
}

type noticeRulesCommand struct {
	Version int `arg:"" optional:"" help:"A version, also one that was replaced; the newest without."`
}

// Run prints the file that the rules were read from.
func (c *noticeRulesCommand) Run(in *invocation) error {
	if c.Version < 0 {
		return usage("that is not the number of a version", "give 1 or more")
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	r, err := api.NoticeRules(in.ctx, c.Version)
	if err != nil {
		return err
	}
	return in.result(r, func() {
		if r.Version == 0 {
			in.note("No rules were applied: nobody is told. Apply a file with: sendoff notices apply FILE")
			return
		}
		in.print("%s", strings.TrimSuffix(r.Source, "\n"))
	})
}

type noticeSchemaCommand struct{}

// Run prints the schema.
func (c *noticeSchemaCommand) Run(in *invocation) error {
	in.print("%s", strings.TrimSuffix(string(notices.JSONSchema()), "\n"))
	return nil
}
