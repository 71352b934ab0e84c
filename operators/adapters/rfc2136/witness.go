// SPDX-License-Identifier: Apache-2.0

package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/thirdplace"
)

// Witness is the register in a TXT record.
type Witness struct{ dir string }

// NewWitness reads its configuration, a WitnessConfig in config.yaml, from the folder for each
// question, so that a new key counts at once.
func NewWitness(dir string) *Witness { return &Witness{dir: dir} }

var _ ports.Witness = (*Witness)(nil)

// WitnessConfig is where the vote is.
type WitnessConfig struct {
	Config `json:",inline"`
	// Vote is the name of the TXT record, within the zone.
	Vote string `json:"vote"`
}

// Validate returns all that is wrong.
func (c WitnessConfig) Validate() error {
	if !c.within(c.Vote) {
		return errors.Join(c.Config.Validate(), fmt.Errorf("vote: %q must be a fully qualified name within the zone %s", c.Vote, c.Zone))
	}
	return c.Config.Validate()
}

// Read returns the vote as the zone has it now.
func (w *Witness) Read(ctx context.Context) (ports.Vote, error) {
	c, err := thirdplace.Load[WitnessConfig](w.dir)
	if err != nil {
		return ports.Vote{}, &ports.WitnessError{Err: err}
	}
	records, err := c.read(ctx, c.Vote, dns.TypeTXT)
	if err != nil {
		return ports.Vote{}, &ports.WitnessError{Err: err}
	}
	var v ports.Vote
	switch len(records) {
	case 0:
	case 1:
		// A value of more than 255 bytes comes in pieces.
		v, err = thirdplace.ReadVote(strings.Join(records[0].(*dns.TXT).Txt, ""))
	default:
		err = fmt.Errorf("%s has %d records: expected one", c.Vote, len(records))
	}
	if err != nil {
		return ports.Vote{}, &ports.WitnessError{Err: err}
	}
	return v, nil
}

// Swap replaces exactly the vote that was read. The record's TTL is 0: nobody keeps a vote.
func (w *Witness) Swap(ctx context.Context, old, next ports.Vote) error {
	c, err := thirdplace.Load[WitnessConfig](w.dir)
	if err != nil {
		return &ports.WitnessError{Err: err}
	}
	before, after, err := thirdplace.WriteSwap(old, next)
	if err != nil {
		return &ports.WitnessError{Err: err}
	}
	err = c.update(ctx, func(m *dns.Msg) {
		if before == "" {
			m.RRsetNotUsed([]dns.RR{text(c.Vote, "")})
		} else {
			m.Used([]dns.RR{text(c.Vote, before)})
			m.RemoveRRset([]dns.RR{text(c.Vote, "")})
		}
		m.Insert([]dns.RR{text(c.Vote, after)})
	})
	switch {
	case errors.Is(err, errPrerequisite):
		return ports.ErrVoteChanged
	case err != nil:
		return &ports.WitnessError{Err: err}
	}
	return nil
}

func text(name, value string) *dns.TXT {
	return &dns.TXT{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{value}}
}
