package cli

type policyCommands struct {
	Lint    lintPoliciesCommand  `cmd:"" help:"Check files of policies. Needs no server."`
	Schema  policySchemaCommand  `cmd:"" help:"Print the JSON Schema of policies, for editors."`
	Test    testPoliciesCommand  `cmd:"" help:"Run the tests of a directory of policies. Needs no server."`
	Plan    planPolicyCommand    `cmd:"" help:"Show what a policy or a file would do now. Starts nothing."`
	Apply   applyPoliciesCommand `cmd:"" help:"Make what files say so: all of them or none."`
	List    listPoliciesCommand  `cmd:"" help:"List policies."`
	Show    showPolicyCommand    `cmd:"" help:"Show a policy, or print its file."`
	Pause   pausePolicyCommand   `cmd:"" help:"Let a policy make no more runs by its schedule."`
	Resume  resumePolicyCommand  `cmd:"" help:"Let a paused policy make runs again."`
	History policyHistoryCommand `cmd:"" help:"List the versions of a policy, and what each changed."`
	Explain explainPolicyCommand `cmd:"" help:"Say why a policy takes an account or leaves it."`
	Replay  replayPolicyCommand  `cmd:"" help:"Run a policy or a file over the past: whom it would have taken, and who came back."`
	Begin   runPolicyCommand     `cmd:"" name:"run" help:"Ask for a review run now."`
	Reviews reviewCommands       `cmd:"" help:"Look at review runs, and decide them."`
}
