package audit_test

import (
	"bytes"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"sendoff/internal/audit"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	h := sample(t)
	file := h.export()

	t.Run("counts what an honest file holds", func(t *testing.T) {
		t.Parallel()
		report := h.verify(file, nil)
		require.Empty(t, report.Problems)
		require.True(t, report.OK())
		require.Equal(t, "audit.example.com", report.Origin)
		require.Equal(t, int64(17), report.Records)
		require.Equal(t, int64(15), report.Sealed)
		require.Equal(t, int64(2), report.Unsealed)
		require.Equal(t, 4, report.Streams)
		require.Equal(t, int64(3), report.Checkpoints)
		require.Equal(t, h.latest(), report.Latest)
		again, err := audit.OpenCheckpoint([]byte(report.LatestNote), h.signer.VerifierKey())
		require.NoError(t, err)
		require.Equal(t, *report.Latest, again)
	})

	t.Run("a file in which the key signed nothing proves nothing", func(t *testing.T) {
		t.Parallel()
		h := newHistory(t)
		empty := h.export()
		h.add("case/c1", 3)
		unsigned := h.export()
		for says, file := range map[string][]byte{
			"nothing to verify: no record and no checkpoint": empty,
			"nothing shows that its 3 records":               unsigned,
		} {
			report := h.verify(file, nil)
			require.False(t, report.OK(), says)
			require.Equal(t, []audit.ProblemKind{audit.ProblemUnproven}, kinds(report), "%v", report.Problems)
			require.Contains(t, report.Problems[0].Text, says)
		}
	})

	t.Run("an emptied log does not verify, with or without a checkpoint kept from earlier", func(t *testing.T) {
		t.Parallel()
		emptied := newHistory(t).export() // the header and an end line that fits, as anybody can write them
		require.Equal(t, []audit.ProblemKind{audit.ProblemUnproven}, kinds(h.verify(emptied, nil)))
		require.Equal(t, []audit.ProblemKind{audit.ProblemUnproven, audit.ProblemSince}, kinds(h.verify(emptied, h.latest())))
	})

	t.Run("notices any changed byte", func(t *testing.T) {
		t.Parallel()
		tiny := newHistory(t)
		tiny.add("case/c1", 1)
		tiny.seal()
		tiny.add("case/c1", 1)
		file := tiny.export()
		for i := range file {
			bad := slices.Clone(file)
			bad[i] ^= 0x20 // also turns capitals into small letters, which JSON decoders forgive
			require.False(t, tiny.verify(bad, nil).OK(), "byte %d, %q", i, file[max(0, i-20):min(len(file), i+20)])
		}
	})

	t.Run("notices a missing, doubled or swapped line, wherever it stood", func(t *testing.T) {
		t.Parallel()
		lines := splitLines(file)
		for i := range lines {
			require.False(t, h.verify(joinLines(slices.Delete(slices.Clone(lines), i, i+1)), nil).OK(), "without line %d", i+1)
			require.False(t, h.verify(joinLines(slices.Insert(slices.Clone(lines), i, lines[i])), nil).OK(), "line %d twice", i+1)
			if i > 0 {
				swapped := slices.Clone(lines)
				swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
				require.False(t, h.verify(joinLines(swapped), nil).OK(), "lines %d and %d swapped", i, i+1)
			}
		}
	})

	t.Run("notices a cut at any place", func(t *testing.T) {
		t.Parallel()
		for n := 0; n < len(file); n += 11 {
			require.False(t, h.verify(file[:n], nil).OK(), "cut to %d bytes", n)
		}
	})

	t.Run("says that the file cannot be read", func(t *testing.T) {
		t.Parallel()
		_, err := audit.Verify(io.MultiReader(bytes.NewReader(file[:100]), iotest.ErrReader(io.ErrClosedPipe)), h.signer.VerifierKey(), nil)
		require.ErrorIs(t, err, io.ErrClosedPipe)
		_, err = audit.Verify(bytes.NewReader(file), "nonsense", nil)
		require.ErrorContains(t, err, "verifier key")
		_, err = audit.Verify(strings.NewReader(strings.Repeat("x", 17<<20)), h.signer.VerifierKey(), nil)
		require.ErrorContains(t, err, "no audit export")
	})
}

// TestVerifyForgery takes away the file's own digest: the forger writes a fresh end line, as anybody can.
func TestVerifyForgery(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		forge func(*history)
		want  []audit.ProblemKind
	}{
		"body changed": {
			func(h *history) { h.store.records[2].Body = []byte(`{"v":1}`) },
			[]audit.ProblemKind{audit.ProblemRecord},
		},
		"body changed and record hashed again": {
			func(h *history) {
				h.store.records[2].Body = []byte(`{"v":1}`)
				h.store.records[2].Hash = h.store.records[2].ComputeHash()
			},
			[]audit.ProblemKind{audit.ProblemChain, audit.ProblemCheckpoint},
		},
		"whole stream hashed again": {
			func(h *history) { rehash(h, "connection/n1", 0) },
			[]audit.ProblemKind{audit.ProblemCheckpoint},
		},
		"row dropped with its leaf": {
			func(h *history) { h.store.leaves = slices.Delete(h.store.leaves, 4, 5) },
			[]audit.ProblemKind{audit.ProblemLeaf, audit.ProblemChain, audit.ProblemCheckpoint, audit.ProblemChain},
		},
		"unsealed row dropped in front of another": {
			func(h *history) {
				h.add("person/p1", 1)
				h.store.records = slices.DeleteFunc(h.store.records, func(r audit.Record) bool { return r.Stream == "person/p1" && r.Seq == 1 })
			},
			[]audit.ProblemKind{audit.ProblemChain},
		},
		"leaves swapped and numbered again": {
			func(h *history) {
				l := h.store.leaves
				l[1], l[7] = l[7], l[1]
				l[1].Index, l[7].Index = 1, 7
			},
			[]audit.ProblemKind{audit.ProblemChain, audit.ProblemChain, audit.ProblemChain, audit.ProblemCheckpoint},
		},
		"leaf added without a checkpoint": {
			func(h *history) {
				r := h.store.unsealed()[0]
				h.store.leaves = append(h.store.leaves, audit.Leaf{Index: int64(len(h.store.leaves)), Stream: r.Stream, Seq: r.Seq, Hash: r.Hash})
			},
			[]audit.ProblemKind{audit.ProblemLeaf},
		},
		"last checkpoint dropped": {
			func(h *history) { h.store.checkpoints, h.store.sizes = h.store.checkpoints[:2], h.store.sizes[:2] },
			[]audit.ProblemKind{audit.ProblemLeaf},
		},
		"checkpoint by another key": {
			func(h *history) {
				signed, err := newSigner(h.t, 2).Sign(*h.latest())
				require.NoError(h.t, err)
				h.store.checkpoints[2] = signed
			},
			[]audit.ProblemKind{audit.ProblemCheckpoint, audit.ProblemLeaf},
		},
		"tail cut with its leaves, checkpoints kept": {
			func(h *history) { h.store.leaves = h.store.leaves[:12] },
			[]audit.ProblemKind{audit.ProblemCheckpoint},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := sample(t)
			c.forge(h)
			report := h.verify(h.export(), nil)
			require.Equal(t, c.want, kinds(report)[:min(len(c.want), len(report.Problems))], "%v", report.Problems)
			require.NotContains(t, kinds(report), audit.ProblemFile, "the forged file must be whole")
		})
	}
}

// rehash changes record i of stream and gives it and every later one of the stream new, fitting hashes.
func rehash(h *history, stream string, i int) {
	head, n := audit.Head{}, 0
	for at, r := range h.store.records {
		if r.Stream != stream {
			continue
		}
		body := r.Body
		if n == i {
			body = []byte(`{"v":1,"forged":true}`)
		}
		h.store.records[at] = audit.Next(head, stream, body)
		head = h.store.records[at].Head()
		n++
	}
}

func TestVerifySince(t *testing.T) {
	t.Parallel()

	t.Run("accepts every checkpoint of its own past", func(t *testing.T) {
		t.Parallel()
		h := sample(t)
		file := h.export()
		for _, signed := range h.store.checkpoints {
			c, err := audit.OpenCheckpoint(signed, h.signer.VerifierKey())
			require.NoError(t, err)
			require.Empty(t, h.verify(file, &c).Problems)
		}
	})

	t.Run("notices a tail that was cut cleanly", func(t *testing.T) {
		t.Parallel()
		h := sample(t)
		kept := h.latest()
		s := h.store
		s.leaves, s.checkpoints, s.sizes = s.leaves[:10], s.checkpoints[:2], s.sizes[:2]
		s.records = s.records[:10]
		file := h.export()
		require.Empty(t, h.verify(file, nil).Problems, "alone, a shorter honest history cannot be told from the whole one")
		report := h.verify(file, kept)
		require.Equal(t, []audit.ProblemKind{audit.ProblemSince}, kinds(report))
		require.Contains(t, report.Problems[0].String(), "ends at 10 leaves, the checkpoint you hold has 15")
	})

	t.Run("notices a history written anew by the owner of the key", func(t *testing.T) {
		t.Parallel()
		kept := sample(t).latest()
		h := newHistory(t)
		h.add("case/other", 20)
		h.seal()
		file := h.export()
		require.Empty(t, h.verify(file, nil).Problems)
		require.Equal(t, []audit.ProblemKind{audit.ProblemSince}, kinds(h.verify(file, kept)))
	})

	t.Run("refuses a checkpoint of another log and one of nothing", func(t *testing.T) {
		t.Parallel()
		h := sample(t)
		other := *h.latest()
		other.Origin = "elsewhere.example.com"
		require.Contains(t, kinds(h.verify(h.export(), &other)), audit.ProblemSince)
		require.Contains(t, kinds(h.verify(h.export(), &audit.Checkpoint{Origin: h.signer.Origin()})), audit.ProblemSince)
	})
}

func TestVerifyAnyHistory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(t)
		for range rapid.IntRange(1, 5).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 6).Draw(rt, "records") {
				h.add(rapid.SampledFrom([]string{"case/a", "case/b", "policy/x", "system"}).Draw(rt, "stream"), 1)
			}
			if rapid.Bool().Draw(rt, "seal") {
				h.seal()
			}
		}
		file := h.export()
		report := h.verify(file, nil)
		if len(h.store.checkpoints) == 0 {
			require.Equal(rt, []audit.ProblemKind{audit.ProblemUnproven}, kinds(report))
		} else {
			require.Empty(rt, report.Problems)
		}
		require.Equal(rt, int64(len(h.store.records)), report.Records)
		require.Equal(rt, int64(len(h.store.leaves)), report.Sealed)

		bad := slices.Clone(file)
		at := rapid.IntRange(0, len(file)-1).Draw(rt, "at")
		bad[at] ^= rapid.Byte().Filter(func(b byte) bool { return b != 0 }).Draw(rt, "flip")
		require.False(rt, h.verify(bad, nil).OK())
	})
}

func TestVerifyListsABoundedNumberOfProblems(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	report := h.verify(bytes.Repeat([]byte("{}\n"), 5000), nil)
	require.Len(t, report.Problems, 1000)
	require.Greater(t, report.ProblemCount, int64(5000))
}

// TestVerifyIsStreaming verifies a file made on the fly: 20,000 records, about 10 MB, in one stream.
func TestVerifyIsStreaming(t *testing.T) { // not parallel: it looks at the heap
	const records = 20_000
	src := &generated{signer: newSigner(t, 1), records: records}
	pr, pw := io.Pipe()
	go func() {
		info := audit.ExportInfo{Origin: src.signer.Origin(), VerifierKey: src.signer.VerifierKey(), At: start()}
		pw.CloseWithError(audit.Export(t.Context(), info, src, pw))
	}()
	before := heapBytes()
	in := &probe{in: pr, at: 8 << 20}
	report, err := audit.Verify(in, src.signer.VerifierKey(), nil)
	require.NoError(t, err)
	require.Empty(t, report.Problems)
	require.Equal(t, int64(records), report.Records)
	require.NotZero(t, in.heap, "the file was too short to tell anything")
	require.Less(t, in.heap, before+3<<20, "memory must not grow with the file")
}

// probe notes the size of the heap when at bytes were read through it.
type probe struct {
	in   io.Reader
	at   int
	heap uint64
}

func (p *probe) Read(b []byte) (int, error) {
	n, err := p.in.Read(b)
	if p.at -= n; p.at <= 0 && p.heap == 0 {
		p.heap = heapBytes()
	}
	return n, err
}

func heapBytes() uint64 {
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	return mem.HeapAlloc
}

func FuzzVerify(f *testing.F) {
	h := sample(f)
	file := h.export()
	key := h.signer.VerifierKey()
	f.Add(file)
	f.Add(file[:len(file)/2])
	f.Add([]byte("{}\n"))
	f.Add([]byte(`{"type":"record","leaf":9223372036854775807,"stream":"system","seq":1}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		report, err := audit.Verify(bytes.NewReader(data), key, nil)
		// Only the key's owner can make a log that verifies, and the one we know is this file.
		if err == nil && report.OK() && !bytes.Equal(data, file) {
			require.Equal(t, h.latest().Root, report.Latest.Root, "a forged log was accepted")
		}
	})
}
