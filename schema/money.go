package schema

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Money is an amount in a currency's minor unit, such as cents.
type Money struct {
	Minor    int64
	Currency string // ISO 4217
}

// currencies are the codes of ISO 4217 (list one, 2024) that money is held in.
const currencies = `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
	CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD
	IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN
	MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
	STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG`

// MinorDigits is how many decimals a currency has (ISO 4217), false for a code that
// is none.
func MinorDigits(currency string) (int, bool) {
	if len(currency) != 3 || !strings.Contains(" "+strings.Join(strings.Fields(currencies), " ")+" ", " "+currency+" ") {
		return 0, false
	}
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0, true
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3, true
	}
	return 2, true
}

// ParseMoney reads a decimal such as 15 or 15.00, exactly: more decimals than the
// currency has are an error, as are signs, exponents and separators of thousands.
func ParseMoney(amount, currency string) (Money, error) {
	digits, known := MinorDigits(currency)
	if !known {
		return Money{}, fmt.Errorf("%q is no currency code of ISO 4217, such as EUR", currency)
	}
	whole, fraction, dotted := strings.Cut(amount, ".")
	if whole == "" || (dotted && fraction == "") || strings.Trim(whole+fraction, "0123456789") != "" {
		return Money{}, fmt.Errorf("an amount is digits with a dot before the decimals, such as %s", Money{1500, currency}.Amount())
	}
	if len(fraction) > digits {
		return Money{}, fmt.Errorf("%s has %d decimals at most", currency, digits)
	}
	minor, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", digits-len(fraction)), 10, 64)
	if err != nil {
		return Money{}, fmt.Errorf("the amount is too large")
	}
	return Money{minor, currency}, nil
}

// Times is n times the amount; one beyond the range of int64 is its end.
func (m Money) Times(n int64) Money {
	if m.Minor > 0 && n > math.MaxInt64/m.Minor {
		return Money{math.MaxInt64, m.Currency}
	}
	return Money{m.Minor * n, m.Currency}
}

// Amount is the decimal without the currency, with all its decimals.
func (m Money) Amount() string {
	digits, _ := MinorDigits(m.Currency)
	sign, text := "", strconv.FormatInt(m.Minor, 10)
	if m.Minor < 0 {
		sign, text = "-", text[1:]
	}
	if digits == 0 {
		return sign + text
	}
	if missing := digits + 1 - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	return sign + text[:len(text)-digits] + "." + text[len(text)-digits:]
}

// String is the amount with its currency.
func (m Money) String() string { return m.Amount() + " " + m.Currency }
