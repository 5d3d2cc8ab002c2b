package chaos_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// pair is two values of two factors that a run shows together.
type pair struct {
	i, j int
	a, b string
}

// universe is every pair that some run can show.
func universe() map[pair]bool {
	all := map[pair]bool{}
	f := factors()
	for i := range f {
		for j := i + 1; j < len(f); j++ {
			for _, a := range f[i] {
				for _, b := range f[j] {
					if possible(a, b, i, j) {
						all[pair{i, j, a, b}] = true
					}
				}
			}
		}
	}
	return all
}

// pairs are the pairs that a recipe shows.
func (r recipe) pairs() []pair {
	var out []pair
	for i := range r {
		for j := i + 1; j < len(r); j++ {
			out = append(out, pair{i, j, r[i], r[j]})
		}
	}
	return out
}

// cover makes recipes, wave by wave, until most are made or every pair is
// covered. All recipes of a wave have one victim. The same seed makes the same.
func cover(seed uint64, most int) [][]recipe {
	rng := rand.New(rand.NewPCG(seed, 0xc4a05))
	open := universe()
	var waves [][]recipe
	for made := 0; made < most && len(open) > 0; {
		victim := victims()[(len(waves)+1)%len(victims())]
		var wave []recipe
		for len(wave) < perWave && made < most {
			r := best(rng, open, victim, wave)
			for _, p := range r.pairs() {
				delete(open, p)
			}
			wave = append(wave, r)
			made++
		}
		waves = append(waves, wave)
	}
	return waves
}

// tries is how many candidates compete for each row.
const tries = 40

// best is the candidate that covers most of what is open.
func best(rng *rand.Rand, open map[pair]bool, victim string, wave []recipe) recipe {
	var chosen recipe
	most := -1
	for try := 0; try < tries || most < 0; try++ {
		r := candidate(rng, open, victim)
		if n := gain(r, open); n > most && r.sensible() && fits(r, wave) {
			chosen, most = r, n
		}
	}
	return chosen
}

// mostDispatching is how many leavers of a wave may be held while the outbox is
// dispatched: the server dispatches four rows at once, and the last one is
// needed for the others.
const mostDispatching = 3

func fits(r recipe, wave []recipe) bool {
	held := func(r recipe) bool { return r.point() == beforeDispatch || r.point() == afterDispatch }
	n := 0
	for _, other := range wave {
		if held(other) {
			n++
		}
	}
	return !held(r) || n < mostDispatching
}

// candidate fixes the victim and then, in random order, gives each factor the
// value that covers most with those that are fixed.
func candidate(rng *rand.Rand, open map[pair]bool, victim string) recipe {
	var r recipe
	r[victimFactor] = victim
	f := factors()
	for _, i := range rng.Perm(len(f)) {
		if i == victimFactor {
			continue
		}
		most := -1
		for _, v := range rng.Perm(len(f[i])) {
			next := r
			next[i] = f[i][v]
			if n := gain(next, open); n > most {
				r[i], most = next[i], n
			}
		}
	}
	return r
}

// gain counts the open pairs of a recipe, and -1 for one that cannot be.
func gain(r recipe, open map[pair]bool) int {
	n := 0
	for _, p := range r.pairs() {
		switch {
		case p.a == "" || p.b == "":
		case !possible(p.a, p.b, p.i, p.j):
			return -2
		case open[p]:
			n++
		}
	}
	return n
}

func TestCoverIsDeterministicAndCovers(t *testing.T) {
	t.Parallel()
	require.Equal(t, cover(7, 60), cover(7, 60))
	require.NotEqual(t, cover(7, 60), cover(8, 60))
	open := universe()
	all := 0
	for _, wave := range cover(7, 2000) {
		for _, r := range wave {
			require.True(t, r.sensible(), r.String())
			require.Equal(t, wave[0].victim(), r.victim())
			all++
			for _, p := range r.pairs() {
				delete(open, p)
			}
		}
	}
	require.Empty(t, open, "a covering array covers every pair")
	require.Less(t, all, 2000)
	t.Logf("%d runs cover %d pairs", all, len(universe()))
}
