import { t } from '../app/page'
import type { Deed } from './deed'

const note = { name: 'note', label: t('shift.note'), kind: 'area', most: 4000 } as const

/** Freezes the shift as it stands: signed by whoever is logged in. */
export const giveShift = (): Deed => ({
  key: 'give', title: t('shift.give'), may: 'hand_over', path: '/v1/handovers', fields: [note], note: t('shift.give_note'), primary: true,
})

export const takeShift = (id: number): Deed => ({
  key: 'take', title: t('shift.take'), may: 'hand_over', path: `/v1/handovers/${id}/take`, fields: [note], note: t('shift.take_note'), primary: true,
})
