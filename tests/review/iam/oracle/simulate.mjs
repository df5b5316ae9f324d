// Decides requests with @cloud-copilot/iam-simulate: a JSON array of simulations on standard input,
// an array of {decision, ignored, error} on standard output. No network.
import { readFileSync } from 'node:fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const input = JSON.parse(readFileSync(0, 'utf8'))
const answers = []
for (const { policies, request } of input.requests.map((r) => ({ request: r, policies: input.policies[r.policies] }))) {
  const result = await runSimulation(
    {
      request: {
        principal: request.principal,
        action: request.action,
        resource: { resource: request.resource, accountId: request.account },
        contextVariables: request.context,
      },
      identityPolicies: policies.identity ? [{ name: 'identity', policy: policies.identity }] : [],
      resourcePolicy: policies.resource ?? undefined,
      permissionBoundaryPolicies: policies.boundary
        ? [{ name: 'boundary', policy: policies.boundary }]
        : undefined,
      vpcEndpointPolicies: policies.endpoint
        ? [{ name: 'endpoint', policy: policies.endpoint }]
        : undefined,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  )
  if (result.resultType === 'error') {
    answers.push({ decision: 'Error', error: JSON.stringify(result.errors) })
  } else {
    const one = result.resultType === 'single' ? result.result : result.results[0]
    answers.push({ decision: result.overallResult, ignored: one?.ignoredContextKeys ?? [] })
  }
}
process.stdout.write(JSON.stringify(answers))
