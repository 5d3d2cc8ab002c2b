package notices

import "sendoff/schema"

// BuiltinText is the text of an event of which the rules have none.
func BuiltinText(e schema.NoticeEvent) string {
	switch e {
	case schema.NoticePlanned:
		return "Offboarding of {{person}} is planned\n\n" + caseLines +
			"\nNothing has been changed yet. If this is wrong, tell HR or IT before it begins.\n"
	case schema.NoticeStarting:
		return "Offboarding of {{person}} begins\n\n" + caseLines +
			"\nThe accounts are suspended first. Until they are deleted, a cancel brings them back.\n"
	case schema.NoticeParked:
		return "Offboarding of {{person}} needs somebody\n\nWhat happened: {{cause}}\nWhat to do: {{fix}}\n\n" + caseLines
	case schema.NoticeDone:
		return "Offboarding of {{person}} is done\n\n" + caseLines + "Evidence: {{evidence}}\n"
	case schema.NoticeCancelled:
		return "Offboarding of {{person}} was cancelled\n\n" + caseLines + "Evidence: {{evidence}}\n" +
			"\nWhat could be given back was given back; the evidence says what could not.\n"
	case schema.NoticeMoved:
		return "Offboarding of {{person}} has another date\n\n" + caseLines
	}
	return otherText(e)
}

// parkedUnused is the text of a parked plan for an account that nobody uses: who
// holds it does not leave.
const parkedUnused = "The clean-up of an account of {{person}} needs somebody\n\nWhat happened: {{cause}}\nWhat to do: {{fix}}\n\n" +
	"Account of: {{person}}\nAccounts: {{accounts}}\nCase: {{case}}\n"

const caseLines = "Person: {{person}}\nBegins: {{moment}}\nAccounts: {{accounts}}\nTold by: {{source}}\nCase: {{case}}\n"

// otherText is BuiltinText of what is told outside of a case.
func otherText(e schema.NoticeEvent) string {
	switch e {
	case schema.NoticeRefused:
		return "Offboarding of {{person}} cannot be planned\n\nWhat happened: {{cause}}\nWhat to do: {{fix}}\n\n" +
			"Person: {{person}}\nDue: {{moment}}\nTold by: {{source}}\n\nIt is tried again until it works or HR withdraws it.\n"
	case schema.NoticeAffected:
		return "{{person}} leaves, and others are affected\n\nPerson: {{person}}\nLeaves: {{moment}}\nAffected: {{reports}}\nTold by: {{source}}\n" +
			"\nGive the reports another manager in HR, and the content another receiver. Receivers are looked at again when content is sent.\n"
	case schema.NoticeBatchHeld:
		return "{{size}} of {{source}} are held\n\n{{source}} wants to start more than its limits let start. None of them starts until two different people release the batch.\n" +
			"\nBatch: {{batch}}\nHeld: {{size}}\nOf: {{source}}\n"
	case schema.NoticeFeedSilent:
		return "{{source}} has fallen silent\n\n{{source}} has told nothing for longer than it should. Leavers may be missed until it does.\n\nLast heard: {{moment}}\n"
	case schema.NoticeAlarm:
		return "{{source}} needs somebody\n\nWhat happened: {{cause}}\nWhat to do: {{fix}}\n\nAll that is open: sendoff alarms list\n"
	case schema.NoticeAsk:
		return askText
	}
	return campaignText(e)
}
