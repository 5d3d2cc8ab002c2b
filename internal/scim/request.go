package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of what a request may hold.
const (
	maxBody    = 1 << 20 // bytes, of a body and of a resource
	maxDepth   = 24      // of objects and lists in each other; SCIM needs 8
	maxOps     = 1000    // of one PATCH, after the normaliser has split them
	maxValues  = 1000    // of a multi-valued attribute other than members
	maxMembers = 100_000 // of a group
	maxKey     = 512     // characters of what is looked up: userName, displayName, externalId
	maxFilter  = 4096    // bytes
	maxNumber  = 64      // characters of a number
)

// body is a request's body: decoded, without any password, and as it came.
type body struct {
	tree map[string]any
	raw  []byte
}

// read reads the body as one JSON object.
func (c *call) read() (body, error) {
	if kind := c.r.Header.Get("Content-Type"); kind != "" {
		media, _, err := mime.ParseMediaType(kind)
		if err != nil || !strings.HasSuffix(media, "json") {
			return body{}, &fault{http.StatusUnsupportedMediaType, "", "send " + mediaType + " or application/json"}
		}
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return body{}, &fault{http.StatusRequestEntityTooLarge, "", "the body is larger than 1 MiB"}
	}
	if err != nil {
		return body{}, bad(invalidSyntax, "the body did not come whole")
	}
	tree, err := decode(raw)
	if err != nil {
		return body{}, err
	}
	return body{tree: tree, raw: withoutPassword(raw, tree)}, nil
}

// decode reads one JSON object of text that a database can keep.
func decode(raw []byte) (map[string]any, error) {
	if !utf8.Valid(raw) {
		return nil, bad(invalidSyntax, "the body is not UTF-8")
	}
	if !shallow(raw) {
		return nil, bad(invalidSyntax, "the body has more than "+strconv.Itoa(maxDepth)+" levels")
	}
	if twice(raw) {
		return nil, bad(invalidSyntax, "an attribute stands there twice")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree map[string]any
	if err := dec.Decode(&tree); err != nil || tree == nil {
		return nil, bad(invalidSyntax, "the body is not a JSON object") // the decoder's own text quotes the input
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, bad(invalidSyntax, "something follows the JSON object")
	}
	if !keepable(tree) {
		return nil, bad(invalidValue, "a text holds NUL, or a number is out of range")
	}
	return tree, nil
}

// shallow tells whether JSON text has at most maxDepth levels, before a decoder
// that recurses sees it.
func shallow(raw []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			if depth++; depth > maxDepth {
				return false
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return true
}

// twice tells whether an object has two members of one name, before a decoder keeps
// the last of them without a word: which of two values of active is meant, nobody
// knows (RFC 8259 section 4). Text that is no JSON is left to that decoder.
func twice(raw []byte) bool {
	in := json.NewDecoder(bytes.NewReader(raw))
	in.UseNumber()
	found, _ := twiceIn(in)
	return found
}

// twiceIn looks at the next value, which is at most maxDepth deep.
func twiceIn(in *json.Decoder) (found bool, err error) {
	open, err := in.Token()
	if err != nil || (open != json.Delim('{') && open != json.Delim('[')) {
		return false, err
	}
	seen := map[string]bool{}
	for in.More() {
		if open == json.Delim('{') {
			t, err := in.Token()
			name, _ := t.(string)
			if err != nil || seen[name] {
				return err == nil, err
			}
			seen[name] = true
		}
		if found, err := twiceIn(in); found || err != nil {
			return found, err
		}
	}
	_, err = in.Token()
	return false, err
}

// keepable tells whether Postgres takes every text and number of a value.
func keepable(v any) bool {
	switch v := v.(type) {
	case string:
		return !strings.ContainsRune(v, 0)
	case json.Number:
		return keepableNumber(string(v))
	case []any:
		for _, x := range v {
			if !keepable(x) {
				return false
			}
		}
	case map[string]any:
		for k, x := range v {
			if strings.ContainsRune(k, 0) || !keepable(x) {
				return false
			}
		}
	}
	return true
}

// keepableNumber bounds length and exponent: Postgres' numbers end long after
// anything that a number is used for.
func keepableNumber(n string) bool {
	_, exponent, has := strings.Cut(strings.ToLower(n), "e")
	if has {
		if e, err := strconv.Atoi(exponent); err != nil || e < -maxNumber || e > maxNumber {
			return false
		}
	}
	return len(n) <= maxNumber
}

// withoutPassword takes every password out of a tree, and returns the body as it
// came when there was none. Okta sends a placeholder with every new user.
func withoutPassword(raw []byte, tree map[string]any) []byte {
	found := dropPassword(tree)
	// An escape can hide the word.
	if !found && !bytes.Contains(bytes.ToLower(raw), []byte("password")) && !bytes.Contains(raw, []byte(`\u`)) {
		return raw
	}
	return encode(tree)
}

func dropPassword(v any) (found bool) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			found = dropPassword(x) || found
		}
	case map[string]any:
		for k, x := range v {
			if isPassword(k) {
				delete(v, k)
				found = true
				continue
			}
			if at, ok := x.(string); ok && strings.EqualFold(k, "path") && isPassword(at) {
				dropValue(v)
				found = true
			}
			found = dropPassword(x) || found
		}
	}
	return found
}

// dropValue empties a PATCH operation on a password.
func dropValue(op map[string]any) {
	for k := range op {
		if strings.EqualFold(k, "value") {
			delete(op, k)
		}
	}
}

// isPassword tells a password from its attribute's name or path.
func isPassword(name string) bool {
	if at := strings.LastIndexAny(name, ":."); at >= 0 {
		name = name[at+1:]
	}
	return strings.EqualFold(strings.TrimSpace(name), "password")
}

// encode writes a tree as JSON; one that was decoded always can be.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n")
}

// member is a value of an object by its name without regard to case.
func member(obj map[string]any, name string) (any, bool) {
	if v, ok := obj[name]; ok {
		return v, true
	}
	if key, ok := keyOf(obj, name); ok {
		return obj[key], true
	}
	return nil, false
}

func keyOf(obj map[string]any, name string) (string, bool) {
	if _, ok := obj[name]; ok {
		return name, true
	}
	for k := range obj {
		if strings.EqualFold(k, name) {
			return k, true
		}
	}
	return "", false
}
