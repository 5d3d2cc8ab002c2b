package all_test

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/all"
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
	slices.Sort(listed)
	require.NotEmpty(t, folders)
	require.Equal(t, folders, listed, "each vendor's folder needs one line in Factories")
}
