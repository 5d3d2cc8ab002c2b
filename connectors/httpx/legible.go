package httpx

import "bytes"

// nul and unknown are JSON's escapes for the character no database keeps in a
// text, and for the one that stands where a character is not known.
const nul, unknown = `\u0000`, `\ufffd`

// legible returns a JSON body without NUL characters. Somebody's name may hold
// one; it can be stored nowhere, and one such name must not stop a whole listing.
func legible(body []byte) []byte {
	if !bytes.Contains(body, []byte(nul)) {
		return body
	}
	out := make([]byte, 0, len(body))
	for len(body) > 0 {
		i := bytes.IndexByte(body, '\\')
		if i < 0 || i+1 == len(body) {
			break
		}
		out, body = append(out, body[:i]...), body[i:]
		escape := body[:2] // of a backslash, too: what follows it is plain
		if bytes.HasPrefix(body, []byte(nul)) {
			escape, body = []byte(unknown), body[len(nul)-2:]
		}
		out, body = append(out, escape...), body[2:]
	}
	return append(out, body...)
}
