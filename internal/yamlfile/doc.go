// Package yamlfile walks the nodes of one YAML file strictly: every fault is
// noted with file, line, column and the fix, and all of them at once. It knows
// how members and values are written, and no kind of file.
package yamlfile
