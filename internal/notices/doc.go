// Package notices reads the rules of notices, YAML in which people say who is
// told of what in which words, and writes the texts. A file is read strictly and
// every fault of it is told at once with line, column, rule and fix. A text is
// made of the rules' words and of what schema.NoticeFacts holds, which has no
// place for a secret or for the name of a file.
package notices
