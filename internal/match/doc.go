// Package match compiles what policies ask of accounts, in CEL
// (https://github.com/google/cel-spec): typed, checked when it is read, and
// bounded in what it costs.
//
// What is not known has no value. Reading it is an error, an error is never a
// match, and CEL lets no condition beside it turn that into one: `error && x` and
// `error || x` are an error, unless x alone decides. So `person.department !=
// "Sales"` does not match an account whose holder's department nobody said, and
// neither does its opposite. has(person.department) asks whether it is known;
// account.created_known, activity.used, person.known and person.has_last_day ask
// the same in words. Beside what can be unknown by nature, an empty text is not
// known: a vendor that gives no name has not said that the name is "". The one
// text that may be empty is person.employment: no source tells of an employment.
package match
