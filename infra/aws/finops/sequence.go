// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"encoding/json"
	"slices"
)

// group is a NodeGroup whose names are known.
type group struct {
	Cluster, Name     string
	Min, Max, Desired int
}

const (
	// pollSeconds is how often a sequence looks whether a part is done.
	pollSeconds = 30
	// tries and tryAgainSeconds are for calls that AWS refuses for the moment: another
	// update of the group is under way, the database is being backed up. Each pause is
	// twice the one before; all of them are about an hour.
	tries           = 8
	tryAgainSeconds = 15
	// graceSeconds is how long the machines stay after the hour: the booking service falls
	// asleep by the same hours, in the cluster, and sends what it still holds before.
	graceSeconds = 15 * 60
	// mostSeconds ends a sequence that waits in vain.
	mostSeconds = 2 * 60 * 60
)

// programs is the state in which what runs on the machines goes to sleep by itself.
const programs = "Wait for programs"

// object is a JSON object.
type object = map[string]any

// step is one part of an environment that is put to sleep, or woken: it is asked for,
// and then looked at until it is done. The next part is not touched before.
type step struct {
	name string
	// call asks for it, with parameters; look finds how it is, at path of the answer.
	call, look           string
	parameters, lookedAt object
	path, done           string
	// already is the error that says that it is as it should be.
	already string
}

// resize changes the number of machines of a group.
func resize(g group, least, desired int) step {
	is := object{"ClusterName": g.Cluster, "NodegroupName": g.Name}
	return step{
		name: g.Name, call: "eks:updateNodegroupConfig", look: "eks:describeNodegroup", lookedAt: is, path: "$.seen.Nodegroup.Status", done: "ACTIVE",
		parameters: object{
			"ClusterName": g.Cluster, "NodegroupName": g.Name,
			"ScalingConfig": object{"MinSize": least, "DesiredSize": desired, "MaxSize": g.Max},
		},
	}
}

// turn stops or starts a database.
func turn(database, call, done string) step {
	return step{
		name: database, call: "rds:" + call, parameters: object{"DbClusterIdentifier": database}, already: "Rds.InvalidDbClusterStateException",
		look: "rds:describeDBClusters", lookedAt: object{"DbClusterIdentifier": database}, path: "$.seen.DbClusters[0].Status", done: done,
	}
}

// sleeping are the steps in which an environment goes to sleep: groups of machines in
// their order, and the database last, when nobody writes to it any more. A database
// that AWS starts again after seven days, as it does, is stopped the next evening.
func sleeping(groups []group, database string) []step {
	var list []step
	for _, g := range groups {
		list = append(list, resize(g, 0, 0))
	}
	if database != "" {
		list = append(list, turn(database, "stopDBCluster", "stopped"))
	}
	return list
}

// waking is the way back.
func waking(groups []group, database string) []step {
	var list []step
	if database != "" {
		list = append(list, turn(database, "startDBCluster", "available"))
	}
	for _, g := range slices.Backward(groups) {
		list = append(list, resize(g, g.Min, g.Desired))
	}
	return list
}

// definition writes the steps as a machine of Step Functions, which waits some seconds
// before the first. Each of them may be repeated: a sequence that failed halfway is
// started again and goes on from there.
func definition(comment string, wait int, steps []step) (string, error) {
	first := "Ask " + steps[0].name
	states := object{}
	if wait > 0 {
		states[programs] = object{"Type": "Wait", "Seconds": wait, "Next": first}
		first = programs
	}
	for i, s := range steps {
		next := "Done"
		if i+1 < len(steps) {
			next = "Ask " + steps[i+1].name
		}
		ask := object{
			"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:" + s.call, "Parameters": s.parameters, "ResultPath": nil, "Next": "Look at " + s.name,
			"Retry": []object{{"ErrorEquals": []string{"States.TaskFailed"}, "IntervalSeconds": tryAgainSeconds, "MaxAttempts": tries, "BackoffRate": 2}},
		}
		if s.already != "" {
			ask["Catch"] = []object{{"ErrorEquals": []string{s.already}, "ResultPath": nil, "Next": "Look at " + s.name}}
		}
		states["Ask "+s.name] = ask
		states["Look at "+s.name] = object{
			"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:" + s.look, "Parameters": s.lookedAt, "ResultPath": "$.seen", "Next": "Judge " + s.name,
		}
		states["Judge "+s.name] = object{
			"Type": "Choice", "Choices": []object{{"Variable": s.path, "StringEquals": s.done, "Next": next}}, "Default": "Wait for " + s.name,
		}
		states["Wait for "+s.name] = object{"Type": "Wait", "Seconds": pollSeconds, "Next": "Look at " + s.name}
	}
	states["Done"] = object{"Type": "Succeed"}
	text, err := json.Marshal(object{
		"Comment": comment, "StartAt": first, "TimeoutSeconds": mostSeconds, "States": states,
	})
	return string(text), err
}
