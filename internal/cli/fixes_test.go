package cli

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// What messages tell people to do is a command that there is: one of a group is
// named with its group.
func TestMessagesNameCommandsThatThereAre(t *testing.T) {
	t.Parallel()
	var whole root
	parser, err := kong.New(&whole, kong.Name("sendoff"), kong.Exit(func(int) {}))
	require.NoError(t, err)
	top, groups := map[string]*kong.Node{}, map[string]bool{}
	for _, n := range parser.Model.Children {
		top[n.Name] = n
		for _, c := range n.Children {
			groups[c.Name] = groups[c.Name] || len(c.Children) > 0
		}
	}
	named := regexp.MustCompile(`sendoff ([a-z-]+)`)
	found := 0
	root := os.DirFS("../..")
	for _, dir := range []string{"activities", "connectors", "internal", "schema", "workflows"} {
		require.NoError(t, fs.WalkDir(root, dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := fs.ReadFile(root, path)
			for _, m := range named.FindAllStringSubmatch(string(text), -1) {
				_, there := top[m[1]]
				require.True(t, there || !groups[m[1]], "%s: there is no sendoff %s", path, m[1])
				if there {
					found++
				}
			}
			return err
		}))
	}
	require.Greater(t, found, 50)
}
