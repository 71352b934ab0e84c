// SPDX-License-Identifier: Apache-2.0

package site

import (
	"encoding/base64"
	"net/netip"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/platform/manager"
)

// leastKey is the length in bytes of a key for hmac-sha256 (RFC 8945, section 8).
const leastKey = 32

// thirdPlace is what holds the vote and the names, with what the two sites are called there. Files
// are read by read, which remembers those that cannot be.
func thirdPlace(env *environments.Environment, read func(at *field.Path, file string) string) (*manager.ThirdPlace, field.ErrorList) {
	p, v, peer := field.NewPath("pair", "thirdPlace"), env.Pair.ThirdPlace, env.Pair.Peer
	if a := v.AWS; a != nil {
		at := p.Child("aws", "credentialsFile")
		credentials := read(at, a.CredentialsFile)
		if credentials != "" && (!strings.Contains(credentials, "aws_access_key_id") || !strings.Contains(credentials, "aws_secret_access_key")) {
			return nil, field.ErrorList{field.Invalid(at, a.CredentialsFile, "must hold [default] with aws_access_key_id and aws_secret_access_key")}
		}
		return &manager.ThirdPlace{AWS: &manager.PlaceInAWS{
			Region: string(environments.London), Table: a.Table, TableEndpoint: a.TableEndpoint,
			HostedZone: a.HostedZone, ZoneEndpoint: a.ZoneEndpoint, Credentials: credentials, Networks: a.Networks,
			Sites: map[string]string{env.Site.Name: env.Site.Name, peer.Name: peer.Name},
		}}, nil
	}
	at := p.Child("secretFile")
	secret := strings.TrimSpace(read(at, v.SecretFile))
	if key, err := base64.StdEncoding.DecodeString(secret); secret != "" && (err != nil || len(key) < leastKey) {
		return nil, field.ErrorList{field.Invalid(at, v.SecretFile, "must hold a key of at least 32 bytes in base64")}
	}
	return &manager.ThirdPlace{NameServer: &manager.NameServer{
		Address: netip.MustParseAddrPort(v.NameServer), Key: v.Key + ".", Secret: secret, TTLSeconds: v.TTLSeconds,
		Sites: map[string]string{env.Site.Name: env.Edge.Address, peer.Name: peer.EdgeAddress},
	}}, nil
}
