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

// eventType is one type of event that is read.
type eventType struct {
	name  string
	means meaning
	// unasked marks those that Box tells of, but refuses to be asked for
	// (its filter knows fewer types than its answers).
	unasked bool
}

// eventTypes is what counts as use, and why. It is what a person does in Box with
// their own hands; whatever else an account's name stands on does not prove that
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
//   - SIGN_DOCUMENT_* but for the act of making and signing, SIGNER_* and
//     FILE_MARKED_MALICIOUS are told of others than who acted.
//
// UNVERIFIED: automations act in the name of who made them, so that their MOVE or
// COPY counts as that person's. It errs on the side of leaving accounts alone.
//
// The names are Box's (https://developer.box.com/reference/get-events/).
func eventTypes() []eventType {
	return []eventType{
		// Signing in.
		{name: "LOGIN", means: signIn},
		{name: "TERMS_OF_SERVICE_ACCEPT", means: signIn},
		// Working with content.
		{name: "UPLOAD", means: use},
		{name: "DOWNLOAD", means: use},
		{name: "FILE_WATERMARKED_DOWNLOAD", means: use},
		{name: "PREVIEW", means: use},
		{name: "EDIT", means: use},
		{name: "COPY", means: use},
		{name: "MOVE", means: use},
		{name: "RENAME", means: use},
		{name: "DELETE", means: use},
		{name: "UNDELETE", means: use},
		{name: "LOCK", means: use},
		{name: "UNLOCK", means: use},
		{name: "ITEM_OPEN", means: use},
		{name: "ITEM_MODIFY", means: use},
		{name: "ITEM_SYNC", means: use},
		{name: "ITEM_UNSYNC", means: use},
		{name: "FILE_VERSION_RESTORE", means: use},
		{name: "FAVORITE", means: use},
		{name: "UNFAVORITE", means: use},
		{name: "CONTENT_ACCESS", means: use, unasked: true},
		// Working with others.
		{name: "SHARE", means: use},
		{name: "UNSHARE", means: use},
		{name: "ITEM_SHARED_UPDATE", means: use},
		{name: "ITEM_EMAIL_SEND", means: use},
		{name: "SHARED_LINK_SEND", means: use},
		{name: "COLLABORATION_INVITE", means: use},
		{name: "COLLABORATION_ROLE_CHANGE", means: use},
		{name: "COMMENT_CREATE", means: use},
		{name: "COMMENT_EDIT", means: use},
		{name: "COMMENT_DELETE", means: use},
		{name: "TASK_CREATE", means: use},
		{name: "TASK_UPDATE", means: use},
		{name: "TASK_ASSIGNMENT_CREATE", means: use},
		{name: "TASK_ASSIGNMENT_UPDATE", means: use},
		{name: "TASK_ASSIGNMENT_DELETE", means: use},
		{name: "FILE_REQUEST_CREATE", means: use},
		{name: "FILE_REQUEST_UPDATE", means: use},
		{name: "FILE_REQUEST_DELETE", means: use},
		{name: "SIGN_DOCUMENT_CREATED", means: use},
		{name: "SIGN_DOCUMENT_SIGNED", means: use},
		// The end of an account.
		{name: "DELETE_USER", means: deletion},
	}
}

// askedTypes is the filter for the events that are read.
func askedTypes() string {
	var names []string
	for _, t := range eventTypes() {
		if !t.unasked {
			names = append(names, t.name)
		}
	}
	return strings.Join(names, ",")
}

// meanings is eventTypes by name.
func meanings() map[string]meaning {
	types := eventTypes()
	m := make(map[string]meaning, len(types))
	for _, t := range types {
		m[t.name] = t.means
	}
	return m
}
