package conformance

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Result is what became of one subtest. A subtest with subtests is no result of
// its own unless it failed itself.
type Result struct {
	Name    string // without the name of the suite, e.g. "delete/empty"
	Failed  bool
	Skipped bool
	Said    []string // its log, failures included
}

// Judge runs the suite as Run does and returns what became of each subtest, so
// that a connector can be watched failing. Only the subtests below the given
// names run; none are all.
func Judge(world func(T) World, only ...string) []Result {
	j := &judge{only: only}
	r := &recorder{judge: j}
	r.run(func(t T) { suite(t, world) })
	slices.SortFunc(j.results, func(a, b Result) int { return strings.Compare(a.Name, b.Name) })
	return j.results
}

type judge struct {
	only    []string
	mu      sync.Mutex
	results []Result
}

func (j *judge) wants(name string) bool {
	if len(j.only) == 0 {
		return true
	}
	for _, o := range j.only {
		if name == o || strings.HasPrefix(name, o+"/") || strings.HasPrefix(o, name+"/") {
			return true
		}
	}
	return false
}

// recorder is a T that keeps what happens.
type recorder struct {
	judge *judge
	name  string
	ctx   context.Context //nolint:containedctx // stands for the test's own
	end   context.CancelFunc

	mu       sync.Mutex
	result   Result
	cleanups []func()
	children []func()
}

func (r *recorder) Helper() {}

func (r *recorder) Name() string { return r.name }

func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) say(format string, args []any) {
	r.result.Said = append(r.result.Said, fmt.Sprintf(format, args...))
}

func (r *recorder) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.say(format, args)
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Failed = true
	r.say(format, args)
}

func (r *recorder) FailNow() {
	r.mu.Lock()
	r.result.Failed = true
	r.mu.Unlock()
	runtime.Goexit()
}

func (r *recorder) Skipf(format string, args ...any) {
	r.mu.Lock()
	r.result.Skipped = true
	r.say(format, args)
	r.mu.Unlock()
	runtime.Goexit()
}

func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

// Run keeps the subtest until its parent has returned, as a parallel one is.
func (r *recorder) Run(name string, f func(T)) {
	child := &recorder{judge: r.judge, name: strings.TrimPrefix(r.name+"/"+name, "/")}
	if !r.judge.wants(child.name) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.children = append(r.children, func() { child.run(f) })
}

// run runs a test, its subtests and its cleanups, and files its result.
func (r *recorder) run(f func(T)) {
	r.ctx, r.end = context.WithCancel(context.Background())
	r.guarded(func() { f(r) })
	for _, child := range r.children {
		child()
	}
	r.end()
	for len(r.cleanups) > 0 {
		last := r.cleanups[len(r.cleanups)-1]
		r.cleanups = r.cleanups[:len(r.cleanups)-1]
		r.guarded(last)
	}
	r.result.Name = r.name
	if len(r.children) > 0 && !r.result.Failed {
		return
	}
	r.judge.mu.Lock()
	defer r.judge.mu.Unlock()
	r.judge.results = append(r.judge.results, r.result)
}

// guarded runs f in a goroutine of its own, which FailNow ends; a panic fails
// the test.
func (r *recorder) guarded(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				r.Errorf("panic: %v", p)
			}
		}()
		f()
	}()
	<-done
}
