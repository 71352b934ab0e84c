// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Pair makes the site one of two, of which one serves and the other one follows it.
type Pair struct {
	// role is what services begin as here: Active or Standby. Failovers change it later.
	Role string `json:"role"`
	// acknowledge is what must hold a piece of work before its sender is told that it is
	// safe: Site or BothSites. Default Site.
	Acknowledge string `json:"acknowledge"`
	// automatic is whether this site takes over by itself when the other one is lost: Never
	// or Automatic. Default Never.
	Automatic string `json:"automatic"`
	// peer is the other site.
	Peer Peer `json:"peer"`
	// platform is the authority of this site's own parts, whose root both sites share.
	Platform Authority `json:"platform"`
	// clients is the authority of this site's clients, whose root both sites share.
	Clients Authority `json:"clients"`
	// thirdPlace holds the vote that says which site may serve, and the names of services.
	ThirdPlace ThirdPlace `json:"thirdPlace"`
}

// Peer is the other site, as it is reached from this one.
type Peer struct {
	// name is its site.name.
	Name string `json:"name"`
	// subnet is its site.subnet.
	Subnet string `json:"subnet"`
	// edgeAddress is its edge.address.
	EdgeAddress string `json:"edgeAddress"`
	// kubeconfigFile is how this site's manager asks the other one's; "~/" is the home of
	// whoever runs Pulumi. An empty file: the sites are not joined yet.
	KubeconfigFile string `json:"kubeconfigFile"`
}

// Authority signs certificates at this site.
type Authority struct {
	// certificateFile is its certificate, then the root's, in PEM; "~/" is the home of
	// whoever runs Pulumi.
	CertificateFile string `json:"certificateFile"`
	// keyFile is its private key in PEM; "~/" is the home of whoever runs Pulumi.
	KeyFile string `json:"keyFile"`
}

// ThirdPlace is at neither site: a name server that takes signed updates (RFC 2136), or AWS.
type ThirdPlace struct {
	// nameServer is its IPv4 address and port, such as 192.0.2.1:53. Omit it, key, secretFile
	// and ttlSeconds with aws.
	NameServer string `json:"nameServer"`
	// zone is the one that both sites may update, without the closing dot.
	Zone string `json:"zone"`
	// key is the name of this site's key there, without the closing dot.
	Key string `json:"key"`
	// secretFile holds the key in base64, for hmac-sha256; "~/" is the home of whoever runs
	// Pulumi.
	SecretFile string `json:"secretFile"`
	// ttlSeconds is how long clients may keep a name's address, 1 to 900. Default 5.
	TTLSeconds int `json:"ttlSeconds"`
	// aws has the vote in DynamoDB and the zone in Route 53, instead of a name server.
	AWS *PlaceInAWS `json:"aws"`
}

// What a Pair may say.
const (
	PairActive, PairStandby   = "Active", "Standby"
	PairSite, PairBothSites   = "Site", "BothSites"
	PairNever, PairAutomatic  = "Never", "Automatic"
	maxZone, mostTrafficCache = 200, 900
)

func (p *Pair) setDefaults() {
	if p == nil {
		return
	}
	text(&p.Acknowledge, PairSite)
	text(&p.Automatic, PairNever)
	if p.ThirdPlace.AWS == nil {
		number(&p.ThirdPlace.TTLSeconds, 5)
	}
}

// validatePair checks that the two sites can tell each other apart, and can be believed.
func (e *Environment) validatePair(p *field.Path) field.ErrorList {
	v := e.Pair
	if v == nil {
		return nil
	}
	var errs field.ErrorList
	if e.Messaging == nil {
		errs = append(errs, field.Forbidden(p, "there is nothing to follow without messaging: add that, or remove this"))
	}
	errs = append(errs, either(p.Child("role"), v.Role, PairActive, PairStandby)...)
	errs = append(errs, either(p.Child("acknowledge"), v.Acknowledge, PairSite, PairBothSites)...)
	errs = append(errs, either(p.Child("automatic"), v.Automatic, PairNever, PairAutomatic)...)
	errs = append(errs, e.validatePeer(p.Child("peer"))...)
	errs = append(errs, v.Platform.validate(p.Child("platform"))...)
	errs = append(errs, v.Clients.validate(p.Child("clients"))...)
	return append(errs, v.ThirdPlace.validate(p.Child("thirdPlace"))...)
}

func (e *Environment) validatePeer(p *field.Path) field.ErrorList {
	peer := e.Pair.Peer
	errs := shortName(p.Child("name"), peer.Name)
	if peer.Name == e.Site.Name {
		errs = append(errs, field.Invalid(p.Child("name"), peer.Name, "is this site itself"))
	}
	subnet, wrong := ipv4Prefix(p.Child("subnet"), peer.Subnet)
	errs = append(errs, wrong...)
	if len(wrong) == 0 && subnet.Overlaps(e.subnet()) {
		errs = append(errs, field.Invalid(p.Child("subnet"), peer.Subnet, "overlaps with site.subnet: the other site's hosts could not be told from this one's"))
	}
	address, err := ipv4(p.Child("edgeAddress"), peer.EdgeAddress)
	switch {
	case err != nil:
		errs = append(errs, err)
	case len(wrong) == 0 && !subnet.Contains(address):
		errs = append(errs, field.Invalid(p.Child("edgeAddress"), peer.EdgeAddress, "must be within peer.subnet"))
	}
	return append(errs, requiredFile(p.Child("kubeconfigFile"), peer.KubeconfigFile)...)
}

func (a Authority) validate(p *field.Path) field.ErrorList {
	return append(requiredFile(p.Child("certificateFile"), a.CertificateFile), requiredFile(p.Child("keyFile"), a.KeyFile)...)
}

func either(p *field.Path, value, one, other string) field.ErrorList {
	if value == one || value == other {
		return nil
	}
	return field.ErrorList{field.NotSupported(p, value, []string{one, other})}
}

func requiredFile(p *field.Path, file string) field.ErrorList {
	if file == "" {
		return field.ErrorList{field.Required(p, `a file; "~/" is the home of whoever runs Pulumi`)}
	}
	return localFile(p, file)
}
