// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// invokes are the data sources that the double answers. All say only what the provider's settings say already.
var invokes = map[string]func(account string) map[string]any{
	"aws:index/getCallerIdentity:getCallerIdentity": func(account string) map[string]any {
		return map[string]any{"id": account, "accountId": account, "arn": "arn:aws:iam::" + account + ":user/nobody", "userId": "NOBODY"}
	},
	"aws:index/getRegion:getRegion": func(string) map[string]any {
		return map[string]any{"id": region, "name": region, "description": "Europe (London)", "endpoint": "ec2." + region + ".amazonaws.com"}
	},
	"aws:index/getPartition:getPartition": func(string) map[string]any {
		return map[string]any{"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}
	},
	"aws:index/getAvailabilityZones:getAvailabilityZones": func(string) map[string]any {
		return map[string]any{
			"id": region, "names": []any{region + "a", region + "b", region + "c"},
			"zoneIds": []any{"euw2-az2", "euw2-az3", "euw2-az1"}, "groupNames": []any{region},
		}
	},
}

func invoke(token, account string) (map[string]any, error) {
	answer, ok := invokes[token]
	if !ok {
		return nil, fmt.Errorf("the stand-in cannot answer %s, as only an account can: it answers %s. Give the program the value as configuration",
			token, strings.Join(slices.Sorted(maps.Keys(invokes)), ", "))
	}
	return answer(account), nil
}
