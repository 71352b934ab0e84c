// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"fmt"
	"net/netip"
	"regexp"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// registryHost is a host name of a registry, with a port or without.
var registryHost = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$`)

// validateServices checks what runs in the cluster.
func (c *Cloud) validateServices() field.ErrorList {
	errs := oneOf(field.NewPath("platform"), c.Platform, PlatformInstalled, PlatformOmitted)
	images := field.NewPath("images")
	// It is empty only where the account is missing, which is said there.
	if c.Images.Registry != "" && !registryHost.MatchString(c.Images.Registry) {
		errs = append(errs, field.Invalid(images.Child("registry"), c.Images.Registry, "must be a host name, with a port or without"))
	}
	errs = append(errs, projectFile(images.Child("releaseFile"), c.Images.ReleaseFile)...)
	errs = append(errs, c.Operations.validate(field.NewPath("operations"))...)
	messaging := field.NewPath("messaging")
	if c.Messaging.CatalogueFile != "" { // empty only where the service is missing
		errs = append(errs, projectFile(messaging.Child("catalogueFile"), c.Messaging.CatalogueFile)...)
	}
	errs = append(errs, c.Messaging.Gateway.validate(messaging.Child("gateway"))...)
	return append(errs, c.validateBooking(field.NewPath("booking"))...)
}

func (c *Cloud) validateBooking(p *field.Path) field.ErrorList {
	if c.Service != ServiceERS {
		if c.Service == ServiceSpine && c.Booking != (CloudBooking{}) {
			return field.ErrorList{field.Forbidden(p, "only where the service is ers: remove this")}
		}
		return nil
	}
	b := c.Booking
	errs := b.Service.validate(p.Child("service"))
	errs = append(errs, Tokens{Issuer: b.Tokens.Issuer, Audience: b.Tokens.Audience}.validateText(p.Child("tokens"))...)
	errs = append(errs, projectFile(p.Child("tokens", "keysFile"), b.Tokens.KeysFile)...)
	if v := b.Providers; v != nil {
		at := p.Child("providers")
		errs = append(errs, Providers{Networks: v.Networks, Port: v.Port}.validateNetworks(at)...)
		errs = append(errs, projectFile(at.Child("caFile"), v.CAFile)...)
		for i, n := range v.Networks {
			if to, err := netip.ParsePrefix(n); err == nil && !c.Network.reaches(to) {
				errs = append(errs, field.Invalid(at.Child("networks").Index(i), n, "is not within one of network.egress: there is no route to it"))
			}
		}
	}
	return errs
}

// reaches says whether the list of ways out covers a network.
func (n CloudNetwork) reaches(to netip.Prefix) bool {
	for _, e := range n.Egress {
		if cidr, err := netip.ParsePrefix(e.CIDR); err == nil && cidr.Bits() <= to.Bits() && cidr.Contains(to.Addr()) {
			return true
		}
	}
	return false
}

// Released is one image of a release.
type Released struct {
	// name and tag as hack/images builds it, digest of its manifest: "sha256:" and 64
	// hexadecimal digits.
	Name   string `json:"name"`
	Tag    string `json:"tag"`
	Digest string `json:"digest"`
	// size is of manifest, config and compressed layers, in bytes; for people.
	Size int `json:"size"`
}

const mostReleased = 200

var (
	imageName   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)
	imageTag    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	imageDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

// ParseRelease reads a release's list of images, JSON, strictly. All problems are in the
// errors, below the path.
func ParseRelease(raw []byte, at *field.Path) ([]Released, field.ErrorList) {
	var list []Released
	tree, err := parse(raw)
	if err != nil {
		return nil, field.ErrorList{field.Invalid(at, excerpt(raw), err.Error())}
	}
	errs := fillAt(at, tree, &list)
	if n := len(list); n == 0 || n > mostReleased {
		errs = append(errs, field.Invalid(at, n, fmt.Sprintf("must be a list of 1 to %d images", mostReleased)))
	}
	seen := map[string]bool{}
	for i, r := range list {
		p := at.Index(i)
		errs = append(errs, matches(p.Child("name"), r.Name, imageName, "the name of an image, without registry")...)
		errs = append(errs, matches(p.Child("tag"), r.Tag, imageTag, "a tag")...)
		errs = append(errs, matches(p.Child("digest"), r.Digest, imageDigest, `a digest, "sha256:" and 64 hexadecimal digits: a tag can be moved`)...)
		if seen[r.Name+":"+r.Tag] {
			errs = append(errs, field.Duplicate(p, r.Name+":"+r.Tag))
		}
		seen[r.Name+":"+r.Tag] = true
	}
	return list, errs
}
