package all_test

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/all"
	"sendoff/schema"
)

func TestEveryVendorFolderIsListed(t *testing.T) {
	t.Parallel()
	shared := []string{"all", "conformance", "httpx", "rate", "simkit"}
	entries, err := os.ReadDir("..")
	require.NoError(t, err)
	var folders []string
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(shared, e.Name()) {
			folders = append(folders, e.Name())
		}
	}
	var listed []string
	for _, f := range all.Factories() {
		m := f.Manifest()
		require.NotEmpty(t, m.Title)
		require.NotEmpty(t, m.Scopes)
		require.NotEmpty(t, m.Docs)
		listed = append(listed, m.Vendor)
	}
	for kind, open := range all.Feeds() {
		require.Contains(t, schema.SourceKinds(), kind)
		_, err := open(connectors.FeedConfig{})
		require.Error(t, err, "a feed checks its configuration")
		listed = append(listed, string(kind))
	}
	slices.Sort(listed)
	require.NotEmpty(t, folders)
	require.Equal(t, folders, listed, "each vendor's folder needs one line in Factories or Feeds")
}
