// SPDX-License-Identifier: Apache-2.0

// Package flow is what a booking front (the FHIR API, the pages) may ask for:
// search, refer, see slots, book, defer, rebook, cancel, review, worklists. It
// checks who asks, moves referrals by domain's transition table, asks the
// provider's system, and leaves everything that must not be lost to one
// database transaction of package store.
package flow
