// Package boxsim is a stateful simulator of the parts of Box that offboarding
// touches: accounts, content trees, collaborations, groups, tokens and above
// all the transfer of owned content, with its lost answers and long jobs.
//
// It is written from Box's documentation and shares no code with any client,
// so that a client's misreading of Box cannot hide in its own simulator. Where
// Box's behaviour is undocumented, a field of Switches chooses it.
//
// No goroutine moves the simulated world: every call first advances it to the
// present instant, so one seed and one order of calls give one outcome.
package boxsim
