package web

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sendoff/internal/intake"
	"sendoff/schema"
)

const (
	// answerPrefix is where the links of questions lead. The token in the path is
	// the secret: there is no other.
	answerPrefix    = "/answer/"
	maxAnswerBody   = 8 << 10 // bytes; a reason has 500 characters
	answerPatience  = 15 * time.Second
	answerMediaType = "text/html; charset=utf-8"
)

//go:embed pages/answer.html
var answerHTML string

//go:embed pages/answer.css
var answerCSS string

// answerView is what the page of a question shows. The token is not in it: the
// form posts to the address that it was opened at.
type answerView struct {
	Style   template.CSS
	Title   string
	Notice  string // what went wrong, or what was taken
	Ask     bool   // whether the form is shown
	Page    *schema.AskPage
	LastUse string
	Steps   []string
	Until   string
	Said    string // what was answered
	Reason  string // of the answer, or as it was typed
}

// answerPages shows and takes the answers of questions.
type answerPages struct {
	asks AskStore
	page *template.Template
	csp  string
}

// serveAnswers serves the pages that links of questions lead to. Mail scanners
// follow links: only the POST of the page's form answers.
func (s *server) serveAnswers(mux *http.ServeMux, asks AskStore) {
	if asks == nil {
		return
	}
	a := newAnswerPages(asks)
	mux.HandleFunc("GET "+answerPrefix+"{token}", a.show)
	mux.HandleFunc("POST "+answerPrefix+"{token}", a.take)
}

func newAnswerPages(asks AskStore) *answerPages {
	sum := sha256.Sum256([]byte(answerCSS))
	return &answerPages{
		asks: asks, page: template.Must(template.New("answer").Parse(answerHTML)),
		csp: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	}
}

// show answers GET and HEAD: it reads, and changes nothing.
func (a *answerPages) show(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerPatience)
	defer cancel()
	p, err := a.find(ctx, r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.question(w, http.StatusOK, p, "", "")
}

// take answers POST: the one answer of a question.
func (a *answerPages) take(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerPatience)
	defer cancel()
	p, err := a.find(ctx, r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if p.Closed != "" {
		a.question(w, http.StatusOK, p, "", "")
		return
	}
	answer, reason, fault := readAnswer(w, r)
	if fault != "" {
		a.question(w, http.StatusUnprocessableEntity, p, fault, reason)
		return
	}
	done, err := a.asks.AnswerAsk(ctx, tokenHashOf(r), answer, reason)
	switch {
	case schema.CodeOf(err) == schema.CodeClosed: // somebody was faster, or its time ended
		a.closed(ctx, w, r, p)
	case err != nil:
		a.fail(w, r, err)
	default:
		a.taken(w, done, answer)
	}
}

// closed shows what became of a question that closed after it was looked at.
func (a *answerPages) closed(ctx context.Context, w http.ResponseWriter, r *http.Request, p schema.AskPage) {
	now, err := a.find(ctx, r)
	if err != nil {
		now = p
	}
	if now.Closed == "" {
		now.Closed = "no answer is awaited any more"
	}
	a.question(w, http.StatusGone, now, "", "")
}

// find looks a question up by the hash of its token.
func (a *answerPages) find(ctx context.Context, r *http.Request) (schema.AskPage, error) {
	if token := r.PathValue("token"); token == "" || len(token) > maxTokenLength {
		return schema.AskPage{}, &schema.Error{Code: schema.CodeNotFound, Message: "no question has this link"}
	}
	return a.asks.AskPage(ctx, tokenHashOf(r))
}

// tokenHashOf is what stores know the token of a link by.
func tokenHashOf(r *http.Request) string {
	sum := HashToken(r.PathValue("token"))
	return hex.EncodeToString(sum[:])
}

// readAnswer reads the form. Neither answer is chosen beforehand and a kept account
// needs a reason, so that a program that sends forms as they come says nothing.
func readAnswer(w http.ResponseWriter, r *http.Request) (answer schema.Answer, reason, fault string) {
	r.Body = http.MaxBytesReader(w, r.Body, maxAnswerBody)
	if err := r.ParseForm(); err != nil {
		return "", "", "The answer could not be read. Please choose again; a reason has at most 500 characters."
	}
	reason = strings.TrimSpace(strings.ReplaceAll(r.PostForm.Get("reason"), "\r\n", "\n"))
	var f faults
	checkText(&f, "reason", reason, maxReason)
	answer = schema.Answer(r.PostForm.Get("answer"))
	switch {
	case len(r.PostForm["answer"]) != 1 || (answer != schema.AnswerNeeded && answer != schema.AnswerNotNeeded):
		return "", reason, "Please choose one of the two answers."
	case len(f.list) > 0:
		return "", "", "Please write the reason as plain text of at most 500 characters."
	case answer == schema.AnswerNeeded && reason == "":
		return "", "", "Please say in a few words what the account is still needed for."
	}
	return answer, reason, ""
}

// question shows a question, or what became of it.
func (a *answerPages) question(w http.ResponseWriter, status int, p schema.AskPage, notice, typed string) {
	v := answerView{
		Title: "Is this account still needed?", Notice: notice, Ask: p.Closed == "", Page: &p, LastUse: dayText(p.LastActiveAt, "no use was ever seen"),
		Steps: stepWords(p.Steps), Until: momentText(p.Until), Reason: typed,
	}
	if p.Closed != "" {
		status = http.StatusGone
		v.Title, v.Notice, v.Said, v.Reason = "This question is closed", sentence(p.Closed), answerWords(p.Answer), p.Reason
	}
	a.write(w, status, v)
}

func (a *answerPages) taken(w http.ResponseWriter, p schema.AskPage, answer schema.Answer) {
	v := answerView{Title: "Thank you", Page: &p, LastUse: dayText(p.LastActiveAt, "no use was ever seen"), Said: answerWords(answer), Reason: p.Reason}
	v.Notice = "Your answer was taken. You can close this page."
	a.write(w, http.StatusOK, v)
}

// fail says that there is no question, or that it cannot be shown now.
func (a *answerPages) fail(w http.ResponseWriter, r *http.Request, err error) {
	if schema.CodeOf(err) == schema.CodeNotFound {
		a.write(w, http.StatusNotFound, answerView{
			Title: "No such question", Notice: "This link leads to no question. Open it from the message once more: a part of it may be missing.",
		})
		return
	}
	exchangeOf(r.Context()).err = err
	a.write(w, problemOf(err).Status, answerView{
		Title: "Not now", Notice: "The question cannot be shown or answered at the moment. Nothing was changed; please try again later.",
	})
}

func (a *answerPages) write(w http.ResponseWriter, status int, v answerView) {
	v.Style = template.CSS(answerCSS) //nolint:gosec // a file of ours
	h := w.Header()
	h.Set("Content-Type", answerMediaType)
	h.Set("Content-Security-Policy", a.csp)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	w.WriteHeader(status)
	_ = a.page.Execute(w, v) // the reader may be gone
}

// refuseElsewhere answers a form that another site's page sent.
func (a *answerPages) refuseElsewhere(w http.ResponseWriter) {
	a.write(w, http.StatusForbidden, answerView{
		Title: "Not answered", Notice: "This was not sent by the question's own page. Open the link from the message, and answer there.",
	})
}

func answerWords(a schema.Answer) string {
	switch a {
	case schema.AnswerNeeded:
		return "The account is still needed."
	case schema.AnswerNotNeeded:
		return "The account is not needed any more."
	}
	return ""
}

// sentence makes a reason a sentence.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(s[size:], ".") + "."
}

func dayText(t time.Time, absent string) string {
	if t.IsZero() {
		return absent
	}
	return t.UTC().Format("2 January 2006")
}

func momentText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 January 2006, 15:04") + " UTC"
}

// stepWords says for people what steps do to an account; steps that it does not
// feel are left out.
func stepWords(steps []schema.StepFact) []string {
	var out []string
	for _, s := range steps {
		switch s.Kind {
		case schema.StepSuspend:
			out = append(out, "The account is suspended: nobody can sign in to it.")
		case schema.StepReactivate:
			out = append(out, "The account is made active again.")
		case schema.StepRevokeSessions:
			out = append(out, "Its sessions are ended.")
		case schema.StepRemoveFromGroups:
			out = append(out, "It is removed from its groups.")
		case schema.StepSetRole:
			out = append(out, "Its administrative role is taken away.")
		case schema.StepTransfer:
			out = append(out, "What it owns is transferred to somebody else.")
		case schema.StepWait:
			out = append(out, waitWords(s))
		case schema.StepDelete:
			out = append(out, "The account is deleted. This cannot be undone.")
		case schema.StepManual:
			out = append(out, "Somebody decides by hand what is done with it.")
		case schema.StepSnapshot, schema.StepNotify:
		}
	}
	return out
}

func waitWords(s schema.StepFact) string {
	if s.WaitSeconds == 0 {
		return "Then nothing more is done for some time: it can still be brought back."
	}
	length := time.Duration(s.WaitSeconds) * time.Second
	text := intake.FormatDuration(length)
	if days := int(length.Hours() / 24); length > 0 && length%(24*time.Hour) == 0 && days > 1 {
		text = strconv.Itoa(days) + " days"
	}
	return "Then nothing more is done for " + text + ": it can still be brought back."
}
