// Asks the API. What it answers is described by its OpenAPI document; the shapes used here stand in types.ts.
import { page } from '../app/page'

export class Refused extends Error {
  constructor(readonly status: number, message: string) {
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

export async function ask<Answer>(path: string, query: Query = {}): Promise<Answer> {
  let response: Response
  try {
    response = await fetch(address(path, query), {
      headers: { Accept: 'application/json', 'Accept-Language': page.language === 'zh' ? 'zh-CN' : 'en' },
    })
  } catch {
    throw new Refused(0, '')
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}))
    throw new Refused(response.status, problem.detail ?? problem.title ?? response.statusText)
  }
  return response.json() as Promise<Answer>
}
