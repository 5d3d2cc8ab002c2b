// Package sdk_test drives the Box simulator through Box's own Node SDK, which
// knows Box and nothing of this repository: what the two disagree about is a
// fault of the simulator. All answers on the way, and all requests of our own
// client, are held against Box's OpenAPI document.
package sdk_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// drivePatience is how long all checks together may take.
const drivePatience = 2 * time.Minute

// result is one line of the driver: a check, or at the end how many there were.
type result struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Millis int64  `json:"ms"`
	Done   int    `json:"done"`
}

func TestBoxNodeSDK(t *testing.T) {
	t.Parallel()
	program, modules := driver().Program(t), driver().Modules(t)
	v := startVendor(t)
	results := drive(t, v, program, modules)
	for _, r := range results {
		t.Run(r.Name, func(t *testing.T) {
			require.True(t, r.OK, r.Detail)
			t.Logf("%d ms %s", r.Millis, r.Detail)
		})
	}
	t.Run("every answer is one that Box's document allows", func(t *testing.T) {
		v.judge.requireNoFault(t)
		require.Greater(t, len(v.judge.operations()), 80, "operations that were driven")
	})
}

// drive runs the driver to its end and returns its checks.
func drive(t *testing.T, v vendor, program, modules string) []result {
	t.Helper()
	config, err := json.Marshal(map[string]any{"base_url": v.url, "modules": modules, "banner": v.banner})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), drivePatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "main.mjs")
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = driverDir, &stdout, &stderr
	cmd.Env = append(os.Environ(), "SENDOFF_SDK_CONFIG="+string(config))
	require.NoError(t, cmd.Run(), "%s\n%s", &stdout, &stderr)

	var all []result
	lines := bufio.NewScanner(&stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r result
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r), "%s", lines.Bytes())
		all = append(all, r)
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, all, "%s", &stderr)
	last := all[len(all)-1]
	require.Equal(t, len(all)-1, last.Done, "the driver did not come to its end: %s", &stderr)
	require.Positive(t, last.Done)
	return all[:last.Done]
}
