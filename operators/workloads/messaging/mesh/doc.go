// SPDX-License-Identifier: Apache-2.0

// Package mesh is the front of the message gateway that speaks the published MESH API (Message Exchange for Social Care
// and Health), plain and as application/vnd.mesh.v2+json, so that existing clients work against it unmodified.
//
// Every request needs a client certificate (its common name or a DNS name must be listed for the mailbox) and, except
// for the ping and the endpoint lookup, an NHSMESH authorisation header (package auth). A refusal of either is 403, as
// published, and its text says what to do.
//
// What the published document leaves open, and how it is settled here:
//
//   - A message with a Mex-LocalID is recognised when it is sent again with the same payload, on interactions whose
//     contract eliminates duplicates: the answer is 202 with the first message's ID. With another payload it is 409.
//   - One request carries at most 5,000,000 bytes (413), a whole message what its route allows (413); messages of several
//     parts take up to 999 of them.
//   - 429 and 503 carry Retry-After. 429 means that the sender's supplier is over its rate, 503 that the gateway is full,
//     that deliveries to the recipient's supplier are stopped, or that the ledger is changing over. The request had no
//     effect that sending it again would repeat, and the same authorisation header may be used once more, because
//     clients that retry by themselves do so.
//   - A part that came before with the same bytes is 202 again; with other bytes it is 423, as after the last part.
//   - Header values that are not UTF-8 are taken for ISO 8859-1 and handed on as UTF-8.
package mesh
