// Package reviewer finds who decides about the items of a campaign, and when these
// people work. It is pure: whom it may choose from is given to it.
//
// Nobody decides about an account that they hold. Whoever holds it, decided about
// it in another stage or has left neither decides nor hands on: their delegates
// would decide in their name.
package reviewer
