package cli

import (
	"strings"
	"time"

	"sendoff/internal/accessreview"
	"sendoff/internal/apiclient"

	"go.yaml.in/yaml/v4"
)

// handFlags say what an access review is without a file. They make one: what is
// applied is the same, and `review definitions --source` shows it.
type handFlags struct {
	Name       string   `placeholder:"NAME" help:"By hand: the name of the access review."`
	Title      string   `placeholder:"TEXT" help:"By hand: one line for people."`
	Owner      string   `placeholder:"EMAIL" help:"By hand: who signs its campaigns."`
	Connection []string `placeholder:"NAME" help:"By hand: whose accounts are looked at; repeat it for more."`
	Items      []string `placeholder:"KIND,..." help:"By hand: account (as without), role, group, collaboration."`
	Kinds      []string `placeholder:"KIND,..." help:"By hand: only accounts of these kinds: person, service, app, external."`
	Match      string   `placeholder:"CEL" help:"By hand: only accounts that this condition takes."`
	UnusedFor  string   `placeholder:"DURATION" help:"By hand: only accounts proven to be unused for so long."`
	Privileged bool     `help:"By hand: only accounts with a privileged role."`
	Changed    bool     `help:"By hand: only what is new or other than in the last signed campaign."`
	Holders    string   `placeholder:"WHICH" help:"By hand: all (as without), matched or unmatched."`
	Reviewer   []string `placeholder:"WHO" help:"By hand: manager, managers_manager, app_owner, entitlement_owner or an address; repeat it for the next in the chain."`
	Due        string   `placeholder:"DURATION" help:"By hand: how long reviewers have; 14d as without."`
}

// empty tells whether no flag says anything.
func (f handFlags) empty() bool {
	return f.Name+f.Title+f.Owner+f.Match+f.UnusedFor+f.Holders+f.Due == "" && !f.Privileged && !f.Changed &&
		len(f.Connection)+len(f.Items)+len(f.Kinds)+len(f.Reviewer) == 0
}

// The members of a file, in its order; what is not said is left to its default.
type (
	handFile struct {
		APIVersion string    `yaml:"apiVersion"`
		Kind       string    `yaml:"kind"`
		Name       string    `yaml:"name"`
		Title      string    `yaml:"title,omitempty"`
		Owner      string    `yaml:"owner,omitempty"`
		Scope      handScope `yaml:"scope"`
		Reviewers  []any     `yaml:"reviewers,omitempty"`
		Time       *handTime `yaml:"time,omitempty"`
	}
	handScope struct {
		Connections []string `yaml:"connections,omitempty"`
		Items       []string `yaml:"items,omitempty"`
		Kinds       []string `yaml:"kinds,omitempty"`
		Match       string   `yaml:"match,omitempty"`
		UnusedFor   string   `yaml:"unused_for,omitempty"`
		Changed     bool     `yaml:"changed,omitempty"`
		Privileged  bool     `yaml:"privileged,omitempty"`
		Holders     string   `yaml:"holders,omitempty"`
	}
	handNamed struct {
		Named []string `yaml:"named"`
	}
	handTime struct {
		Due string `yaml:"due"`
	}
)

// source is the file that the flags make. What is wrong with it is told as of flags.
func (f handFlags) source() (string, error) {
	file := handFile{
		APIVersion: accessreview.APIVersion, Kind: accessreview.Kind, Name: f.Name, Title: f.Title, Owner: f.Owner,
		Scope: handScope{
			Connections: f.Connection, Items: f.Items, Kinds: f.Kinds, Match: f.Match, UnusedFor: f.UnusedFor, Changed: f.Changed,
			Privileged: f.Privileged, Holders: f.Holders,
		},
		Reviewers: f.reviewers(),
	}
	if f.Due != "" {
		file.Time = &handTime{f.Due}
	}
	b, err := yaml.Marshal(file)
	if err != nil {
		return "", err
	}
	if _, report := accessreview.Parse("command line", b, time.Now()); len(report.Errors) > 0 {
		problems := problemsOf(report.Errors)
		for i, p := range problems {
			problems[i].Where = flagOfMember(p.Where)
		}
		return "", &apiclient.Error{Code: apiclient.CodeUsage, Message: "the access review is not usable; nothing was changed", Problems: problems}
	}
	return string(b), nil
}

// reviewers is the chain: what is no kind of reviewer is an address.
func (f handFlags) reviewers() []any {
	var chain []any
	for _, r := range f.Reviewer {
		if strings.Contains(r, "@") {
			chain = append(chain, handNamed{[]string{r}})
		} else {
			chain = append(chain, r)
		}
	}
	return chain
}

// flagOfMember is the flag that a place in the file, such as "command line line 5,
// column 3 (scope.match)", is about; the place itself where there is none.
func flagOfMember(where string) string {
	_, path, _ := strings.Cut(strings.TrimSuffix(where, ")"), "(")
	path, _, _ = strings.Cut(path, "[")
	flags := map[string]string{
		"name": "--name", "title": "--title", "owner": "--owner", "scope": "--connection", "scope.connections": "--connection", "scope.items": "--items",
		"scope.kinds": "--kinds", "scope.match": "--match", "scope.unused_for": "--unused-for", "scope.holders": "--holders", "reviewers": "--reviewer",
		"time.due": "--due", "time.remind": "--due",
	}
	if flag, ok := flags[path]; ok {
		return flag
	}
	return where
}
