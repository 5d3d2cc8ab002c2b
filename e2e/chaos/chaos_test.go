package chaos_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// How much chaos there is, and which.
const (
	envSeed   = "CHAOS_SEED" // another array
	envRun    = "CHAOS_RUN"  // this one run alone
	envAmount = "CHAOS"      // "long": until every pair is covered

	defaultSeed = 1
	shortRuns   = 60
	longRuns    = 2000 // more than any array needs
)

// TestChaos kills each process of the product, at each point of a leaver's way,
// while the vendor fails in each of its ways, so that pairs of these meet. Every
// leaver ends right, and no promise is broken on the way.
func TestChaos(t *testing.T) {
	t.Parallel()
	seed, waves := program(t)
	var mu sync.Mutex
	covered, runs, missed, unhit := map[pair]bool{}, 0, 0, 0
	t.Run("waves", func(t *testing.T) {
		first := 0
		for i, recipes := range waves {
			numbers := numbered(first, recipes)
			first += len(recipes)
			if len(numbers) == 0 {
				continue
			}
			t.Run(fmt.Sprintf("%02d-%s", i, recipes[0].victim()), func(t *testing.T) {
				t.Parallel()
				w := newWave(t, recipes[0].victim())
				for _, run := range slices.Sorted(keys(numbers)) {
					w.hire(run, numbers[run])
				}
				w.play()
				mu.Lock()
				for _, l := range w.leavers {
					runs++
					if !l.wasHeld() {
						missed++
						t.Logf("run %d did not come to its point: %s", l.run, l.recipe)
					}
					if !w.hit(l) {
						unhit++
						t.Logf("run %d was not hit by its fault: %s", l.run, l.recipe)
					}
					for _, p := range w.shown(l) {
						covered[p] = true
					}
				}
				mu.Unlock()
				w.check()
			})
		}
	})
	fmt.Printf("chaos: seed %d, runs %d, pairs covered %d of %d\n", seed, runs, len(covered), len(universe())) //nolint:forbidigo // the result of the run
	require.LessOrEqual(t, missed*10, runs, "runs that did not come to their points: is a hook gone?")
	require.LessOrEqual(t, unhit*10, runs, "runs whose fault hit nothing: has an operation another name?")
}

// program is the seed and the waves to play.
func program(t *testing.T) (uint64, [][]recipe) {
	t.Helper()
	seed, runs := uint64(defaultSeed), shortRuns
	if text := os.Getenv(envSeed); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, envSeed)
		seed = n
	}
	if os.Getenv(envAmount) == "long" {
		runs = longRuns
	}
	return seed, cover(seed, runs)
}

// numbered are the recipes to play of a wave, by the number of their run: all,
// or the one that was asked for.
func numbered(first int, recipes []recipe) map[int]recipe {
	out := map[int]recipe{}
	only := os.Getenv(envRun)
	for i, r := range recipes {
		if only == "" || only == strconv.Itoa(first+i) {
			out[first+i] = r
		}
	}
	return out
}

func keys(m map[int]recipe) func(func(int) bool) {
	return func(yield func(int) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// command is what repeats one run alone.
func command(run int) string {
	seed := os.Getenv(envSeed)
	if seed == "" {
		seed = strconv.Itoa(defaultSeed)
	}
	amount := ""
	if run >= shortRuns {
		amount = envAmount + "=long "
	}
	return fmt.Sprintf("%s%s=%s %s=%d go test -count=1 -v -run TestChaos ./e2e/chaos", amount, envSeed, seed, envRun, run)
}
