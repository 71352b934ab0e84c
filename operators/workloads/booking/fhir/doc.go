// SPDX-License-Identifier: Apache-2.0

// Package fhir is a working subset of the published e-RS FHIR API (STU3): the
// same paths, bodies, headers, OperationOutcome errors and version semantics
// (ETag, If-Match). README.md lists what is there.
//
// Two headers are this service's own: Idempotency-Key on POST (a repetition of
// the same request is answered as the first was) and X-Access-Code in the
// answer to createReferral (what the patient signs in with on the pages, which
// live e-RS prints in the patient's letter).
package fhir
