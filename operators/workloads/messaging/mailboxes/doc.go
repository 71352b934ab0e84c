// SPDX-License-Identifier: Apache-2.0

// Package mailboxes reads the file that says who may use the message gateway: the mailboxes, what proves that a caller
// owns one (a password, the names in its certificate), which organisation it belongs to, and which interactions it
// takes part in.
//
// The file is YAML, mounted from a Secret, and may change while the gateway runs:
//
//	sharedKey: the secret that all clients of this environment sign their requests with
//	mailboxes:
//	  - id: X26HC005                 # upper case; what clients put in the path and in Mex-To
//	    name: Leeds Chest Clinic     # shown by the endpoint lookup; the id when left out
//	    password: the owner's own secret
//	    organisation: X26            # ODS code
//	    partyKey: X26-822080         # optional
//	    asid: "200000000123"         # optional, 12 digits
//	    certificateNames: [x26hc005.x26.api.mesh-client.nhs.uk]
//	    workflows: [SCR_UPDATE, SCR_UPDATE_ACK]   # or ["*"]: all that have a route
//	    supplier: acme               # whose software it is: throttles and dead letters are kept by supplier
//	    internal: false              # true: may use the bulk interface too
//
// Reading is strict: an unknown key, a repeated one, or a value of a wrong kind is an error, and all errors are returned
// at once, each with its line and path and none with a secret in it.
package mailboxes
