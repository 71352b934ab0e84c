// SPDX-License-Identifier: Apache-2.0

// Package domain holds the rules of the booking service that need no database
// and no network: identifiers, the states of a referral and what may follow
// what, who may do what, and the typed errors that every front (FHIR, pages)
// turns into its own answers. It never calls the clock.
package domain
