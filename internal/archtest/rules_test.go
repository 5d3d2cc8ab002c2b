package archtest_test

// Paths are relative to the module. "x/..." is x and everything below it, "*" is one path element, "*sim" one that
// ends in sim. The first row that matches a package is its rule, so the special stands above the general.

// arrow says which packages of this module a package may import.
type arrow struct {
	from    string
	may     []string
	because string
}

// arrows is the drawing of the house. A package that matches no row fails the test: draw it first.
func arrows() []arrow {
	return []arrow{
		{"schema", nil, "the words everything else is said in depend on nothing"},

		{"connectors", []string{"schema"}, "capabilities are said in the words of schema"},
		{"connectors/all", []string{"connectors", "connectors/*", "schema"}, "the list of vendors is the one place that names them"},
		{"connectors/simkit", nil, "plumbing of the simulators: knowing our types, it could only agree with us"},
		{"connectors/*/*sim", []string{"connectors/simkit"}, "a simulator that shared a type with the client would share its mistakes"},
		{"connectors/httpx", []string{"connectors", "schema"}, "turns responses into connector errors"},
		{"connectors/rate", []string{"connectors", "schema"}, "shares a vendor's rate between workers"},
		{"connectors/conformance", []string{"connectors", "schema"}, "judges connectors through what they all are, and knows none of them"},
		{"connectors/*", []string{"connectors", "connectors/httpx", "connectors/rate", "schema"}, "a vendor is one folder that knows no other vendor and nothing of the engine"},

		{"workflows", []string{"activities", "schema"}, "what happens over time reaches the world through activities alone"},
		{"activities", []string{"connectors", "internal/accessreview", "internal/campaign", "internal/inactivity", "internal/reviewer", "internal/notices", "internal/policy", "schema"}, "touches the world through ports and capabilities, never through one vendor or the store"},

		{"internal/policy", []string{"schema"}, "pure rules"},
		{"internal/secret", []string{"schema"}, "pure cryptography"},
		{"internal/audit", []string{"schema"}, "pure; its storage is a port"},
		{"internal/intake", []string{"schema"}, "reads what people write: durations, instants, addresses, CSV"},
		{"internal/roster", []string{"internal/intake", "schema"}, "reads rosters into the words of schema; pure"},
		{"internal/config", []string{"schema", "internal/intake"}, "reads settings, builds nothing"},
		{"internal/yamlfile", []string{"internal/intake", "schema"}, "walks YAML files strictly and says where what is wrong; knows no kind of file"},
		{"internal/yamlfile/yamltest", []string{"internal/yamlfile", "schema"}, "holds readers of files, their schemas and their pages to the same words, for tests"},
		{"internal/match", []string{"internal/yamlfile", "schema"}, "what policies ask of accounts, in CEL, and how files say it; pure"},
		{"internal/inactivity", []string{"internal/intake", "internal/match", "internal/template", "internal/yamlfile", "schema"}, "reads policies, judges accounts by them and replays them; pure"},
		{"internal/accessreview", []string{"internal/intake", "internal/match", "internal/template", "internal/yamlfile", "schema"}, "reads access reviews and says what they take; pure"},
		{"internal/reviewer", []string{"schema"}, "finds who decides about what, and when they work; pure"},
		{"internal/campaign", []string{"internal/accessreview", "schema"}, "judges items: risk, recommendation, what a revocation does; pure"},
		{"internal/evidence", []string{"schema"}, "writes and reads the evidence of campaigns; pure"},
		{"internal/template", []string{"internal/intake", "internal/yamlfile", "schema"}, "reads files into the words of schema; pure"},
		{"internal/scim", []string{"internal/intake", "schema"}, "speaks SCIM over a port; what leaving means is for others"},
		{"internal/scim/scimtest", []string{"internal/scim", "schema"}, "a store in memory, and the contract that every store of SCIM keeps, for tests"},
		{"internal/hooks", []string{"internal/intake", "internal/roster", "schema"}, "proves and reads webhooks; pure"},
		{"internal/notices", []string{"internal/intake", "internal/yamlfile", "schema"}, "reads the rules of notices and writes their texts; pure"},
		{"internal/notify/slacksim", []string{"connectors/simkit"}, "as the vendors' simulators"},
		{"internal/notify", []string{"schema"}, "sends notices; what they say and when is for others"},
		{"internal/store", []string{"internal/audit", "internal/scim", "schema"}, "exception: scim's port has a type of its own, a write with what it changes and tells; the only package that speaks SQL"},
		{"internal/telemetry", []string{"connectors", "schema"}, "measures through the ports that others declare"},
		{"internal/temporalx", []string{"schema", "internal/secret"}, "exception: client options carry the payload codec, which secret owns"},
		{"internal/local", []string{"schema", "internal/secret"}, "exception: the local stack's client carries the same payload codec"},
		{"internal/local/localtest", []string{"internal/local", "internal/secret", "schema"}, "the local stack for tests"},

		{"internal/web", []string{"workflows", "internal/hooks", "internal/notices", "internal/scim", "internal/policy", "internal/intake", "internal/roster", "internal/template", "internal/inactivity", "internal/accessreview", "internal/evidence", "schema"}, "declares the ports it needs"},
		{"internal/web/webtest", []string{"internal/web", "schema"}, "fakes of web's ports, for tests"},
		{"internal/apiclient", []string{"schema", "internal/intake"}, "speaks to the server's API and to nothing else"},
		{"internal/cli", []string{"internal/apiclient", "internal/app", "internal/config", "internal/intake", "internal/audit", "internal/template", "internal/notices", "internal/inactivity", "internal/accessreview", "internal/campaign", "internal/evidence", "internal/hooks", "internal/demo", "internal/notify/slacksim", "connectors/*/*sim", "schema"}, "exceptions: audit verifies and template lints a file offline, inactivity judges by files, accessreview lints one and evidence is verified offline, campaign says why it recommends what, the demo is a command, the simulators are what `sim` serves"},
		{"internal/demo", nil, "types commands as a person would; knowing our types, it could not judge them"},
		{"internal/app", []string{"schema", "connectors/...", "workflows", "activities", "internal/..."}, "builds everything from config, so it may know everything"},
		{"cmd/sendoff", []string{"internal/cli"}, "one binary of a few lines"},

		{"internal/archtest", nil, "holds tests only"},
		{"deploy", nil, "holds tests only"},
		{"e2e/...", []string{"..."}, "everything wired, as a user has it"},
	}
}

// keep says that only some packages may import another.
type keep struct {
	target  string
	only    []string
	because string
}

func keeps() []keep {
	return []keep{
		{"internal/store", []string{"internal/app", "internal/store/..."}, "every other package names the port it needs"},
		{"connectors/all", []string{"internal/app"}, "vendors are chosen in one place"},
		{"internal/secret", []string{"internal/app", "internal/temporalx", "internal/local/..."}, "keys have one owner; the exceptions carry the payload codec"},
		{"internal/yamlfile/yamltest", nil, "it is for tests"},
		{"internal/local", []string{"internal/app", "internal/local/..."}, "a started database is for `up` and for tests"},
		{"connectors/*/*sim", []string{"internal/app", "internal/cli"}, "a simulator is for `sim`, `demo` and for tests"},
		{"connectors/conformance", nil, "a suite is for tests"},
	}
}

// testArrows lists what the tests of a package may import besides what the package may.
func testArrows() []arrow {
	return []arrow{
		{"schema", nil, "the words need no helpers"},
		{"connectors/simkit", nil, "as the simulators"},
		{"connectors/*/*sim", nil, "a simulator's test must not know the client either; it reads the vendor's documents"},
		{"connectors/all", []string{"connectors/...", "schema"}, "walks all folders"},
		{"connectors/conformance", []string{"connectors/httpx"}, "its demonstration connector is built as a vendor's is"},
		{"connectors/*", []string{"connectors/conformance", "connectors/simkit", "connectors/*/*sim"}, "a vendor's connector runs the suite over its simulator"},
		{"internal/notify", []string{"connectors/simkit", "internal/notify/slacksim", "internal/notices"}, "sends real texts to a simulated Slack and a mail server"},
		{"internal/inactivity", []string{"internal/notices", "internal/yamlfile/yamltest"}, "a policy's question must be one that can be written"},
		{"internal/app", []string{"..."}, "starts everything"},
		{"internal/apiclient", []string{"internal/web", "internal/web/webtest"}, "its types must read all that the server says"},
		{"internal/store", []string{"activities", "connectors", "connectors/rate", "internal/campaign", "internal/policy", "internal/reviewer", "internal/web", "internal/secret", "internal/local/localtest", "internal/scim/scimtest"}, "proves that it satisfies the ports declared there, with real keys; and what it does with the product's own judges of leavers and of items"},
		{"internal/cli", []string{"..."}, "runs commands against everything"},
		{"cmd/...", []string{"..."}, "runs the binary"},
		{"deploy", []string{"internal/config"}, "the settings in the compose file must be ones the program accepts"},
		{"e2e/...", []string{"..."}, "everything wired"},
		{"activities", []string{"connectors/...", "internal/store/...", "internal/audit", "internal/local/localtest"}, "run against the simulators and a real database"},
		{"workflows", []string{"internal/temporalx", "internal/secret", "internal/local/localtest"}, "replays decode with the product's codec"},
		{"...", []string{"connectors/simkit", "connectors/*/*sim", "internal/local/localtest", "internal/web/webtest", "internal/scim/scimtest", "internal/yamlfile/yamltest"}, "what runs for real is not mocked"},
	}
}

// closure says what a package must not contain however indirectly, tests aside. Packages outside this module are
// named by their import paths; with ours set, only imports made by this module's own packages count.
type closure struct {
	from    string
	never   []string
	ours    bool
	because string
}

func closures() []closure {
	return []closure{
		{"workflows", []string{"github.com/jackc/pgx/...", "database/sql", "sendoff/internal/store", "sendoff/connectors/*", "sendoff/internal/web"}, false, "replay must not depend on a database or a vendor"},
		{"cmd/sendoff", []string{"github.com/getkin/kin-openapi/...", "pgregory.net/rapid", "go.uber.org/goleak"}, false, "test libraries have no place in the binary"},
		{"cmd/sendoff", []string{"github.com/stretchr/testify/...", "testing"}, true, "as above; Temporal's SDK itself names testify in its test suite, which the linker drops"},
		{"internal/policy", []string{"net/http", "os/exec", "database/sql", "github.com/jackc/pgx/..."}, false, "rules are pure"},
		{"internal/audit", []string{"net/http", "database/sql", "github.com/jackc/pgx/..."}, false, "a verifier must work offline and is short enough to read"},
	}
}

// standardOnly are packages that import nothing but the standard library and what their arrow allows.
func standardOnly() []string {
	return []string{"schema", "connectors/simkit", "connectors/*/*sim"}
}
