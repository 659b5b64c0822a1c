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
  contradicted: number
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
  pilot: string | null
}

export interface PilotCoverage {
  code: string
  name: string
  requirement: string
  as_of: string
  data: { pilot: string; numerator: number; denominator: number; unknown: number; ratio: number | null; ratio_max: number | null }[]
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

export interface OutageEntry extends Outage {
  carrier: string
  handling: string
  owner: string
  ticket: string
  acknowledged_at: string | null
  repaired_at: string | null
  contradiction: boolean
}

export interface OutageList {
  as_of: string
  total: number
  data: OutageEntry[]
}

export interface OutageDetail extends Outage {
  handling: string
  owner: string
  ticket: string
  acknowledged_at: string | null
  reported_at: string | null
  on_site_at: string | null
  repaired_at: string | null
  escalated: number
  contradiction: boolean
  duty: { zh: string; en: string }
  timeline: { step: string; zh: string; en: string; at: string; by: string; note: string }[]
  messages: { channel: string; state: string; made_at: string }[]
}

export interface Draw {
  id: string
  division: string
  period: string
  seed: string
  size: number
  drawn_by: string
  drawn_at: string
  sites: { site: string; name: string; code: string; visit: { result: string; form: Record<string, string | boolean | number>; at: string; by: string } | null }[]
}

export interface Work {
  id: string
  reach: string
  target: string
  since: string
  until: string
  reason: string
  by: string
  running: boolean
}

export interface LedgerMonth {
  month: string
  due: string
  owed: number
  signed: number
  data: { code: string; name: string; state: string; on: string | null; by: string | null }[]
}

export interface Acceptances {
  total: number
  data: { site: string; tier: string; result: string; demonstration: boolean; on: string; by: string; proof: string }[]
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
  uplink_names: Record<string, string>
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

export interface Milestone {
  id: string
  title: string
  division: string
  since: string | null
  due: string
  owner: string | null
  responsible: string | null
  conditions: string[]
  stages: { title: string; since: string; due: string; ratio: number | null }[]
  qualitative: boolean
  target_ratio: number | null
  met: number | null
  asked: number | null
  ratio: number | null
  needed: number | null
  behind: number | null
  reached: boolean | null
  overdue: boolean
  failing: { condition: string; sites: number }[]
  quotas: { code: string; name: string; wanted: number; named: number }[] | null
  decision: { result: string; on: string; by: string | null; proof: string | null } | null
  source: string
}

export interface Progress {
  id: string
  points: { day: string; met: number; asked: number }[]
  planned_ratio: number | null
  required_per_week: number | null
  actual_per_week: number | null
  forecast: string | null
}

export interface Missing {
  total: number
  data: { site: string; name: string; code: string; responsible: string | null; failing: string[] }[]
}

export interface Ranked {
  place: number | null
  band: string | null
  code: string
  name: string
  subjects: number
  coverage: number | null
  availability: number | null
  kiosk_online: number | null
  overdue_tasks: number
}

export interface Bulletin {
  month: string
  code: string
  name: string
  as_of: string
  rule_version: string
  ranking_version: string
  whole: Omit<Ranked, 'place' | 'band'>
  ranking: Ranked[]
  published: { edition: number; sha256: string; reason: string; by: string | null; at: string } | null
}

export interface Ranking {
  period: string
  code: string
  formula: string
  data: Ranked[]
}

export interface Paper {
  paper: string
  period: string
  code: string
  title: string[]
  parts: {
    heading: string | null
    paragraph: string | null
    table: { title: string; unit: string; source: string; columns: { title: string; kind: string }[]; rows: (string | number | null)[][] } | null
  }[]
  published: Bulletin['published']
}

export interface BulletinList {
  data: { month: string; code: string; edition: number; sha256: string; published_at: string }[]
}

export interface Task {
  id: string
  title: string
  origin: string
  reference: string
  division: string
  division_name: string
  site: string
  assigner: string
  owner: string
  cooperating: string[]
  due_on: string
  state: string
  overdue: boolean
  opened_at: string
  closed_at: string | null
  steps: { step: string; at: string; by: string; note: string; due_on: string | null }[]
}

export interface TaskList {
  total: number
  data: Task[]
}

export interface Appeal {
  id: string
  site: string
  name: string
  what: string
  claim: string
  evidence: string
  by: string
  opened_at: string
  due_on: string
  overdue: boolean
  ruling: { result: string; reason: string; takes_effect: string; by: string; at: string } | null
}

export interface AppealList {
  total: number
  data: Appeal[]
}

export interface Indicator {
  id: string
  version: string
  zh: string
  en: string
  formula: string
  unit: string
  threshold: number
  better: string
  value: number | null
  raw: number | null
  samples: number
  expected: number
  reason: string | null
  met: boolean | null
}

export interface IndicatorList {
  month: string
  code: string
  data: Indicator[]
}

export interface SeriesPoint {
  day: string
  numerator: number
  denominator: number
  unknown: number
  ratio: number | null
}

export interface Gaps {
  total: number
  data: { kind: string; site: string; name: string; code: string; what: string }[]
  ranges: { rule: string; code: string; name: string; count: number; low: number; high: number; fit: string }[]
}

export interface Boundaries {
  review_number: string
  crs: string
  credit: string
  missing: string[]
  features: { id?: string; properties: { name: string; title: string }; geometry: object }[]
}

export interface Shift {
  county: string
  at: string
  since: string
  after: number | null
  open: {
    id: string; site: string | null; name: string; sites: number; since: string; hours: number; verdict: string
    reason_zh: string; reason_en: string; duty_zh: string; duty_en: string; handling: string; owner: string; ticket: string; planned: boolean
  }[]
  ended: { id: string; name: string; since: string; until: string; minutes: number; verdict: string }[]
  work: { id: string; target: string; name: string; since: string; until: string; reason: string; by: string }[]
  runs: { id: string; plan: string; by: string; at: string; state: string }[]
  jobs: { job: string; due: string; failed: boolean; said: string }[]
  tasks: { id: string; title: string; owner: string; due: string }[]
  unsent: Record<string, number>
}

export interface HandoverHead {
  id: number
  at: string
  by: string
  note: string
  sha256: string
  intact: boolean
  taken_at: string | null
  taken_by: string
  taken_note: string
}

export interface TodayItem {
  kind: string
  count: number
  urgent: boolean
  names: string[]
  link: string
  command: string
}
