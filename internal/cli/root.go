// Package cli is the command line. Its commands speak to the server's API alone;
// those that run the server itself are in serve.go. Results go to stdout, and
// nothing else does; progress and notes go to stderr.
package cli

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"sendoff/internal/apiclient"
)

// root is the grammar of the command line.
type root struct {
	Output  string           `short:"o" enum:"text,json" default:"text" help:"How results are written: text or json."`
	Data    string           `default:".sendoff" placeholder:"DIR" help:"Data directory of a local server; used when SENDOFF_URL is not set."`
	Version kong.VersionFlag `help:"Print the version."`

	Offboard    offboardCommand    `cmd:"" help:"Offboard a leaver, or all of a CSV file."`
	Cases       casesCommands      `cmd:"" help:"List, follow and decide cases."`
	Protect     protectCommands    `cmd:"" help:"Protect accounts from every write."`
	Hold        holdCommands       `cmd:"" help:"Hold accounts: no transfer, no delete."`
	Templates   templateCommands   `cmd:"" help:"Look after the templates that plans are made from."`
	Sync        syncCommand        `cmd:"" help:"List anew what a connection's vendor has."`
	Runs        runCommands        `cmd:"" help:"See how runs fare, and decide quarantined syncs."`
	Connect     connectCommands    `cmd:"" help:"Connect a vendor."`
	Connections connectionCommands `cmd:"" help:"Look after connections."`
	Accounts    accountCommands    `cmd:"" help:"Look at accounts, as they were last listed."`
	Groups      groupCommands      `cmd:"" help:"Look at groups and their members."`
	Report      reportCommands     `cmd:"" help:"Report on use, licences, inactivity, orphans and changes."`
	Licenses    licenseCommands    `cmd:"" help:"Say what contracts say of seats."`
	People      peopleCommands     `cmd:"" help:"Look after people: rosters, whose accounts are, who manages whom."`
	HR          hrCommands         `cmd:"" name:"hr" help:"Hear from HR who leaves: sources, what they tell, who leaves by it."`
	Policy      policyCommands     `cmd:"" help:"Look for accounts that nobody uses: policies, what they come to, and their review runs."`
	Review      campaignCommands   `cmd:"" help:"Have people look at who has access: access reviews, their campaigns, and what they decide."`
	Budget      budgetCommands     `cmd:"" help:"Look after how much may be done in a day."`
	Batches     batchCommands      `cmd:"" help:"Decide what would start more than its limit allows."`
	Notices     noticeCommands     `cmd:"" help:"Look after who is told of what, and what was told."`
	Alarms      alarmCommands      `cmd:"" help:"See what somebody has to know of."`
	Tokens      tokenCommands      `cmd:"" help:"Look after API tokens."`
	Audit       auditCommands      `cmd:"" help:"Export and verify the audit log."`
	Pause       pauseCommand       `cmd:"" help:"Stop all writes of the engine at the next call."`
	Unpause     unpauseCommand     `cmd:"" help:"Let the engine write again."`
	Sim         simCommands        `cmd:"" help:"Run a simulated vendor."`
	Serve       serveCommands      `embed:""`
}

// invocation is one run of the program: what a command needs besides its flags.
type invocation struct {
	ctx    context.Context //nolint:containedctx // an invocation is one call
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	env    []string // as os.Environ gives it
	json   bool
	data   string // the data directory
}

// getenv returns the last value of a variable, "" when it is not set.
func (in *invocation) getenv(name string) string {
	value := ""
	for _, pair := range in.env {
		if k, v, ok := strings.Cut(pair, "="); ok && k == name {
			value = v
		}
	}
	return value
}

// exitSignal carries kong's own exits (help, version) out of the parser.
type exitSignal int

// Run runs one command and returns the exit code. env has the form of os.Environ.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env []string) (code int) {
	in := &invocation{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr, env: env, json: wantsJSON(args)}
	defer func() {
		if r := recover(); r != nil {
			signal, ok := r.(exitSignal)
			if !ok {
				panic(r)
			}
			code = int(signal)
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	grammar, parsed, err := in.parse(args)
	if err != nil {
		return in.fail(err)
	}
	in.json, in.data = grammar.Output == "json", grammar.Data
	if err := parsed.Run(in); err != nil {
		return in.fail(err)
	}
	return ExitDone
}

// parseError keeps the parser's message and names the help of the command meant.
func parseError(err error) error {
	command := "sendoff"
	var pe *kong.ParseError
	if errors.As(err, &pe) && pe.Context != nil {
		if node := pe.Context.Selected(); node != nil {
			command = "sendoff " + strings.TrimSpace(strings.SplitN(node.Path(), "<", 2)[0])
		}
	}
	return usage(err.Error(), "see: "+strings.ReplaceAll(command, "sendoff sendoff", "sendoff")+" --help")
}

// wantsJSON looks for the output flag before anything is parsed, so that a
// command line that does not parse is reported in the form asked for.
func wantsJSON(args []string) bool {
	for i, a := range args {
		if a == "--output=json" || a == "-ojson" || ((a == "--output" || a == "-o") && i+1 < len(args) && args[i+1] == "json") {
			return true
		}
	}
	return false
}

// fail reports an error and returns its exit code.
func (in *invocation) fail(err error) int {
	var quiet exitStatus
	if errors.As(err, &quiet) {
		return int(quiet)
	}
	var e *apiclient.Error
	if !errors.As(err, &e) {
		e = &apiclient.Error{Code: "internal", Message: err.Error()}
	}
	if in.json {
		in.writeJSON(map[string]any{"error": map[string]any{
			"code": e.Code, "message": e.Message, "fix": e.Fix, "problems": orEmpty(e.Problems), "exit_code": exitCodeOf(err),
		}})
	}
	in.explain(e)
	return exitCodeOf(err)
}

// explain writes an error for people.
func (in *invocation) explain(e *apiclient.Error) {
	in.note("sendoff: %s", e.Message)
	for _, p := range e.Problems {
		line := "  "
		if p.Where != "" {
			line += p.Where + ": "
		}
		if p.Code != "" && strings.ToUpper(p.Code) == p.Code {
			line += p.Code + ": "
		}
		in.note("%s", line+p.Message)
		if p.Fix != "" {
			in.note("    fix: %s", p.Fix)
		}
	}
	if e.Fix != "" {
		in.note("  fix: %s", e.Fix)
	}
	if e.RequestID != "" && e.Code == "internal" {
		in.note("  request id: %s", e.RequestID)
	}
}

// version is set by the linker for releases: -X sendoff/internal/cli.version=v1.
var version string

// Version is the program's version: the linker's, the module's, or its revision.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "dev-" + s.Value[:12]
		}
	}
	return "dev"
}
