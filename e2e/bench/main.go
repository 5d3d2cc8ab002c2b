package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// settings are what a run can vary; the defaults are what make bench runs.
type settings struct {
	program                                   string // the built program; empty = build it
	only                                      string // names of groups, with commas; empty = all
	output                                    string // text or json
	leavers                                   int
	receivers                                 int
	limit                                     int           // the vendor's calls a minute and acting user
	percent                                   int           // of the limit that the product is set to
	scale                                     int64         // divides the engine's clocks and the vendor's job times
	cases                                     int           // cases, and empty workflows, of the latency
	looks                                     int64         // the scale of the group actions
	plans                                     int           // plans of the state changes
	clients                                   int           // of the state changes and of the bare inserts
	idle                                      time.Duration // how long server and worker do nothing before their memory is read
	patience                                  time.Duration // for the leavers
	accounts, groupCount, memberships, events int           // of the company that is synced
	hrEvents                                  int           // events of HR that are posted
	answer                                    time.Duration // how long the vendor of that company takes for each answer

	log string // file for the vendor's log of the leavers; empty = none
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&s.program, "program", "", "the built `program`; empty builds it")
	f.StringVar(&s.only, "only", "", "measure these `groups` alone: "+strings.Join(groupNames(), ", "))
	f.StringVar(&s.output, "output", "text", "`form` of the table: text or json")
	f.IntVar(&s.leavers, "leavers", 500, "how many leave at once")
	f.IntVar(&s.receivers, "receivers", 50, "how many people get their content")
	f.IntVar(&s.limit, "limit", 1000, "calls a minute and acting user that the vendor answers")
	f.IntVar(&s.percent, "percent", 96, "the product's own limit in percent of the vendor's")
	f.Int64Var(&s.scale, "scale", 60, "divides the engine's clocks and the vendor's job times, never the rate")
	f.IntVar(&s.cases, "cases", 100, "how many cases, and empty workflows, the latency is taken from")
	f.Int64Var(&s.looks, "looks-scale", 60, "divides clocks and job times while Temporal's actions are counted")
	f.IntVar(&s.plans, "plans", 500, "how many plans change state")
	f.IntVar(&s.clients, "clients", 16, "how many change state, or insert, at the same time")
	f.DurationVar(&s.idle, "idle", 10*time.Second, "how long nothing happens before idle memory is read")
	f.IntVar(&s.accounts, "accounts", 100_000, "accounts of the company that is synced")
	f.DurationVar(&s.answer, "answer", 50*time.Millisecond, "how long the vendor of that company takes for each answer, and more; 50 ms are 20,000 accounts a second")
	f.IntVar(&s.groupCount, "groups", 2000, "groups of the company that is synced")
	f.IntVar(&s.memberships, "memberships", 200_000, "memberships in these groups")
	f.IntVar(&s.events, "events", 2_000_000, "events of a year that are read")
	f.IntVar(&s.hrEvents, "hr-events", 10_000, "events of HR that are posted")
	f.StringVar(&s.log, "log", "", "write the vendor's log of the leavers to this `file`, a JSON object for each call")
	f.DurationVar(&s.patience, "patience", 45*time.Minute, "how long the leavers may take")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	return s, s.check(f.Args())
}

func (s settings) check(rest []string) error {
	for _, name := range s.groups() {
		if !slices.Contains(groupNames(), name) {
			return fmt.Errorf("there is no group %q: use one of %s", name, strings.Join(groupNames(), ", "))
		}
	}
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is no flag", rest[0])
	case s.output != "text" && s.output != "json":
		return fmt.Errorf("output is %q: use text or json", s.output)
	case min(s.leavers, s.receivers, s.limit, s.percent, s.cases, s.plans, s.clients, s.accounts, s.groupCount, s.memberships, s.events, s.hrEvents) < 1 || min(s.scale, s.looks) < 2:
		return errors.New("counts are 1 or more, scales 2 or more")
	}
	return nil
}

// ownLimit is the calls a minute that the product is set to: less than the vendor's
// limit, because a bucket that was full lets more through in its first minute.
func (s settings) ownLimit() int { return max(1, s.limit*s.percent/100) }

func (s settings) groups() []string {
	if s.only == "" {
		return groupNames()
	}
	return strings.Split(s.only, ",")
}

// group is a measurement that brings some figures.
type group struct {
	name    string
	measure func(*bench, context.Context) ([]figure, error)
}

func groups() []group {
	return []group{
		{"leavers", (*bench).leavers},
		{"latency", (*bench).latency},
		{"actions", (*bench).actions},
		{"changes", (*bench).changes},
		{"inventory", (*bench).inventory},
		{"hr", (*bench).hr},
	}
}

func groupNames() []string {
	names := []string{}
	for _, g := range groups() {
		names = append(names, g.name)
	}
	return names
}

// run measures and prints. A missed aim is no failure; what did not complete is.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	set, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	figures, err := measure(ctx, set, stderr)
	if printErr := show(stdout, set.output, figures); err == nil {
		err = printErr
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

// measure takes the chosen groups one after the other: each has the machine to
// itself. What was measured before a failure is returned with it.
func measure(ctx context.Context, set settings, stderr io.Writer) (figures []figure, err error) {
	b, err := start(ctx, set, stderr)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for _, g := range groups() {
		if !slices.Contains(set.groups(), g.name) {
			continue
		}
		b.say("measuring %s", g.name)
		got, err := g.measure(b, ctx)
		if err != nil {
			return figures, fmt.Errorf("%s: %w", g.name, err)
		}
		for i := range got {
			got[i].Command = set.command(g.name)
		}
		figures = append(figures, got...)
	}
	return figures, nil
}

// command is what measures one group again.
func (s settings) command(group string) string {
	c := "go run ./e2e/bench --only " + group
	switch group {
	case "leavers":
		c += fmt.Sprintf(" --leavers %d --receivers %d --limit %d --percent %d --scale %d", s.leavers, s.receivers, s.limit, s.percent, s.scale)
	case "latency":
		c += fmt.Sprintf(" --cases %d", s.cases)
	case "actions":
		c += fmt.Sprintf(" --looks-scale %d", s.looks)
	case "inventory":
		c += fmt.Sprintf(" --accounts %d --groups %d --memberships %d --events %d --answer %s", s.accounts, s.groupCount, s.memberships, s.events, s.answer)
	case "changes":
		c += fmt.Sprintf(" --plans %d --clients %d", s.plans, s.clients)
	}
	return c
}
