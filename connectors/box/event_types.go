package box

import "strings"

// meaning is what an event says of the one who made it.
type meaning int

const (
	// irrelevant: nobody's use, and nothing else we want to know.
	irrelevant meaning = iota
	// use: somebody worked with Box.
	use
	// signIn is use as well, of the account that a connection acts as too: no
	// grant of ours makes one.
	signIn
	// deletion: an account was deleted.
	deletion
)

// eventGroup are types of events that mean the same.
type eventGroup struct {
	means meaning
	// asked marks those that Box can be asked for: its filter knows fewer types
	// than its answers.
	asked bool
	names []string
}

// eventGroups is what is read and what it means. Use is what a person does in Box
// with their own hands; that an account is named elsewhere does not prove that
// anybody is there:
//
//   - ADMIN_LOGIN is an administrator in somebody's account. FAILED_LOGIN may be
//     anybody. NEW_USER, EDIT_USER, GROUP_* and the other acts of administration
//     say nothing of the account they are about.
//   - ADD_LOGIN_ACTIVITY_DEVICE and ADD_DEVICE_ASSOCIATION come with a LOGIN, or
//     from a device that signs in by itself; *_ACCESS_TOKEN_*, *_REFRESH_TOKEN_*
//     and ENTERPRISE_APP_AUTHORIZATION_UPDATE are applications at work.
//   - COLLABORATION_ACCEPT is made for the invited where invitations are accepted
//     by themselves, so that sharing with somebody who left would keep them alive;
//     COLLABORATION_REMOVE comes with the end of accounts and folders.
//   - *_EXPIRATION, DATA_RETENTION_*, METADATA_*, CONTENT_WORKFLOW_*,
//     WORKFLOW_AUTOMATION_* and SHIELD_* are rules at work.
//   - The SIGN_DOCUMENT_* left out, SIGNER_* and FILE_MARKED_MALICIOUS tell of
//     others than who acted.
//
// UNVERIFIED: automations act in the name of who made them, so that their MOVE or
// COPY counts as that person's, which leaves the account alone. Not seen is use
// that Box tells of by CONTENT_ACCESS alone.
//
// The names are Box's (https://developer.box.com/reference/get-events/).
func eventGroups() []eventGroup {
	return []eventGroup{
		{signIn, true, []string{"LOGIN", "TERMS_OF_SERVICE_ACCEPT"}},
		// Content, opened and changed.
		{use, true, []string{
			"UPLOAD", "DOWNLOAD", "FILE_WATERMARKED_DOWNLOAD", "PREVIEW", "EDIT", "COPY", "MOVE", "RENAME", "DELETE", "UNDELETE",
			"LOCK", "UNLOCK", "ITEM_OPEN", "ITEM_MODIFY", "ITEM_SYNC", "ITEM_UNSYNC", "FILE_VERSION_RESTORE", "FAVORITE", "UNFAVORITE",
		}},
		{use, false, []string{"CONTENT_ACCESS"}},
		// Work with others: shared, said, asked for, signed.
		{use, true, []string{
			"SHARE", "UNSHARE", "ITEM_SHARED_UPDATE", "ITEM_EMAIL_SEND", "SHARED_LINK_SEND", "COLLABORATION_INVITE",
			"COLLABORATION_ROLE_CHANGE", "COMMENT_CREATE", "COMMENT_EDIT", "COMMENT_DELETE", "TASK_CREATE", "TASK_UPDATE",
			"TASK_ASSIGNMENT_CREATE", "TASK_ASSIGNMENT_UPDATE", "TASK_ASSIGNMENT_DELETE", "FILE_REQUEST_CREATE",
			"FILE_REQUEST_UPDATE", "FILE_REQUEST_DELETE", "SIGN_DOCUMENT_CREATED", "SIGN_DOCUMENT_SIGNED",
		}},
		{deletion, true, []string{"DELETE_USER"}},
	}
}

// askedTypes is the filter for the events that are read.
func askedTypes() string {
	var names []string
	for _, g := range eventGroups() {
		if g.asked {
			names = append(names, g.names...)
		}
	}
	return strings.Join(names, ",")
}

// meanings is eventGroups by name.
func meanings() map[string]meaning {
	m := map[string]meaning{}
	for _, g := range eventGroups() {
		for _, name := range g.names {
			m[name] = g.means
		}
	}
	return m
}
