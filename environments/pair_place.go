// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// PlaceInAWS is an account, of neither site, with a table and a zone in eu-west-2.
type PlaceInAWS struct {
	// table is the name of the DynamoDB table with the vote; its hash key is the string service.
	Table string `json:"table"`
	// hostedZone is the ID of pair.thirdPlace.zone in Route 53, such as Z0123456789ABCDEFGHIJ. Each
	// name in it has a weighted record for each site, whose set identifier is the site's name.
	HostedZone string `json:"hostedZone"`
	// credentialsFile holds an access key of this site's own user there, in the form of AWS's
	// tools, as [default]; "~/" is the home of whoever runs Pulumi.
	CredentialsFile string `json:"credentialsFile"`
	// networks are where DynamoDB and Route 53 answer this site by HTTPS, 1 to 16.
	Networks []string `json:"networks"`
	// tableEndpoint is DynamoDB's address in a private network, such as
	// https://vpce-1a2b.dynamodb.eu-west-2.vpce.amazonaws.com. Omit it for the public one.
	TableEndpoint string `json:"tableEndpoint"`
	// zoneEndpoint is Route 53's address in a private network, https://. Omit it for the public
	// one.
	ZoneEndpoint string `json:"zoneEndpoint"`
}

const mostPlaceNetworks = 16

var (
	tableInAWS = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)
	zoneInAWS  = regexp.MustCompile(`^[A-Z0-9]{1,32}$`)
)

func (t ThirdPlace) validate(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if validation.IsDNS1123Subdomain(t.Zone) != nil || !strings.Contains(t.Zone, ".") || len(t.Zone) > maxZone {
		errs = append(errs, field.Invalid(p.Child("zone"), t.Zone, "must be a DNS name of two parts or more, without a closing dot"))
	}
	if t.AWS == nil {
		return append(errs, t.validateServer(p)...)
	}
	forbid := func(name string, given bool) {
		if given {
			errs = append(errs, field.Forbidden(p.Child(name), "the third place is either a name server or AWS: remove this, or aws"))
		}
	}
	forbid("nameServer", t.NameServer != "")
	forbid("key", t.Key != "")
	forbid("secretFile", t.SecretFile != "")
	forbid("ttlSeconds", t.TTLSeconds != 0)
	return append(errs, t.AWS.validate(p.Child("aws"))...)
}

func (t ThirdPlace) validateServer(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if a, err := netip.ParseAddrPort(t.NameServer); err != nil || !a.Addr().Is4() || a.Port() == 0 {
		errs = append(errs, field.Invalid(p.Child("nameServer"), t.NameServer, "must be an IPv4 address and a port, such as 192.0.2.1:53"))
	}
	if validation.IsDNS1123Subdomain(t.Key) != nil {
		errs = append(errs, field.Invalid(p.Child("key"), t.Key, "must be the name of a key, without a closing dot"))
	}
	errs = append(errs, requiredFile(p.Child("secretFile"), t.SecretFile)...)
	return append(errs, between(p.Child("ttlSeconds"), t.TTLSeconds, 1, mostTrafficCache)...)
}

func (a *PlaceInAWS) validate(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if !tableInAWS.MatchString(a.Table) {
		errs = append(errs, field.Invalid(p.Child("table"), a.Table, "must be the name of a DynamoDB table, 3 to 255 letters, digits, dots, dashes and underscores"))
	}
	if !zoneInAWS.MatchString(a.HostedZone) {
		errs = append(errs, field.Invalid(p.Child("hostedZone"), a.HostedZone, "must be the ID of a zone in Route 53, such as Z0123456789ABCDEFGHIJ"))
	}
	errs = append(errs, requiredFile(p.Child("credentialsFile"), a.CredentialsFile)...)
	if len(a.Networks) == 0 {
		errs = append(errs, field.Required(p.Child("networks"), "where DynamoDB and Route 53 answer this site: its manager reaches nothing else"))
	}
	if len(a.Networks) > mostPlaceNetworks {
		errs = append(errs, field.TooMany(p.Child("networks"), len(a.Networks), mostPlaceNetworks))
	}
	for i, n := range a.Networks {
		_, wrong := ipv4Prefix(p.Child("networks").Index(i), n)
		errs = append(errs, wrong...)
	}
	errs = append(errs, privateEndpoint(p.Child("tableEndpoint"), a.TableEndpoint)...)
	return append(errs, privateEndpoint(p.Child("zoneEndpoint"), a.ZoneEndpoint)...)
}

func privateEndpoint(p *field.Path, s string) field.ErrorList {
	if u, err := url.Parse(s); s != "" && (err != nil || s != "https://"+u.Host || u.Host == "") {
		return field.ErrorList{field.Invalid(p, s, "must be https:// and a host, with a port if need be, and nothing else")}
	}
	return nil
}
