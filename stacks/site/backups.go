// SPDX-License-Identifier: Apache-2.0

package site

import (
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/platform/services"
	shared "spine.nhs.uk/controlplane/stacks/platform"
)

// storeKey is what backups.credentialsFile holds.
type storeKey struct {
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
}

// mostKey is the length in bytes of the longest part of a store's key.
const mostKey = 256

// readBackups is the store in which the environment's databases are archived, with the files read
// in; nil for a site without. No error has a part of the key in it.
func readBackups(env *environments.Environment) (*services.Backup, field.ErrorList) {
	b, p := env.Backups, field.NewPath("backups")
	if b == nil {
		return nil, nil
	}
	key, errs := readStoreKey(p.Child("credentialsFile"), b.CredentialsFile)
	authorities, err := readLocal(b.CAFile)
	if err != nil {
		errs = append(errs, shared.Unreadable(p.Child("caFile"), b.CAFile, err))
	}
	return &services.Backup{
		Endpoint: b.Endpoint, Bucket: b.Bucket, Networks: b.Networks, RetentionDays: b.RetentionDays,
		AccessKey: key.AccessKey, SecretKey: key.SecretKey, Authorities: authorities,
	}, errs
}

func readStoreKey(at *field.Path, file string) (storeKey, field.ErrorList) {
	text, err := readLocal(file)
	if err != nil {
		return storeKey{}, field.ErrorList{shared.Unreadable(at, file, err)}
	}
	var key storeKey
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	// The decoder's own words may quote what it read.
	if d.Decode(&key) != nil || d.More() {
		return storeKey{}, field.ErrorList{field.Invalid(at, file, `must hold {"accessKey": "...", "secretKey": "..."} and nothing else`)}
	}
	var errs field.ErrorList
	for _, part := range []struct{ name, value string }{{"accessKey", key.AccessKey}, {"secretKey", key.SecretKey}} {
		odd := strings.IndexFunc(part.value, func(r rune) bool { return r <= ' ' || r > '~' })
		if part.value == "" || len(part.value) > mostKey || odd >= 0 {
			errs = append(errs, field.Invalid(at, file, fmt.Sprintf("%s in it must be 1 to %d printable characters without spaces", part.name, mostKey)))
		}
	}
	return key, errs
}
