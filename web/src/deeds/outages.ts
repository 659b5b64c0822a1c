import { t } from '../app/page'
import type { Outage } from '../api/types'
import type { Deed, Field } from './deed'
import { dayAfter } from './deed'

const note: Field = { name: 'note', label: t('deed.note'), kind: 'area' }
const needed: Field = { ...note, required: true }
const at: Field = { name: 'at', label: t('deed.at'), kind: 'time', hint: t('deed.now') }
const path = (id: string, verb: string): string => `/v1/outages/${id}/${verb}`

/** What people can do about an outage, in the order in which it usually happens. */
export function outageDeeds(outage: Outage & { handling: string }): Deed[] {
  const over = outage.until !== null
  const deed = (verb: string, may: string, fields: readonly Field[], more: Partial<Deed> = {}): Deed => ({
    key: verb, title: t(`verb.${verb}`), may, path: path(outage.id, verb), fields, ...more,
  })
  return [
    ...(outage.handling === 'open' ? [deed('acknowledge', 'acknowledge', [note], { primary: true })] : []),
    deed('note', 'acknowledge', [needed]),
    ...(over ? [] : [
      deed('assign', 'dispatch', [{ name: 'note', label: t('ui.owner'), required: true, most: 128 }]),
      deed('ticket', 'dispatch', [{ name: 'note', label: t('deed.ticket'), required: true, most: 128 }]),
    ]),
    deed('reported', 'acknowledge', [at, note]),
    deed('on-site', 'acknowledge', [at, note]),
    deed('repaired', 'acknowledge', [at, note], { note: t('deed.repaired_note') }),
    ...(over ? [deed('close', 'close_outage', [note], { primary: true })] : [
      deed('escalate', 'escalate', [needed]),
      taskDeed(t('verb.task'), outage.site ?? outage.sites[0] ?? '', 'outage', outage.id, outage.name),
    ]),
  ]
}

/** Opens a task on a site or a division, from something that is wrong there. */
export function taskDeed(title: string, target: string, origin: string, reference: string, about: string): Deed {
  return {
    key: 'task', title, may: 'open_task', path: '/v1/tasks', fixed: { target, origin, reference },
    fields: [
      { name: 'title', label: t('ui.task'), required: true, most: 200, start: about },
      { name: 'owner', label: t('ui.owner'), required: true, most: 128 },
      { name: 'due_on', label: t('due'), kind: 'date', required: true, start: dayAfter(7) },
    ],
  }
}
