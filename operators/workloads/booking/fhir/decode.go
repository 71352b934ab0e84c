// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// The parts of FHIR that requests consist of.
type (
	coding struct {
		System  string `json:"system"`
		Code    string `json:"code"`
		Display string `json:"display"`
		Version string `json:"version"`
	}
	codeableConcept struct {
		Coding []coding `json:"coding"`
		Text   string   `json:"text"`
	}
	identifier struct {
		System string `json:"system"`
		Value  string `json:"value"`
		Use    string `json:"use"`
	}
	meta struct {
		Profile     []string `json:"profile"`
		VersionID   string   `json:"versionId"`
		LastUpdated string   `json:"lastUpdated"`
	}
	reference struct {
		Reference  string      `json:"reference"`
		Identifier *identifier `json:"identifier"`
		Display    string      `json:"display"`
	}
	// parameters is the resource Parameters.
	parameters struct {
		ResourceType string      `json:"resourceType"`
		ID           string      `json:"id"`
		Meta         meta        `json:"meta"`
		Language     string      `json:"language"`
		Parameter    []parameter `json:"parameter"`
	}
	parameter struct {
		Name                 string           `json:"name"`
		ValueCoding          *coding          `json:"valueCoding"`
		ValueCodeableConcept *codeableConcept `json:"valueCodeableConcept"`
		ValueIdentifier      *identifier      `json:"valueIdentifier"`
		ValueString          *string          `json:"valueString"`
		ValueBoolean         *bool            `json:"valueBoolean"`
		ValueUnsignedInt     *uint32          `json:"valueUnsignedInt"`
		ValueInstant         *string          `json:"valueInstant"`
		Resource             json.RawMessage  `json:"resource"`
	}
)

// decode reads one resource strictly.
func decode(body []byte, into any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return &structureError{"MISSING_VALUE", "the body is missing: send the resource of this operation"}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return &syntaxError{d.InputOffset()}
		}
		return nil
	}
	var kind *json.UnmarshalTypeError
	var bad *json.SyntaxError
	switch {
	case errors.As(err, &kind):
		return &structureError{"INVALID_FHIR_STRUCTURE", fmt.Sprintf("'%s' is of the wrong kind (%s): see the published example", kind.Field, kind.Value)}
	case errors.As(err, &bad):
		return &syntaxError{bad.Offset}
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		// The name of a field that the client made up; shortened, it holds no more than a name.
		name := strings.TrimPrefix(err.Error(), "json: unknown field ")
		return &structureError{"UNEXPECTED_FIELD", fmt.Sprintf("%.60s is not expected here: remove it", name)}
	}
	return &syntaxError{d.InputOffset()}
}

// decodeParameters reads a Parameters resource whose parameters must be among
// the known ones, each at most once.
func decodeParameters(body []byte, path string, known ...string) (map[string]parameter, error) {
	var p parameters
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	if p.ResourceType != "Parameters" {
		return nil, &structureError{"INVALID_FHIR_STRUCTURE", "'" + path + "resourceType' must be Parameters"}
	}
	found := map[string]parameter{}
	for i, one := range p.Parameter {
		at := fmt.Sprintf("'%sparameter[%d]'", path, i)
		isKnown := false
		for _, name := range known {
			isKnown = isKnown || name == one.Name
		}
		if !isKnown {
			return nil, &structureError{"UNEXPECTED_FIELD", at + " unknown parameter name: expected one of " + strings.Join(known, ", ")}
		}
		if _, twice := found[one.Name]; twice {
			return nil, &structureError{"TOO_MANY_ITEMS", at + " (" + one.Name + ") is given twice"}
		}
		found[one.Name] = one
	}
	return found, nil
}

// fields collects what is wrong with the values of a request, so that all of it
// is told at once.
type fields struct{ problems domain.InvalidErrors }

func (f *fields) bad(field, want, fix string) {
	f.problems = append(f.problems, &domain.InvalidError{Field: "'" + field + "'", Want: want, Fix: fix})
}

// code is the code of a coding, bounded; required says that it must be there.
func (f *fields) code(p parameter, name string, required bool) string {
	var c string
	switch {
	case p.ValueCoding != nil:
		c = p.ValueCoding.Code
	case p.ValueCodeableConcept != nil && len(p.ValueCodeableConcept.Coding) == 1:
		c = p.ValueCodeableConcept.Coding[0].Code
	}
	if c == "" && required || len(c) > 64 {
		f.bad(name, "a code of at most 64 characters", "send it as the published example does")
	}
	return c
}

func (f *fields) patient(p parameter) domain.NHSNumber {
	if p.ValueIdentifier == nil || p.ValueIdentifier.System != systemNHSNumber {
		f.bad("patient", "an identifier of "+systemNHSNumber, "send the NHS number found in PDS")
		return ""
	}
	n, err := domain.ParseNHSNumber(p.ValueIdentifier.Value)
	if err != nil {
		f.bad("patient", "an NHS number of 10 digits with a valid check digit", "trace the patient in PDS and send the number found there")
	}
	return n
}

// number reads an identifier that is a number in this service.
func (f *fields) number(name, text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		f.bad(name, "the number of an existing resource", "send the identifier as it was returned")
	}
	return n
}

func (f *fields) text(p parameter, name string) string {
	if p.ValueString == nil {
		return ""
	}
	if len(*p.ValueString) > 2000 {
		f.bad(name, "at most 2000 bytes", "shorten it")
	}
	return *p.ValueString
}

func (f *fields) instant(p parameter, name string) time.Time {
	if p.ValueInstant == nil {
		f.bad(name, "an instant", "for example 2026-05-01T09:55:00.000Z")
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, *p.ValueInstant)
	if err != nil {
		f.bad(name, "an instant", "for example 2026-05-01T09:55:00.000Z")
	}
	return t
}

// ubrn reads the UBRN of the path. One that cannot exist is not found.
func (c *call) ubrn() (domain.UBRN, error) {
	u, err := domain.ParseUBRN(c.PathValue("ubrn"))
	if err != nil {
		return "", domain.ErrNotFound
	}
	return u, nil
}
