// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Backups say where the services' databases are archived, for a way back to any moment of the
// last days.
type Backups struct {
	// endpoint is the address of the store's S3 API: https:// and an IPv4 address, or a DNS name
	// that site.nameservers know, with a port if it is not 443.
	Endpoint string `json:"endpoint"`
	// bucket takes the archives, below the namespace and the name of each database: 3 to 63
	// characters by S3's rules. It exists already, and no other site has it.
	Bucket string `json:"bucket"`
	// networks are where the store is, 1 to 8 IPv4 networks; databases can open connections to no
	// others. Default: the endpoint's address, when it is one.
	Networks []string `json:"networks"`
	// credentialsFile holds a key that may read, write and delete in the bucket, as
	// {"accessKey": "...", "secretKey": "..."}; "~/" is the home of whoever runs Pulumi.
	CredentialsFile string `json:"credentialsFile"`
	// caFile is the PEM file of the authorities of the store's certificate; "~/" is the home of
	// whoever runs Pulumi.
	CAFile string `json:"caFile"`
	// retentionDays is for how many days there is a way back, 1 to 365. Default 30.
	RetentionDays int `json:"retentionDays"`
}

const (
	leastBucket, mostBucket = 3, 63
	mostBackupNetworks      = 8
	mostRetention           = 365
)

// Amazon keeps names that begin or end like these for itself, and stores that follow its rules
// refuse them.
var (
	reservedBuckets = []string{"xn--", "sthree-", "amzn-s3-demo-"}
	reservedEndings = []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}
)

func (b *Backups) setDefaults() {
	if b == nil {
		return
	}
	number(&b.RetentionDays, 30)
	if host, ok := storeHost(b.Endpoint); ok && len(b.Networks) == 0 {
		if address, err := netip.ParseAddr(host); err == nil {
			b.Networks = []string{netip.PrefixFrom(address, address.BitLen()).String()}
		}
	}
}

// storeHost is the DNS name or IPv4 address in a store's endpoint; false if it is none.
func storeHost(endpoint string) (string, bool) {
	u, err := url.Parse(endpoint)
	if err != nil || endpoint != "https://"+u.Host {
		return "", false
	}
	host := u.Hostname()
	if host != u.Host {
		if port, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || port == 0 {
			return "", false
		}
	}
	if validation.IsDNS1123Subdomain(host) != nil {
		return "", false
	}
	// No top-level domain is a number: this is an address then, or a mistake in one.
	if last := host[strings.LastIndex(host, ".")+1:]; strings.Trim(last, "0123456789") == "" {
		_, err := netip.ParseAddr(host)
		return host, err == nil
	}
	return host, true
}

func (e *Environment) validateBackups(p *field.Path) field.ErrorList {
	b := e.Backups
	if b == nil {
		return nil
	}
	var errs field.ErrorList
	if e.Messaging == nil {
		errs = append(errs, field.Forbidden(p, "there is no database to archive without messaging: add that, or remove this"))
	}
	errs = append(errs, e.validateStore(p.Child("endpoint"))...)
	errs = append(errs, bucket(p.Child("bucket"), b.Bucket)...)
	errs = append(errs, e.validateStoreNetworks(p.Child("networks"))...)
	errs = append(errs, requiredFile(p.Child("credentialsFile"), b.CredentialsFile)...)
	errs = append(errs, requiredFile(p.Child("caFile"), b.CAFile)...)
	return append(errs, between(p.Child("retentionDays"), b.RetentionDays, 1, mostRetention)...)
}

// validateStore checks the store's address, which databases have to be able to look up.
func (e *Environment) validateStore(p *field.Path) field.ErrorList {
	endpoint := e.Backups.Endpoint
	host, ok := storeHost(endpoint)
	_, notAddress := netip.ParseAddr(host)
	switch {
	case endpoint == "":
		return field.ErrorList{field.Required(p, "the store's address, such as https://10.90.0.1:9000")}
	case strings.Contains(endpoint, "@"):
		// It may hold a password, which nobody else should read.
		return field.ErrorList{field.Invalid(p, "(secret)", "must not name a user: the key belongs into credentialsFile")}
	case !ok:
		return field.ErrorList{field.Invalid(p, endpoint, "must be https:// and a DNS name or an IPv4 address, with a port if need be, and nothing else")}
	case notAddress != nil && len(e.Site.Nameservers) == 0:
		return field.ErrorList{field.Invalid(p, endpoint, "nobody at the site knows this name: give an address, or site.nameservers")}
	}
	return nil
}

// validateStoreNetworks keeps databases from reaching anything of the cluster as if it were the
// store.
func (e *Environment) validateStoreNetworks(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	networks := e.Backups.Networks
	host, ok := storeHost(e.Backups.Endpoint)
	if len(networks) == 0 {
		return field.ErrorList{field.Required(p, "where the store is, as IPv4 networks: databases reach it nowhere else")}
	}
	if n := len(networks); n > mostBackupNetworks {
		errs = append(errs, field.TooMany(p, n, mostBackupNetworks))
	}
	address, _ := netip.ParseAddr(host)
	reached := !ok || !address.IsValid()
	kubernetes := field.NewPath("kubernetes")
	// What is wrong with these is said where they stand.
	pods, _ := netip.ParsePrefix(e.Kubernetes.PodCIDR)
	services, _ := netip.ParsePrefix(e.Kubernetes.ServiceCIDR)
	for i, n := range networks {
		at := p.Index(i)
		network, wrong := ipv4Prefix(at, n)
		errs = append(errs, wrong...)
		if slices.Contains(networks[:i], n) {
			errs = append(errs, field.Duplicate(at, n))
		}
		reached = reached || len(wrong) > 0 || network.Contains(address)
		for _, r := range []named{{kubernetes.Child("podCIDR"), pods}, {kubernetes.Child("serviceCIDR"), services}} {
			errs = append(errs, overlaps([]named{r, {at, network}})...)
		}
	}
	if !reached {
		errs = append(errs, field.Invalid(p, strings.Join(networks, ", "), "must hold the address of endpoint"))
	}
	return errs
}

func bucket(p *field.Path, name string) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(p, "the bucket that takes the archives")}
	}
	_, notAddress := netip.ParseAddr(name)
	if len(name) < leastBucket || len(name) > mostBucket || validation.IsDNS1123Subdomain(name) != nil || notAddress == nil {
		return field.ErrorList{field.Invalid(p, name,
			"must be 3 to 63 lower-case letters, digits, dots and dashes, with a letter or digit at each end and beside each dot, and no address")}
	}
	begins := func(s string) bool { return strings.HasPrefix(name, s) }
	ends := func(s string) bool { return strings.HasSuffix(name, s) }
	if slices.ContainsFunc(reservedBuckets, begins) || slices.ContainsFunc(reservedEndings, ends) {
		return field.ErrorList{field.Invalid(p, name, "begins or ends like a name that is reserved in S3")}
	}
	return nil
}
