// SPDX-License-Identifier: Apache-2.0

package network

import (
	"encoding/binary"
	"net/netip"
)

// plan is how a network's range is shared out. Three quarters are the apps', one
// for each zone: pods have addresses of the network (EKS's VPC CNI), and run out
// first. The last quarter has eight parts: three are data's, three the edge's, one
// is cut into four for the control plane's, and one is left for what is to come.
//
//	10.64.0.0/16    apps 10.64.{0,64,128}.0/18   data 10.64.{192,200,208}.0/21
//	                control 10.64.{216,218,220}.0/23   edge 10.64.{224,232,240}.0/21
type plan struct {
	apps, data, control, edge []netip.Prefix
}

const (
	// These are how many bits longer a part's prefix is.
	quarter, thirtySecond, hundredTwentyEighth = 2, 5, 7
	// The parts' places, counted in parts of their own size.
	firstData, firstControl, firstEdge = 24, 27 * 4, 28
)

// planOf shares out a range that is valid.
func planOf(cidr string) plan {
	whole := netip.MustParsePrefix(cidr)
	return plan{
		apps:    parts(whole, quarter, 0),
		data:    parts(whole, thirtySecond, firstData),
		control: parts(whole, hundredTwentyEighth, firstControl),
		edge:    parts(whole, thirtySecond, firstEdge),
	}
}

// parts are as many as there are zones, of a range cut into 2^bits, from first on.
func parts(whole netip.Prefix, bits, first int) []netip.Prefix {
	length := whole.Bits() + bits
	base := whole.Addr().As4()
	at := binary.BigEndian.Uint32(base[:])
	var list []netip.Prefix
	for i := range Zones {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], at+uint32(first+i)<<(32-length))
		list = append(list, netip.PrefixFrom(netip.AddrFrom4(b), length))
	}
	return list
}
