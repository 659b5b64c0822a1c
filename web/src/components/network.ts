import type { NetworkNode } from '../api/types'

export interface Branch {
  node: NetworkNode
  below: Branch[]
}

/** The uplink tree from a flat list; a site with several uplinks hangs below its first. */
export function branches(nodes: readonly NetworkNode[]): Branch[] {
  const all = new Map(nodes.map((node) => [node.site, { node, below: [] } as Branch]))
  const roots: Branch[] = []
  for (const branch of all.values()) {
    const above = branch.node.uplinks.map((site) => all.get(site)).find((one) => one !== undefined)
    if (above) above.below.push(branch)
    else roots.push(branch)
  }
  return roots
}

/** Whether anything at or below a branch is not as it should be: such branches are open at first. */
export function troubled(branch: Branch): boolean {
  return branch.node.reachable === 'no' || branch.below.some(troubled)
}
