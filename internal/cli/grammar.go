package cli

import (
	"reflect"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// parse reads the command line. The parser builds the grammar of every command
// before it looks at the first word, which takes longer than most commands. So the
// commands that the line does not name are left out first. Whatever that smaller
// grammar does not take is read by the whole one, which alone speaks: help and
// errors are the same, however a line begins.
func (in *invocation) parse(args []string) (*root, *kong.Context, error) {
	if unnamed := unnamedCommands(args); unnamed != "" && !asksForHelp(args) {
		if grammar, parsed, err := in.parseBy(args, kong.IgnoreFields(unnamed)); err == nil {
			return grammar, parsed, nil
		}
	}
	return in.parseBy(args)
}

func (in *invocation) parseBy(args []string, more ...kong.Option) (*root, *kong.Context, error) {
	var grammar root
	parser, err := kong.New(&grammar, append(more,
		kong.Name("sendoff"), kong.Description("Gives every leaver a proper send-off."),
		kong.Vars{"version": Version()}, kong.Writers(in.stdout, in.stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { panic(exitSignal(code)) }),
	)...)
	if err != nil {
		return nil, nil, err
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return nil, nil, parseError(err)
	}
	return &grammar, parsed, nil
}

// asksForHelp tells whether the parser may print help: it does so wherever the
// flag stands, and in a group of short flags too.
func asksForHelp(args []string) bool {
	for _, a := range args {
		if strings.HasPrefix(a, "--help") || strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && strings.Contains(a, "h") {
			return true
		}
	}
	return false
}

// unnamedCommands is an expression for the grammar's fields of commands, as
// Type.Field, that stand beside those that the line names, level by level until a
// word is none; "" = the first word is none.
func unnamedCommands(args []string) string {
	var fields []string
	level := reflect.TypeFor[root]()
	for _, word := range args {
		commands := commandsOf(level)
		named, ok := commands[word]
		if !ok {
			break
		}
		for _, c := range commands {
			if c.Name != named.Name {
				fields = append(fields, regexp.QuoteMeta(level.Name()+"."+c.Name))
			}
		}
		level = named.Type
	}
	if len(fields) == 0 {
		return ""
	}
	return "^(" + strings.Join(fields, "|") + ")$"
}

// commandsOf returns the fields of a grammar's level that are commands, by the
// words that name them. One whose word is made of several has no entry.
func commandsOf(level reflect.Type) map[string]reflect.StructField {
	commands := map[string]reflect.StructField{}
	for _, field := range reflect.VisibleFields(level) {
		if _, embedded := field.Tag.Lookup("embed"); embedded {
			for word, c := range commandsOf(field.Type) {
				commands[word] = c
			}
		}
		if _, ok := field.Tag.Lookup("cmd"); ok && field.Type.Kind() == reflect.Struct {
			word := field.Tag.Get("name")
			if word == "" {
				word = strings.ToLower(field.Name)
			}
			commands[word] = field
		}
	}
	return commands
}
