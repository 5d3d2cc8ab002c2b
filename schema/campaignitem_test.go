package schema_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

func TestItemsInWords(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 items are not decided", 1: "1 item is not decided", 2: "2 items are not decided"} {
		require.Equal(t, want, schema.UndecidedItems(n))
	}
}
