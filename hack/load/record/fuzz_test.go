// SPDX-License-Identifier: Apache-2.0

package record

import "hash/crc32"

func crcOf(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// sameButReserved compares what was read with the start of the file, apart from checksums and each event's two
// reserved bytes, which decoding drops.
func sameButReserved(got, file []byte) bool {
	if len(file) < len(got) {
		return false
	}
	for at := len(magic); at < len(got); {
		count := int(got[at]) | int(got[at+1])<<8 | int(got[at+2])<<16
		at += frame
		for range count {
			for i := range Size {
				if i != 22 && i != 23 && got[at+i] != file[at+i] {
					return false
				}
			}
			at += Size
		}
	}
	return true
}
