package audit_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/internal/audit"
)

// start is the instant at which every test's history begins.
func start() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }

// history is a log under test: a store, the signer and sealer over it, and the heads of its streams.
type history struct {
	t      testing.TB
	store  *memStore
	signer *audit.Signer
	sealer *audit.Sealer
	heads  map[string]audit.Head
	now    time.Time
}

func newHistory(t testing.TB) *history {
	t.Helper()
	h := &history{t: t, store: &memStore{}, heads: map[string]audit.Head{}, now: start()}
	h.signer = newSigner(t, 1)
	var err error
	h.sealer, err = audit.NewSealer(audit.SealerConfig{
		Store: h.store, Signer: h.signer, BatchSize: 7,
		Now: func() time.Time { h.now = h.now.Add(time.Second); return h.now },
	})
	require.NoError(t, err)
	return h
}

func newSigner(t testing.TB, seed byte) *audit.Signer {
	t.Helper()
	s, err := audit.NewSigner("audit.example.com", bytes.Repeat([]byte{seed}, audit.SeedSize))
	require.NoError(t, err)
	return s
}

// next makes the following record of stream without committing it.
func (h *history) next(stream string) audit.Record {
	h.t.Helper()
	head := h.heads[stream]
	body, err := audit.Event{
		At: start().Add(time.Duration(head.Seq) * time.Minute), Actor: audit.Actor{Kind: audit.ActorEngine},
		Action: "step.finished", Subject: audit.Subject{CaseID: "c1"},
		Details: map[string]string{"number": strconv.FormatInt(head.Seq+1, 10), "note": `quote " and <tag> ü`},
	}.Body()
	require.NoError(h.t, err)
	r := audit.Next(head, stream, body)
	h.heads[stream] = r.Head()
	return r
}

func (h *history) add(stream string, n int) {
	h.t.Helper()
	for range n {
		h.store.commit(h.next(stream))
	}
}

func (h *history) seal() {
	h.t.Helper()
	_, err := h.sealer.SealPending(h.t.Context())
	require.NoError(h.t, err)
}

func (h *history) export() []byte {
	h.t.Helper()
	var buf bytes.Buffer
	info := audit.ExportInfo{Origin: h.signer.Origin(), VerifierKey: h.signer.VerifierKey(), At: start().Add(time.Hour)}
	require.NoError(h.t, audit.Export(h.t.Context(), info, h.store, &buf))
	return buf.Bytes()
}

func (h *history) verify(file []byte, since *audit.Checkpoint) audit.Report {
	h.t.Helper()
	report, err := audit.Verify(bytes.NewReader(file), h.signer.VerifierKey(), since)
	require.NoError(h.t, err)
	return report
}

// latest returns the newest checkpoint, as an auditor would keep it.
func (h *history) latest() *audit.Checkpoint {
	h.t.Helper()
	c, err := audit.OpenCheckpoint(h.store.checkpoints[len(h.store.checkpoints)-1], h.signer.VerifierKey())
	require.NoError(h.t, err)
	return &c
}

// sample is a small history with three streams, two rounds of sealing and two records that are not sealed.
func sample(t testing.TB) *history {
	t.Helper()
	h := newHistory(t)
	h.add("case/c1", 6)
	h.add("connection/n1", 4)
	h.seal()
	h.add("case/c1", 3)
	h.add(audit.SystemStream, 2)
	h.seal()
	h.add("case/c1", 1)
	h.add("person/p1", 1)
	return h
}

func splitLines(file []byte) []string {
	return strings.SplitAfter(strings.TrimSuffix(string(file), "\n"), "\n")
}

func joinLines(lines []string) []byte {
	for i, l := range lines {
		lines[i] = strings.TrimSuffix(l, "\n")
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}

func kinds(r audit.Report) []audit.ProblemKind {
	var out []audit.ProblemKind
	for _, p := range r.Problems {
		out = append(out, p.Kind)
	}
	return out
}
