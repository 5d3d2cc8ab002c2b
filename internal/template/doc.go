// Package template reads template files: YAML in which people write down the
// steps that plans are made from. A file is read strictly, every fault of it is
// told at once with line, column, rule and fix, and what is read has the order
// in which the engine's promises can be kept.
package template
