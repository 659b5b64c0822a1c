// Asks the API. What it answers is described by its OpenAPI document; the shapes used here stand in types.ts.
import { page } from '../app/page'

export interface FieldProblem {
  pointer: string
  message: string
}

export class Refused extends Error {
  constructor(readonly status: number, message: string, readonly errors: readonly FieldProblem[] = []) {
    super(message)
  }
}

export type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>

export function address(path: string, query: Query = {}): string {
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === '') continue
    if (Array.isArray(value)) value.forEach((one: string) => words.append(name, one))
    else words.set(name, String(value))
  }
  const text = words.toString()
  return text ? `${path}?${text}` : path
}

const language = page.language === 'zh' ? 'zh-CN' : 'en'

async function answered<Answer>(address: string, init: RequestInit): Promise<Answer> {
  let response: Response
  try {
    response = await fetch(address, init)
  } catch {
    throw new Refused(0, '')
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}))
    throw new Refused(response.status, problem.detail ?? problem.title ?? response.statusText, problem.errors ?? [])
  }
  return (response.status === 204 ? undefined : await response.json()) as Answer
}

export function ask<Answer>(path: string, query: Query = {}): Promise<Answer> {
  return answered(address(path, query), { headers: { Accept: 'application/json', 'Accept-Language': language } })
}

/** A name for one write. Sent again with the same, it is done once. */
export function newKey(): string {
  // crypto.randomUUID is for secure contexts only, and an office's page may come over plain HTTP.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Writes as whoever is logged in. The first header shows that the page is ours: no foreign one can send it. */
export function send<Answer>(method: 'POST' | 'DELETE', path: string, body?: unknown, key?: string): Promise<Answer> {
  const headers: Record<string, string> = { 'X-Cuntong-Request': '1', Accept: 'application/json', 'Accept-Language': language }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (key) headers['Idempotency-Key'] = key
  return answered(path, { method, headers, body: body === undefined ? null : JSON.stringify(body) })
}
