// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// members is how many a database or broker has.
const members = 3

const (
	maxNetworks   = 32
	maxTokenText  = 256
	maxReplicas   = 20
	maxCPUMillis  = 64000
	maxStorageGiB = 1 << 16
)

func (e *Environment) validateServices() field.ErrorList {
	var errs field.ErrorList
	if m := e.Messaging; m != nil {
		p := field.NewPath("messaging")
		errs = append(errs, e.enoughHosts(p)...)
		errs = append(errs, projectFile(p.Child("catalogueFile"), m.CatalogueFile)...)
		errs = append(errs, m.Gateway.validate(p.Child("gateway"))...)
		errs = append(errs, m.Database.validate(p.Child("database"))...)
		errs = append(errs, m.Broker.validate(p.Child("broker"))...)
	}
	if b := e.Booking; b != nil {
		p := field.NewPath("booking")
		if e.Messaging == nil {
			errs = append(errs, field.Forbidden(p, "booking sends its events through messaging: add that, or remove this"))
		}
		errs = append(errs, e.validateActivity(p.Child("activity"))...)
		errs = append(errs, hours(p, "activity", string(b.Activity), b.Wake, b.Sleep)...)
		errs = append(errs, e.enoughHosts(p)...)
		errs = append(errs, b.Service.validate(p.Child("service"))...)
		errs = append(errs, b.Database.validate(p.Child("database"))...)
		errs = append(errs, b.Tokens.validate(p.Child("tokens"))...)
		if b.Providers != nil {
			errs = append(errs, b.Providers.validate(p.Child("providers"))...)
		}
		errs = append(errs, hostNames(p.Child("hostNames"), b.HostNames)...)
	}
	return errs
}

// validateActivity keeps awake what serves patients, and what another site would take over.
func (e *Environment) validateActivity(p *field.Path) field.ErrorList {
	known := []Activity{ActivityAsleep, ActivityAwake, ActivityWorkingHours}
	switch activity := e.Booking.Activity; {
	case activity == ActivityAwake:
	case !slices.Contains(known, activity):
		return field.ErrorList{field.NotSupported(p, activity, known)}
	case e.Class.serving():
		return field.ErrorList{field.Invalid(p, activity, fmt.Sprintf("an environment of class %s does not sleep: use Awake, or correct class", e.Class))}
	case e.Pair != nil:
		return field.ErrorList{field.Invalid(p, activity, "one of two sites does not sleep, as the other one would take its services over: use Awake")}
	}
	return nil
}

// enoughHosts holds the members of databases and brokers apart: two in one rack
// would be lost together, and with them the majority.
func (e *Environment) enoughHosts(p *field.Path) field.ErrorList {
	racks := map[string]bool{}
	for _, h := range e.Hosts {
		racks[h.Rack] = true
	}
	if n := len(racks); n > 0 && n < members {
		return field.ErrorList{field.Forbidden(p, fmt.Sprintf("its database has %d members in as many racks, and hosts are in %d: spread them over more, or remove this", members, n))}
	}
	return nil
}

func (w Workload) validate(p *field.Path) field.ErrorList {
	errs := between(p.Child("replicas"), w.Replicas, 2, maxReplicas)
	errs = append(errs, between(p.Child("cpuMillis"), w.CPUMillis, 10, maxCPUMillis)...)
	return append(errs, between(p.Child("memoryMiB"), w.MemoryMiB, 64, 1<<16)...)
}

func (s Store) validate(p *field.Path) field.ErrorList {
	errs := between(p.Child("storageGiB"), s.StorageGiB, 1, maxStorageGiB)
	errs = append(errs, between(p.Child("cpuMillis"), s.CPUMillis, 10, maxCPUMillis)...)
	return append(errs, between(p.Child("memoryMiB"), s.MemoryMiB, 256, 1<<20)...)
}

func (t Tokens) validate(p *field.Path) field.ErrorList {
	errs := t.validateText(p)
	if t.KeysFile == "" {
		return append(errs, field.Required(p.Child("keysFile"), "the file of the issuer's public keys, a JSON Web Key Set"))
	}
	return append(errs, localFile(p.Child("keysFile"), t.KeysFile)...)
}

// validateText checks what tokens must say.
func (t Tokens) validateText(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, f := range []struct{ name, value string }{{"issuer", t.Issuer}, {"audience", t.Audience}} {
		switch {
		case f.value == "":
			errs = append(errs, field.Required(p.Child(f.name), "what a token of the API must name"))
		case len(f.value) > maxTokenText:
			errs = append(errs, field.TooLong(p.Child(f.name), f.value, maxTokenText))
		}
	}
	return errs
}

func (v Providers) validate(p *field.Path) field.ErrorList {
	errs := v.validateNetworks(p)
	if v.CAFile == "" {
		return append(errs, field.Required(p.Child("caFile"), "the authority of providers' certificates, a PEM file"))
	}
	return append(errs, localFile(p.Child("caFile"), v.CAFile)...)
}

// validateNetworks checks where providers' systems are.
func (v Providers) validateNetworks(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(v.Networks) == 0 {
		errs = append(errs, field.Required(p.Child("networks"), "an IPv4 network such as 10.20.0.0/16"))
	}
	if n := len(v.Networks); n > maxNetworks {
		errs = append(errs, field.TooMany(p.Child("networks"), n, maxNetworks))
	}
	for i, n := range v.Networks {
		_, wrong := ipv4Prefix(p.Child("networks").Index(i), n)
		errs = append(errs, wrong...)
	}
	return append(errs, between(p.Child("port"), v.Port, 1, 65535)...)
}

func hostNames(p *field.Path, names []string) field.ErrorList {
	var errs field.ErrorList
	if len(names) > maxList {
		errs = append(errs, field.TooMany(p, len(names), maxList))
	}
	for i, n := range names {
		if validation.IsDNS1123Subdomain(n) != nil {
			errs = append(errs, field.Invalid(p.Index(i), n, "must be a DNS name or an IPv4 address"))
		}
	}
	return errs
}
