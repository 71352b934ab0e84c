// SPDX-License-Identifier: Apache-2.0

// Package rfc2136 keeps two things that must outlive any one site in the zone of a name
// server at a third place: the vote that says which site may serve, and the addresses that
// clients are sent to. Both are changed by DNS UPDATE (RFC 2136) with a transaction
// signature (RFC 8945), which any name server with dynamic updates understands: no program
// of ours runs at the third place.
//
// The vote is one TXT record. An update names the record as it was read as its prerequisite
// (section 2.4.2, "RRset exists, value dependent"), so the server changes it for one of two
// that try at once and tells the other so.
package rfc2136
