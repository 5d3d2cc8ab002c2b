package intake

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// errDuration says how durations are written. The input is not repeated: it
// may come from a column that holds something else.
var errDuration = errors.New("a duration is whole numbers with the units w, d, h, m or s, such as 30d, 12h, 1d12h or 0s")

// ParseDuration reads a duration such as 30d, 2w, 12h, 90m, 45s or 1d12h: whole
// numbers with units, largest first, each unit at most once. A day is 24 hours.
// A bare number is refused, because nobody can tell days from seconds.
func ParseDuration(s string) (time.Duration, error) {
	rest := strings.TrimSpace(s)
	if rest == "" {
		return 0, errDuration
	}
	total, last := time.Duration(0), time.Duration(math.MaxInt64)
	for rest != "" {
		n, tail, err := leadingNumber(rest)
		if err != nil {
			return 0, err
		}
		unit, ok := unitOf(tail[0])
		if !ok || unit >= last {
			return 0, errDuration
		}
		if n > (math.MaxInt64-int64(total))/int64(unit) {
			return 0, errors.New("the duration is longer than 290 years")
		}
		total += time.Duration(n) * unit
		last, rest = unit, tail[1:]
	}
	return total, nil
}

// leadingNumber splits digits from what follows them; something must follow.
func leadingNumber(s string) (n int64, tail string, err error) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		if n > (math.MaxInt64-9)/10 {
			return 0, "", errors.New("the duration is longer than 290 years")
		}
		n = n*10 + int64(s[i]-'0')
		i++
	}
	if i == 0 || i == len(s) {
		return 0, "", errDuration
	}
	return n, s[i:], nil
}

func unitOf(c byte) (time.Duration, bool) {
	switch c {
	case 'w':
		return week, true
	case 'd':
		return day, true
	case 'h':
		return time.Hour, true
	case 'm':
		return time.Minute, true
	case 's':
		return time.Second, true
	}
	return 0, false
}

// FormatDuration renders d in the form that ParseDuration reads, in days, hours,
// minutes and seconds; a fraction of a second is cut off.
func FormatDuration(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	var b strings.Builder
	for _, u := range []struct {
		size time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.size
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return sign + b.String()
}
