// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// proofSeconds is how long resolvers keep a record of proof.
const proofSeconds = 300

// certificate orders a certificate, proves its names by records, and waits until it
// is issued. AWS renews it 60 days before it ends as long as the records stay, so
// nobody has to think of it.
func (a *Args) certificate(ctx *pulumi.Context, under ...pulumi.ResourceOption) (pulumi.StringOutput, error) {
	name := a.Names.Name("certificate")
	domains := a.Certificate.Domains
	ordered, err := acm.NewCertificate(ctx, name, &acm.CertificateArgs{
		DomainName:              pulumi.String(domains[0]),
		SubjectAlternativeNames: pulumi.ToStringArray(domains[1:]),
		ValidationMethod:        pulumi.String("DNS"),
		// Every client of ours takes elliptic curves but old ones of hospitals: RSA is
		// what all of them speak.
		KeyAlgorithm: pulumi.String("RSA_2048"),
	}, under...)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	names := pulumi.StringArray{}
	for _, domain := range proven(domains) {
		record, err := route53.NewRecord(ctx, name+"-"+strings.ReplaceAll(domain, ".", "-"), &route53.RecordArgs{
			ZoneId:  a.Certificate.ZoneID,
			Name:    option(ordered, domain, func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordName }),
			Type:    option(ordered, domain, func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordType }),
			Records: pulumi.StringArray{option(ordered, domain, func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordValue })},
			Ttl:     pulumi.Int(proofSeconds),
		}, under...)
		if err != nil {
			return pulumi.StringOutput{}, err
		}
		names = append(names, record.Fqdn)
	}
	issued, err := acm.NewCertificateValidation(ctx, name, &acm.CertificateValidationArgs{
		CertificateArn: ordered.Arn, ValidationRecordFqdns: names,
	}, under...)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return issued.CertificateArn, nil
}

// proven are the domains that need a record: "*.x" has the same as x.
func proven(domains []string) []string {
	var list []string
	seen := map[string]bool{}
	for _, d := range domains {
		if d = strings.TrimPrefix(d, "*."); !seen[d] {
			seen[d] = true
			list = append(list, d)
		}
	}
	return list
}

// option is one part of the record that proves a domain. AWS gives them in any order.
func option(c *acm.Certificate, domain string, part func(acm.CertificateDomainValidationOption) *string) pulumi.StringOutput {
	return c.DomainValidationOptions.ApplyT(func(list []acm.CertificateDomainValidationOption) string {
		for _, o := range list {
			if o.DomainName != nil && strings.TrimPrefix(*o.DomainName, "*.") == domain && part(o) != nil {
				return *part(o)
			}
		}
		return domain
	}).(pulumi.StringOutput)
}
