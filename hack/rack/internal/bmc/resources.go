// SPDX-License-Identifier: Apache-2.0

package bmc

import "strings"

// resource is one Redfish resource in its JSON form.
type resource map[string]any

func link(path string) resource { return resource{"@odata.id": root + path} }

var (
	healthy = resource{"State": "Enabled", "Health": "OK"}
	resting = resource{"State": "StandbyOffline", "Health": "OK"}
)

// resource finds the resource at a path without trailing slash.
func (s *Server) resource(path string) (resource, bool) {
	if id, ok := strings.CutPrefix(path, root+"/SessionService/Sessions/"); ok {
		for _, open := range s.sessions.list() {
			if open.id == id {
				return sessionResource(open), true
			}
		}
		return nil, false
	}
	build, ok := map[string]func() resource{
		"/redfish":                          func() resource { return resource{"v1": root + "/"} },
		root:                                s.serviceRoot,
		root + "/odata":                     s.odata,
		root + "/Systems":                   func() resource { return collection("ComputerSystem", "/Systems", "/Systems/1") },
		root + "/Systems/1":                 s.system,
		root + "/Systems/1/ResetActionInfo": s.resetInfo,
		root + "/Chassis":                   func() resource { return collection("Chassis", "/Chassis", "/Chassis/1") },
		root + "/Chassis/1":                 s.chassis,
		root + "/Chassis/1/Power":           s.powerSupply,
		root + "/Managers":                  func() resource { return collection("Manager", "/Managers", "/Managers/1") },
		root + "/Managers/1":                s.manager,
		root + "/SessionService":            s.sessionService,
		root + "/SessionService/Sessions":   s.sessionCollection,
		root + "/AccountService":            s.accountService,
		root + "/AccountService/Accounts": func() resource {
			return collection("ManagerAccount", "/AccountService/Accounts", "/AccountService/Accounts/1")
		},
		root + "/AccountService/Accounts/1": s.accountResource,
		root + "/AccountService/Roles": func() resource {
			return collection("Role", "/AccountService/Roles", "/AccountService/Roles/Administrator")
		},
		root + "/AccountService/Roles/Administrator": s.role,
	}[path]
	if !ok {
		return nil, false
	}
	return build(), true
}

func collection(kind, path string, members ...string) resource {
	links := []resource{}
	for _, m := range members {
		links = append(links, link(m))
	}
	return resource{
		"@odata.id":           root + path,
		"@odata.type":         "#" + kind + "Collection." + kind + "Collection",
		"Name":                kind + " Collection",
		"Members":             links,
		"Members@odata.count": len(links),
	}
}

func (s *Server) serviceRoot() resource {
	return resource{
		"@odata.id": root + "/", "@odata.type": "#ServiceRoot.v1_16_1.ServiceRoot",
		"Id": "RootService", "Name": "BMC of " + s.host.Name,
		"RedfishVersion": "1.18.0", "UUID": s.host.UUID,
		"Systems": link("/Systems"), "Chassis": link("/Chassis"), "Managers": link("/Managers"),
		"SessionService": link("/SessionService"), "AccountService": link("/AccountService"),
		"Links": resource{"Sessions": link("/SessionService/Sessions")},
	}
}

func (s *Server) odata() resource {
	var values []resource
	for _, name := range []string{"Systems", "Chassis", "Managers", "SessionService", "AccountService"} {
		values = append(values, resource{"name": name, "kind": "Singleton", "url": root + "/" + name})
	}
	return resource{"@odata.context": root + "/$metadata", "value": values}
}

func (s *Server) system() resource {
	state := s.power.State()
	status := healthy
	if state == PowerOff {
		status = resting
	}
	return resource{
		"@odata.id": root + "/Systems/1", "@odata.type": "#ComputerSystem.v1_22_0.ComputerSystem",
		"Id": "1", "Name": s.host.Name, "HostName": s.host.Name, "UUID": s.host.UUID,
		"SystemType": "Physical", "Manufacturer": "Spine", "Model": "Virtual rack host", "SerialNumber": s.host.UUID,
		"PowerState": state, "Status": status,
		"MemorySummary":    resource{"TotalSystemMemoryGiB": float64(s.host.MemoryMiB) / 1024, "Status": status},
		"ProcessorSummary": resource{"Count": 1, "LogicalProcessorCount": s.host.Processors, "Status": status},
		"Links":            resource{"Chassis": []resource{link("/Chassis/1")}, "ManagedBy": []resource{link("/Managers/1")}},
		"Actions": resource{"#ComputerSystem.Reset": resource{
			"target":                            resetTarget,
			"@Redfish.ActionInfo":               root + "/Systems/1/ResetActionInfo",
			"ResetType@Redfish.AllowableValues": ResetTypes,
		}},
	}
}

func (s *Server) resetInfo() resource {
	return resource{
		"@odata.id": root + "/Systems/1/ResetActionInfo", "@odata.type": "#ActionInfo.v1_4_1.ActionInfo",
		"Id": "ResetActionInfo", "Name": "Reset Action Info",
		"Parameters": []resource{{"Name": "ResetType", "Required": true, "DataType": "String", "AllowableValues": ResetTypes}},
	}
}

func (s *Server) chassis() resource {
	return resource{
		"@odata.id": root + "/Chassis/1", "@odata.type": "#Chassis.v1_25_0.Chassis",
		"Id": "1", "Name": "Chassis of " + s.host.Name, "ChassisType": "RackMount",
		"Manufacturer": "Spine", "Model": "Virtual rack host", "SerialNumber": s.host.UUID,
		"PowerState": s.power.State(), "Status": healthy,
		"Location": resource{
			"PostalAddress": resource{"Name": s.host.Site},
			"Placement":     resource{"Rack": s.host.Rack},
		},
		"Power": link("/Chassis/1/Power"),
		"Links": resource{"ComputerSystems": []resource{link("/Systems/1")}, "ManagedBy": []resource{link("/Managers/1")}},
	}
}

func (s *Server) powerSupply() resource {
	return resource{
		"@odata.id": root + "/Chassis/1/Power", "@odata.type": "#Power.v1_7_3.Power",
		"Id": "Power", "Name": "Power of " + s.host.Name,
		"PowerSupplies": []resource{{
			"@odata.id": root + "/Chassis/1/Power#/PowerSupplies/0", "MemberId": "0",
			"Name": "Power supply", "PowerSupplyType": "AC", "Status": healthy,
		}},
	}
}

func (s *Server) manager() resource {
	return resource{
		"@odata.id": root + "/Managers/1", "@odata.type": "#Manager.v1_19_2.Manager",
		"Id": "1", "Name": "BMC of " + s.host.Name, "ManagerType": "BMC",
		"PowerState": PowerOn, "Status": healthy,
		"Links": resource{"ManagerForServers": []resource{link("/Systems/1")}, "ManagerForChassis": []resource{link("/Chassis/1")}},
	}
}

func (s *Server) sessionService() resource {
	return resource{
		"@odata.id": root + "/SessionService", "@odata.type": "#SessionService.v1_1_9.SessionService",
		"Id": "SessionService", "Name": "Session Service", "ServiceEnabled": true, "Status": healthy,
		"SessionTimeout": int(sessionTimeout.Seconds()), "Sessions": link("/SessionService/Sessions"),
	}
}

func (s *Server) sessionCollection() resource {
	var paths []string
	for _, open := range s.sessions.list() {
		paths = append(paths, "/SessionService/Sessions/"+open.id)
	}
	return collection("Session", "/SessionService/Sessions", paths...)
}

func (s *Server) accountService() resource {
	return resource{
		"@odata.id": root + "/AccountService", "@odata.type": "#AccountService.v1_15_1.AccountService",
		"Id": "AccountService", "Name": "Account Service", "ServiceEnabled": true, "Status": healthy,
		"Accounts": link("/AccountService/Accounts"), "Roles": link("/AccountService/Roles"),
	}
}

func (s *Server) accountResource() resource {
	return resource{
		"@odata.id": root + "/AccountService/Accounts/1", "@odata.type": "#ManagerAccount.v1_12_1.ManagerAccount",
		"Id": "1", "Name": "Account of " + s.account.User, "UserName": s.account.User, "Password": nil,
		"Enabled": true, "Locked": false, "RoleId": "Administrator", "AccountTypes": []string{"Redfish"},
		"Links": resource{"Role": link("/AccountService/Roles/Administrator")},
	}
}

func (s *Server) role() resource {
	return resource{
		"@odata.id": root + "/AccountService/Roles/Administrator", "@odata.type": "#Role.v1_3_3.Role",
		"Id": "Administrator", "Name": "Administrator", "RoleId": "Administrator", "IsPredefined": true,
		"AssignedPrivileges": []string{"Login", "ConfigureManager", "ConfigureUsers", "ConfigureComponents", "ConfigureSelf"},
	}
}
