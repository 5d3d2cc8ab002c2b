// Command bench measures what the product promises about speed and appetite: its
// own server and worker as processes, real Postgres, real Temporal, and a
// simulated vendor with the real rate limit. Each figure stands beside a baseline
// of the same run; docs/benchmarks.md says what each means.
package main
