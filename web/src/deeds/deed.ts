// What somebody can do on a page, as data: which form it takes, who may, and where it is sent.

import { page } from '../app/page'

export interface Field {
  name: string
  label: string
  kind?: 'text' | 'area' | 'date' | 'month' | 'time' | 'choice' | 'flag' | 'number'
  choices?: readonly (readonly [value: string, label: string])[]
  required?: boolean
  most?: number
  hint?: string
  start?: string
}

export type Values = Record<string, string | boolean | number | null>

export interface Deed {
  key: string
  title: string
  /** The action of api/actions/grants.py that it takes. */
  may: string
  path: string
  fields: readonly Field[]
  /** Sent along with what the form says. */
  fixed?: Record<string, unknown>
  /** The body, where it is not simply the values by name. */
  body?: (values: Values) => unknown
  primary?: boolean
  /** A sentence above the form. */
  note?: string
}

export const todayText = (): string => page.today
export const dayAfter = (days: number): string => new Date(Date.parse(page.today) + days * 86_400_000).toISOString().slice(0, 10)

const SHAPES: Record<string, RegExp> = {
  date: /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/,
  month: /^\d{4}-(0[1-9]|1[0-2])$/,
  time: /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]) ([01]\d|2[0-3]):[0-5]\d$/,
  number: /^-?\d+(\.\d+)?$/,
}

/** Which message says what is wrong with a field as it stands; null where nothing is. */
export function wrong(field: Field, value: string | boolean): string | null {
  if (typeof value === 'boolean') return null
  const text = value.trim()
  if (!text) return field.required ? 'deed.required' : null
  const shape = SHAPES[field.kind ?? 'text']
  return shape && !shape.test(text) ? `deed.not_${field.kind}` : null
}

/** What is sent for a field: nothing where it was left empty. */
export function sent(field: Field, value: string | boolean): string | boolean | number | null {
  if (typeof value === 'boolean') return value
  const text = value.trim()
  if (!text) return null
  if (field.kind === 'time') return `${text.replace(' ', 'T')}:00+08:00`
  return field.kind === 'number' ? Number(text) : text
}
