// SPDX-License-Identifier: Apache-2.0

// Package auth makes and checks the authorisation header of the published MESH API:
//
//	NHSMESH <mailbox>:<nonce>:<nonce count>:<timestamp>:<hash>
//
// The timestamp is UTC to the minute (yyyyMMddHHmm). The hash is the lower-case hexadecimal HMAC-SHA256, keyed with the
// environment's shared key, of "<mailbox>:<nonce>:<nonce count>:<password>:<timestamp>". A token is good for one
// request, within two hours of its timestamp.
package auth
