import { t } from '../app/page'
import type { Task } from '../api/types'
import type { Deed, Field, Values } from './deed'
import { dayAfter, todayText } from './deed'

const day = (label: string): Field => ({ name: 'on', label, kind: 'date', required: true, start: todayText() })
const proof: Field = { name: 'proof', label: t('proof'), required: true, most: 500, hint: t('deed.proof_hint') }
const note: Field = { name: 'note', label: t('deed.note'), kind: 'area' }
const choices = (prefix: string, ...codes: string[]) => codes.map((code) => [code, t(`${prefix}.${code}`)] as const)

export const openTask = (target = ''): Deed => ({
  key: 'open', title: t('verb.task'), may: 'open_task', path: '/v1/tasks', primary: !target,
  fields: [
    { name: 'title', label: t('ui.task'), required: true, most: 200 },
    { name: 'target', label: t('deed.target'), required: true, most: 64, start: target, hint: t('deed.target_hint') },
    { name: 'owner', label: t('ui.owner'), required: true, most: 128 },
    { name: 'cooperating', label: t('deed.cooperating'), most: 500, hint: t('deed.list_hint') },
    { name: 'due_on', label: t('due'), kind: 'date', required: true, start: dayAfter(7) },
  ],
  body: (said: Values) => ({ ...said, cooperating: said['cooperating'] ? String(said['cooperating']).split(/[、,，;；]\s*/).filter(Boolean) : [] }),
})

/** The owner's steps, then the assigner's: what comes next stands out. */
export function taskDeeds(task: Task): Deed[] {
  const done = new Set(task.steps.map((step) => step.step))
  const next = task.state === 'rectified' ? 'closed' : !done.has('acknowledged') ? 'acknowledged' : !done.has('visited') ? 'visited' : 'rectified'
  const deed = (step: string, may: string, fields: readonly Field[]): Deed => ({
    key: step, title: t(`verb.task.${step}`), may, path: `/v1/tasks/${task.id}/steps`, fixed: { step }, fields, primary: step === next,
  })
  if (task.state === 'closed') return [deed('reopened', 'close_task', [{ ...note, required: true }])]
  return [
    ...(done.has('acknowledged') ? [] : [deed('acknowledged', 'work_on_task', [note])]),
    deed('visited', 'work_on_task', [note]),
    deed('progress', 'work_on_task', [{ ...note, required: true }]),
    ...(task.state === 'rectified' ? [] : [deed('rectified', 'work_on_task', [{ ...note, required: true }])]),
    ...(task.state === 'rectified' ? [deed('closed', 'close_task', [note]), deed('reopened', 'close_task', [{ ...note, required: true }])] : []),
    deed('extended', 'close_task', [{ name: 'due_on', label: t('deed.new_due'), kind: 'date', required: true, start: dayAfter(7) }, note]),
  ]
}

export const lodgeAppeal = (site = ''): Deed => ({
  key: 'appeal', title: t('verb.appeal'), may: 'appeal', path: '/v1/appeals', note: t('deed.appeal_note'), ...(site ? { fixed: { site } } : { primary: true }),
  fields: [
    ...(site ? [] : [{ name: 'site', label: t('deed.site'), required: true, most: 64, hint: t('deed.site_hint') }]),
    { name: 'what', label: t('deed.what'), kind: 'choice', required: true, choices: choices('appeal', 'coverage', 'claim', 'availability', 'equipment', 'identity') },
    { name: 'claim', label: t('deed.right'), kind: 'area', required: true },
    { name: 'evidence', label: t('proof'), kind: 'area', required: true },
  ],
})

export const ruleOnAppeal = (id: string): Deed => ({
  key: 'rule', title: t('verb.rule'), may: 'rule_on_appeal', path: `/v1/appeals/${id}/ruling`, primary: true,
  fields: [
    { name: 'result', label: t('ui.ruling'), kind: 'choice', required: true, choices: choices('ruling', 'upheld', 'rejected') },
    { name: 'reason', label: t('reason'), kind: 'area', required: true },
    { name: 'takes_effect', label: t('deed.takes_effect'), kind: 'month', required: true, start: todayText().slice(0, 7) },
  ],
})

export const drawSites = (division: string, week: string): Deed => ({
  key: 'draw', title: t('verb.draw'), may: 'draw_spot_check', path: '/v1/spot-checks', primary: true, note: t('deed.draw_note'),
  fields: [
    { name: 'division', label: t('code'), required: true, most: 12, start: division },
    { name: 'period', label: t('deed.week'), required: true, most: 8, start: week },
    { name: 'size', label: t('deed.size'), kind: 'number', required: true, start: '5' },
  ],
})

const FORM = ['open', 'sign', 'staff', 'kiosk', 'service'] as const

export const recordVisit = (draw: string, site: string): Deed => ({
  key: 'visit', title: t('verb.visit'), may: 'record_visit', path: `/v1/spot-checks/${draw}/visits`,
  fields: [
    { name: 'result', label: t('deed.result'), kind: 'choice', required: true, choices: choices('visit', 'passed', 'failed', 'closed') },
    { name: 'at', label: t('deed.at'), kind: 'time', hint: t('deed.now') },
    ...FORM.map((name): Field => ({ name, label: t(`visit.form.${name}`), kind: 'flag' })),
    { name: 'remark', label: t('deed.note'), kind: 'area', most: 500 },
  ],
  body: (said: Values) => ({
    site, result: said['result'], ...(said['at'] ? { at: said['at'] } : {}),
    form: Object.fromEntries([...FORM, 'remark'].filter((name) => said[name] !== null).map((name) => [name, said[name]])),
  }),
})

export const sayClaim = (site: string): Deed => ({
  key: 'claim', title: t('verb.claim'), may: 'claim', path: '/v1/claims', fixed: { site }, note: t('deed.claim_note'),
  fields: [
    { name: 'claim', label: t('claim'), kind: 'choice', required: true, choices: choices('claim', 'planned', 'built', 'connected', 'accepted', 'in_service', 'retired') },
    day(t('deed.since')), proof,
  ],
})

export const acceptSite = (site: string): Deed => ({
  key: 'accept', title: t('verb.accept'), may: 'accept', path: '/v1/acceptances', fixed: { site },
  fields: [
    { name: 'tier', label: t('deed.tier'), kind: 'choice', required: true, choices: choices('tier', 'township', 'county', 'city', 'province') },
    { name: 'result', label: t('deed.result'), kind: 'choice', required: true, choices: choices('accepted', 'passed', 'failed') },
    { name: 'demonstration', label: t('deed.demonstration'), kind: 'flag' },
    day(t('ui.day')), proof,
  ],
})

export const announceWork = (target = ''): Deed => ({
  key: 'work', title: t('verb.work'), may: 'announce_work', path: '/v1/maintenance', ...(target ? { fixed: { target } } : { primary: true }), note: t('deed.work_note'),
  fields: [
    ...(target ? [] : [{ name: 'target', label: t('deed.target'), required: true, most: 64, hint: t('deed.target_hint') }]),
    { name: 'since', label: t('deed.from'), kind: 'time', required: true },
    { name: 'until', label: t('deed.to'), kind: 'time', required: true },
    { name: 'reason', label: t('deed.work'), kind: 'area', required: true, most: 500 },
  ],
})

export const cancelWork = (id: string): Deed => ({
  key: 'cancel', title: t('verb.cancel'), may: 'announce_work', path: `/v1/maintenance/${id}/cancel`, fields: [{ name: 'reason', label: t('reason'), most: 500 }],
})

export const publishBulletin = (month: string, division: string, again: boolean): Deed => ({
  key: 'publish', title: t(again ? 'verb.correct' : 'verb.publish'), may: 'publish', path: '/v1/bulletins', fixed: { month, division }, primary: !again, note: t('deed.publish_note'),
  fields: again ? [{ name: 'reason', label: t('deed.correction'), kind: 'area', required: true, most: 500 }] : [],
})

/** A paper may be published again; a correction says why. */
export const publishPaper = (paper: string, period: string, division: string): Deed => ({
  key: 'publish', title: t('verb.publish'), may: 'publish', path: '/v1/papers', fixed: { paper, period, division }, note: t('deed.publish_note'),
  fields: [{ name: 'reason', label: t('deed.correction'), kind: 'area', most: 500 }],
})

export const signLedger = (month: string, division: string): Deed => ({
  key: 'sign', title: t('verb.sign'), may: 'sign', path: '/v1/ledgers/signatures', fixed: { month, division }, note: t('deed.sign_note'), fields: [],
})

export const decideMilestone = (id: string, division: string): Deed => ({
  key: 'decide', title: t('verb.decide'), may: 'decide', path: `/v1/milestones/${id}/decisions`, fixed: { division }, primary: true,
  fields: [{ name: 'result', label: t('deed.result'), kind: 'choice', required: true, choices: choices('decision', 'reached', 'missed') }, day(t('ui.day')), proof],
})
