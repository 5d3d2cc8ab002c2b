package box

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"strings"

	"sendoff/connectors"
	"sendoff/schema"
)

// MaxConfigFileBytes bounds the configuration file of an application; Box's own
// are about 3 KiB.
const MaxConfigFileBytes = 64 << 10

// appConfig is the file that Box's developer console makes with an application's
// key pair (https://developer.box.com/guides/authentication/jwt/jwt-setup/).
type appConfig struct {
	AppSettings struct {
		ClientID     text `json:"clientID"`
		ClientSecret text `json:"clientSecret"`
		AppAuth      struct {
			PublicKeyID text `json:"publicKeyID"`
			PrivateKey  text `json:"privateKey"`
			Passphrase  text `json:"passphrase"`
		} `json:"appAuth"`
	} `json:"boxAppSettings"`
	EnterpriseID text `json:"enterpriseID"`
}

// appKey is an application's configuration with its key opened.
type appKey struct {
	appConfig
	key *rsa.PrivateKey
}

// ReadConfigFile implements connectors.ConfigFileReader.
func (Factory) ReadConfigFile(file string) (connectors.ConfigFile, error) {
	k, problems := readAppKey(file)
	if len(problems) > 0 {
		return connectors.ConfigFile{}, &schema.Error{
			Code: schema.CodeInvalid, Message: "Box's configuration file cannot be used; nothing was stored",
			Problems: problems, Fix: "correct what is named, or generate a new key pair in Box's developer console and take the file it downloads",
		}
	}
	return connectors.ConfigFile{
		AuthKind: schema.AuthJWT, ClientID: string(k.AppSettings.ClientID), EnterpriseID: string(k.EnterpriseID),
	}, nil
}

// readAppKey reads the file and opens its key. It finds every fault, and repeats
// nothing of the file.
func readAppKey(file string) (appKey, []schema.Problem) {
	var k appKey
	var all []schema.Problem
	problem := func(where, code, message, fix string) {
		all = append(all, schema.Problem{Where: strings.Trim("config-file:"+where, ":"), Code: code, Message: message, Fix: fix})
	}
	if len(file) > MaxConfigFileBytes {
		problem("", "too_long", "the file is longer than 64 KiB, so it is none of Box's", "take the file that Box's developer console downloaded")
		return k, all
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(file, "\ufeff")), &k.appConfig); err != nil {
		problem("", "malformed", jsonFault(file, err), "download the file again from Box's developer console and leave it as it is")
		return k, all
	}
	console := "copy it from the application's configuration in Box's developer console"
	for _, m := range []struct{ where, value, fix string }{
		{"boxAppSettings.clientID", string(k.AppSettings.ClientID), console},
		{"boxAppSettings.clientSecret", string(k.AppSettings.ClientSecret), console},
		{"boxAppSettings.appAuth.publicKeyID", string(k.AppSettings.AppAuth.PublicKeyID), "generate a key pair in the developer console: the file it downloads names the key"},
		{"boxAppSettings.appAuth.privateKey", string(k.AppSettings.AppAuth.PrivateKey), "generate a key pair in the developer console: the file it downloads holds the key"},
		{"enterpriseID", string(k.EnterpriseID), "copy it from Box's admin console, Account & Billing"},
	} {
		if strings.TrimSpace(m.value) == "" || m.value == "0" {
			problem(m.where, "required", "it is missing", m.fix)
		}
	}
	if checkIDs("", k.EnterpriseID.id()) != nil {
		problem("enterpriseID", "invalid", "it holds characters that no Box id has", "copy it from Box's admin console, Account & Billing")
	}
	auth := k.AppSettings.AppAuth
	if strings.TrimSpace(string(auth.PrivateKey)) != "" {
		key, fault := openKey(string(auth.PrivateKey), string(auth.Passphrase))
		if fault != nil {
			problem("boxAppSettings.appAuth."+fault.field, fault.code, fault.message, fault.fix)
		}
		k.key = key
	}
	return k, all
}

// jsonFault says what is wrong with a file that is not the JSON expected. The
// decoder's own text may quote the file.
func jsonFault(file string, err error) string {
	var typed *json.UnmarshalTypeError
	if errors.As(err, &typed) {
		return "a value has the wrong type: texts and objects are expected"
	}
	if strings.TrimSpace(file) == "" {
		return "the file is empty"
	}
	if !strings.HasSuffix(strings.TrimSpace(file), "}") {
		return "the file is cut off or no JSON: it does not end with a closing brace"
	}
	return "the file is not JSON"
}
