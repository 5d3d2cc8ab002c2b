package cli

import (
	"io"
	"os"
	"strings"

	"sendoff/internal/apiclient"
	"sendoff/internal/template"
	"sendoff/schema"
)

// readTemplates reads the files, and tells of each that cannot be read.
func readTemplates(paths []string) ([]apiclient.TemplateFile, error) {
	var files []apiclient.TemplateFile
	failed := &apiclient.Error{Code: apiclient.CodeUsage, Message: "not every file can be read"}
	for _, path := range paths {
		source, err := readTemplate(path)
		if err != nil {
			failed.Problems = append(failed.Problems, apiclient.Problem{Where: path, Message: "cannot be read", Fix: "check the path and its permissions"})
			continue
		}
		files = append(files, apiclient.TemplateFile{File: path, Source: source})
	}
	if len(failed.Problems) > 0 {
		return nil, failed
	}
	return files, nil
}

// readTemplate reads a little more than a template may have, so that one that is
// too large is refused for that.
func readTemplate(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, template.MaxBytes+1))
	return string(b), err
}

func problemsOf(list []schema.Problem) []apiclient.Problem {
	out := []apiclient.Problem{}
	for _, p := range list {
		out = append(out, apiclient.Problem{Where: p.Where, Code: p.Code, Message: p.Message, Fix: p.Fix})
	}
	return out
}

// maxCompared bounds the work of a comparison: lines before times lines after.
const maxCompared = 4 << 20

// difference lists the lines that were removed ("- ") and added ("+ "), with the
// line before each change; nothing for equal texts.
func difference(before, after string) []string {
	old, fresh := lines(before), lines(after)
	var out []string
	context, shown := "", true
	emit := func(mark, line string) {
		if !shown {
			out = append(out, "  "+context)
			shown = true
		}
		out = append(out, mark+line)
	}
	common := commonLengths(old, fresh)
	i, j := 0, 0
	for i < len(old) || j < len(fresh) {
		switch {
		case i < len(old) && j < len(fresh) && old[i] == fresh[j]:
			context, shown = old[i], false
			i, j = i+1, j+1
		case j == len(fresh) || (i < len(old) && common(i+1, j) >= common(i, j+1)):
			emit("- ", old[i])
			i++
		default:
			emit("+ ", fresh[j])
			j++
		}
	}
	return out
}

func lines(s string) []string {
	if s = strings.TrimSuffix(s, "\n"); s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// commonLengths returns the length of the longest common part of old[i:] and
// fresh[j:]; of texts too long to compare, 0.
func commonLengths(old, fresh []string) func(i, j int) int {
	if len(old)*len(fresh) > maxCompared {
		return func(int, int) int { return 0 }
	}
	width := len(fresh) + 1
	table := make([]int, (len(old)+1)*width)
	for i := len(old) - 1; i >= 0; i-- {
		for j := len(fresh) - 1; j >= 0; j-- {
			if old[i] == fresh[j] {
				table[i*width+j] = table[(i+1)*width+j+1] + 1
			} else {
				table[i*width+j] = max(table[(i+1)*width+j], table[i*width+j+1])
			}
		}
	}
	return func(i, j int) int { return table[i*width+j] }
}
