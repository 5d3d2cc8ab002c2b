package cli

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// TestSmallGrammarReadsTheSame: each command, with what it needs, is read by the
// grammar that leaves the other commands out as it is by the whole one.
func TestSmallGrammarReadsTheSame(t *testing.T) {
	t.Parallel()
	in := &invocation{stdout: io.Discard, stderr: io.Discard}
	var whole root
	parser, err := kong.New(&whole, kong.Name("sendoff"), kong.Exit(func(int) {}))
	require.NoError(t, err)
	leaves := parser.Model.Leaves(false)
	require.Greater(t, len(leaves), 100)
	for _, leaf := range leaves {
		args := lineOf(leaf)
		parsed, err := parser.Parse(args)
		require.NoError(t, err, args)
		unnamed := unnamedCommands(args)
		require.NotEmpty(t, unnamed, args)
		small, smallParsed, err := in.parseBy(args, kong.IgnoreFields(unnamed))
		require.NoError(t, err, args)
		require.Equal(t, parsed.Command(), smallParsed.Command())
		require.Equal(t, parsed.Selected().Target.Interface(), smallParsed.Selected().Target.Interface(), args)
		require.Equal(t, flagsOf(parsed), flagsOf(smallParsed), args)
		require.Equal(t, []string{whole.Output, whole.Data}, []string{small.Output, small.Data})
	}
}

// flagsOf are the values of all flags that the line could have, those of the
// groups that its command is in among them.
func flagsOf(parsed *kong.Context) map[string]any {
	all := map[string]any{}
	for _, f := range parsed.Flags() {
		all[f.Name] = parsed.FlagValue(f)
	}
	return all
}

// lineOf is a command line of a command with its arguments and the flags that it
// requires.
func lineOf(leaf *kong.Node) []string {
	var args []string
	for n := leaf; n.Parent != nil; n = n.Parent {
		args = append([]string{n.Name}, args...)
	}
	chosen := map[string]bool{}
	for _, f := range leaf.Flags {
		if !f.Required || len(f.Xor) > 0 && chosen[f.Xor[0]] {
			continue
		}
		for _, group := range f.Xor {
			chosen[group] = true
		}
		args = append(args, "--"+f.Name)
		if !f.IsBool() {
			args = append(args, valueOf(f.Value))
		}
	}
	for _, p := range leaf.Positional {
		args = append(args, valueOf(p))
	}
	return args
}

func valueOf(v *kong.Value) string {
	switch {
	case v.Enum != "":
		return strings.Split(v.Enum, ",")[0]
	case v.Target.CanInt():
		return "1"
	}
	return "x"
}

// TestHelpAndErrorsAreOfTheWholeGrammar: whatever the parser prints, it knows all
// commands. A line that begins with a flag is always read by the whole grammar.
func TestHelpAndErrorsAreOfTheWholeGrammar(t *testing.T) {
	t.Parallel()
	say := func(args ...string) (int, string) {
		var out, errs bytes.Buffer
		code := Run(t.Context(), args, strings.NewReader(""), &out, &errs, nil)
		return code, out.String() + errs.String()
	}
	for line, want := range map[string]int{
		"cases --help": ExitDone, "cases list --help": ExitDone, "cases -h list": ExitDone, "cases list --version": ExitDone,
		"cases -oh": ExitUsage, "case": ExitUsage, "cases lits": ExitUsage, "cases list --no-such": ExitUsage, "cases": ExitUsage,
		"offboard --transfer-to": ExitUsage, "cases offboard": ExitUsage, "-- cases": ExitUsage,
	} {
		args := strings.Fields(line)
		code, said := say(args...)
		require.Equal(t, want, code, line)
		before, wanted := say(append([]string{"--output=text"}, args...)...)
		require.Equal(t, before, code)
		require.Equal(t, wanted, said)
	}
}
