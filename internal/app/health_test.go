package app

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"sendoff/schema"
)

// A port that was asked for must be had; a default one that another process on
// this machine has is done without.
func TestListenPages(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	address := taken.Addr().String()

	l, err := listenPages("", address, zap.NewNop())
	require.NoError(t, err)
	require.Nil(t, l)
	l, err = listenPages("off", "127.0.0.1:0", zap.NewNop())
	require.NoError(t, err)
	require.Nil(t, l)
	_, err = listenPages(address, "127.0.0.1:0", zap.NewNop())
	require.Contains(t, code(t, schema.CodeInvalid, err).Fix, "--health-listen")
	l, err = listenPages("127.0.0.1:0", address, zap.NewNop())
	require.NoError(t, err)
	require.NoError(t, l.Close())
}

func TestOlderThan(t *testing.T) {
	t.Parallel()
	for version, older := range map[string]bool{
		"1.28.3": true, "1.29.0": false, "1.31.0": false, "0.9": true, "2.0.0": false, "v1.28.0": true, "dev": false, "": false,
	} {
		require.Equal(t, older, olderThan(version, "1.29"), version)
	}
}
