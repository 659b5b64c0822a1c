"""The texts that ``cuntong init`` starts an inventory with."""

from typing import Final

HEADER: Final = """\
# $name: what holds for the whole deployment. inventory/README.md explains every field.
title: $title
top: "$code"
slug: $slug
divisions: divisions.csv

addresses:                # from where addresses come; what was given stands in addresses.lock and never moves
  zones: {gov_public: $public, gov_internet: $internet}
  mgmt: {loopbacks: $loopbacks, p2p: $p2p}
  ipv6: $ipv6
"""

COUNTY: Final = """\

carriers: {telecom: 中国电信, unicom: 中国联通, mobile: 中国移动, cbn: 中国广电}
bandwidth_mbps: {fiber_p2p: 1000, mstp: 100, pon: 100, vpdn: 20, ipsec_inet: 50}

models:
  # uplink_port is where a router's main line ends, by ifName: it decides which port is counted as the line
  # ports is what is plugged where, of a router that `cuntong plan` and `cuntong apply` configure
  core-ar: {title: Huawei AR6280, vendor: Huawei, class: router, profile: huawei-vrp,
    ports: {uplinks: [GigabitEthernet0/0/0], downlink: GigabitEthernet0/0/1, lan: [GigabitEthernet0/0/2]}}
  agg-ar: {title: Huawei AR1220, vendor: Huawei, class: router, profile: huawei-vrp,
    uplink_port: GigabitEthernet0/0/0,
    ports: {uplinks: [GigabitEthernet0/0/0, GigabitEthernet0/0/1], downlink: GigabitEthernet0/0/2,
      lan: [Ethernet2/0/0]}}
  cpe-ar: {title: Huawei AR651, vendor: Huawei, class: router, profile: huawei-vrp, uplink_port: GigabitEthernet0/0/0,
    ports: {uplinks: [GigabitEthernet0/0/0, GigabitEthernet0/0/1], lan: [GigabitEthernet0/0/2],
      cellular: Cellular0/0/0}}
  cpe-msr: {title: H3C MSR 830, vendor: H3C, class: router, profile: h3c-comware, uplink_port: GigabitEthernet0/0,
    ports: {uplinks: [GigabitEthernet0/0, GigabitEthernet0/1], lan: [GigabitEthernet0/2], cellular: Cellular0/0}}
  kiosk-linux: {title: Self-service kiosk on Linux, vendor: Linux, class: kiosk, profile: linux-kiosk}
  laser-a4: {title: A4 laser printer with a network port, vendor: generic, class: printer, profile: printer-mib}

classes:
  center: {title: County centre, devices: {core1: core-ar, core2: core-ar}}
  unit: {title: County unit, devices: {cpe1: cpe-ar}}
  township: {title: Township centre, devices: {agg1: agg-ar, kiosk1: kiosk-linux, prt1: laser-a4}}
  village: {title: Village, devices: {cpe1: cpe-ar, kiosk1: kiosk-linux, prt1: laser-a4}}
  village-msr: {title: Village, devices: {cpe1: cpe-msr, kiosk1: kiosk-linux, prt1: laser-a4}}
  none: {title: Listed only}

calendars:
  office: {title: 工作日, weekly: {mon-fri: [09:00-12:00, 13:00-17:00]}}
  always: {title: 24小时, weekly: {mon-sun: [00:00-24:00]}}

credentials: {router: secret://snmp/routers, kiosk: secret://snmp/kiosks, printer: secret://snmp/printers}

network:                  # what `cuntong plan` tells every router; write your own addresses
  managers: [198.18.0.0/24]          # from where devices may be managed
  manager: 198.18.0.10               # the machine that changes them
  login: {user: cuntong, password: secret://ssh/cuntong, enable: secret://ssh/enable}
  snmp: {user: cuntong, auth_password: secret://snmp/auth, priv_password: secret://snmp/priv}
  ntp: [198.18.0.11, 198.18.0.12]
  syslog: [198.18.0.13]
  traps: [198.18.0.10]
  vpns: {gov_public: {vlan: 101, rd: "65001:101"}, gov_internet: {vlan: 102, rd: "65001:102"}}
  apn: extranet                      # of vpdn lines; lines of type ipsec_inet need ipsec: {hub, psk}

defaults:                 # class, link type and carrier of a site that says nothing else
  center: center fiber_p2p telecom
  unit: unit mstp telecom
  township: township fiber_p2p telecom
  village: village pon telecom
  calendar: office
  attachments: [extranet]
  claims: []              # what was said before the ledger began: {claim, on, by, proof}
"""

MILESTONES: Final = """\
# Dated targets; inventory/README.md shows the fields.
milestones: []
"""
