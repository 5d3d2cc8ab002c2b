package scim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/local/localtest"
)

const (
	oracleDir   = "oracle"
	askPatience = time.Minute
)

// oracle is the libraries of others, and the program that asks them.
func oracle() localtest.Node {
	return localtest.Node{Dir: oracleDir, Cache: "oracle/scim", Patience: 2 * time.Minute, Undone: "nothing was held against the libraries of others"}
}

func TestOracleLockNamesNoRegistry(t *testing.T) {
	t.Parallel()
	oracle().RequireLock(t, "scim-patch", "scim2-parse-filter")
}

type (
	// question is what the oracle is asked.
	question struct {
		Modules   string       `json:"modules"`
		Patches   []patchAsked `json:"patches"`
		Filters   []string     `json:"filters"`
		Resources []any        `json:"resources"`
	}
	patchAsked struct {
		Resource   any `json:"resource"`
		Operations any `json:"operations"`
	}
	// said is what it answers.
	said struct {
		Patches []struct {
			OK    bool
			Value map[string]any
			Error string
		}
		Filters []struct {
			OK    bool
			Value []bool
			Error string
		}
	}
)

func ask(t *testing.T, q question) said {
	t.Helper()
	program := oracle().Program(t)
	q.Modules = oracle().Modules(t)
	if q.Patches == nil {
		q.Patches = []patchAsked{}
	}
	if q.Filters == nil {
		q.Filters = []string{}
	}
	in, err := json.Marshal(q)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), askPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, filepath.Join(oracleDir, "main.mjs"))
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s", &stderr)
	var out said
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &out))
	require.Len(t, out.Patches, len(q.Patches))
	require.Len(t, out.Filters, len(q.Filters))
	return out
}
