package box

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"strings"

	"github.com/youmark/pkcs8"
)

// minKeyBits is what crypto/rsa agrees to sign with; Box makes keys of 2048.
const minKeyBits = 1024

// keyFault is what is wrong with a private key.
type keyFault struct{ field, code, message, fix string }

const newPair = "generate a new key pair in Box's developer console and take the file it downloads"

// openKey opens an RSA key: encrypted PKCS #8 as Box makes it (RFC 5958, RFC
// 8018), or a plain one in PKCS #8 or PKCS #1.
func openKey(armor, passphrase string) (*rsa.PrivateKey, *keyFault) {
	// A file that was edited by hand may hold \n as two characters.
	block, _ := pem.Decode([]byte(strings.ReplaceAll(armor, `\n`, "\n")))
	if block == nil {
		return nil, &keyFault{"privateKey", "malformed", "it is no PEM block, or it was cut", newPair}
	}
	var key any
	var err error
	switch block.Type {
	case "ENCRYPTED PRIVATE KEY":
		if passphrase == "" {
			return nil, &keyFault{"passphrase", "required", "the key is encrypted and the file names no passphrase", "put the key's passphrase into the file; Box writes it there"}
		}
		if key, err = decrypt(block.Bytes, passphrase); err != nil {
			return nil, &keyFault{"passphrase", "invalid", "it does not open the private key, or the key is damaged", newPair}
		}
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return nil, notRSA()
	default:
		return nil, &keyFault{"privateKey", "invalid", "it is no private key in PKCS #8", newPair}
	}
	if err != nil {
		return nil, &keyFault{"privateKey", "malformed", "it is damaged: what it holds is no key", newPair}
	}
	r, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, notRSA()
	}
	if r.N.BitLen() < minKeyBits {
		return nil, &keyFault{"privateKey", "invalid", "it is too short to be safe", newPair}
	}
	return r, nil
}

func notRSA() *keyFault {
	return &keyFault{"privateKey", "invalid", "it is no RSA key, and Box accepts assertions signed by RSA alone", newPair}
}

// decrypt opens an encrypted key. The library trusts the lengths that it reads
// and panics over wrong ones.
func decrypt(der []byte, passphrase string) (key any, err error) {
	defer func() {
		if recover() != nil {
			key, err = nil, x509.ErrUnsupportedAlgorithm
		}
	}()
	if rounds := derivationRounds(der); rounds < 1 || rounds > maxRounds {
		return nil, x509.ErrUnsupportedAlgorithm
	}
	return pkcs8.ParsePKCS8PrivateKey(der, []byte(passphrase))
}

// maxRounds bounds the work that a key's passphrase takes: a damaged file could
// ask for minutes of it. Box's keys ask for 2048 rounds.
const maxRounds = 5_000_000

// derivationRounds is the iteration count of PBES2 with PBKDF2 (RFC 8018 appendix
// A), 0 for any other encryption.
func derivationRounds(der []byte) int {
	type algorithm struct {
		ID     asn1.ObjectIdentifier
		Params asn1.RawValue `asn1:"optional"`
	}
	var info struct {
		Algorithm algorithm
		Data      []byte
	}
	var scheme struct{ KDF, Cipher algorithm }
	var kdf struct {
		Salt      asn1.RawValue
		Rounds    int
		KeyLength int           `asn1:"optional"`
		PRF       asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil || !info.Algorithm.ID.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}) {
		return 0
	}
	if _, err := asn1.Unmarshal(info.Algorithm.Params.FullBytes, &scheme); err != nil || !scheme.KDF.ID.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}) {
		return 0
	}
	if _, err := asn1.Unmarshal(scheme.KDF.Params.FullBytes, &kdf); err != nil {
		return 0
	}
	return kdf.Rounds
}
