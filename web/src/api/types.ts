// Shapes of the API's answers, as far as the views read them (api/answers.py has the whole).

export type State = 'covered' | 'degraded' | 'lost' | 'unknown' | 'not_built' | 'exempt'
export const STATES: readonly State[] = ['covered', 'degraded', 'lost', 'unknown', 'not_built', 'exempt']

export interface Counts {
  code: string
  name: string
  level: number
  numerator: number
  denominator: number
  unknown: number
  ratio: number | null
  ratio_max: number | null
  states: Record<State, number>
  claimed: { numerator: number; denominator: number }
  works_now: { numerator: number; denominator: number; unknown: number }
}

export interface Contradiction {
  site: string
  name: string
  kind: string
  claim: string | null
  claimed_on: string | null
  claimed_by: string | null
  proof: string | null
  measured: string
  reason: string
  since: string | null
  last_proof: string | null
  state: State
}

export interface Coverage extends Counts {
  requirement: string
  counted: string
  rule_version: string
  window_seconds: number
  as_of: string
  generated_at: string
  inventory: string
  villages: number
  communities: number
  evidence: { oldest: string | null; newest: string | null; median_age_seconds: number | null }
  contradictions: Contradiction[]
  children: Counts[] | null
  path: { code: string; name: string }[]
}

export interface SiteSummary {
  id: string
  name: string
  code: string
  division: string
  type: string
  site_class: string
  carrier: string
  link_type: string
  requirement: string
  claim: string | null
  state: State
  reachable: string
  working: string
  reason: string
  last_proof: string | null
}

export interface SiteList {
  as_of: string
  total: number
  data: SiteSummary[]
  next: string | null
}

export interface Clue {
  sign: string
  zh: string
  en: string
}

export interface Outage {
  id: string
  scope: string
  node: string
  site: string | null
  name: string
  cause: string
  since: string
  until: string | null
  seconds: number
  sites_affected: number
  sites: string[]
  verdict: string
  evidence: Clue[]
  planned: boolean
  flapping: boolean
  relapses: number
}

export interface OutageList {
  as_of: string
  data: Outage[]
}

export interface Aspect {
  verdict: string
  reason: string
  since: string | null
  last_proof: string | null
  degraded: boolean
}

export interface Device {
  id: string
  role: string
  device_class: string
  vendor: string
  model: string
  origin: string
  owner: string
  monitored: string
  state: string
}

export interface Site extends SiteSummary {
  path: string[]
  uplinks: string[]
  attachments: string[]
  responsible: string | null
  cooperating: string[]
  windows: Record<string, number>
  service_calendar: string | null
  opened: string | null
  central: boolean
  exempt_reason: string | null
  links: {
    link_type: string
    carrier: string
    role: string
    circuit: string | null
    bandwidth_mbps: number | null
    origin: string
    conformance: string
    contract_until: string | null
    uplink: string | null
  }[]
  devices: Device[]
  measured: Record<string, Aspect>
  claims: { claim: string; on: string; by: string; proof: string }[]
  contradiction: string | null
  availability_ratio: number | null
  net_availability_ratio: number | null
  service_availability_ratio: number | null
  excluded_seconds: number
  watched_ratio: number | null
  outages: Outage[]
}

export interface NetworkNode {
  site: string
  name: string
  uplinks: string[]
  reachable: string
  link_type: string
  carrier: string
  outage: string | null
  verdict: string
}

export interface Network {
  as_of: string
  nodes: NetworkNode[]
}
