// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// Handover is what a failover at the other site asks of this one. It is granted until a
// time only: a failover that ends half way leaves no site idle.
//
// +kubebuilder:object:generate=false
type Handover struct {
	// Operation at the other site, by name. 1 to 253 characters.
	Operation string `json:"operation"`
	// Epoch of the vote that this site has: a wish about another vote counts for nothing.
	Epoch int64 `json:"epoch"`
	// Role that this site is to have meanwhile: Quiesced or Standby.
	Role common.SiteRole `json:"role"`
	// Finish says that programs may acknowledge what they have begun: all of it is handed over. Otherwise they acknowledge
	// nothing from now on.
	Finish bool `json:"finish,omitempty"`
	// Until when.
	Until time.Time `json:"until"`
}

// Promise is this site's word not to take the vote of an epoch before a time.
//
// +kubebuilder:object:generate=false
type Promise struct {
	// Epoch of the other site's vote.
	Epoch int64 `json:"epoch"`
	// Until when.
	Until time.Time `json:"until"`
}

// HandoverOf reads the annotation; nil when there is none.
func (p *FailoverPolicy) HandoverOf() (*Handover, error) {
	h, err := annotation[Handover](p.Annotations[HandoverAnnotation])
	if err == nil && h != nil && (h.Operation == "" || len(h.Operation) > 253 || h.Epoch < 1 || h.Until.IsZero() ||
		h.Role != common.SiteQuiesced && h.Role != common.SiteStandby) {
		err = errors.New("expected operation, epoch, until, and the role Quiesced or Standby")
	}
	if err != nil {
		return nil, fmt.Errorf("annotation %s: %w", HandoverAnnotation, err)
	}
	return h, nil
}

// PromiseOf reads the annotation; a zero Promise when there is none.
func (p *FailoverPolicy) PromiseOf() (Promise, error) {
	v, err := annotation[Promise](p.Annotations[PromiseAnnotation])
	if err != nil {
		return Promise{}, fmt.Errorf("annotation %s: %w", PromiseAnnotation, err)
	}
	if v == nil {
		return Promise{}, nil
	}
	return *v, nil
}

// annotation decodes strictly; nil for an empty text.
func annotation[T any](text string) (*T, error) {
	if text == "" {
		return nil, nil
	}
	out, d := new(T), json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(out); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one value")
	}
	return out, nil
}
