package web

import (
	"fmt"
	"time"

	"sendoff/schema"
)

// maxPolicyFiles is how many files a set has at most.
const maxPolicyFiles = 200

type policyFile struct {
	Name   string `json:"name" doc:"The file's name, for messages" maxLength:"500"`
	Source string `json:"source" doc:"The file's text"`
}

// readSet is what is said of files besides what applying them does.
type readSet struct {
	files    map[string]string // by the name of what they define
	warnings map[string][]schema.Problem
}

// fileReader reads files of one kind.
type fileReader[Rule any] struct {
	one, many string // "policy", "policies"
	parse     func(file, source string, now time.Time) (rule Rule, errs, warnings []schema.Problem)
	name      func(Rule) string
}

// read reads every file, hands on what each says, and reports every fault of all of
// them at once.
func (r fileReader[Rule]) read(set string, files []policyFile, now time.Time, read func(rule Rule, source string)) (readSet, error) {
	var f faults
	said := readSet{map[string]string{}, map[string][]schema.Problem{}}
	if set != "" {
		f.setName(set)
	}
	if len(files) == 0 || len(files) > maxPolicyFiles {
		f.add("files", "count", "there are no files, or too many", fmt.Sprintf("send 1 to %d; what is to end for good is paused by name", maxPolicyFiles))
		return said, f.err("the request is not valid; nothing was changed")
	}
	for _, file := range files {
		rule, errs, warnings := r.parse(file.Name, file.Source, now)
		f.list = append(f.list, errs...)
		name := r.name(rule)
		if other, twice := said.files[name]; twice && name != "" {
			f.add(file.Name, "duplicate", "the "+r.one+" "+name+" is also in "+other, "keep one of them")
		}
		said.files[name], said.warnings[name] = file.Name, warnings
		read(rule, file.Source)
	}
	return said, f.err("the " + r.many + " are not usable; nothing was changed")
}

func (f *faults) setName(set string) {
	if !nameForm.MatchString(set) {
		f.add("set", "name", "a set's name has 1 to 63 letters, digits, dots, dashes and underscores and begins with a letter or digit", "choose such a name")
	}
}

// historyOf is a page of versions, newest first. Each is compared with the one before
// it, which for the last of a page is on the next.
func historyOf[Definition, Body any](
	page func(cursor string, limit int) ([]Definition, string, error), cursor string, limit int,
	diff func(before, after Definition) []string, body func(d Definition, diff []string) Body,
) ([]Body, string, error) {
	list, next, err := page(cursor, limit)
	if err != nil {
		return nil, "", err
	}
	older := list
	if next != "" {
		behind, _, err := page(next, 1)
		if err != nil {
			return nil, "", err
		}
		older = append(list[:len(list):len(list)], behind...)
	}
	out := make([]Body, len(list))
	for i, d := range list {
		differs := []string{}
		if i+1 < len(older) {
			differs = nonNil(diff(older[i+1], d))
		}
		out[i] = body(d, differs)
	}
	return out, next, nil
}
