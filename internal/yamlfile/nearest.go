package yamlfile

// nearest asks whether one of the words is meant that somebody mistyped, "" when
// none is near.
func nearest(typed string, allowed []string) string {
	best, word := len(typed)/3+1, ""
	if len(typed) > MaxLine {
		return ""
	}
	for _, w := range allowed {
		if d := edits(typed, w); d < best {
			best, word = d, w
		}
	}
	if word == "" {
		return ""
	}
	return "; did you mean " + word + "?"
}

// edits counts the bytes to add, remove or replace to make one word the other.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := before
			if a[i] != b[j] {
				replace++
			}
			before = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
