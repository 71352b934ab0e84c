// SPDX-License-Identifier: Apache-2.0

package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/miekg/dns"
)

const (
	// limit of one question, or of one update with its answer.
	limit = 3 * time.Second
	// fudge in seconds is how far the two clocks may be apart (RFC 8945, section 5.2.3).
	fudge = 30
)

// errPrerequisite: the zone is not as the update expected it, and nothing was changed.
var errPrerequisite = errors.New("the zone is not as the update expects it")

// refusedError: the server answered, authentic, and did not do what was asked.
type refusedError struct{ rcode int }

func (e *refusedError) Error() string {
	return fmt.Sprintf("the name server refuses: %s", dns.RcodeToString[e.rcode])
}

// read asks for the records of one name and type. None is no error.
func (c Config) read(ctx context.Context, name string, kind uint16) ([]dns.RR, error) {
	q := new(dns.Msg).SetQuestion(name, kind)
	q.RecursionDesired = false
	answer, err := c.exchange(ctx, q)
	if err != nil {
		return nil, err
	}
	switch {
	case answer.Rcode == dns.RcodeNameError && answer.Authoritative:
		return nil, nil
	case answer.Rcode != dns.RcodeSuccess:
		return nil, &refusedError{answer.Rcode}
	case !answer.Authoritative:
		return nil, errors.New("the name server is not the zone's own: its answer may be old")
	}
	var out []dns.RR
	for _, rr := range answer.Answer {
		if rr.Header().Rrtype == kind {
			out = append(out, rr)
		}
	}
	return out, nil
}

// update sends the update of a zone. When the answer is lost, it may have been done.
func (c Config) update(ctx context.Context, fill func(*dns.Msg)) error {
	m := new(dns.Msg).SetUpdate(c.Zone)
	fill(m)
	answer, err := c.exchange(ctx, m)
	if err != nil {
		return err
	}
	switch answer.Rcode {
	case dns.RcodeSuccess:
		return nil
	case dns.RcodeYXDomain, dns.RcodeYXRrset, dns.RcodeNXRrset, dns.RcodeNameError:
		return errPrerequisite
	}
	return &refusedError{answer.Rcode}
}

// exchange signs the message and believes only an answer that is signed as well.
func (c Config) exchange(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	m.SetTsig(c.Key.Name, algorithms[c.Key.Algorithm], fudge, time.Now().Unix())
	client := dns.Client{Net: "tcp", Timeout: limit, TsigSecret: map[string]string{c.Key.Name: c.Key.Secret}}
	answer, _, err := client.ExchangeContext(ctx, m, c.Server)
	switch {
	case err != nil && answer != nil && answer.Rcode == dns.RcodeNotAuth:
		// Without a key in common the refusal cannot be signed.
		return nil, fmt.Errorf("the name server does not accept key %s, or its clock is more than %d s away: %w", c.Key.Name, fudge, err)
	case err != nil:
		return nil, err
	case answer.IsTsig() == nil:
		return nil, fmt.Errorf("an answer without the signature of key %s is not believed (it says %s)", c.Key.Name, dns.RcodeToString[answer.Rcode])
	}
	return answer, nil
}
