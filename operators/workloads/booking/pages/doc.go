// SPDX-License-Identifier: Apache-2.0

// Package pages is the booking service's own front for people: server-rendered pages that need no script, work with
// a keyboard and a screen reader, and look the same on a telephone.
//
// Who signs in, and how:
//   - a patient, with the booking reference (UBRN) and the access code from the referral letter, for that referral;
//   - staff, with the token that their identity service issues for the FHIR API, pasted once; a proxy in front that
//     signs people in can post it to /staff/sign-in for them. The session never outlives the token.
//
// A session is a sealed cookie (AES-256-GCM) under a key that all replicas share, so any replica serves any request
// and a restart signs nobody out. It ends by itself when idle; signing out clears the cookie.
//
// No address of a page holds a booking reference, an NHS number or a postcode: what a person typed travels in a body
// and then in the sealed cookie. A form that changes something carries the referral it was made for, so a second tab
// with another patient cannot be acted on by mistake, and a key, so that a double click books once.
package pages
