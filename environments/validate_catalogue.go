// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	maxSuppliers = 50
	maxRoutes    = 200
	maxMailboxes = 5000
	maxRate      = 100000
	maxRetries   = 20
)

var (
	interactionPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$`)
	mailboxPattern     = regexp.MustCompile(`^[A-Z0-9][A-Z0-9_-]{0,63}$`)
	endpointPattern    = regexp.MustCompile(`^https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[^\s]*)?$`)
)

var (
	patterns         = []string{"Sync", "AsyncExpress", "AsyncReliable", "ForwardExpress", "ForwardReliable"}
	reliablePatterns = []string{"AsyncReliable", "ForwardReliable"}
)

// ParseCatalogue decodes, fills in defaults and validates a catalogue. Problems
// have paths below at.
func ParseCatalogue(raw []byte, at *field.Path) (*Catalogue, field.ErrorList) {
	c := &Catalogue{}
	tree, err := parse(raw)
	if err != nil {
		return c, field.ErrorList{field.Invalid(at, excerpt(raw), err.Error())}
	}
	errs := fillAt(at, tree, c)
	told := map[string]bool{}
	for _, e := range errs {
		told[e.Field] = true
	}
	c.setDefaults()
	for _, e := range c.validate(at) {
		if !told[e.Field] {
			errs = append(errs, e)
		}
	}
	return c, errs
}

func (c *Catalogue) setDefaults() {
	for i := range c.Suppliers {
		or(&c.Suppliers[i].Traffic, TrafficOpen)
	}
	for i := range c.Routes {
		or(&c.Routes[i].Traffic, TrafficOpen)
		text(&c.Routes[i].Delivery, "Inbox")
		text(&c.Routes[i].Timeout, "30s")
		if r := c.Routes[i].Reliability; r != nil {
			text(&r.RetryInterval, "0s")
			text(&r.PersistDuration, "0s")
			text(&r.DuplicateElimination, "Always")
		}
	}
	for i := range c.Mailboxes {
		text(&c.Mailboxes[i].Name, c.Mailboxes[i].ID)
		or(&c.Mailboxes[i].Interface, InterfaceMesh)
		or(&c.Mailboxes[i].Certificate, CertificateOwn)
	}
}

func or[T ~string](v *T, byDefault T) {
	if *v == "" {
		*v = byDefault
	}
}

func (c *Catalogue) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, list := range []struct {
		name    string
		n, most int
	}{{"suppliers", len(c.Suppliers), maxSuppliers}, {"routes", len(c.Routes), maxRoutes}, {"mailboxes", len(c.Mailboxes), maxMailboxes}} {
		if list.n > list.most {
			errs = append(errs, field.TooMany(at.Child(list.name), list.n, list.most))
		}
	}
	if len(c.Routes) == 0 {
		errs = append(errs, field.Required(at.Child("routes"), "without a route no message is accepted"))
	}
	suppliers := map[string]bool{}
	for i, s := range c.Suppliers {
		p := at.Child("suppliers").Index(i)
		errs = append(errs, label(p.Child("name"), s.Name)...)
		errs = append(errs, unique(p.Child("name"), s.Name, suppliers)...)
		errs = append(errs, between(p.Child("messagesPerSecond"), s.MessagesPerSecond, 0, maxRate)...)
		errs = append(errs, oneOf(p.Child("traffic"), s.Traffic, TrafficOpen, TrafficStopped)...)
	}
	interactions := map[string]bool{}
	for i, r := range c.Routes {
		p := at.Child("routes").Index(i)
		errs = append(errs, unique(p.Child("interaction"), r.Interaction, interactions)...)
		errs = append(errs, known(p.Child("supplier"), r.Supplier, suppliers, "suppliers")...)
		errs = append(errs, r.validate(p)...)
	}
	ids := map[string]bool{}
	for i, m := range c.Mailboxes {
		p := at.Child("mailboxes").Index(i)
		errs = append(errs, unique(p.Child("id"), m.ID, ids)...)
		errs = append(errs, known(p.Child("supplier"), m.Supplier, suppliers, "suppliers")...)
		errs = append(errs, m.validate(p, interactions)...)
	}
	return errs
}

func (r Route) validate(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if !interactionPattern.MatchString(r.Interaction) {
		errs = append(errs, field.Invalid(p.Child("interaction"), r.Interaction, "must be 1 to 100 letters, digits and _ . : / -"))
	}
	errs = append(errs, oneOf(p.Child("pattern"), r.Pattern, patterns...)...)
	errs = append(errs, oneOf(p.Child("delivery"), r.Delivery, "Inbox", "Push")...)
	errs = append(errs, oneOf(p.Child("traffic"), r.Traffic, TrafficOpen, TrafficStopped)...)
	errs = append(errs, between(p.Child("messagesPerSecond"), r.MessagesPerSecond, 0, maxRate)...)
	errs = append(errs, duration(p.Child("timeout"), r.Timeout, time.Second, 2*time.Minute)...)
	switch asked := r.Delivery == "Push" || r.Pattern == "Sync"; {
	case asked && !endpointPattern.MatchString(r.Endpoint):
		errs = append(errs, field.Invalid(p.Child("endpoint"), r.Endpoint, "must be an https URL for delivery Push and pattern Sync"))
	case !asked && r.Endpoint != "":
		errs = append(errs, field.Forbidden(p.Child("endpoint"), "only for delivery Push and pattern Sync: remove it"))
	}
	reliable := slices.Contains(reliablePatterns, r.Pattern)
	if r.Reliability == nil {
		if reliable {
			errs = append(errs, field.Required(p.Child("reliability"), "the contract of a reliable pattern: retries, retryInterval, persistDuration, duplicateElimination"))
		}
		return errs
	}
	return append(errs, r.Reliability.validate(p.Child("reliability"), reliable)...)
}

func (r Reliability) validate(p *field.Path, reliable bool) field.ErrorList {
	const day = 24 * time.Hour
	errs := between(p.Child("retries"), r.Retries, 0, maxRetries)
	if r.Retries > 0 && !reliable {
		errs = append(errs, field.Forbidden(p.Child("retries"), "only for the patterns "+strings.Join(reliablePatterns, " and ")))
	}
	least := time.Duration(0)
	if r.Retries > 0 {
		least = time.Second
	}
	errs = append(errs, duration(p.Child("retryInterval"), r.RetryInterval, least, day)...)
	errs = append(errs, duration(p.Child("persistDuration"), r.PersistDuration, 0, 30*day)...)
	return append(errs, oneOf(p.Child("duplicateElimination"), r.DuplicateElimination, "Always", "Never")...)
}

func (m Mailbox) validate(p *field.Path, interactions map[string]bool) field.ErrorList {
	var errs field.ErrorList
	if !mailboxPattern.MatchString(m.ID) {
		errs = append(errs, field.Invalid(p.Child("id"), m.ID, "must be 1 to 64 upper-case letters, digits, '-' and '_'"))
	}
	if m.Organisation == "" {
		errs = append(errs, field.Required(p.Child("organisation"), "the owner's ODS code"))
	}
	if len(m.Workflows) == 0 {
		errs = append(errs, field.Required(p.Child("workflows"), "the interactions it takes part in, or \"*\" alone"))
	}
	for i, w := range m.Workflows {
		if w == "*" && len(m.Workflows) == 1 {
			continue
		}
		errs = append(errs, known(p.Child("workflows").Index(i), w, interactions, "the interactions of routes")...)
	}
	if len(m.CertificateNames) == 0 {
		errs = append(errs, field.Required(p.Child("certificateNames"), "a name that is in the owner's client certificates"))
	}
	errs = append(errs, oneOf(p.Child("interface"), m.Interface, InterfaceMesh, InterfaceBulk)...)
	return append(errs, oneOf(p.Child("certificate"), m.Certificate, CertificateOwn, CertificateIssued)...)
}

func unique(p *field.Path, v string, seen map[string]bool) field.ErrorList {
	if v != "" && seen[v] {
		return field.ErrorList{field.Duplicate(p, v)}
	}
	seen[v] = true
	return nil
}

func known(p *field.Path, v string, all map[string]bool, what string) field.ErrorList {
	if v == "" || !all[v] {
		return field.ErrorList{field.Invalid(p, v, "is not one of "+what)}
	}
	return nil
}

func oneOf[T ~string](p *field.Path, v T, allowed ...T) field.ErrorList {
	if slices.Contains(allowed, v) {
		return nil
	}
	return field.ErrorList{field.NotSupported(p, v, allowed)}
}

func duration(p *field.Path, s string, least, most time.Duration) field.ErrorList {
	d, err := time.ParseDuration(s)
	if err != nil || d < least || d > most {
		return field.ErrorList{field.Invalid(p, s, "must be a duration from "+least.String()+" to "+most.String()+", such as \"90s\" or \"7h\"")}
	}
	return nil
}
