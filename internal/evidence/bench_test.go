package evidence_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/internal/evidence"
	"sendoff/schema"
)

// many is evidence of so many items.
func many(n int) schema.CampaignEvidence {
	e := rich()
	model := e.Items[0]
	e.Items = make([]schema.EvidenceItem, n)
	for i := range e.Items {
		e.Items[i] = model
		e.Items[i].ID = schema.ItemID(uuid(3, i))
	}
	return e
}

// Only one item at a time is in memory besides the evidence itself: a hundred times
// the items make no more garbage that stays.
func TestMemoryIsBounded(t *testing.T) { // alone: it looks at the heap of the process
	e := many(2000)
	for name, write := range formats() {
		high := &peak{}
		require.NoError(t, write(high, e))
		require.Less(t, high.most, uint64(4<<20), "%s holds %d bytes at most", name, high.most)
	}
}

// peak is a writer that looks how much the heap has grown, now and then.
type peak struct {
	writes      int
	first, most uint64
}

func (p *peak) Write(b []byte) (int, error) {
	if p.writes++; p.writes%20 == 1 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if p.first == 0 {
			p.first = m.HeapAlloc
		}
		if m.HeapAlloc > p.first {
			p.most = max(p.most, m.HeapAlloc-p.first)
		}
	}
	return len(b), nil
}

func BenchmarkWrite(b *testing.B) {
	e := many(20000)
	for _, name := range []string{"evidence.json", "evidence.csv", "evidence.html"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n := &counted{}
				require.NoError(b, formats()[name](n, e))
				b.ReportMetric(float64(n.n)/1e6, "MB")
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	text := written(b, evidence.JSON, many(20000))
	b.ReportAllocs()
	for b.Loop() {
		_, err := evidence.Read(strings.NewReader(text))
		require.NoError(b, err)
	}
}

type counted struct{ n int }

func (c *counted) Write(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}
